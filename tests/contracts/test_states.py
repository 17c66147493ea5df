"""The state tables against the law, written out (rulings, section 5)."""

import pytest

from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import ExitType
from contracts.states import (
    SHOWN_FRAMEWORK_STATE,
    STATE_OF_TASK_STATE,
    attempt_state,
    exit_type,
    job_state,
    sub_state,
    task_state,
)

FRAMEWORK_LAW = """
FRAMEWORK_WAITING                  FrameworkWaiting                 WAITING WAITING
APPLICATION_CREATED                ApplicationCreated               WAITING WAITING
APPLICATION_LAUNCHED               ApplicationLaunched              WAITING WAITING
APPLICATION_WAITING                ApplicationWaiting               WAITING WAITING
APPLICATION_RUNNING                ApplicationRunning               RUNNING RUNNING
APPLICATION_RETRIEVING_DIAGNOSTICS ApplicationRetrievingDiagnostics WAITING WAITING
APPLICATION_COMPLETED              ApplicationCompleted             WAITING final
FRAMEWORK_COMPLETED                FrameworkCompleted               final   final
UNKNOWN                            UNKNOWN                          UNKNOWN UNKNOWN
"""

TASK_LAW = """
TASK_WAITING WAITING
CONTAINER_REQUESTED WAITING
CONTAINER_ALLOCATED WAITING
CONTAINER_LAUNCHED WAITING
CONTAINER_RUNNING RUNNING
CONTAINER_COMPLETED WAITING
TASK_COMPLETED final
UNKNOWN UNKNOWN
"""


def final_states(stop_codes: tuple[int, int]) -> dict[int | None, str]:
    return {0: "SUCCEEDED", None: "FAILED", 1: "FAILED", -7350: "FAILED"} | dict.fromkeys(stop_codes, "STOPPED")


@pytest.mark.parametrize("row", FRAMEWORK_LAW.split("\n")[1:-1])
def test_a_framework_state_is_shown_as_ruled(row: str) -> None:
    word, shown, state, of_attempt = row.split()
    of = FrameworkState(word)
    assert sub_state(of) == shown
    for code, final in final_states((-7351, -170090)).items():
        assert job_state(of, code) == (final if state == "final" else state)
        assert attempt_state(of, code) == (final if of_attempt == "final" else of_attempt)


@pytest.mark.parametrize("row", TASK_LAW.split("\n")[1:-1])
def test_a_task_state_is_shown_as_ruled(row: str) -> None:
    word, state = row.split()
    for code, final in final_states((-7400, -170091)).items():
        assert task_state(TaskState(word), code) == (final if state == "final" else state)


def test_a_stop_code_of_the_other_kind_is_a_failure() -> None:
    assert job_state(FrameworkState.FRAMEWORK_COMPLETED, -7400) == "FAILED"
    assert task_state(TaskState.TASK_COMPLETED, -7351) == "FAILED"


def test_every_state_of_the_lifecycle_is_in_the_tables() -> None:
    assert set(SHOWN_FRAMEWORK_STATE) == set(FrameworkState)
    assert set(STATE_OF_TASK_STATE) == set(TaskState)


def test_an_exit_type_is_not_available_while_nothing_exited() -> None:
    assert exit_type(None) == "NOT_AVAILABLE"
    assert [exit_type(kind) for kind in ExitType] == [kind.value for kind in ExitType]
