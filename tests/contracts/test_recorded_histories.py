"""What the real launcher was seen to do obeys the transition tables, state by state, and the laws of its counters."""

from itertools import pairwise

from contracts.launcher.lifecycle import (
    FRAMEWORK_TRANSITIONS,
    TASK_TRANSITIONS,
    FrameworkEvent,
    FrameworkState,
    TaskEvent,
    TaskState,
    reachable,
)
from contracts.launcher.records import Framework, RetryState, TaskStatus
from tests.contracts.recorded_records import histories, runs

_NO_UPGRADE = frozenset({FrameworkEvent.UPGRADED})
_SAME_ATTEMPT = _NO_UPGRADE | {FrameworkEvent.RETRIED}
_SAME_CONTAINER_COUNT = frozenset({TaskEvent.RETRIED})


def counters(retries: RetryState) -> tuple[int, ...]:
    return (
        retries.succeeded,
        retries.transient_normal,
        retries.transient_conflict,
        retries.non_transient,
        retries.unknown,
    )


def steps() -> list[tuple[Framework, Framework]]:
    return [step for run in runs() for step in pairwise(run)]


def test_there_is_something_to_look_at() -> None:
    assert len(histories()) == 131
    assert len(steps()) > 900
    seen = {framework.status.state for run in runs() for framework in run}
    # The retrieving of diagnostics is too short for anybody to see.
    assert seen == set(FRAMEWORK_TRANSITIONS) - {FrameworkState.APPLICATION_RETRIEVING_DIAGNOSTICS}


def test_framework_states_move_along_the_table() -> None:
    for before, after in steps():
        old, new = before.status, after.status
        retried = new.retries.total > old.retries.total
        ways = reachable(FRAMEWORK_TRANSITIONS, old.state, without=_NO_UPGRADE if retried else _SAME_ATTEMPT)
        assert new.state in ways, (old, new)
        assert not (retried and old.state is FrameworkState.FRAMEWORK_COMPLETED)


def tasks(framework: Framework) -> dict[tuple[str, int], TaskStatus]:
    return {(role.name, task.index): task for role in framework.task_roles.values() for task in role.tasks}


def task_steps() -> list[tuple[TaskStatus, TaskStatus]]:
    """Of one task of one application, from look to look. A task created anew (scaled away and back) is another one."""
    found = []
    for before, after in steps():
        if before.status.application_id == after.status.application_id is not None:
            new_tasks = tasks(after)
            for key, old in tasks(before).items():
                new = new_tasks.get(key)
                if new is not None and new.created_timestamp == old.created_timestamp:
                    found.append((old, new))
    return found


def test_task_states_move_along_the_table() -> None:
    seen = set()
    for old, new in task_steps():
        retried = old.retries != new.retries
        ways = reachable(TASK_TRANSITIONS, old.state, without=frozenset() if retried else _SAME_CONTAINER_COUNT)
        assert new.state in ways, (old, new)
        seen |= {old.state, new.state}
    # Over before anybody could look.
    assert set(TASK_TRANSITIONS) - seen == {TaskState.CONTAINER_COMPLETED}


def test_counters_never_fall_and_the_attempt_is_their_sum() -> None:
    for run in runs():
        for framework in run:
            assert framework.status.retries.total == sum(counters(framework.status.retries))
    for before, after in steps():
        assert all(
            old <= new for old, new in zip(counters(before.status.retries), counters(after.status.retries), strict=True)
        )
    for old_task, new_task in task_steps():
        assert old_task.retries is not None
        assert new_task.retries is not None
        assert all(old <= new for old, new in zip(counters(old_task.retries), counters(new_task.retries), strict=True))


def test_the_application_changes_exactly_with_the_attempt_or_is_first_set() -> None:
    for before, after in steps():
        old, new = before.status, after.status
        same = old.retries.total == new.retries.total
        if old.application_id is not None:
            assert same == (old.application_id == new.application_id), (old, new)
        elif new.application_id is None:
            assert same


def test_summary_and_status_agree() -> None:
    for run in runs():
        for framework in run:
            summary, status = framework.summary, framework.status
            assert (summary.name, summary.version, summary.state) == (status.name, status.version, status.state)
            assert summary.application_exit_code == status.application_exit_code
            assert summary.completed_timestamp == status.completed_timestamp
            assert counters(summary.retries) == counters(status.retries)
