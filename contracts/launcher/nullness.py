"""What a launcher never leaves out, and what it never tells, in each state of a framework and of a task.

As a real launcher was recorded, state by state, and as the simulated one is held to.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import FrameworkStatus, TaskStatus

_F = FrameworkState
_T = TaskState


class Told(NamedTuple):
    """Fields of a record. All others are null."""

    always: frozenset[str]
    perhaps: frozenset[str] = frozenset()


_ANY = frozenset({"name", "version", "state", "retries", "created_timestamp"})
_CREATED = _ANY | {"application_id", "application_progress"}
_LAUNCHED = _CREATED | {"application_launched_timestamp"}
_LIVING = _LAUNCHED | {"application_tracking_url"}
_ENDED = _CREATED | {
    "application_completed_timestamp",
    "application_exit_code",
    "application_exit_description",
    "application_exit_type",
}
_IF_EVER = frozenset(
    {
        "application_tracking_url",
        "application_launched_timestamp",
        "application_exit_diagnostics",
        "application_exit_trigger_message",
        "application_exit_trigger_task_role_name",
        "application_exit_trigger_task_index",
    }
)

TOLD_OF_FRAMEWORK: Final[Mapping[FrameworkState, Told]] = {
    _F.FRAMEWORK_WAITING: Told(_ANY),
    _F.APPLICATION_CREATED: Told(_CREATED),
    _F.APPLICATION_LAUNCHED: Told(_LAUNCHED),
    _F.APPLICATION_WAITING: Told(_LIVING),
    _F.APPLICATION_RUNNING: Told(_LIVING),
    _F.APPLICATION_RETRIEVING_DIAGNOSTICS: Told(_CREATED, _IF_EVER),
    _F.APPLICATION_COMPLETED: Told(_ENDED, _IF_EVER),
    _F.FRAMEWORK_COMPLETED: Told(_ENDED | {"completed_timestamp"}, _IF_EVER),
}

_TASK = frozenset({"index", "task_role_name", "state", "retries", "created_timestamp", "service_version"})
_ALLOCATED = _TASK | {
    "container_id",
    "container_host",
    "container_ip",
    "container_ports",
    "container_gpus",
    "container_log_http_address",
    "container_connection_lost_count",
}
_EXITED = _ALLOCATED | {
    "container_completed_timestamp",
    "container_exit_code",
    "container_exit_description",
    "container_exit_type",
}
_STARTED = frozenset({"container_launched_timestamp", "container_exit_diagnostics"})

TOLD_OF_TASK: Final[Mapping[TaskState, Told]] = {
    _T.TASK_WAITING: Told(_TASK),
    _T.CONTAINER_REQUESTED: Told(_TASK),
    _T.CONTAINER_ALLOCATED: Told(_ALLOCATED),
    _T.CONTAINER_LAUNCHED: Told(_ALLOCATED | {"container_launched_timestamp"}),
    _T.CONTAINER_RUNNING: Told(_ALLOCATED | {"container_launched_timestamp"}),
    _T.CONTAINER_COMPLETED: Told(_EXITED, _STARTED),
    _T.TASK_COMPLETED: Told(_EXITED | {"completed_timestamp"}, _STARTED),
}

_OUTLIVED = _TASK | {"completed_timestamp", "container_exit_code", "container_exit_description", "container_exit_type"}
TOLD_OF_OUTLIVED: Final = Told(_OUTLIVED, (_EXITED | _STARTED) - _OUTLIVED - {"container_exit_diagnostics"})
"""A task that its application did not wait for (-7400): with or without a container."""


def set_fields(record: FrameworkStatus | TaskStatus) -> frozenset[str]:
    """The fields that are not null."""
    return frozenset(field for field in record.__struct_fields__ if getattr(record, field) is not None)
