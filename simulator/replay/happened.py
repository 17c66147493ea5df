"""What the world did to the containers and applications of a recorded framework, as the behaviour of a story.

Known of each is what it looked like when it was seen last. What nobody saw is worked out: how a task or an application ended
that was over before the next look, the counters tell that came after it; how long it ran, the instant of what came next.
"""

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher.exits import STOP_TASK
from contracts.launcher.histories import History, Look
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import Framework, FrameworkStatus, RetryState, TaskStatus
from simulator.machine.story import (
    DAY,
    ApplicationEnd,
    ApplicationFate,
    ApplicationKey,
    ContainerFate,
    ContainerKey,
    Crashed,
    Exit,
    Intervals,
    Killed,
    Lost,
    MasterFailed,
    Refused,
)

CONFLICT, TRANSIENT, NON_TRANSIENT = -7112, 193, 194
CODE_OF_COUNTER = {
    "transient_conflict": CONFLICT,
    "transient_normal": TRANSIENT,
    "non_transient": NON_TRANSIENT,
    "unknown": 7,
    "succeeded": 0,
}
"""An exit code that raises each counter: as what an end is told that nobody saw. A conflict comes first, so that what is
waited for after it is over before the first attempt that was seen."""

MIGRATED = -7153
STOPPED, KILLED, LOST, CRASHED = -7351, -7303, -7350, -7353
MASTER_GAVE_UP, REFUSED_BY_RM = -7251, -7200
NOT_SUBMITTED = frozenset({-7300, -7301, -7302})
NO_DIAGNOSTICS = -7352
RETRIEVING = FrameworkState.APPLICATION_RETRIEVING_DIAGNOSTICS

# How long things take of which no record tells it, in milliseconds.
MASTER_START, ALLOCATION, RUN = 2200, 1200, 1700
UPLOAD, LAUNCHING, STARTING = 400, 50, 300
SHORTEST_RUN, SHORTEST = 200, 100
NEVER = DAY

Place = tuple[int, str, int]
"""Attempt of the framework, role, index."""


class Run(Struct):
    """What was seen of a stretch of one version."""

    version: int
    first: int
    """How many applications there were before it."""
    begun: Instant
    """When it was asked for, as far as one knows."""
    applications: dict[int, Framework] = field(default_factory=dict)
    """Each attempt as it was seen last."""
    appeared: dict[int, Instant] = field(default_factory=dict)
    """When each attempt was seen first."""
    masters: dict[int, Instant] = field(default_factory=dict)
    """When each made its first task, which is when its master started."""
    containers: dict[Place, dict[int, TaskStatus]] = field(default_factory=dict)
    """By attempt of the task, as seen last; of a task that was scaled away and came back, the later one."""
    launches: dict[tuple[Place, int], Instant] = field(default_factory=dict)
    """The first of each: who comes back finds the room he left."""
    allocations: dict[tuple[Place, int], Instant] = field(default_factory=dict)
    """When the container of each was seen first."""

    awaited: set[int] = field(default_factory=set)
    """Attempts whose exit's text was seen waited for."""

    def saw(self, look: Look, now: Framework) -> None:
        attempt = now.status.retries.total
        if now.status.state is RETRIEVING:
            self.awaited.add(attempt)
        self.applications[attempt] = now
        self.appeared.setdefault(attempt, look.instant)
        for task in (task for role in now.task_roles.values() for task in role.tasks):
            self._saw_task(look.instant, attempt, task)

    def _saw_task(self, instant: Instant, attempt: int, task: TaskStatus) -> None:
        place = (attempt, task.task_role_name, task.index)
        retries = 0 if task.retries is None else task.retries.total
        seen = self.containers.setdefault(place, {})
        if task.container_id is not None or retries not in seen:
            seen[retries] = task
        if task.created_timestamp is not None:
            self.masters.setdefault(attempt, task.created_timestamp)
        if task.container_id is not None:
            self.allocations.setdefault((place, retries), instant)
        if task.container_launched_timestamp is not None:
            self.launches.setdefault((place, retries), task.container_launched_timestamp)

    def next_created(self, attempt: int) -> Instant | None:
        """About when the application after that of ``attempt`` was created."""
        following = self.applications.get(attempt + 1)
        if following is None:
            return None
        launched = following.status.application_launched_timestamp
        return self.appeared[attempt + 1] if launched is None else launched - UPLOAD

    def code_of_application(self, attempt: int) -> int:
        """Of a container never seen to end: what the framework's counters, once it was retried, say of it."""
        seen = {number: record.status.retries for number, record in self.applications.items()}
        if any(number > attempt for number in seen):
            return _cause(seen, attempt)
        own = self.applications.get(attempt)
        code = None if own is None else own.status.application_exit_code
        return code if code is not None and code >= 0 else 0


