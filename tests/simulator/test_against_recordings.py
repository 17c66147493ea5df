"""What a real launcher was asked, and what its containers did, told to the simulator: the same comes out.

A story is read out of each recorded history: operations from the requests, fates from the tasks as they were seen. Compared
is what does not hang on luck: versions and attempts in order, the end, the counters, what the last tasks exited with.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

import pytest

from contracts.clock import Instant
from contracts.launcher.records import ExecutionType, ExitType, Framework, TaskStatus
from simulator.machine.story import (
    DEPLOYED,
    ApplicationEnd,
    ApplicationFate,
    ApplicationKey,
    ContainerFate,
    ContainerKey,
    Crashed,
    Delete,
    Exit,
    Killed,
    Lost,
    MasterFailed,
    Migrate,
    Operation,
    Refused,
    SetProgress,
    Start,
    Stop,
    Story,
    Submit,
)
from simulator.machine.timeline import Timeline, plan
from tests.contracts.recorded_records import Recorded, histories
from tests.simulator.telling import CLUSTER, breaches_between, breaches_of

NOT_TOLD = {
    "s14": "the launcher itself was restarted",
    "restart": "the same",
    "s18a": "another launcher, with a retention and a task limit of its own",
    "s13": "many names at once, seen too seldom",
    "s22": "random jobs, seen too seldom",
    "s12": "about HTTP",
    "s21": "about access control",
    "s05h": "its parent acted on it",
}
LUCK = {
    "s03f-fw-fancy-max2-transient": "stopped within the second in which its fifth application was made",
    "s03f-fw-plain-max-1-unknown": "stopped within the second in which its third application ended",
}
"""Which tick came first decides; ours tick at other milliseconds."""
A_FEW_LOOKS = 60_000
"""The last look at a slow launcher may come a little before ours shows the same."""
CODE_OF_COUNTER = {"transient_normal": 193, "non_transient": 194, "unknown": 7, "succeeded": 0}


def scenario(name: str) -> str:
    return name.partition("~")[2]


def names() -> list[str]:
    """Every recorded name with an application, but for what cannot be told as one story."""
    return [
        name
        for name, history in histories().items()
        if not scenario(name).startswith(tuple(NOT_TOLD))
        and scenario(name) not in LUCK
        and _application_of(history) is not None
    ]


def _application_of(history: list[Recorded]) -> str | None:
    records = (recorded.framework for recorded in history if recorded.framework is not None)
    return next((record.status.application_id for record in records if record.status.application_id), None)


def operations(history: list[Recorded]) -> Iterator[Operation]:
    before: Framework | None = None
    for recorded in history:
        now = recorded.framework
        if now is None:
            if before is not None:
                yield Delete(recorded.instant)
            before = None
            continue
        request = now.request
        assert request is not None
        at = request.last_request_timestamp
        old = None if before is None else before.request
        if (
            old is None
            or replace(old.descriptor, execution_type=request.descriptor.execution_type) != request.descriptor
        ):
            yield Submit(at, request.descriptor, request.launch_client_type, request.launch_client_host_name)
        elif old.first_request_timestamp != request.first_request_timestamp:
            yield Delete(request.first_request_timestamp - 50)
            yield Submit(at, request.descriptor)
        elif old.descriptor.execution_type is not request.descriptor.execution_type:
            yield Stop(at) if request.descriptor.execution_type is ExecutionType.STOP else Start(at)
        if request.progress_override is not None and (
            old is None or old.progress_override != request.progress_override
        ):
            yield SetProgress(recorded.instant, request.progress_override)
        asked = set(request.migrate_task_requests or ()) - set((old and old.migrate_task_requests) or ())
        yield from (Migrate(recorded.instant, container) for container in sorted(asked))
        before = now


@dataclass(frozen=True)
class Seen:
    """The recorded containers and applications as a behaviour."""

    numbers: list[int]
    applications: dict[tuple[int, int], Framework]
    containers: dict[tuple[int, int, str, int, int], TaskStatus]
    counters: dict[tuple[int, int, str, int], dict[str, int]] = field(default_factory=dict)

    def application_number(self, count: int) -> int:
        return self.numbers[count] if count < len(self.numbers) else 9000 + count

    def application(self, key: ApplicationKey) -> ApplicationFate:
        last = self.applications.get((key.version, key.attempt))
        status = None if last is None else last.status
        first_task = next(iter(self._tasks(key)), None)
        launched = status and status.application_launched_timestamp
        start = 2200
        if first_task is not None and launched and first_task.created_timestamp:
            start = max(100, first_task.created_timestamp - launched)
        code = status and status.application_exit_code
        after = 0
        if status is not None and launched and status.application_completed_timestamp:
            after = max(100, status.application_completed_timestamp - launched - 300)
        text = ((status and status.application_exit_diagnostics) or "").split("\n")[0]
        ends: dict[int, ApplicationEnd] = {
            -7303: Killed(after),
            -7350: Lost(after),
            -7353: Crashed(after),
            -7251: MasterFailed(-7251, text, 2500),
            -7200: MasterFailed(-7200, text),
            -7300: Refused(-7300, text),
        }
        if first_task is None and code in (-7351, -7303):
            return ApplicationFate(am_start=None, end=ends.get(code))
        return ApplicationFate(am_start=start, end=ends.get(code or 0))

    def _tasks(self, key: ApplicationKey) -> Iterator[TaskStatus]:
        return (task for place, task in self.containers.items() if place[:2] == (key.version, key.attempt))

    def container(self, key: ContainerKey) -> ContainerFate:
        application = key.application
        place = (application.version, application.attempt, key.role, key.index)
        task = self.containers.get((*place, key.task_attempt))
        later = any(other[:4] == place and other[4] > key.task_attempt for other in self.containers)
        if task is not None and task.container_id is None and not later:
            return ContainerFate(allocation=None)
        launched = None if task is None else task.container_launched_timestamp
        created = None if task is None else task.created_timestamp
        allocation = 1200
        if launched and created and not key.task_attempt:
            allocation = max(100, launched - created - 50)
        code = None if task is None else task.container_exit_code
        if task is not None and code not in (None, -7400, -7153):
            assert code is not None
            completed = task.container_completed_timestamp
            run = max(200, completed - launched - 300) if completed and launched else 200
            return ContainerFate(allocation, run=run, exit=Exit(code, text=task.container_exit_diagnostics))
        next_task = self.containers.get((*place, key.task_attempt + 1))
        if later:
            following = None if next_task is None else next_task.container_launched_timestamp
            return ContainerFate(allocation, run=_run(launched, following), exit=Exit(self._unseen_code(place)))
        next_application = self.applications.get((application.version, application.attempt + 1))
        if next_application is not None or task is None:
            after = None if next_application is None else next_application.status.application_launched_timestamp
            return ContainerFate(allocation, run=_run(launched, after), exit=Exit(self._framework_code(application)))
        return ContainerFate(allocation)

    def _unseen_code(self, place: tuple[int, int, str, int]) -> int:
        counters = self.counters.get(place, {})
        return next((CODE_OF_COUNTER[name] for name, count in counters.items() if count), 1)

    def _framework_code(self, application: ApplicationKey) -> int:
        """Of a task never seen: what its framework's counters, once it was retried, say of it."""
        later = next(
            (f for (v, a), f in self.applications.items() if v == application.version and a > application.attempt), None
        )
        if later is not None:
            return next((code for name, code in CODE_OF_COUNTER.items() if getattr(later.status.retries, name)), 1)
        own = self.applications.get((application.version, application.attempt))
        code = own.status.application_exit_code if own is not None else None
        return code if code is not None and code >= 0 else 0


