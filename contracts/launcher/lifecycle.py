"""Framework and task states, events, and the two transition tables: everything a launcher can do, and nothing else.

State, event, state, in one dictionary each; final states map to ``{}``. An illegal event raises
:class:`IllegalTransition` and changes nothing. Names are the launcher's own. The tables are the machine of the launcher's
logs; what a client sees over REST may jump over states but never leaves the paths.

Source: launcher fact sheet, section 3 (F1 to F13, T1 to T12), corrected by the recordings of a real launcher.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class FrameworkState(StrEnum):
    FRAMEWORK_WAITING = "FRAMEWORK_WAITING"
    APPLICATION_CREATED = "APPLICATION_CREATED"
    APPLICATION_LAUNCHED = "APPLICATION_LAUNCHED"
    APPLICATION_WAITING = "APPLICATION_WAITING"
    APPLICATION_RUNNING = "APPLICATION_RUNNING"
    APPLICATION_RETRIEVING_DIAGNOSTICS = "APPLICATION_RETRIEVING_DIAGNOSTICS"
    APPLICATION_COMPLETED = "APPLICATION_COMPLETED"
    FRAMEWORK_COMPLETED = "FRAMEWORK_COMPLETED"
    UNKNOWN = "UNKNOWN"
    """A word or number of a launcher that we do not know (rulings 1.15). In no table; never simulated."""


class TaskState(StrEnum):
    TASK_WAITING = "TASK_WAITING"
    CONTAINER_REQUESTED = "CONTAINER_REQUESTED"
    CONTAINER_ALLOCATED = "CONTAINER_ALLOCATED"
    CONTAINER_LAUNCHED = "CONTAINER_LAUNCHED"
    CONTAINER_RUNNING = "CONTAINER_RUNNING"
    CONTAINER_COMPLETED = "CONTAINER_COMPLETED"
    TASK_COMPLETED = "TASK_COMPLETED"
    UNKNOWN = "UNKNOWN"
    """As for frameworks."""


class FrameworkEvent(StrEnum):
    APPLICATION_ID_ALLOCATED = "APPLICATION_ID_ALLOCATED"
    """The resource manager handed out a new application id (F2)."""
    SUBMITTED = "SUBMITTED"
    """The submission was accepted, or is taken for accepted after a service restart (F3, F3')."""
    SUBMISSION_FAILED = "SUBMISSION_FAILED"
    """Refused or not reachable (F4): -7300, -7301, -7302."""
    NO_TASK_RUNS = "NO_TASK_RUNS"
    """The application is waiting, or runs without any running task (F5, with the web server's revision)."""
    A_TASK_RUNS = "A_TASK_RUNS"
    """The application runs and so does at least one of its tasks (F6, with the web server's revision)."""
    APPLICATION_ENDED = "APPLICATION_ENDED"
    """The resource manager gives a final status, or does not know the application any more (F7)."""
    EXIT_INFO_RETRIEVED = "EXIT_INFO_RETRIEVED"
    """The exit report is there, or was given up (F8)."""
    RETRIED = "RETRIED"
    """The retry policy starts the next attempt, at once or after the back-off (F9)."""
    COMPLETED = "COMPLETED"
    """The retry policy ends the framework (F10)."""
    STOPPED = "STOPPED"
    """A stop request was seen; one write of the end state only (F11, F11')."""
    UPGRADED = "UPGRADED"
    """Another version was requested: a fresh status of that version (F13)."""


class TaskEvent(StrEnum):
    CONTAINER_REQUESTED = "CONTAINER_REQUESTED"
    """The request was sent to the resource manager (T2)."""
    REQUEST_DROPPED = "REQUEST_DROPPED"
    """Not allocated in time, or the container was rejected: the request is taken back (T3), or lost in an AM restart (T10)."""
    CONTAINER_ALLOCATED = "CONTAINER_ALLOCATED"
    """A container was accepted (T4)."""
    CONTAINER_LAUNCHED = "CONTAINER_LAUNCHED"
    """The start was sent to the node (T5)."""
    CONTAINER_STARTED = "CONTAINER_STARTED"
    """The node confirmed the start (T6, T10)."""
    CONTAINER_ENDED = "CONTAINER_ENDED"
    """Completion reported, start failed, lost in a resync, migrated (T7)."""
    RETRIED = "RETRIED"
    """The retry policy asks for another container (T8)."""
    COMPLETED = "COMPLETED"
    """The retry policy ends the task (T9)."""
    APPLICATION_ENDED = "APPLICATION_ENDED"
    """Its application is over: the web server shows the task as completed with -7400 (T12)."""


_F = FrameworkState
_FE = FrameworkEvent
_T = TaskState
_TE = TaskEvent

_ANY_LIFE = {_FE.STOPPED: _F.FRAMEWORK_COMPLETED, _FE.UPGRADED: _F.FRAMEWORK_WAITING}
_SUBMITTED_LIFE = {
    _FE.NO_TASK_RUNS: _F.APPLICATION_WAITING,
    _FE.A_TASK_RUNS: _F.APPLICATION_RUNNING,
    _FE.APPLICATION_ENDED: _F.APPLICATION_RETRIEVING_DIAGNOSTICS,
    **_ANY_LIFE,
}

FRAMEWORK_TRANSITIONS: Mapping[FrameworkState, Mapping[FrameworkEvent, FrameworkState]] = {
    _F.FRAMEWORK_WAITING: {_FE.APPLICATION_ID_ALLOCATED: _F.APPLICATION_CREATED, **_ANY_LIFE},
    _F.APPLICATION_CREATED: {
        _FE.SUBMITTED: _F.APPLICATION_LAUNCHED,
        _FE.SUBMISSION_FAILED: _F.APPLICATION_RETRIEVING_DIAGNOSTICS,
        **_ANY_LIFE,
    },
    _F.APPLICATION_LAUNCHED: _SUBMITTED_LIFE,
    _F.APPLICATION_WAITING: _SUBMITTED_LIFE,
    _F.APPLICATION_RUNNING: _SUBMITTED_LIFE,
    _F.APPLICATION_RETRIEVING_DIAGNOSTICS: {_FE.EXIT_INFO_RETRIEVED: _F.APPLICATION_COMPLETED, **_ANY_LIFE},
    _F.APPLICATION_COMPLETED: {
        _FE.RETRIED: _F.FRAMEWORK_WAITING,
        _FE.COMPLETED: _F.FRAMEWORK_COMPLETED,
        **_ANY_LIFE,
    },
    # Final for its version; only another version leaves it, and that is a new life.
    _F.FRAMEWORK_COMPLETED: {_FE.UPGRADED: _F.FRAMEWORK_WAITING},
}

_OUTLIVED = {_TE.APPLICATION_ENDED: _T.TASK_COMPLETED}

TASK_TRANSITIONS: Mapping[TaskState, Mapping[TaskEvent, TaskState]] = {
    _T.TASK_WAITING: {_TE.CONTAINER_REQUESTED: _T.CONTAINER_REQUESTED, **_OUTLIVED},
    _T.CONTAINER_REQUESTED: {
        _TE.REQUEST_DROPPED: _T.TASK_WAITING,
        _TE.CONTAINER_ALLOCATED: _T.CONTAINER_ALLOCATED,
        **_OUTLIVED,
    },
    _T.CONTAINER_ALLOCATED: {
        _TE.CONTAINER_LAUNCHED: _T.CONTAINER_LAUNCHED,
        _TE.CONTAINER_ENDED: _T.CONTAINER_COMPLETED,
        _TE.REQUEST_DROPPED: _T.TASK_WAITING,
        **_OUTLIVED,
    },
    _T.CONTAINER_LAUNCHED: {
        _TE.CONTAINER_STARTED: _T.CONTAINER_RUNNING,
        _TE.CONTAINER_ENDED: _T.CONTAINER_COMPLETED,
        **_OUTLIVED,
    },
    _T.CONTAINER_RUNNING: {_TE.CONTAINER_ENDED: _T.CONTAINER_COMPLETED, **_OUTLIVED},
    _T.CONTAINER_COMPLETED: {_TE.RETRIED: _T.TASK_WAITING, _TE.COMPLETED: _T.TASK_COMPLETED, **_OUTLIVED},
    _T.TASK_COMPLETED: {},
}


class IllegalTransition(Exception):
    """An event that the table does not allow in that state. Nothing was changed."""

    def __init__(self, state: FrameworkState | TaskState, event: FrameworkEvent | TaskEvent) -> None:
        super().__init__(f"{event.value} is not possible in {state.value}")
        self.state = state
        self.event = event


def next_framework_state(state: FrameworkState, event: FrameworkEvent) -> FrameworkState:
    return _next(FRAMEWORK_TRANSITIONS, state, event)


def next_task_state(state: TaskState, event: TaskEvent) -> TaskState:
    return _next(TASK_TRANSITIONS, state, event)


_S = TypeVar("_S", FrameworkState, TaskState)
_E = TypeVar("_E", FrameworkEvent, TaskEvent)


def _next(table: Mapping[_S, Mapping[_E, _S]], state: _S, event: _E) -> _S:
    try:
        return table[state][event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def reachable(table: Mapping[_S, Mapping[_E, _S]], start: _S, *, without: frozenset[_E] = frozenset()) -> frozenset[_S]:
    """Every state a path of the table leads to from ``start``, ``start`` included, events in ``without`` left out."""
    seen = {start}
    todo = [start]
    while todo:
        for event, state in table.get(todo.pop(), {}).items():
            if event not in without and state not in seen:
                seen.add(state)
                todo.append(state)
    return frozenset(seen)
