from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.launcher.lifecycle import (
    FRAMEWORK_TRANSITIONS,
    TASK_TRANSITIONS,
    FrameworkEvent,
    FrameworkState,
    IllegalTransition,
    TaskEvent,
    TaskState,
    next_framework_state,
    next_task_state,
    reachable,
)
from contracts.launcher.records import Framework, TaskStatus
from tests.contracts.recorded_records import runs

# What the processes of a real launcher logged, transition by transition.
LOGGED_OF_FRAMEWORKS = {
    ("FRAMEWORK_WAITING", "APPLICATION_CREATED"),
    ("APPLICATION_RETRIEVING_DIAGNOSTICS", "APPLICATION_COMPLETED"),
    ("APPLICATION_COMPLETED", "FRAMEWORK_COMPLETED"),
    ("APPLICATION_CREATED", "APPLICATION_LAUNCHED"),
    ("APPLICATION_LAUNCHED", "APPLICATION_WAITING"),
    ("APPLICATION_CREATED", "APPLICATION_RETRIEVING_DIAGNOSTICS"),
    ("APPLICATION_WAITING", "APPLICATION_RUNNING"),
    ("APPLICATION_RUNNING", "APPLICATION_RETRIEVING_DIAGNOSTICS"),
    ("APPLICATION_COMPLETED", "FRAMEWORK_WAITING"),
    ("APPLICATION_LAUNCHED", "APPLICATION_RUNNING"),
    ("APPLICATION_WAITING", "APPLICATION_RETRIEVING_DIAGNOSTICS"),
    ("APPLICATION_RUNNING", "APPLICATION_WAITING"),
    ("APPLICATION_LAUNCHED", "APPLICATION_RETRIEVING_DIAGNOSTICS"),
    # Logged once as well: APPLICATION_COMPLETED to APPLICATION_RETRIEVING_DIAGNOSTICS, the first third of a stop during
    # back-off. A stop is one event here, as it is one write there: nobody can see its inside.
}
LOGGED_OF_TASKS = {
    ("TASK_WAITING", "CONTAINER_REQUESTED"),
    ("CONTAINER_REQUESTED", "CONTAINER_ALLOCATED"),
    ("CONTAINER_ALLOCATED", "CONTAINER_LAUNCHED"),
    ("CONTAINER_LAUNCHED", "CONTAINER_RUNNING"),
    ("CONTAINER_RUNNING", "CONTAINER_COMPLETED"),
    ("CONTAINER_COMPLETED", "TASK_COMPLETED"),
    ("CONTAINER_REQUESTED", "TASK_WAITING"),
    ("CONTAINER_COMPLETED", "TASK_WAITING"),
    ("CONTAINER_ALLOCATED", "CONTAINER_COMPLETED"),
}

Table = (
    Mapping[FrameworkState, Mapping[FrameworkEvent, FrameworkState]] | Mapping[TaskState, Mapping[TaskEvent, TaskState]]
)


def arrows(table: Table) -> set[tuple[str, str]]:
    return {(state.value, target.value) for state, exits in table.items() for target in exits.values()}


def test_every_logged_transition_is_an_arrow_of_the_tables() -> None:
    assert arrows(FRAMEWORK_TRANSITIONS) >= LOGGED_OF_FRAMEWORKS
    assert arrows(TASK_TRANSITIONS) >= LOGGED_OF_TASKS


def test_every_state_but_the_unknown_one_has_its_row() -> None:
    assert set(FRAMEWORK_TRANSITIONS) == set(FrameworkState) - {FrameworkState.UNKNOWN}
    assert set(TASK_TRANSITIONS) == set(TaskState) - {TaskState.UNKNOWN}


def test_every_event_happens_somewhere() -> None:
    assert {event for exits in FRAMEWORK_TRANSITIONS.values() for event in exits} == set(FrameworkEvent)
    assert {event for exits in TASK_TRANSITIONS.values() for event in exits} == set(TaskEvent)


