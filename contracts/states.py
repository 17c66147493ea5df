"""The launcher's states in the document's words (rulings, section 5): everything that decides a state, a sub-state or an exit
type of an answer lives here, for the API and for the control plane alike. The laws of the harness judge by words of their own.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from contracts.launcher.exits import STOP_FRAMEWORK_CODES, STOP_TASK_CODES
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import ExitType

WAITING: Final = "WAITING"
RUNNING: Final = "RUNNING"
SUCCEEDED: Final = "SUCCEEDED"
STOPPED: Final = "STOPPED"
FAILED: Final = "FAILED"
UNKNOWN: Final = "UNKNOWN"

BY_EXIT_CODE: Final = None
"""In the tables: the state is final, and which one is decided by the exit code."""


class Shown(Struct, frozen=True):
    """How clients see one framework state."""

    sub_state: str
    state: str | None
    attempt_state: str | None


_F = FrameworkState
SHOWN_FRAMEWORK_STATE: Mapping[FrameworkState, Shown] = {
    _F.FRAMEWORK_WAITING: Shown("FrameworkWaiting", WAITING, WAITING),
    _F.APPLICATION_CREATED: Shown("ApplicationCreated", WAITING, WAITING),
    _F.APPLICATION_LAUNCHED: Shown("ApplicationLaunched", WAITING, WAITING),
    _F.APPLICATION_WAITING: Shown("ApplicationWaiting", WAITING, WAITING),
    _F.APPLICATION_RUNNING: Shown("ApplicationRunning", RUNNING, RUNNING),
    _F.APPLICATION_RETRIEVING_DIAGNOSTICS: Shown("ApplicationRetrievingDiagnostics", WAITING, WAITING),
    _F.APPLICATION_COMPLETED: Shown("ApplicationCompleted", WAITING, BY_EXIT_CODE),
    _F.FRAMEWORK_COMPLETED: Shown("FrameworkCompleted", BY_EXIT_CODE, BY_EXIT_CODE),
    _F.UNKNOWN: Shown(UNKNOWN, UNKNOWN, UNKNOWN),
}

_T = TaskState
STATE_OF_TASK_STATE: Mapping[TaskState, str | None] = {
    _T.TASK_WAITING: WAITING,
    _T.CONTAINER_REQUESTED: WAITING,
    _T.CONTAINER_ALLOCATED: WAITING,
    _T.CONTAINER_LAUNCHED: WAITING,
    _T.CONTAINER_RUNNING: RUNNING,
    _T.CONTAINER_COMPLETED: WAITING,
    _T.TASK_COMPLETED: BY_EXIT_CODE,
    _T.UNKNOWN: UNKNOWN,
}

NOT_AVAILABLE: Final = "NOT_AVAILABLE"


def sub_state(state: FrameworkState) -> str:
    return SHOWN_FRAMEWORK_STATE[state].sub_state


def job_state(state: FrameworkState, exit_code: int | None) -> str:
    return SHOWN_FRAMEWORK_STATE[state].state or _final(exit_code, STOP_FRAMEWORK_CODES)


def attempt_state(state: FrameworkState, exit_code: int | None) -> str:
    return SHOWN_FRAMEWORK_STATE[state].attempt_state or _final(exit_code, STOP_FRAMEWORK_CODES)


def task_state(state: TaskState, exit_code: int | None) -> str:
    return STATE_OF_TASK_STATE[state] or _final(exit_code, STOP_TASK_CODES)


def exit_type(kind: ExitType | None) -> str:
    """``NOT_AVAILABLE`` while nothing exited."""
    return NOT_AVAILABLE if kind is None else kind.value


def _final(exit_code: int | None, stop_codes: frozenset[int]) -> str:
    if exit_code == 0:
        return SUCCEEDED
    return STOPPED if exit_code in stop_codes else FAILED
