"""The machine of one framework: the request store, the launcher's service, YARN's part, and the masters they start.

Events in time order, each at an instant the story decides; nothing ticks. Every step of the framework is one of the
framework table's (``contracts.launcher.lifecycle``). The machine runs only as far as it is asked to (:meth:`Machine.run_to`) and
is causal: what it did up to an instant depends on nothing that comes later, so a story with one more operation at its end
has the same past.

What it leaves behind are logs, in the launcher's own division: requests (shown at once), framework statuses, and the
applications with their tasks (both shown after the web server's next look).
"""

import heapq
from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Concatenate, ParamSpec, TypeAlias

from contracts.clock import Instant
from contracts.launcher import exits
from contracts.launcher.lifecycle import FrameworkEvent, FrameworkState, next_framework_state
from contracts.launcher.records import (
    AntiAffinityLevel,
    ExecutionType,
    ExitType,
    FrameworkDescriptor,
    FrameworkRequest,
    FrameworkStatus,
    LaunchClientType,
    RetryState,
)
from simulator import diagnostics, placement
from simulator.application import NO_RETRIES, ApplicationLife, YarnEnd
from simulator.delays import back_off, dice, next_tick, pull_phase, resync_phase, web_phase
from simulator.master import Master, too_large
from simulator.retry import decide
from simulator.story import (
    ApplicationFate,
    ApplicationKey,
    ContainerFate,
    ContainerKey,
    Crashed,
    Delete,
    Killed,
    Lost,
    Migrate,
    Operation,
    Refused,
    SetProgress,
    SetTaskNumber,
    Start,
    Stop,
    Story,
    Submit,
)

_F = FrameworkState
_FE = FrameworkEvent
_Facts = ParamSpec("_Facts")
_Event: TypeAlias = tuple[Instant, int, Callable[..., None], tuple[object, ...]]

FULL_CLUSTER_APPLICATION = ApplicationFate(am_start=None)
FULL_CLUSTER_CONTAINER = ContainerFate(allocation=None)
STOPPED_BY_SERVICE = Killed(0, from_ip="127.0.0.1")
SUBMISSION_REFUSED = -7300
LOST = -7350
NO_DIAGNOSTICS = -7352
NO_REPORT = -7353
KILLED = -7303
WITH_AN_APPLICATION = frozenset({_F.APPLICATION_LAUNCHED, _F.APPLICATION_WAITING, _F.APPLICATION_RUNNING})
PROGRESS_STEP = 0.1
"""The service takes no notice of less."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the service makes of an application's end."""

    code: int
    diagnostics: str | None
    trigger_message: str | None = None
    trigger_role: str | None = None
    trigger_index: int | None = None


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """A framework's record just before a retry."""

    at: Instant
    status: FrameworkStatus
    life: ApplicationLife
    request: FrameworkRequest