class Happened(Struct, frozen=True):
    """A behaviour (:class:`simulator.machine.story.Behaviour`)."""

    runs: tuple[Run, ...]
    numbers: tuple[int, ...]
    """The resource manager's, in the order in which the applications were seen."""
    intervals: Intervals
    """What the service does about an end comes half a period later, on average."""

    def application_number(self, count: int) -> int:
        return self.numbers[count] if count < len(self.numbers) else 9000 + count

    def application(self, key: ApplicationKey) -> ApplicationFate:
        run, attempt = self._run(key), key.attempt
        last = None if run is None else run.applications.get(attempt)
        if run is None or last is None:
            return ApplicationFate(am_start=MASTER_START, end=None if run is None else self._unseen_end(run, attempt))
        status, started = last.status, run.masters.get(attempt)
        launched, end = (
            status.application_launched_timestamp,
            _application_end(status) or self._unseen_end(run, attempt),
        )
        if launched is None and status.application_exit_code == STOPPED:
            return ApplicationFate(upload=NEVER)
        if started is None and (status.application_exit_code in (STOPPED, KILLED) or self._is_open(run, attempt)):
            return ApplicationFate(am_start=None, end=end)
        start = MASTER_START if started is None or launched is None else max(SHORTEST, started - launched)
        return ApplicationFate(am_start=start, end=end, diagnostics_after=self._text_after(run, attempt))

    def _text_after(self, run: Run, attempt: int) -> Milliseconds | None:
        """When the resource manager has the exit's text. Usually at once, and then nobody sees the launcher wait for it."""
        status = run.applications[attempt].status
        if status.application_exit_code == NO_DIAGNOSTICS or status.state is RETRIEVING:
            return None
        return self.intervals.service_rm_resync + 1 if attempt in run.awaited else 0

    def _unseen_end(self, run: Run, attempt: int) -> ApplicationEnd | None:
        """What ends the whole application, whatever its containers do: where their exits would be retried one by one, or
        where it has none."""
        following = run.next_created(attempt)
        if following is None and max(run.applications) <= attempt:
            return None
        last = run.applications.get(attempt)
        if last is not None and last.status.application_exit_code is not None:
            return None
        launched = None if last is None else last.status.application_launched_timestamp
        code = run.code_of_application(attempt)
        if code == TRANSIENT:
            return Killed(self._run_until(launched or self._expected(run, attempt), following, self._noticed))
        if code == NON_TRANSIENT:
            master = None if launched is None else launched + MASTER_START
            begun = run.masters.get(attempt) or master or self._expected(run, attempt)
            return MasterFailed(MASTER_GAVE_UP, "", self._run_until(begun, following, self._noticed))
        return None

    @property
    def _noticed(self) -> Milliseconds:
        return self.intervals.service_rm_resync // 2

    def _expected(self, run: Run, attempt: int) -> Instant:
        """About when an attempt began that nobody saw, if those before it took no longer than they must."""
        each = MASTER_START + ALLOCATION + RUN + self.intervals.service_request_pull + self.intervals.service_rm_resync
        conflicts = sum(run.code_of_application(before) == CONFLICT for before in range(attempt))
        return run.begun + attempt * each + conflicts * self.intervals.conflict_back_off_max

    def container(self, key: ContainerKey) -> ContainerFate:
        run, attempt = self._run(key.application), key.application.attempt
        if run is None:
            return ContainerFate(ALLOCATION)
        place = (attempt, key.role, key.index)
        seen = run.containers.get(place, {})
        task = seen.get(key.task_attempt)
        retried = max(seen, default=-1) > key.task_attempt
        if not retried and (task is None or task.container_id is None) and not self._ran_unseen(run, attempt):
            return ContainerFate(allocation=None)
        launched = run.launches.get((place, key.task_attempt))
        allocated = run.allocations.get((place, key.task_attempt)) if launched is None else launched - LAUNCHING
        room = ContainerFate(ALLOCATION) if allocated is None else ContainerFate(SHORTEST, allocated)
        if task is not None and task.container_exit_code not in (None, STOP_TASK, MIGRATED):
            return _seen_end(room, task)
        if retried:
            code = _cause({number: one.retries or RetryState() for number, one in seen.items()}, key.task_attempt)
            following = run.launches.get((place, key.task_attempt + 1))
            return replace(room, run=self._run_until(launched, following, 0), exit=Exit(code))
        following = run.next_created(attempt)
        if following is None and task is not None:
            return room
        code = run.code_of_application(attempt)
        if task is not None and task.container_id is not None and launched is None:
            # Allocated, and never launched: it ended in the gang's waiting.
            waited = self._run_until(allocated, following, self._noticed)
            return replace(room, run=waited, exit=Exit(code), ends_in=TaskState.CONTAINER_ALLOCATED)
        begun = launched or self._expected_launch(run, attempt, task)
        return replace(room, run=self._run_until(begun, following, self._noticed), exit=Exit(code))

    def _run(self, key: ApplicationKey) -> Run | None:
        """A version that was left may come back: by the number of applications before it one run is told from another."""
        same = [run for run in self.runs if run.version == key.version]
        return min(same, key=lambda run: abs(run.first + key.attempt - key.count), default=None)

    def _ran_unseen(self, run: Run, attempt: int) -> bool:
        """Whether the containers that nobody saw must have run all the same: by what the attempt ended that nobody saw end.
        A conflict is a gang's that waited in vain; what is killed, or fails by its master, needs none to have run."""
        own = run.applications.get(attempt)
        if self._is_open(run, attempt) or (own is not None and own.status.application_exit_code is not None):
            return False
        return own is None or run.code_of_application(attempt) not in (CONFLICT, TRANSIENT, NON_TRANSIENT)

    def _expected_launch(self, run: Run, attempt: int, task: TaskStatus | None) -> Instant:
        if task is None or task.created_timestamp is None:
            return self._expected(run, attempt)
        return task.created_timestamp + ALLOCATION

    def _is_open(self, run: Run, attempt: int) -> bool:
        """Whether it was still under way when somebody looked last."""
        last = self.runs[-1] is run and max(run.applications) == attempt
        return last and run.applications[attempt].status.application_exit_code is None

    def _run_until(self, launched: Instant | None, following: Instant | None, noticed: Milliseconds) -> Milliseconds:
        """How long a program ran whose end nobody saw."""
        if launched is None or following is None:
            return RUN
        return max(SHORTEST_RUN, following - noticed - launched - STARTING)