def test_every_state_is_reached_from_the_first() -> None:
    assert reachable(FRAMEWORK_TRANSITIONS, FrameworkState.FRAMEWORK_WAITING) == set(FRAMEWORK_TRANSITIONS)
    assert reachable(TASK_TRANSITIONS, TaskState.TASK_WAITING) == set(TASK_TRANSITIONS)


def test_final_states_are_left_by_nothing_but_another_version() -> None:
    assert TASK_TRANSITIONS[TaskState.TASK_COMPLETED] == {}
    assert set(FRAMEWORK_TRANSITIONS[FrameworkState.FRAMEWORK_COMPLETED]) == {FrameworkEvent.UPGRADED}
    assert reachable(TASK_TRANSITIONS, TaskState.TASK_COMPLETED) == {TaskState.TASK_COMPLETED}


def test_without_a_retry_an_ended_application_does_not_run_again() -> None:
    same_application = frozenset({FrameworkEvent.RETRIED, FrameworkEvent.UPGRADED})
    after = reachable(FRAMEWORK_TRANSITIONS, FrameworkState.APPLICATION_COMPLETED, without=same_application)
    assert after == {FrameworkState.APPLICATION_COMPLETED, FrameworkState.FRAMEWORK_COMPLETED}


@pytest.mark.no_cover
@given(st.sampled_from(FrameworkState), st.sampled_from(FrameworkEvent))
def test_a_framework_event_leads_where_the_table_says_or_is_illegal(
    state: FrameworkState, event: FrameworkEvent
) -> None:
    if event in FRAMEWORK_TRANSITIONS.get(state, {}):
        assert next_framework_state(state, event) is FRAMEWORK_TRANSITIONS[state][event]
    else:
        with pytest.raises(IllegalTransition, match=f"{event.value} is not possible in {state.value}") as caught:
            next_framework_state(state, event)
        assert (caught.value.state, caught.value.event) == (state, event)


@given(st.sampled_from(TaskState), st.sampled_from(TaskEvent))
def test_a_task_event_leads_where_the_table_says_or_is_illegal(state: TaskState, event: TaskEvent) -> None:
    if event in TASK_TRANSITIONS.get(state, {}):
        assert next_task_state(state, event) is TASK_TRANSITIONS[state][event]
    else:
        with pytest.raises(IllegalTransition):
            next_task_state(state, event)


def test_an_unknown_state_leads_nowhere() -> None:
    assert reachable(FRAMEWORK_TRANSITIONS, FrameworkState.UNKNOWN) == {FrameworkState.UNKNOWN}


# --- the recordings: everything a launcher was ever seen to do is a path in the tables ------------------------------


def looks() -> Iterator[tuple[Framework, Framework]]:
    """Two looks after one another at the same run."""
    for run in runs():
        yield from pairwise(run)


@pytest.mark.no_cover
def test_recorded_frameworks_move_along_the_table() -> None:
    moved = set()
    for before, after in looks():
        same = before.status.application_id in (None, after.status.application_id)
        without = frozenset({FrameworkEvent.UPGRADED, FrameworkEvent.RETRIED} if same else {FrameworkEvent.UPGRADED})
        possible = reachable(FRAMEWORK_TRANSITIONS, before.status.state, without=without)
        assert after.status.state in possible, (before.status, after.status)
        moved.add((before.status.state, after.status.state))
    assert len(moved) > 15


def tasks(framework: Framework) -> Mapping[tuple[str, int], TaskStatus]:
    return {(name, task.index): task for name, role in framework.task_roles.items() for task in role.tasks}


def test_recorded_tasks_move_along_the_table() -> None:
    moved = set()
    for before, after in looks():
        if before.status.application_id != after.status.application_id:
            continue
        earlier = tasks(before)
        for key, task in tasks(after).items():
            if key not in earlier:
                continue
            retried = earlier[key].retries != task.retries
            without: frozenset[TaskEvent] = frozenset() if retried else frozenset({TaskEvent.RETRIED})
            assert task.state in reachable(TASK_TRANSITIONS, earlier[key].state, without=without)
            moved.add((earlier[key].state, task.state))
    assert len(moved) > 10
