"""Stories for tests, and what must hold of every record and between any two that follow each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher.lifecycle import (
    FRAMEWORK_TRANSITIONS,
    TASK_TRANSITIONS,
    FrameworkEvent,
    FrameworkState,
    TaskEvent,
    TaskState,
    reachable,
)
from contracts.launcher.records import (
    CompletionPolicy,
    Framework,
    FrameworkDescriptor,
    PlatformParameters,
    Resource,
    RetryPolicy,
    RetryState,
    TaskRoleDescriptor,
    TaskService,
    TaskStatus,
)
from simulator.machine.story import (
    FAST,
    ApplicationFate,
    Behaviour,
    Cluster,
    ContainerFate,
    Exit,
    Host,
    Operation,
    Rules,
    Story,
    Submit,
)
from simulator.machine.timeline import Timeline

START: Instant = 1_795_465_640_123
CLUSTER = Cluster(
    started=1_795_464_678_844,
    hosts=tuple(Host(f"node-{number}.cluster.example", f"192.0.2.{number}") for number in (1, 2, 3)),
    intervals=FAST,
    node_memory_mb=40_960,
)
GANG = PlatformParameters(gang_allocation=True)
NO_RETRY = RetryPolicy()
ANY_FAILURE = CompletionPolicy()
NOTHING_SPECIAL = PlatformParameters()
FOR_EVER = ContainerFate()

_F = FrameworkState


def role(
    tasks: int = 1,
    *,
    retry: RetryPolicy = NO_RETRY,
    completion: CompletionPolicy = ANY_FAILURE,
    memory_mb: int = 128,
    **resource: object,
) -> TaskRoleDescriptor:
    wanted = replace(Resource(cpu_number=1, memory_mb=memory_mb), **resource)
    return TaskRoleDescriptor(tasks, TaskService(1, "run", ("/data/run",), wanted), retry, completion)


def descriptor(
    version: int = 1,
    *,
    retry: RetryPolicy = NO_RETRY,
    platform: PlatformParameters = NOTHING_SPECIAL,
    **roles: TaskRoleDescriptor,
) -> FrameworkDescriptor:
    return FrameworkDescriptor(
        version, roles or {"worker": role()}, retry_policy=retry, user_name="alice", platform=platform
    )


def story(
    *operations: Operation,
    behaviour: Behaviour | None = None,
    cluster: Cluster = CLUSTER,
    seed: str = "",
    most_applications: int = 1000,
    most_containers: int = 20_000,
) -> Story:
    return Story(
        "alice~job",
        cluster,
        operations or (Submit(START, descriptor()),),
        behaviour or Rules(),
        seed,
        most_applications=most_applications,
        most_containers=most_containers,
    )


def ends_with(code: int, run: int = 3000, **more: object) -> ContainerFate:
    return ContainerFate(run=run, exit=Exit(code, **more))  # type: ignore[arg-type] # any field of an exit


def all_end_with(code: int, run: int = 3000) -> Rules:
    return Rules(usual_container=ends_with(code, run))


def treated(fate: ApplicationFate, container: ContainerFate = FOR_EVER) -> Rules:
    return Rules(usual_application=fate, usual_container=container)


def changes(timeline: Timeline, until: Instant, most: int = 2000) -> Iterator[tuple[Instant, Framework | None]]:
    """The record at every instant at which it may change."""
    instant: Instant | None = START - 1
    for _ in range(most):
        if instant is None or instant > until:
            return
        yield instant, timeline.at(instant)
        instant = timeline.next_change(instant)


def states(timeline: Timeline, until: Instant) -> list[str]:
    """The states in order, each once; ``404`` where the name is unknown."""
    seen: list[str] = []
    for _, record in changes(timeline, until):
        state = "404" if record is None else record.status.state.value
        if not seen or seen[-1] != state:
            seen.append(state)
    return seen


def settled(timeline: Timeline, after: int = 3_600_000) -> Framework:
    record = timeline.at(START + after)
    assert record is not None
    return record


def tasks_of(record: Framework) -> dict[tuple[str, int], TaskStatus]:
    return {(task.task_role_name, task.index): task for role in record.task_roles.values() for task in role.tasks}


# --- what must hold -------------------------------------------------------------------------------------------------

ALWAYS = frozenset({"name", "version", "state", "retries", "created_timestamp"})
CREATED = ALWAYS | {"application_id", "application_progress"}
LAUNCHED = CREATED | {"application_launched_timestamp"}
LIVING = LAUNCHED | {"application_tracking_url"}
ENDED = CREATED | {
    "application_completed_timestamp",
    "application_exit_code",
    "application_exit_description",
    "application_exit_type",
}
TOLD_IF_EVER = frozenset(
    {
        "application_tracking_url",
        "application_launched_timestamp",
        "application_exit_diagnostics",
        "application_exit_trigger_message",
        "application_exit_trigger_task_role_name",
        "application_exit_trigger_task_index",
    }
)
SET_IN_STATE: Mapping[FrameworkState, tuple[frozenset[str], frozenset[str]]] = {
    _F.FRAMEWORK_WAITING: (ALWAYS, frozenset()),
    _F.APPLICATION_CREATED: (CREATED, frozenset()),
    _F.APPLICATION_LAUNCHED: (LAUNCHED, frozenset()),
    _F.APPLICATION_WAITING: (LIVING, frozenset()),
    _F.APPLICATION_RUNNING: (LIVING, frozenset()),
    _F.APPLICATION_RETRIEVING_DIAGNOSTICS: (CREATED, TOLD_IF_EVER),
    _F.APPLICATION_COMPLETED: (ENDED, TOLD_IF_EVER),
    _F.FRAMEWORK_COMPLETED: (ENDED | {"completed_timestamp"}, TOLD_IF_EVER),
}
"""What is never null in a state, and what may be either; all else is null."""

TASK_ALWAYS = frozenset({"index", "task_role_name", "state", "retries", "created_timestamp", "service_version"})
ALLOCATED = TASK_ALWAYS | {
    "container_id",
    "container_host",
    "container_ip",
    "container_ports",
    "container_gpus",
    "container_log_http_address",
    "container_connection_lost_count",
}
EXITED = ALLOCATED | {
    "container_completed_timestamp",
    "container_exit_code",
    "container_exit_description",
    "container_exit_type",
}
STARTED = frozenset({"container_launched_timestamp", "container_exit_diagnostics"})
SET_IN_TASK_STATE: Mapping[TaskState, tuple[frozenset[str], frozenset[str]]] = {
    TaskState.TASK_WAITING: (TASK_ALWAYS, frozenset()),
    TaskState.CONTAINER_REQUESTED: (TASK_ALWAYS, frozenset()),
    TaskState.CONTAINER_ALLOCATED: (ALLOCATED, frozenset()),
    TaskState.CONTAINER_LAUNCHED: (ALLOCATED | {"container_launched_timestamp"}, frozenset()),
    TaskState.CONTAINER_RUNNING: (ALLOCATED | {"container_launched_timestamp"}, frozenset()),
    TaskState.CONTAINER_COMPLETED: (EXITED, STARTED),
    TaskState.TASK_COMPLETED: (EXITED | {"completed_timestamp"}, STARTED),
}
OUTLIVED = TASK_ALWAYS | {
    "completed_timestamp",
    "container_exit_code",
    "container_exit_description",
    "container_exit_type",
}
FINAL = frozenset({_F.APPLICATION_COMPLETED, _F.FRAMEWORK_COMPLETED})
NEW_LIFE = frozenset({FrameworkEvent.UPGRADED})


@dataclass(frozen=True)
class Breach:
    what: str


def told(record: object, fields: Iterator[str]) -> frozenset[str]:
    return frozenset(field for field in fields if getattr(record, field) is not None)


def breaches_of(record: Framework) -> Iterator[Breach]:
    """Laws within one answer: null-ness per state, L7, what the launcher's own invariants say."""
    status, summary = record.status, record.summary
    must, may = SET_IN_STATE[status.state]
    set_fields = told(status, iter(status.__struct_fields__))
    if not must <= set_fields <= must | may:
        yield Breach(f"{status.state}: null-ness differs by {sorted((must | may) ^ set_fields)}")
    if (status.application_exit_code is not None) != (status.state in FINAL):
        yield Breach(f"L7: {status.state} with exit code {status.application_exit_code}")
    if (status.completed_timestamp is not None) != (status.state is _F.FRAMEWORK_COMPLETED):
        yield Breach(f"L7: {status.state} completed at {status.completed_timestamp}")
    if (summary.state, summary.retries, summary.application_exit_code, summary.application_id) != (
        status.state,
        status.retries,
        status.application_exit_code,
        status.application_id,
    ):
        yield Breach("L10: summary and status differ")
    yield from _counters_agree(status.retries)
    tasks = tasks_of(record)
    runs = any(task.state is TaskState.CONTAINER_RUNNING for task in tasks.values())
    if status.state in (_F.APPLICATION_RUNNING, _F.APPLICATION_WAITING) and runs != (
        status.state is _F.APPLICATION_RUNNING
    ):
        yield Breach(f"{status.state} while a task runs: {runs}")
    for task in tasks.values():
        yield from _breaches_of_task(record, task)
    for name, role_record in record.task_roles.items():
        if [task.index for task in role_record.tasks] != list(range(len(role_record.tasks))):
            yield Breach(f"tasks of {name} are not dense")
    yield from _trigger_agrees(record, tasks)