def happened(history: History, intervals: Intervals) -> Happened:
    runs: list[Run] = []
    numbers: dict[str, int] = {}
    for looks in history.runs():
        run: Run | None = None
        for look in looks:
            now = look.framework
            if now is None:
                continue
            if run is None:
                before = 0 if not runs else runs[-1].first + max(runs[-1].applications) + 1
                created = now.status.created_timestamp or look.instant
                run = Run(now.status.version, before, created if not runs else look.instant)
                runs.append(run)
            run.saw(look, now)
            name = now.status.application_id
            if name is not None:
                numbers[name] = int(name.rpartition("_")[2])
    return Happened(tuple(runs), tuple(numbers.values()), intervals)


def _cause(seen: Mapping[int, RetryState], attempt: int) -> int:
    """The exit code that stands for the end of ``attempt``: between the nearest looks before and after it the counters rose
    by so many of each kind; in which order is not known, and makes no difference to where it ends."""
    before = max((number for number in seen if number <= attempt), default=None)
    after = min((number for number in seen if number > attempt), default=None)
    if after is None:
        return 1
    start, first = (RetryState(), 0) if before is None else (seen[before], before)
    causes = [
        code
        for counter, code in CODE_OF_COUNTER.items()
        for _ in range(getattr(seen[after], counter) - getattr(start, counter))
    ]
    return causes[attempt - first] if attempt - first < len(causes) else 1


def _application_end(status: FrameworkStatus) -> ApplicationEnd | None:
    """Only what does not come from its tasks or its users."""
    launched, completed = status.application_launched_timestamp, status.application_completed_timestamp
    after: Milliseconds = 0
    if launched is not None and completed is not None:
        after = max(SHORTEST, completed - launched - STARTING)
    text = (status.application_exit_diagnostics or "").split("\n")[0]
    ends: Mapping[int | None, ApplicationEnd] = {
        KILLED: Killed(after),
        LOST: Lost(after),
        CRASHED: Crashed(after),
        MASTER_GAVE_UP: MasterFailed(MASTER_GAVE_UP, text, 2500),
        REFUSED_BY_RM: MasterFailed(REFUSED_BY_RM, text),
        **{code: Refused(code, text) for code in NOT_SUBMITTED},
    }
    return ends.get(status.application_exit_code)


def _seen_end(room: ContainerFate, task: TaskStatus) -> ContainerFate:
    ended = replace(
        room, run=SHORTEST_RUN, exit=Exit(task.container_exit_code or 0, text=task.container_exit_diagnostics)
    )
    completed, launched = task.container_completed_timestamp, task.container_launched_timestamp
    if completed is None:
        return ended
    if launched is not None:
        return replace(ended, run=max(SHORTEST_RUN, completed - launched - STARTING))
    waited = completed - (room.not_before or completed)
    return replace(ended, run=max(SHORTEST_RUN, waited), ends_in=TaskState.CONTAINER_ALLOCATED)
