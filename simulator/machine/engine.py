"""The machine of one framework: the request store, the launcher's service, YARN's part, and the masters they start.

Events in time order, each at an instant the story decides; nothing ticks. Every step of the framework is one of the
framework table's (``contracts.launcher.lifecycle``). The machine runs only as far as it is asked to, and
is causal: what it did up to an instant depends on nothing that comes later, so a story with one more operation at its end
has the same past.

What it leaves behind are logs, in the launcher's own division: requests (shown at once), framework statuses, and the
applications with their tasks (both shown after the web server's next look).
"""

from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher import exits
from contracts.launcher.lifecycle import FrameworkEvent, FrameworkState, next_framework_state
from contracts.launcher.records import (
    ExecutionType,
    ExitType,
    FrameworkRequest,
    FrameworkStatus,
    LaunchClientType,
    RetryState,
)
from simulator.dice import dice
from simulator.machine import diagnostics, operations, placement
from simulator.machine.agenda import Agenda
from simulator.machine.application import NO_RETRIES, ApplicationLife
from simulator.machine.delays import back_off, next_tick, pull_phase, resync_phase, web_phase
from simulator.machine.hadoop import Hadoop
from simulator.machine.looks import Looks
from simulator.machine.outcomes import Outcome, retrieved
from simulator.machine.retry import decide
from simulator.machine.statuses import PastAttempt, Run, StatusEntry
from simulator.machine.story import (
    ApplicationFate,
    ApplicationKey,
    ContainerFate,
    ContainerKey,
    EndContainers,
    Kill,
    MakeRoom,
    Operation,
    Story,
)

_F = FrameworkState
_FE = FrameworkEvent

FULL_CLUSTER_APPLICATION = ApplicationFate(am_start=None)
FULL_CLUSTER_CONTAINER = ContainerFate(allocation=None)
WITH_AN_APPLICATION = frozenset({_F.APPLICATION_LAUNCHED, _F.APPLICATION_WAITING, _F.APPLICATION_RUNNING})
PROGRESS_STEP = 0.1
"""The service takes no notice of less."""