def _counters_agree(retries: RetryState) -> Iterator[Breach]:
    typed = (
        retries.succeeded
        + retries.transient_normal
        + retries.transient_conflict
        + retries.non_transient
        + retries.unknown
    )
    if retries.total != typed or retries.retried > typed:
        yield Breach(f"L2: counters do not agree: {retries}")


def _breaches_of_task(record: Framework, task: TaskStatus) -> Iterator[Breach]:
    set_fields = told(task, iter(task.__struct_fields__))
    if task.container_exit_code == -7400:
        if task.completed_timestamp != record.status.application_completed_timestamp:
            yield Breach("an outlived task does not end with its application")
        if (task.container_completed_timestamp is None) != (task.container_id is None):
            yield Breach("an outlived task has the wrong container times")
        if not set_fields >= OUTLIVED or "container_exit_diagnostics" in set_fields:
            yield Breach(f"an outlived task tells {sorted(set_fields ^ OUTLIVED)}")
    else:
        must, may = SET_IN_TASK_STATE[task.state]
        if not must <= set_fields <= must | may:
            yield Breach(f"{task.state}: null-ness differs by {sorted((must | may) ^ set_fields)}")
    launched, completed = task.container_launched_timestamp, task.container_completed_timestamp
    if launched is not None and completed is not None and launched > completed:
        yield Breach("L6: completed before it was launched")
    if record.status.state in FINAL and task.state is not TaskState.TASK_COMPLETED:
        yield Breach(f"{record.status.state} with a task in {task.state}")