def _run(launched: Instant | None, following: Instant | None) -> int:
    """How long a container ran whose end nobody saw; what came after it tells."""
    return max(500, following - launched - 2000) if launched and following else 1700


def seen(history: list[Recorded]) -> Seen:
    ids: list[str] = []
    told = Seen([], {}, {})
    for recorded in history:
        now = recorded.framework
        if now is None:
            continue
        version, attempt = now.status.version, now.status.retries.total
        told.applications[version, attempt] = now
        if now.status.application_id is not None and now.status.application_id not in ids:
            ids.append(now.status.application_id)
        for role in now.task_roles.values():
            for task in role.tasks:
                assert task.retries is not None
                place = (version, attempt, role.name, task.index)
                if task.container_id is not None or (*place, task.retries.total) not in told.containers:
                    told.containers[*place, task.retries.total] = task
                told.counters[place] = {name: getattr(task.retries, name) for name in CODE_OF_COUNTER}
    told.numbers.extend(int(name.rpartition("_")[2]) for name in ids)
    return told


def as_story(name: str) -> Story:
    history = histories()[name]
    first = next(recorded.framework for recorded in history if recorded.framework is not None)
    slow = scenario(name).startswith(("s20", "s08x2"))
    application = _application_of(history)
    assert application is not None
    cluster = replace(
        CLUSTER,
        started=int(application.split("_")[1]),
        user_exit_spec="no-exit-spec" not in name,
        intervals=replace(DEPLOYED, container_expiry=90_000) if slow else CLUSTER.intervals,
    )
    done = sorted(operations(history), key=lambda operation: operation.at)
    return Story(first.status.name, cluster, tuple(done), seen(history))