class Machine:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.requests: list[tuple[Instant, FrameworkRequest | None]] = []
        self.statuses: list[tuple[Instant, StatusEntry | None]] = []
        self.applications: list[ApplicationLife] = []
        self.looks = Looks(story.cluster)
        self.agenda = Agenda()
        self._cluster = story.cluster
        self._intervals = story.cluster.intervals
        self._pull = pull_phase(story.cluster.started, self._intervals)
        self._resync = resync_phase(story.cluster.started, self._intervals)
        self._request: FrameworkRequest | None = None
        self._entry: StatusEntry | None = None
        self._hadoop = Hadoop(self)
        self._turn = 0
        """Rises whenever pending events of the service become obsolete."""
        self._undecided = False
        """An application was completed while no request of its version stood; one may come back before the next pull."""
        self._containers = 0
        self._rolls = dice(story.seed, story.name)
        for operation in story.operations:
            self.agenda.at(operation.at, self._operate, operation)

    def fall_apart(self) -> None:
        """For whoever drops it: its parts, and the events that are due, hold each other; afterwards nothing does any more,
        and the memory is free at once, not when the collector has searched all of it."""
        self.agenda.clear()
        self._hadoop.fall_apart()
        del self._hadoop

    def task_changed(self, application: ApplicationLife, at: Instant) -> None:
        self.looks.after_push(application, at)

    # --- the request store ------------------------------------------------------------------------------------------

    def request_of(self, version: int) -> FrameworkRequest | None:
        request = self._request
        return request if request is not None and request.descriptor.version == version else None

    def _operate(self, now: Instant, operation: Operation) -> None:
        if isinstance(operation, Kill | MakeRoom | EndContainers):
            if self.applications:
                self._hadoop.happened(now, self.applications[-1], operation)
            return
        with suppress(operations.NothingChanges):
            self._store(now, operations.after(self.story.name, self._request, operation))

    def _store(self, now: Instant, request: FrameworkRequest | None) -> None:
        self._request = request
        self.requests.append((now, request))
        self.looks.at_once(now)
        self.looks.after_look(now)
        self.agenda.once(next_tick(now, self._pull, self._intervals.service_request_pull), self._pull_request)
        if request is not None:
            self._hadoop.request_changed(now)

    def migrations_done(self, at: Instant, container_ids: Iterable[str]) -> None:
        self.agenda.at(at, self._drop_migrations, frozenset(container_ids))

    def _drop_migrations(self, now: Instant, container_ids: frozenset[str]) -> None:
        if self._request is not None:
            self._store(now, operations.without_migrations(self._request, container_ids))

    def _retire(self, now: Instant, turn: int) -> None:
        """Retention: the web server deletes what was completed long ago, unless another version was asked for."""
        request, entry = self._request, self._entry
        if (
            turn == self._turn
            and entry is not None
            and request is not None
            and request.descriptor.version == entry.status.version
            and request.launch_client_type is not LaunchClientType.DATA_DEPLOYMENT
        ):
            self._store(now, None)

    # --- the service: requests --------------------------------------------------------------------------------------

    def _pull_request(self, now: Instant) -> None:
        request, entry = self._request, self._entry
        if request is None:
            if entry is not None:
                self._leave(now)
                self._write(now, None)
        elif entry is None or entry.status.version != request.descriptor.version:
            state = _F.FRAMEWORK_WAITING
            if entry is not None:
                state = next_framework_state(entry.status.state, _FE.UPGRADED)
                self._leave(now)
            self._begin(now, request, state)
        elif (
            request.descriptor.execution_type is ExecutionType.STOP and entry.status.state is not _F.FRAMEWORK_COMPLETED
        ):
            self._stop(now, request, entry)
        elif self._undecided:
            self._decide(now, self._turn, entry.status)

    def _begin(self, now: Instant, request: FrameworkRequest, state: FrameworkState) -> None:
        status = FrameworkStatus(
            request.name, request.descriptor.version, state, NO_RETRIES, request.first_request_timestamp
        )
        entry = StatusEntry(status, None, Run())
        self._turn += 1
        self._write(now, entry)
        if request.descriptor.execution_type is ExecutionType.STOP:
            self._stop(now, request, entry)
        else:
            self.agenda.at(now + self._rolls.randint(3, 30), self._create, self._turn, request)

    def _leave(self, now: Instant) -> None:
        """Whatever the framework did is over for the service: its application is killed if it lives."""
        self._turn += 1
        self._undecided = False
        life = self._entry.life if self._entry is not None else None
        if life is not None:
            self._hadoop.kill(now, life)

    def _stop(self, now: Instant, request: FrameworkRequest, entry: StatusEntry) -> None:
        status, life = entry.status, entry.life
        if life is None:
            # Even so an application id is taken, and never submitted.
            life = self._allocate(request, status)
            status = replace(status, application_id=life.id, application_progress=0.0)
        self._leave(now)
        life.completed = life.completed or now
        self._write(
            now,
            StatusEntry(
                replace(
                    status,
                    state=next_framework_state(status.state, _FE.STOPPED),
                    completed_timestamp=now,
                    application_completed_timestamp=now,
                    application_exit_code=exits.STOP_FRAMEWORK,
                    application_exit_description=exits.description(exits.STOP_FRAMEWORK),
                    application_exit_type=exits.exit_type(exits.STOP_FRAMEWORK),
                    application_exit_diagnostics=None,
                    application_exit_trigger_message=None,
                    application_exit_trigger_task_role_name=None,
                    application_exit_trigger_task_index=None,
                ),
                life,
                entry.run,
            ),
        )
        self._await_retention(now)

    def _await_retention(self, now: Instant) -> None:
        due = now + self._intervals.completed_retention
        self.agenda.at(
            next_tick(due - 1, web_phase(self._cluster.started), self._intervals.web_status_pull),
            self._retire,
            self._turn,
        )

    # --- the service: applications ----------------------------------------------------------------------------------

    def _allocate(self, request: FrameworkRequest, status: FrameworkStatus) -> ApplicationLife:
        count = len(self.applications)
        key = ApplicationKey(status.version, status.retries.total, count)
        behaviour = self.story.behaviour
        full = count >= self.story.most_applications
        descriptor = request.descriptor
        parts = (
            request.name,
            status.version,
            request.launch_client_type.value,
            request.launch_client_host_name,
            request.launch_client_user_name,
        )
        life = ApplicationLife(
            key=key,
            fate=FULL_CLUSTER_APPLICATION if full else behaviour.application(key),
            id=placement.application_id(self._cluster, behaviour.application_number(count)),
            descriptor=descriptor,
            yarn_name="_".join(f"[{part}]" for part in parts),
            user=descriptor.user_name,
        )
        self.applications.append(life)
        return life

    def _create(self, now: Instant, turn: int, request: FrameworkRequest) -> None:
        entry = self._entry
        if turn != self._turn or entry is None:
            return
        life = self._allocate(request, entry.status)
        state = next_framework_state(entry.status.state, _FE.APPLICATION_ID_ALLOCATED)
        status = replace(entry.status, state=state, application_id=life.id, application_progress=0.0)
        self._write(now, StatusEntry(status, life, entry.run))
        self.agenda.at(now + life.fate.upload, self._submit, turn)

    def _submit(self, now: Instant, turn: int) -> None:
        entry = self._entry
        if turn != self._turn or entry is None or entry.life is None:
            return
        life = entry.life
        refused = self._hadoop.refusal(life)
        if refused is not None:
            state = next_framework_state(entry.status.state, _FE.SUBMISSION_FAILED)
            self._write(now, replace(entry, status=replace(entry.status, state=state)))
            if refused.rejected is not None:
                self._hadoop.rejected(now, life, refused.rejected)
            text = diagnostics.exception_text(refused.code, refused.text)
            self.agenda.at(now + self._rolls.randint(2, 12), self._retrieved, turn, Outcome(refused.code, text))
            return
        state = next_framework_state(entry.status.state, _FE.SUBMITTED)
        status = replace(entry.status, state=state, application_launched_timestamp=now)
        self._write(now, replace(entry, status=status))
        self._hadoop.submitted(now, life)
        self.application_changed(now)

    # --- the service: what the resource manager tells ---------------------------------------------------------------

    def application_changed(self, at: Instant) -> None:
        self.agenda.once(next_tick(at, self._resync, self._intervals.service_rm_resync), self._resync_application)

    def _resync_application(self, now: Instant) -> None:
        entry = self._entry
        if entry is None or entry.life is None or entry.status.state not in WITH_AN_APPLICATION:
            return
        life, status = entry.life, entry.status
        url = status.application_tracking_url
        if life.end is not None and life.closed is not None and life.closed <= now:
            state = next_framework_state(status.state, _FE.APPLICATION_ENDED)
            progress = status.application_progress if life.end.progress is None else life.end.progress
        else:
            event = _FE.NO_TASK_RUNS if life.master_started is None else _FE.A_TASK_RUNS
            state = next_framework_state(status.state, event)
            progress = _noticed(status.application_progress or 0.0, life.progress_at(now))
        if url is None and not (life.end is not None and life.end.lost):
            url = placement.tracking_url(self._cluster, life.id)
        after = replace(status, state=state, application_progress=progress, application_tracking_url=url)
        if after != status:
            self._write(now, replace(entry, status=after))
        if state is _F.APPLICATION_RETRIEVING_DIAGNOSTICS and life.end is not None:
            wait, outcome = retrieved(now, life, life.end, life.closed or now, self._intervals)
            self.agenda.at(now + wait + self._rolls.randint(2, 12), self._retrieved, self._turn, outcome)

    def _retrieved(self, now: Instant, turn: int, outcome: Outcome) -> None:
        entry = self._entry
        if turn != self._turn or entry is None or entry.life is None:
            return
        entry.life.completed = now
        if entry.life.master_over is None:
            entry.life.master_over = now
        status = replace(
            entry.status,
            state=next_framework_state(entry.status.state, _FE.EXIT_INFO_RETRIEVED),
            application_completed_timestamp=now,
            application_exit_code=outcome.code,
            application_exit_description=self.exit_description(outcome.code),
            application_exit_diagnostics=outcome.diagnostics,
            application_exit_type=self.exit_type(outcome.code),
            application_exit_trigger_message=outcome.trigger_message,
            application_exit_trigger_task_role_name=outcome.trigger_role,
            application_exit_trigger_task_index=outcome.trigger_index,
        )
        self._write(now, replace(entry, status=status))
        self._decide(now, turn, status)

    def _decide(self, now: Instant, turn: int, status: FrameworkStatus) -> None:
        request, code = self.request_of(status.version), status.application_exit_code
        self._undecided = request is None
        if request is None or code is None:
            return  # deleted or upgraded meanwhile: the next pull acts on it
        decision = decide(request.descriptor.retry_policy, self.exit_type(code), status.retries)
        if not decision.retry:
            self.agenda.at(now + 2, self._finish, turn)
        elif decision.back_off:
            delay = back_off(status.retries.transient_conflict, self._intervals, self._rolls)
            self.agenda.at(now + delay, self._retry, turn, decision.retries)
        else:
            self._retry(now, turn, decision.retries)

    def _finish(self, now: Instant, turn: int) -> None:
        entry = self._entry
        if turn == self._turn and entry is not None:
            state = next_framework_state(entry.status.state, _FE.COMPLETED)
            self._write(now, replace(entry, status=replace(entry.status, state=state, completed_timestamp=now)))
            self._await_retention(now)

    def _retry(self, now: Instant, turn: int, retries: RetryState) -> None:
        entry = self._entry
        if turn != self._turn or entry is None or entry.life is None:
            return
        request = self.request_of(entry.status.version)
        if request is None:
            self._undecided = True
            return
        entry.run.past.append(PastAttempt(now, entry.status, entry.life, request))
        state = next_framework_state(entry.status.state, _FE.RETRIED)
        status = FrameworkStatus(
            entry.status.name, entry.status.version, state, retries, entry.status.created_timestamp
        )
        self._turn += 1
        self._write(now, StatusEntry(status, None, entry.run))
        self.agenda.at(now + self._rolls.randint(3, 30), self._create, self._turn, request)

    def _write(self, now: Instant, entry: StatusEntry | None) -> None:
        """One write: state, counters, application id and exit change together."""
        self._entry = entry
        self.statuses.append((now, entry))
        self.looks.after_look(now)

    # --- tables and behaviour, for the masters too ------------------------------------------------------------------

    def container_fate(self, key: ContainerKey) -> ContainerFate:
        self._containers += 1
        if self._containers > self.story.most_containers:
            return FULL_CLUSTER_CONTAINER
        return self.story.behaviour.container(key)

    def exit_type(self, code: int) -> ExitType:
        return exits.exit_type(code) if self._specified(code) else ExitType.UNKNOWN

    def exit_description(self, code: int) -> str:
        return exits.description(code) if self._specified(code) else exits.UNKNOWN_OF_CONTAINER

    def _specified(self, code: int) -> bool:
        return code <= 0 or self._cluster.user_exit_spec


def _noticed(shown: float, told: float) -> float:
    return told if round(abs(told - shown), 6) >= PROGRESS_STEP else shown