def _trigger_agrees(record: Framework, tasks: Mapping[tuple[str, int], TaskStatus]) -> Iterator[Breach]:
    status = record.status
    name, index = status.application_exit_trigger_task_role_name, status.application_exit_trigger_task_index
    if (name is None) != (index is None):
        yield Breach("half a trigger")
    if name is not None and index is not None and (name, index) in tasks:
        task = tasks[name, index]
        if (task.container_exit_code, task.container_exit_type, task.container_exit_diagnostics) != (
            status.application_exit_code,
            status.application_exit_type,
            status.application_exit_diagnostics,
        ):
            yield Breach("the trigger's exit is not the application's")


def breaches_between(before: Framework, after: Framework) -> Iterator[Breach]:
    """Laws between two answers of one incarnation."""
    old, new = before.status, after.status
    if old.created_timestamp != new.created_timestamp:
        return
    times = [
        new.completed_timestamp,
        new.application_launched_timestamp,
        new.application_completed_timestamp,
        *(task.created_timestamp for task in tasks_of(after).values()),
    ]
    if any(time is not None and new.created_timestamp is not None and time < new.created_timestamp for time in times):
        yield Breach("L4: something happened before the creation")
    if old.version != new.version:
        return
    yield from _framework_moves(before, after)
    if old.application_id is not None and old.application_id == new.application_id:
        if old.application_launched_timestamp not in (None, new.application_launched_timestamp):
            yield Breach("L5: the launch moved")
        yield from _tasks_move(before, after)
    yield from _containers_stay(before, after)