def steps(records: Iterator[Framework | None]) -> list[tuple[int, int] | None]:
    """Versions and attempts in the order they were shown; ``None`` is a 404."""
    places = (None if record is None else (record.status.version, record.status.retries.total) for record in records)
    return [place for place, _ in groupby(places)]


def simulated(timeline: Timeline, history: list[Recorded]) -> Iterator[Framework | None]:
    """At every change from the first look to the last."""
    instant: Instant | None = history[0].instant
    while instant is not None and instant <= history[-1].instant:
        yield timeline.at(instant)
        instant = timeline.next_change(instant)


def outcome(record: Framework) -> dict[str, object]:
    status = record.status
    diagnostics = status.application_exit_diagnostics
    ended = status.application_exit_code is not None
    return {
        "state": status.state,
        "version": status.version,
        "code": status.application_exit_code,
        "type": status.application_exit_type,
        "description": status.application_exit_description,
        "diagnostics": diagnostics and diagnostics.split("\n")[0].split("]")[-1],
        "trigger": status.application_exit_trigger_message,
        "role": status.application_exit_trigger_task_role_name,
        "retries": status.retries,
        "tracked": status.application_tracking_url is not None,
        "launched": status.application_launched_timestamp is not None,
        "progress": status.application_progress if ended and status.application_exit_code != -7351 else None,
        "tasks": {
            (task.task_role_name, task.index): (task.container_exit_code, task.container_exit_type)
            for role in record.task_roles.values()
            for task in role.tasks
            if task.container_exit_type in (ExitType.SUCCEEDED, ExitType.UNKNOWN)
        },
    }


@pytest.mark.parametrize("name", names())
def test_the_same_things_happening_give_the_same_story(name: str) -> None:
    history = histories()[name]
    timeline = plan(as_story(name))
    real = [recorded.framework for recorded in history]
    last = next(record for record in reversed(real) if record is not None)
    shown = list(simulated(timeline, history))
    ours = next(
        (record for record in reversed([*shown, timeline.at(history[-1].instant + A_FEW_LOOKS)]) if record is not None),
        None,
    )
    assert ours is not None
    assert outcome(ours) == outcome(last)
    assert [step for step in steps(iter(shown)) if step] == [step for step in steps(iter(real)) if step]


def test_the_laws_of_these_tests_hold_for_the_real_launcher_too() -> None:
    for history in histories().values():
        records = [recorded.framework for recorded in history if recorded.framework is not None]
        for record in records:
            assert list(breaches_of(record)) == []
        for before, after in pairwise(records):
            if before.status.state.value != "FRAMEWORK_COMPLETED":
                assert list(breaches_between(before, after)) == []