@dataclass(slots=True)
class Run:
    """A stretch of time with the same version, as the service sees it: attempts are counted within."""

    past: list[PastAttempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """What the status store holds from an instant on."""

    status: FrameworkStatus
    life: ApplicationLife | None
    run: Run


class Machine:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.requests: list[tuple[Instant, FrameworkRequest | None]] = []
        self.statuses: list[tuple[Instant, StatusEntry | None]] = []
        self.applications: list[ApplicationLife] = []
        self.shown: list[Instant] = []
        """Instants, ascending, at which what the web server shows may change."""
        self._known_shown: set[Instant] = set()
        self._agenda: list[_Event] = []
        self._entered = 0
        self._cluster = story.cluster
        self._intervals = story.cluster.intervals
        self._web = web_phase(story.cluster.started)
        self._pull = pull_phase(story.cluster.started, self._intervals)
        self._resync = resync_phase(story.cluster.started, self._intervals)
        self._request: FrameworkRequest | None = None
        self._entry: StatusEntry | None = None
        self._master: Master | None = None
        self._turn = 0
        """Rises whenever pending events of the service become obsolete."""
        self._undecided = False
        """An application was completed while no request of its version stood; one may come back before the next pull."""
        self._due: set[tuple[str, Instant]] = set()
        self._containers = 0
        self._rolls = dice(story.seed, story.name)
        for operation in story.operations:
            self.at(operation.at, self._operate, operation)

    # --- the agenda -------------------------------------------------------------------------------------------------

    def at(
        self,
        instant: Instant,
        action: Callable[Concatenate[Instant, _Facts], None],
        *facts: _Facts.args,
        **named: _Facts.kwargs,
    ) -> None:
        if named:
            raise TypeError("facts of an event stand in order")
        self._entered += 1
        event: _Event = (instant, self._entered, action, facts)
        heapq.heappush(self._agenda, event)

    @property
    def next_event(self) -> Instant | None:
        return self._agenda[0][0] if self._agenda else None

    def run_to(self, instant: Instant) -> None:
        agenda = self._agenda
        while agenda and agenda[0][0] <= instant:
            self.step()

    def step(self) -> None:
        instant, _, action, facts = heapq.heappop(self._agenda)
        action(instant, *facts)

    def _once(self, instant: Instant, action: Callable[[Instant], None]) -> None:
        """Several reasons to look at the same tick are one look."""
        key = (action.__name__, instant)
        if key not in self._due:
            self._due.add(key)
            self.at(instant, self._look, action)

    def _look(self, now: Instant, action: Callable[[Instant], None]) -> None:
        self._due.remove((action.__name__, now))
        action(now)

    # --- what the web server shows, and when ------------------------------------------------------------------------

    def _show(self, instant: Instant) -> None:
        if instant not in self._known_shown:
            self._known_shown.add(instant)
            insort(self.shown, instant)

    def _show_after_look(self, written: Instant) -> None:
        self._show(next_tick(written - 1, self._web, self._intervals.web_status_pull))

    def task_changed(self, application: ApplicationLife, at: Instant) -> None:
        if application.master_started is None or (application.master_over or at) < at:
            return
        if application.master_over is not None:
            self._show_after_look(at)
        else:
            started, period = application.master_started, self._intervals.am_status_push
            self._show_after_look(next_tick(max(at - 1, started), started, period))  # nothing is pushed at its start

    # --- the request store ------------------------------------------------------------------------------------------

    def request_of(self, version: int) -> FrameworkRequest | None:
        request = self._request
        return request if request is not None and request.descriptor.version == version else None

    def _operate(self, now: Instant, operation: Operation) -> None:
        if isinstance(operation, Submit):
            self._store(now, self._submitted(operation))
        elif self._request is None:
            return
        elif isinstance(operation, Delete):
            self._store(now, None)
        elif isinstance(operation, SetProgress):
            self._store(now, replace(self._request, progress_override=operation.progress))
        elif isinstance(operation, Migrate):
            asked = {**(self._request.migrate_task_requests or {}), operation.container_id: AntiAffinityLevel.ANY}
            self._store(now, replace(self._request, migrate_task_requests=asked))
        else:
            descriptor = _changed(self._request.descriptor, operation)
            if descriptor is not None:
                self._store(now, replace(self._request, descriptor=descriptor, last_request_timestamp=now))

    def _submitted(self, submit: Submit) -> FrameworkRequest:
        before = self._request
        return FrameworkRequest(
            name=self.story.name,
            descriptor=submit.descriptor,
            launch_client_type=submit.client_type,
            launch_client_host_name=submit.client_host,
            launch_client_user_name=submit.client_user,
            first_request_timestamp=submit.at if before is None else before.first_request_timestamp,
            last_request_timestamp=submit.at,
            progress_override=None if before is None else before.progress_override,
            migrate_task_requests=None if before is None else before.migrate_task_requests,
        )

    def _store(self, now: Instant, request: FrameworkRequest | None) -> None:
        self._request = request
        self.requests.append((now, request))
        self._show(now)
        self._show_after_look(now)
        self._once(next_tick(now, self._pull, self._intervals.service_request_pull), self._pull_request)
        if self._master is not None and self._master.alive and request is not None:
            tick = next_tick(now, self._master.started, self._intervals.am_request_pull)
            self.at(tick, self._master.pull)

    def migrations_done(self, at: Instant, container_ids: Iterable[str]) -> None:
        self.at(at, self._drop_migrations, frozenset(container_ids))

    def _drop_migrations(self, now: Instant, container_ids: frozenset[str]) -> None:
        request = self._request
        if request is not None and request.migrate_task_requests:
            left = {name: level for name, level in request.migrate_task_requests.items() if name not in container_ids}
            self._store(now, replace(request, migrate_task_requests=left))

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
            self.at(now + self._rolls.randint(3, 30), self._create, self._turn, request)

    def _leave(self, now: Instant) -> None:
        """Whatever the framework did is over for the service: its application is killed if it lives."""
        self._turn += 1
        self._undecided = False
        self._master = None
        life = self._entry.life if self._entry is not None else None
        if life is None or life.submitted is None or life.end is not None:
            return
        kill = diagnostics.killed_text(life.id, STOPPED_BY_SERVICE)
        self._close(now, life, YarnEnd("KILLED", "KILLED", 1.0 if life.master_started else 0.0, kill), announce=False)

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
        self.at(next_tick(due - 1, self._web, self._intervals.web_status_pull), self._retire, self._turn)

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
        self.at(now + life.fate.upload, self._submit, turn)

    def _submit(self, now: Instant, turn: int) -> None:
        entry = self._entry
        if turn != self._turn or entry is None or entry.life is None:
            return
        life = entry.life
        refused = self._refusal(life)
        if refused is not None:
            state = next_framework_state(entry.status.state, _FE.SUBMISSION_FAILED)
            self._write(now, replace(entry, status=replace(entry.status, state=state)))
            text = diagnostics.exception_text(refused.code, refused.text)
            self.at(now + self._rolls.randint(2, 12), self._retrieved, turn, Outcome(refused.code, text))
            return
        life.submitted = now
        state = next_framework_state(entry.status.state, _FE.SUBMITTED)
        status = replace(entry.status, state=state, application_launched_timestamp=now)
        self._write(now, replace(entry, status=status))
        if life.fate.am_start is not None:
            self.at(now + life.fate.am_start, self._start_master, life)
        if isinstance(life.fate.end, Killed | Lost | Crashed):
            self.at(now + life.fate.end.after, self._yarn_ends, life, life.fate.end)
        self.application_changed(now)

    def _refusal(self, life: ApplicationLife) -> Refused | None:
        if isinstance(life.fate.end, Refused):
            return life.fate.end
        platform, queues = life.descriptor.platform, self._cluster.queues
        if queues is not None and platform.queue not in queues:
            return Refused(SUBMISSION_REFUSED, diagnostics.queue_refusal(life.id, life.user, platform.queue))
        text = too_large(platform.am_resource, self._cluster)
        return None if text is None else Refused(SUBMISSION_REFUSED, text)

    def _start_master(self, now: Instant, life: ApplicationLife) -> None:
        if life.end is None:
            life.master_started = now
            self._master = Master(self, life, now, dice(self.story.seed, self.story.name, life.key.count))
            self._master.start(now)
            self.application_changed(now)

    def _yarn_ends(self, now: Instant, life: ApplicationLife, end: Killed | Lost | Crashed) -> None:
        if life.end is not None:
            return
        ran = life.master_started is not None
        if isinstance(end, Killed):
            text = diagnostics.killed_text(life.id, end)
            self._close(now, life, YarnEnd("KILLED", "KILLED", 1.0 if ran else 0.0, text))
        elif isinstance(end, Lost):
            self._close(now, life, YarnEnd("KILLED", "KILLED", None, "", lost=True))
        else:
            attempts = self._cluster.am_attempts
            life.masters.append((now, attempts))
            validity, manager = self._cluster.failures_validity, self._cluster.resource_manager
            text = diagnostics.crashed_text(life.id, end, now, attempts, validity, manager)
            self._close(now, life, YarnEnd("FAILED", "FAILED", 0.0, text))

    def _close(self, now: Instant, life: ApplicationLife, end: YarnEnd, *, announce: bool = True) -> None:
        """The master has no time to push again: its tasks stay as they were pushed last."""
        life.end, life.closed = end, now
        if life.master_over is None:
            life.master_over = now
        if announce:
            self.application_changed(now)

    # --- the service: what the resource manager tells ---------------------------------------------------------------

    def application_changed(self, at: Instant) -> None:
        self._once(next_tick(at, self._resync, self._intervals.service_rm_resync), self._resync_application)

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
            self._retrieve(now, life, life.end)

    def _retrieve(self, now: Instant, life: ApplicationLife, end: YarnEnd) -> None:
        """Asks for the exit report at once, and again a few times while there is no text."""
        wait, outcome = 0, _outcome(end)
        if outcome.code not in (KILLED, LOST):
            step, tries = self._intervals.diagnostics_retry, self._intervals.diagnostics_retries
            after = life.fate.diagnostics_after
            late = None if after is None else max(0, (life.closed or now) + after - now)
            if late is None or -(-late // step) > tries:
                text = diagnostics.no_diagnostics_text(tries)
                code = 0 if end.final_status == "SUCCEEDED" else NO_DIAGNOSTICS
                wait, outcome = tries * step, Outcome(code, text)
            else:
                wait = -(-late // step) * step
        self.at(now + wait + self._rolls.randint(2, 12), self._retrieved, self._turn, outcome)

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
            self.at(now + 2, self._finish, turn)
        elif decision.back_off:
            delay = back_off(status.retries.transient_conflict, self._intervals, self._rolls)
            self.at(now + delay, self._retry, turn, decision.retries)
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
        self.at(now + self._rolls.randint(3, 30), self._create, self._turn, request)

    def _write(self, now: Instant, entry: StatusEntry | None) -> None:
        """One write: state, counters, application id and exit change together."""
        self._entry = entry
        self.statuses.append((now, entry))
        self._show_after_look(now)

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


def _changed(descriptor: FrameworkDescriptor, operation: Stop | Start | SetTaskNumber) -> FrameworkDescriptor | None:
    """``None``: there is nothing to change (an unknown role)."""
    if isinstance(operation, Stop):
        return replace(descriptor, execution_type=ExecutionType.STOP)
    if isinstance(operation, Start):
        return replace(descriptor, execution_type=ExecutionType.START)
    role = descriptor.task_roles.get(operation.role)
    if role is None:
        return None
    roles = {**descriptor.task_roles, operation.role: replace(role, task_number=operation.number)}
    return replace(descriptor, task_roles=roles)


def _noticed(shown: float, told: float) -> float:
    return told if round(abs(told - shown), 6) >= PROGRESS_STEP else shown


def _outcome(end: YarnEnd) -> Outcome:
    if end.lost:
        return Outcome(LOST, None)
    if end.report is not None:
        report = end.report
        return Outcome(
            report.code, report.diagnostics, report.trigger_message, report.trigger_role, report.trigger_index
        )
    if end.state == "KILLED":
        return Outcome(KILLED, end.diagnostics)
    return Outcome(NO_REPORT, diagnostics.no_report_text(end.diagnostics))
