"""The launcher's master of one application: requests, containers, task retries, gang, completion policy, its own end.

Every step of a task is one of the task table's (``contracts.launcher.lifecycle``). What the master decides it decides from
the request as it last pulled it; what the world does comes from the story's behaviour.
"""

import random

from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher.lifecycle import TaskEvent, TaskState, next_task_state
from contracts.launcher.records import ExitType, TaskRoleDescriptor
from simulator.machine import completion, diagnostics, sources
from simulator.machine.application import ApplicationLife, Container, RoleLife, Task, YarnEnd
from simulator.machine.delays import next_tick
from simulator.machine.diagnostics import Report
from simulator.machine.gang import Gang
from simulator.machine.happenings import Happenings, meant
from simulator.machine.requests import Requests
from simulator.machine.retry import decide
from simulator.machine.story import SECOND, ContainerFate, EndContainers, Exit, MakeRoom, MasterFailed
from simulator.machine.surroundings import Surroundings
from simulator.machine.tallies import Tallies
from simulator.machine.telling_progress import TellingProgress

MIGRATED = Exit(code=-7153)
EXPIRED = Exit(code=-7112)
GANG_TIMEOUT = -7252
REFUSED_BY_YARN = -7200
SOURCES_UNUSABLE = -7251
PERMANENT_FAILURES = frozenset({REFUSED_BY_YARN, SOURCES_UNUSABLE})
"""The master reports these and ends; after any other failure YARN starts it again, unseen by anybody."""
BOOKKEEPING: Milliseconds = 3
"""From the end of a container to what follows from it: one task of the master's queue."""
UNREGISTERING: Milliseconds = 16

HOLDS_A_CONTAINER = frozenset(
    {TaskState.CONTAINER_ALLOCATED, TaskState.CONTAINER_LAUNCHED, TaskState.CONTAINER_RUNNING}
)
OUTSTANDING = frozenset({TaskState.TASK_WAITING, TaskState.CONTAINER_REQUESTED})


