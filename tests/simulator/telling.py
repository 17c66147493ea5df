"""Stories for tests, and every law along the timeline of one."""

from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher.laws_of_records import Breach, breaches_between, breaches_of, tasks_of
from contracts.launcher.records import (
    CompletionPolicy,
    Framework,
    FrameworkDescriptor,
    PlatformParameters,
    Resource,
    RetryPolicy,
    TaskRoleDescriptor,
    TaskService,
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
                yield Breach("L5", "lists", f"task {index} of {name} vanished")


def _list_breaches(timeline: Timeline, instant: Instant, record: Framework) -> Iterator[Breach]:
    versions = timeline.versions(instant)
    if versions is None or record.status.version not in versions:
        yield Breach("L9", "lists", f"{record.status.version} is not in {versions}")
        return
    for version in versions:
        attempts = timeline.attempts(instant, version)
        if not attempts or attempts != tuple(range(len(attempts))):
            yield Breach("L8", "lists", f"attempts of {version} are {attempts}")
            continue
        for attempt in attempts:
            past = timeline.attempt(instant, version, attempt)
            if past is None or past.status.retries.total != attempt or past.status.version != version:
                yield Breach("L8", "lists", f"attempt {attempt} of {version} is {past}")
            else:
                yield from breaches_of(past)
    current = timeline.attempts(instant)
    if current is None or current[-1] != record.status.retries.total:
        yield Breach("L8", "lists", f"the current attempts are {current}")
    if timeline.attempt(instant, None, record.status.retries.total) != record:
        yield Breach("L10", "lists", "the current attempt is not the framework")