def _framework_moves(before: Framework, after: Framework) -> Iterator[Breach]:
    old, new = before.status, after.status
    retried = new.retries.total > old.retries.total
    within = reachable(FRAMEWORK_TRANSITIONS, old.state, without=NEW_LIFE | {FrameworkEvent.RETRIED})
    if retried:
        starts = [FRAMEWORK_TRANSITIONS[state].get(FrameworkEvent.RETRIED) for state in within]
        within = frozenset().union(
            *(reachable(FRAMEWORK_TRANSITIONS, start, without=NEW_LIFE) for start in starts if start is not None)
        )
    if new.state not in within:
        yield Breach(f"L1: {old.state} to {new.state}")
    for counter in RetryState.__struct_fields__:
        if getattr(new.retries, counter) < getattr(old.retries, counter):
            yield Breach(f"L2: {counter} fell")
    if not retried and old.application_id not in (None, new.application_id):
        yield Breach("L2: another application in the same attempt")
    if retried and old.application_id is not None and old.application_id == new.application_id:
        yield Breach("L2: the same application in another attempt")
    if old.state is _F.FRAMEWORK_COMPLETED and old != new:
        yield Breach("L3: a completed framework changed")


def _tasks_move(before: Framework, after: Framework) -> Iterator[Breach]:
    now = tasks_of(after)
    for place, task in tasks_of(before).items():
        other = now.get(place)
        if other is not None and other.created_timestamp == task.created_timestamp and task.retries is not None:
            retries = other.retries
            assert retries is not None
            without = frozenset[TaskEvent]() if retries.total > task.retries.total else frozenset({TaskEvent.RETRIED})
            if other.state not in reachable(TASK_TRANSITIONS, task.state, without=without):
                yield Breach(f"L5: {task.state} to {other.state}")
            if any(getattr(retries, name) < getattr(task.retries, name) for name in RetryState.__struct_fields__):
                yield Breach("L5: a task's counter fell")


def _containers_stay(before: Framework, after: Framework) -> Iterator[Breach]:
    earlier = {task.container_id: task for task in tasks_of(before).values() if task.container_id is not None}
    for task in tasks_of(after).values():
        other = None if task.container_id is None else earlier.get(task.container_id)
        if other is None:
            continue
        for field in ("container_launched_timestamp", "container_completed_timestamp"):
            if getattr(other, field) not in (None, getattr(task, field)):
                yield Breach(f"L6: {field} moved")


def breaches(timeline: Timeline, until: Instant, most: int = 600) -> list[tuple[Instant, Breach]]:
    """Every law along a timeline, its lists and past attempts included."""
    found: list[tuple[Instant, Breach]] = []
    seen = list(changes(timeline, until, most))
    for instant, record in seen:
        if record is not None:
            found += [
                (instant, breach) for breach in (*breaches_of(record), *_list_breaches(timeline, instant, record))
            ]
    lowest: dict[tuple[int, str], int] = {}
    for (_, before), (instant, after) in pairwise(seen):
        if before is not None and after is not None:
            found += [(instant, breach) for breach in breaches_between(before, after)]
            found += [(instant, breach) for breach in _vanished(before, after, lowest)]
    return found


def _vanished(before: Framework, after: Framework, lowest: dict[tuple[int, str], int]) -> Iterator[Breach]:
    """``lowest`` keeps the smallest task number ever asked for: a shrink may show after the next growth was asked for."""
    for record in (before, after):
        asked = {} if record.request is None else record.request.descriptor.task_roles
        for name, wanted in asked.items():
            place = (record.status.version, name)
            lowest[place] = min(lowest.get(place, wanted.task_number), wanted.task_number)
    if before.status.application_id is not None and before.status.application_id == after.status.application_id:
        for name, index in tasks_of(before).keys() - tasks_of(after).keys():
            if index < lowest.get((after.status.version, name), 0):
                yield Breach(f"L5: task {index} of {name} vanished")


def _list_breaches(timeline: Timeline, instant: Instant, record: Framework) -> Iterator[Breach]:
    versions = timeline.versions(instant)
    if versions is None or record.status.version not in versions:
        yield Breach(f"L9: {record.status.version} is not in {versions}")
        return
    for version in versions:
        attempts = timeline.attempts(instant, version)
        if not attempts or attempts != tuple(range(len(attempts))):
            yield Breach(f"L8: attempts of {version} are {attempts}")
            continue
        for attempt in attempts:
            past = timeline.attempt(instant, version, attempt)
            if past is None or past.status.retries.total != attempt or past.status.version != version:
                yield Breach(f"L8: attempt {attempt} of {version} is {past}")
            else:
                yield from breaches_of(past)
    current = timeline.attempts(instant)
    if current is None or current[-1] != record.status.retries.total:
        yield Breach(f"L8: the current attempts are {current}")
    if timeline.attempt(instant, None, record.status.retries.total) != record:
        yield Breach("L10: the current attempt is not the framework")