class Master:
    def __init__(self, around: Surroundings, life: ApplicationLife, started: Instant, rolls: random.Random) -> None:
        self._around = around
        self._agenda = around.agenda
        self._life = life
        self._rolls = rolls
        self._cluster = around.story.cluster
        self._intervals = self._cluster.intervals
        self.started = started
        self.descriptor = life.descriptor
        self._tasks: dict[str, list[Task]] = {}
        self.roles: dict[str, TaskRoleDescriptor] = {}
        """As asked for last: a role that was taken out of the descriptor keeps its policies."""
        self._tallies = Tallies()
        self._gang = Gang(self._agenda, self._intervals.gang_timeout)
        self._progress = TellingProgress(
            self._agenda, life, started, self._intervals.am_rm_heartbeat, self._tallies.done, around.application_changed
        )
        self._acted_on: set[str] = set()
        self._refused = False
        self._happenings = Happenings()
        self._requests = Requests(self, around, life, self._happenings, rolls)

    def fall_apart(self) -> None:
        """It and what asks for it hold each other."""
        del self._requests

    @property
    def alive(self) -> bool:
        return self._life.master_over is None

    @property
    def _together(self) -> bool:
        return self.descriptor.platform.gang_allocation

    def start(self, now: Instant) -> None:
        self._life.masters.append((now, 1))
        self._take_request(now)
        failure = self._life.fate.end
        if isinstance(failure, MasterFailed):
            self._agenda.at(now + failure.after, self._fail, failure)

    # --- the request ------------------------------------------------------------------------------------------------

    def pull(self, now: Instant) -> None:
        if self.alive:
            self._take_request(now)

    def _take_request(self, now: Instant) -> None:
        request = self._around.request_of(self._life.key.version)
        if request is not None:
            self.descriptor = request.descriptor
            self._progress.override = request.progress_override
        for name, role in self.descriptor.task_roles.items():
            self._resize(now, name, role)
        self._progress.soon(now)
        if request is not None and request.migrate_task_requests:
            self._migrate(now, tuple(request.migrate_task_requests))

    def _resize(self, now: Instant, name: str, role: TaskRoleDescriptor) -> None:
        if name not in self._tasks:
            self._tasks[name] = []
            self._life.roles[name] = RoleLife(name, now, role.task_service.version, [])
            self._around.task_changed(self._life, now)
        self.roles[name] = role
        resources = self._life.roles[name].resources
        if not resources or resources[-1][1] != role.task_service.resource:
            resources.append((now, role.task_service.resource))
        tasks = self._tasks[name]
        while len(tasks) > role.task_number:
            self._remove(now, tasks.pop())
            self._tallies.grown(name, -1)
        if len(tasks) < role.task_number:
            grown = [self._create(now, name, index) for index in range(len(tasks), role.task_number)]
            tasks.extend(grown)
            self._tallies.grown(name, len(grown))
            self._gang.grown(now, len(grown), self._gang_timed_out, wanted=self._together, again=True)
            self._agenda.at(now + self._rolls.randint(5, 60), self._requests.all_of, grown)

    def _create(self, now: Instant, role: str, index: int) -> Task:
        logs = self._life.roles[role].slots
        if index == len(logs):
            logs.append([])
        task = Task(role, index, logs[index], now)
        task.note(now)
        self._around.task_changed(self._life, now)
        return task

    def _remove(self, now: Instant, task: Task) -> None:
        """The task number was lowered: no exit information is left anywhere."""
        if task.state in OUTSTANDING:
            self._no_longer_outstanding(now)
        elif task.container is not None and task.state in HOLDS_A_CONTAINER:
            self._requests.give_back(now, task.container)
        elif task.state is TaskState.TASK_COMPLETED:
            self._tallies.exited(task, -1)
        task.serial += 1
        last = task.log[-1]
        task.log.append(replace(last, at=max(now, last.at), state=None))
        self._around.task_changed(self._life, now)

    def _migrate(self, now: Instant, container_ids: tuple[str, ...]) -> None:
        for task in [task for tasks in self._tasks.values() for task in tasks]:
            held = task.container.id if task.container is not None and task.state in HOLDS_A_CONTAINER else None
            if held in container_ids and held not in self._acted_on and self.alive:
                self._acted_on.add(held)
                self._end(now, task, task.serial, MIGRATED)
        self._around.migrations_done(now + 30, container_ids)

    # --- what the world does to it ----------------------------------------------------------------------------------

    def happened(self, now: Instant, event: MakeRoom | EndContainers) -> None:
        self._happenings.note(event)
        for task in [task for tasks in self._tasks.values() for task in tasks if meant(event, task)]:
            if isinstance(event, EndContainers):
                if task.state in HOLDS_A_CONTAINER:
                    self._end(now, task, task.serial, event.exit)
            elif task.state in OUTSTANDING and task.fate is not None:
                self._requests.given_room(now, task)

    # --- asking for containers: what comes of it --------------------------------------------------------------------

    def refused(self, now: Instant, text: str) -> None:
        """The whole master fails with it, at its next heartbeat."""
        if not self._refused:
            self._refused = True
            heartbeat = next_tick(now, self.started, self._intervals.am_rm_heartbeat)
            self._agenda.at(heartbeat, self._fail, MasterFailed(REFUSED_BY_YARN, text))

    def allocated(self, now: Instant, task: Task, fate: ContainerFate) -> None:
        if fate.ends_in is TaskState.CONTAINER_ALLOCATED:
            if fate.run is not None:
                self._agenda.at(now + fate.run, self._end, task, task.serial, fate.exit)
        elif self._together:
            self._agenda.at(now + self._intervals.container_expiry, self._expire, task, task.serial)
        else:
            self._agenda.at(now + self._rolls.randint(2, 20), self._launch, task, task.serial)
        self._no_longer_outstanding(now)

    # --- the gang ---------------------------------------------------------------------------------------------------

    def _no_longer_outstanding(self, now: Instant) -> None:
        if self._gang.one_less() and self._together:
            for tasks in self._tasks.values():
                for task in tasks:
                    if task.state is TaskState.CONTAINER_ALLOCATED and not _stays_allocated(task):
                        self._agenda.at(now + self._rolls.randint(2, 20), self._launch, task, task.serial)

    def _gang_timed_out(self, now: Instant, outstanding: int) -> None:
        if self.alive:
            seconds = self._intervals.gang_timeout // SECOND
            self._unregister(now, self._report(GANG_TIMEOUT, diagnostics.gang_timeout_text(outstanding, seconds)))

    def _expire(self, now: Instant, task: Task, serial: int) -> None:
        if task.serial == serial and task.state is TaskState.CONTAINER_ALLOCATED:
            self._end(now, task, serial, EXPIRED)

    # --- a container's life -----------------------------------------------------------------------------------------

    def _launch(self, now: Instant, task: Task, serial: int) -> None:
        fate, container = task.fate, task.container
        if task.serial != serial or not self.alive or fate is None or container is None:
            return
        if task.state is not TaskState.CONTAINER_ALLOCATED:
            return  # told twice: the gang was complete, not complete and complete again within milliseconds
        wrong = sources.unusable(self.roles[task.role].task_service.source_locations)
        if wrong is not None and self._life.fate.end is None:
            self._fail(now, MasterFailed(SOURCES_UNUSABLE, wrong))
            return
        container.launched = now
        self.step(now, task, TaskEvent.CONTAINER_LAUNCHED)
        if fate.ends_in is TaskState.CONTAINER_RUNNING:
            self._agenda.at(now + fate.start, self._run, task, task.serial, fate)
        elif fate.run is not None:
            self._agenda.at(now + fate.run, self._end, task, task.serial, fate.exit)

    def _run(self, now: Instant, task: Task, serial: int, fate: ContainerFate) -> None:
        if task.serial == serial and task.state is TaskState.CONTAINER_LAUNCHED and self.alive:
            self.step(now, task, TaskEvent.CONTAINER_STARTED)
            ended = self._happenings.ended(task)
            if ended is not None:
                self._agenda.at(now + SECOND, self._end, task, serial, ended)
            elif fate.run is not None:
                self._agenda.at(now + fate.run, self._end, task, serial, fate.exit)

    def _end(self, now: Instant, task: Task, serial: int, end: Exit) -> None:
        container = task.container
        if task.serial != serial or not self.alive or container is None:
            return
        exit_type = self._around.exit_type(end.code)
        self._requests.give_back(now, container)
        container.completed, container.exit_code, container.exit_type = now, end.code, exit_type
        container.exit_description = self._around.exit_description(end.code)
        container.diagnostics = diagnostics.container_text(end, container.id, now, container.resource)
        task.serial += 1
        self.step(now, task, TaskEvent.CONTAINER_ENDED)
        then = now + BOOKKEEPING
        decision = decide(self.roles[task.role].task_retry_policy, exit_type, task.retries)
        if decision.retry:
            task.retries, task.container, task.fate, task.room_at = decision.retries, None, None, None
            task.attempt += 1
            self.step(then, task, TaskEvent.RETRIED)
            self._gang.grown(then, 1, self._gang_timed_out, wanted=self._together)
            self._requests.of(then, task)
        else:
            self.step(then, task, TaskEvent.COMPLETED)
            self._tallies.exited(task, 1)
            self._progress.soon(then)
            self._completed(then, task, container)

    def step(self, now: Instant, task: Task, event: TaskEvent) -> None:
        task.state = next_task_state(task.state, event)
        task.note(now)
        self._around.task_changed(self._life, now)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _completed(self, now: Instant, task: Task, container: Container) -> None:
        ending = completion.ending(
            self.roles[task.role].completion_policy,
            task.role,
            succeeded=container.exit_type is ExitType.SUCCEEDED,
            in_role=self._tallies.of(task.role),
            in_all=self._tallies.all,
        )
        if ending is None:
            return
        if ending.by_task and container.exit_code is not None:
            report = self._report(container.exit_code, container.diagnostics, ending.message, task)
        else:
            report = self._report(0, None, ending.message)
        self._unregister(now, report)

    def _report(self, code: int, text: str | None, message: str | None = None, task: Task | None = None) -> Report:
        return Report(
            code,
            self._around.exit_description(code),
            self._around.exit_type(code),
            text,
            message,
            None if task is None else task.role,
            None if task is None else task.index,
        )

    def _fail(self, now: Instant, failure: MasterFailed) -> None:
        if not self.alive:
            return
        if failure.code in PERMANENT_FAILURES:
            self._unregister(now, self._report(failure.code, diagnostics.exception_text(failure.code, failure.text)))
        else:
            self._start_again(now)

    def _start_again(self, now: Instant) -> None:
        """The next attempt of the master finds the started containers alive and asks for the others anew."""
        self._life.masters.append((now, self._life.masters[-1][1] + 1))
        self._requests.number_anew()
        for task in [task for tasks in self._tasks.values() for task in tasks]:
            if task.state in (TaskState.CONTAINER_REQUESTED, TaskState.CONTAINER_ALLOCATED):
                if task.container is not None:
                    self._requests.give_back(now, task.container)
                    self._gang.grown(now, 1, self._gang_timed_out, wanted=self._together)
                task.serial += 1
                task.container, task.fate, task.room_at = None, None, None
                self._requests.taken_back(now, task)
            elif task.state is TaskState.CONTAINER_LAUNCHED and task.fate is not None:
                self._run(now, task, task.serial, task.fate)

    def _unregister(self, now: Instant, report: Report) -> None:
        life, report = self._life, report.within(self._cluster.intervals.am_diagnostics_most)
        life.master_over, life.pushed_last = now, True
        life.closed = now + UNREGISTERING
        succeeded = report.code == 0
        life.end = YarnEnd(
            "FINISHED", "SUCCEEDED" if succeeded else "FAILED", 1.0, diagnostics.wrapped_report(report), report
        )
        self._around.task_changed(life, now)
        self._around.application_changed(life.closed)


def _stays_allocated(task: Task) -> bool:
    return task.fate is not None and task.fate.ends_in is TaskState.CONTAINER_ALLOCATED
