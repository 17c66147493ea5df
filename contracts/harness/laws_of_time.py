"""Laws L1 to L6: how one job may change from answer to answer.

What a client sees of a state is less than the launcher has; what it may see follow is worked out from the transition
tables, so that a change of a table changes the law.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from contracts.harness.observations import (
    GET_ATTEMPT,
    Job,
    Json,
    Moment,
    Violation,
    incarnations,
    jobs,
    runs,
    stretches,
    tasks_of,
)
from contracts.launcher.lifecycle import (
    FRAMEWORK_TRANSITIONS,
    TASK_TRANSITIONS,
    FrameworkEvent,
    FrameworkState,
    TaskState,
    reachable,
)

SUB_STATES = {"".join(word.capitalize() for word in state.split("_")): state for state in FRAMEWORK_TRANSITIONS}
"""The ``subState`` of each framework state; UNKNOWN is none of them."""

FRAMEWORK_COMPLETED = "FrameworkCompleted"

MAY_CHANGE_AFTER_THE_END = frozenset({"executionType", "allocatedMB", "allocatedVCores", "priority"})
"""The first is what was asked for, and a stop or start may be asked for after the end (seen of a real launcher); the others
(portal style) are told by the resource manager, which goes on counting a little."""

FINAL_TASK_STATES = frozenset({"SUCCEEDED", "STOPPED", "FAILED"})

_NEW_LIFE = frozenset({FrameworkEvent.UPGRADED})
_NEW_ATTEMPT = frozenset({FrameworkEvent.UPGRADED, FrameworkEvent.RETRIED})


def l1_states_move_along_the_table(moments: Sequence[Moment]) -> Iterator[Violation]:
    """Within a run the sub-state follows the framework table; the way over a retry is open only to a higher attempt."""
    for run in runs(moments):
        for before, after in pairwise(jobs(run)):
            old, new = before.status["subState"], after.status["subState"]
            if old not in SUB_STATES or new not in SUB_STATES:
                continue
            retried = after.status["attemptId"] > before.status["attemptId"]
            if not _leads_to(SUB_STATES[old], SUB_STATES[new], retried=retried):
                how = "over a retry" if retried else "within one attempt"
                yield Violation("L1", f"no way leads from {old} to {new} {how}", (before.seen, after.seen))


def _leads_to(old: FrameworkState, new: FrameworkState, *, retried: bool) -> bool:
    same_attempt = reachable(FRAMEWORK_TRANSITIONS, old, without=_NEW_ATTEMPT)
    if not retried:
        return new in same_attempt
    starts = {FRAMEWORK_TRANSITIONS[state].get(FrameworkEvent.RETRIED) for state in same_attempt} - {None}
    return any(
        start is not None and new in reachable(FRAMEWORK_TRANSITIONS, start, without=_NEW_LIFE) for start in starts
    )


def l2_retries_are_counted(moments: Sequence[Moment]) -> Iterator[Violation]:
    """Within a run attemptId and the retry counters never fall and agree, and each attempt has an application of its own."""
    for run in runs(moments):
        seen = jobs(run)
        for job in seen:
            yield from _counters_agree(job)
        for before, after in pairwise(seen):
            yield from _counters_rise(before, after)
        yield from _one_application_each(seen)


def _counters(status: Json) -> dict[str, int]:
    typed: dict[str, int] = status["retryDetails"]
    return {"attemptId": status["attemptId"], **{f"retryDetails.{kind}": count for kind, count in typed.items()}}


def _counters_agree(job: Job) -> Iterator[Violation]:
    status = job.status
    typed = sum(status["retryDetails"].values())
    # Retries after a success are counted in the sum, and shown nowhere else.
    if status["attemptId"] != status["retries"] or status["attemptId"] < typed:
        what = f"attemptId {status['attemptId']}, retries {status['retries']}, typed retries {typed} do not agree"
        yield Violation("L2", what, (job.seen,))


def _counters_rise(before: Job, after: Job) -> Iterator[Violation]:
    old, new = _counters(before.status), _counters(after.status)
    for counter, count in old.items():
        if new[counter] < count:
            yield Violation("L2", f"{counter} fell from {count} to {new[counter]}", (before.seen, after.seen))


def _one_application_each(seen: Sequence[Job]) -> Iterator[Violation]:
    of_attempt: dict[int, Job] = {}
    of_application: dict[str, Job] = {}
    for job in seen:
        attempt, application = job.status["attemptId"], job.status["appId"]
        earlier = of_attempt.get(attempt)
        if earlier is not None and earlier.status["appId"] != application:
            what = f"attempt {attempt} went from application {earlier.status['appId']} to {application}"
            yield Violation("L2", what, (earlier.seen, job.seen))
        if application is not None:
            other = of_application.setdefault(application, job)
            if other.status["attemptId"] != attempt:
                what = f"application {application} belongs to attempts {other.status['attemptId']} and {attempt}"
                yield Violation("L2", what, (other.seen, job.seen))
            of_attempt[attempt] = job


def l3_the_end_is_the_end(moments: Sequence[Moment]) -> Iterator[Violation]:
    """Within a run a completed framework keeps its job status, but for what may still be asked for; its tasks may settle."""
    for run in runs(moments):
        for before, after in pairwise(jobs(run)):
            if before.status["subState"] != FRAMEWORK_COMPLETED:
                continue
            for field, value in before.status.items():
                if field not in MAY_CHANGE_AFTER_THE_END and after.status[field] != value:
                    what = f"{field} of a completed job went from {value!r} to {after.status[field]!r}"
                    yield Violation("L3", what, (before.seen, after.seen))


def l4_nothing_is_before_the_creation(moments: Sequence[Moment]) -> Iterator[Violation]:
    """Within an incarnation createdTime is one instant (so it is for one application) and no other time is before it."""
    for stretch in stretches(moments):
        of_application: dict[str, Job] = {}
        for job in jobs(stretch):
            application = job.status["appId"]
            if application is None:
                continue
            first = of_application.setdefault(application, job)
            if first.status["createdTime"] != job.status["createdTime"]:
                what = f"createdTime went from {first.status['createdTime']} to {job.status['createdTime']}"
                yield Violation("L4", f"{what} under application {application}", (first.seen, job.seen))
    for incarnation in incarnations(moments):
        for job in jobs(incarnation):
            created = job.status["createdTime"]
            for where, instant in _times(job):
                if 0 < instant < created:
                    yield Violation("L4", f"{where} {instant} is before createdTime {created}", (job.seen,))


def _times(job: Job) -> Iterator[tuple[str, int]]:
    for field in ("completedTime", "appLaunchedTime"):
        yield field, job.status[field]
    for (role, index), task in job.tasks().items():
        for field in ("containerLaunchedTimestamp", "containerCompletedTimestamp"):
            yield f"{field} of {role} {index}", task[field]


def l5_an_attempt_moves_forward(moments: Sequence[Moment]) -> Iterator[Violation]:
    """Within one application its launch stays, tasks move along their table, count upward, and vanish only by scaling."""
    for attempt in _attempts(moments):
        for before, after in pairwise(attempt):
            launched = before.status["appLaunchedTime"]
            if launched and after.status["appLaunchedTime"] != launched:
                what = f"appLaunchedTime went from {launched} to {after.status['appLaunchedTime']}"
                yield Violation("L5", what, (before.seen, after.seen))
            yield from _tasks_move(before, after)
        yield from _tasks_vanish_by_scaling(attempt)


def _attempts(moments: Sequence[Moment]) -> Iterator[list[Job]]:
    for run in runs(moments):
        for application, group in groupby(jobs(run), key=lambda job: job.status["appId"]):
            if application is not None:
                yield list(group)


_SHOWN_TASK_STATES = {
    state: frozenset({"WAITING"})
    if state not in (TaskState.CONTAINER_RUNNING, TaskState.TASK_COMPLETED)
    else (FINAL_TASK_STATES if state is TaskState.TASK_COMPLETED else frozenset({"RUNNING"}))
    for state in TASK_TRANSITIONS
}


def _task_states_after(shown: str) -> frozenset[str]:
    """What may be shown of a task later; of a task shown as UNKNOWN nothing is known."""
    return frozenset(
        later
        for state, as_shown in _SHOWN_TASK_STATES.items()
        if shown in as_shown
        for reached in reachable(TASK_TRANSITIONS, state)
        for later in _SHOWN_TASK_STATES[reached]
    )


def _tasks_move(before: Job, after: Job) -> Iterator[Violation]:
    new_tasks = after.tasks()
    for (role, index), old in before.tasks().items():
        new = new_tasks.get((role, index))
        if new is None:
            continue
        states = old["taskState"], new["taskState"]
        if "UNKNOWN" not in states and states[1] not in _task_states_after(states[0]):
            what = f"task {index} of {role} went from {states[0]} to {states[1]}"
            yield Violation("L5", what, (before.seen, after.seen))
        for kind, count in old["retryDetails"].items():
            if (
                isinstance(count, int)
                and isinstance(new["retryDetails"][kind], int)
                and new["retryDetails"][kind] < count
            ):
                what = f"retryDetails.{kind} of task {index} of {role} fell from {count}"
                yield Violation("L5", what, (before.seen, after.seen))


def _tasks_vanish_by_scaling(attempt: Sequence[Job]) -> Iterator[Violation]:
    """The task number itself is not in a job detail of every style; what is applied for changes with it, and first."""
    sizes: set[tuple[object, ...]] = set()
    for position, after in enumerate(attempt):
        size = tuple(after.status.get(field) for field in ("appliedCpuNumber", "appliedMemoryMB", "totalTaskNumber"))
        before = attempt[position - 1] if position else after
        vanished = before.tasks().keys() - after.tasks().keys()
        if vanished and not sizes - {size}:
            yield Violation("L5", f"tasks {sorted(vanished)} vanished unscaled", (before.seen, after.seen))
        sizes.add(size)


def l6_a_container_has_one_life(moments: Sequence[Moment]) -> Iterator[Violation]:
    """One container id has one launch and one completion, in this order; once shown they stay."""
    known: dict[tuple[str, str], tuple[int, Moment]] = {}
    for moment in moments:
        for task in _all_tasks(moment):
            container = task["containerId"]
            if container is None:
                continue
            launched, completed = task["containerLaunchedTimestamp"], task["containerCompletedTimestamp"]
            if launched and completed and launched > completed:
                yield Violation("L6", f"{container} completed before it was launched", moment.seen)
            for what, instant in (("launched", launched), ("completed", completed)):
                if not instant:
                    continue
                earlier, when = known.setdefault((container, what), (instant, moment))
                if earlier != instant:
                    text = f"{container} was {what} at {earlier}, then at {instant}"
                    yield Violation("L6", text, (*when.seen, *moment.seen))
    yield from _container_times_stay(moments)


def _all_tasks(moment: Moment) -> Iterator[Json]:
    job = moment.job()
    if job is not None:
        yield from job.tasks().values()
    for one in moment.of(GET_ATTEMPT):
        if one.status == 200:
            yield from tasks_of(one.body["frameworkFullDetail"]).values()


def _container_times_stay(moments: Iterable[Moment]) -> Iterator[Violation]:
    """Only from job detail to job detail: the detail of a past attempt may be an older look at the same container."""
    for run in runs(moments):
        for before, after in pairwise(jobs(run)):
            new = {task["containerId"]: task for task in after.tasks().values()}
            for old in before.tasks().values():
                container = old["containerId"]
                if container is None or container not in new:
                    continue
                for field in ("containerLaunchedTimestamp", "containerCompletedTimestamp"):
                    if old[field] and not new[container][field]:
                        yield Violation("L6", f"{field} of {container} is lost", (before.seen, after.seen))
