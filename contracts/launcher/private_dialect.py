"""The private launcher's JSON (``SummaryFrameworks``): records to and from it, one line per wire name.

PascalCase keys, numbers for words, seconds, stop codes of its own. What is known of it comes from one consumer, so whatever
that consumer does not read may be missing, and maps, tags and retry states may be null.

Source: launcher fact sheet, section 8; the documents of a deployed server.
"""

from collections.abc import Iterable
from urllib.parse import quote

from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher import exits, wire
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.open_error import encode_error, plain
from contracts.launcher.open_print import render, render_compact
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.private_gaps import without_gaps
from contracts.launcher.records import (
    ExecutionType,
    ExitType,
    Framework,
    FrameworkStatus,
    RetryState,
    Summary,
    TaskRole,
    TaskStatus,
)
from contracts.launcher.tables import echo, encoded, field, group, record, untold
from contracts.launcher.wire import (
    COUNT,
    FRACTION,
    INT32,
    INTEGER,
    TEXT,
    Kind,
    array,
    default,
    mapping,
    maybe,
    numbered,
    only,
)

__all__ = [
    "FRAMEWORKS_PATH",
    "ROOT_PATH",
    "attempt_path",
    "attempts_path",
    "decode_attempts",
    "decode_error",
    "decode_framework",
    "decode_summaries",
    "decode_versions",
    "encode_attempts",
    "encode_error",
    "encode_framework",
    "encode_summaries",
    "encode_versions",
    "framework_path",
    "plain",
    "render",
    "render_compact",
    "seen",
    "seen_summary",
    "versions_path",
]

ROOT_PATH = "/v1"
FRAMEWORKS_PATH = "/v1/SummaryFrameworks"


def framework_path(name: str) -> str:
    """Percent-encoded, so that no name can leave its place; ``.`` and ``..`` must not come here (rulings 1.10)."""
    return f"{FRAMEWORKS_PATH}/{quote(name, safe='')}"


def versions_path(name: str) -> str:
    return f"{framework_path(name)}/Versions"


def attempts_path(name: str, version: int) -> str:
    return f"{versions_path(name)}/{version}/Attempts"


def attempt_path(name: str, version: int, attempt: int) -> str:
    return f"{attempts_path(name, version)}/{attempt}"


# --- the tables -----------------------------------------------------------------------------------------------------

_TIME = wire.instant(1000)

_FRAMEWORK_STATE = numbered(FrameworkState, beyond=FrameworkState.UNKNOWN)
_TASK_STATE = numbered(TaskState, beyond=TaskState.UNKNOWN)
_EXECUTION_TYPE = numbered(ExecutionType, beyond=ExecutionType.UNKNOWN)
# Ruling beside the field: a number outside 0..4 is no unknown type but none at all, as the deployed server shows it; 5
# stands in its documents wherever nothing exited yet.
_EXIT_TYPE = maybe(numbered(ExitType, beyond=None))

_STOP_CODES = {
    exits.STOP_FRAMEWORK: exits.PRIVATE_STOP_FRAMEWORK,
    exits.STOP_TASK: exits.PRIVATE_STOP_TASK,
}


def _private_code(code: int) -> int:
    return _STOP_CODES.get(code, code)


# The launcher's numbers are kept as they are when read; a stop told in the open launcher's code is written in this one's.
_EXIT_CODE = maybe(Kind(INTEGER.read, _private_code))

_COUNT = default(COUNT, 0)

_RETRIES = record(
    RetryState,
    field("TotalRetriedCount", "total", COUNT),
    field("RetriedCount", "retried", _COUNT),
    field("SucceededRetriedCount", "succeeded", _COUNT),
    field("TransientNormalRetriedCount", "transient_normal", COUNT),
    field("TransientConflictRetriedCount", "transient_conflict", COUNT),
    field("NonTransientRetriedCount", "non_transient", COUNT),
    field("UnKnownRetriedCount", "unknown", COUNT),  # the capital K is the launcher's
)

_TAGS: Kind[tuple[str, ...]] = Kind(lambda told: maybe(array(TEXT)).read(told) or (), array(TEXT).write)

_SUMMARY = record(
    Summary,
    field("FrameworkName", "name", TEXT),
    field("FrameworkVersion", "version", INT32),
    field("ExecutionType", "execution_type", _EXECUTION_TYPE),
    field("FrameworkDescription", "description", maybe(TEXT)),
    field("UserName", "user_name", TEXT),
    field("Queue", "queue", maybe(TEXT)),
    field("TotalTaskNumber", "total_task_number", COUNT),
    field("TotalTaskRoleNumber", "total_task_role_number", COUNT),
    field("TotalCpuNumber", "total_cpu_number", maybe(COUNT)),
    field("TotalMemoryMB", "total_memory_mb", maybe(COUNT)),
    # A TotalGpuNumber may stand here; this dialect tells no GPUs (rulings 6.3).
    untold("total_gpu_number"),
    field("FirstRequestTimestamp", "first_request_timestamp", _TIME),
    field("LastRequestTimestamp", "last_request_timestamp", _TIME),
    field("FrameworkState", "state", _FRAMEWORK_STATE),
    field("FrameworkRetryPolicyState", "retries", _RETRIES),
    field("FrameworkCompletedTimestamp", "completed_timestamp", _TIME),
    field("ApplicationId", "application_id", maybe(TEXT)),
    field("ApplicationProgress", "application_progress", maybe(FRACTION)),
    field("ApplicationExitCode", "application_exit_code", _EXIT_CODE),
    field("Tags", "tags", _TAGS),
)

_STATUS = record(
    FrameworkStatus,
    field("FrameworkName", "name", TEXT),
    field("FrameworkVersion", "version", INT32),
    field("FrameworkState", "state", _FRAMEWORK_STATE),
    field("FrameworkRetryPolicyState", "retries", _RETRIES),
    field("FrameworkCreatedTimestamp", "created_timestamp", _TIME),
    field("FrameworkCompletedTimestamp", "completed_timestamp", _TIME),
    field("ApplicationId", "application_id", maybe(TEXT)),
    field("ApplicationProgress", "application_progress", maybe(FRACTION)),
    field("ApplicationTrackingUrl", "application_tracking_url", maybe(TEXT)),
    field("ApplicationLaunchedTimestamp", "application_launched_timestamp", _TIME),
    field("ApplicationCompletedTimestamp", "application_completed_timestamp", _TIME),
    field("ApplicationExitCode", "application_exit_code", _EXIT_CODE),
    field("ApplicationExitDiagnostics", "application_exit_diagnostics", maybe(TEXT)),
    field("ApplicationExitType", "application_exit_type", _EXIT_TYPE),
)

_TASK = record(
    TaskStatus,
    field("TaskIndex", "index", COUNT),
    field("TaskRoleName", "task_role_name", TEXT),
    field("TaskState", "state", _TASK_STATE),
    field("TaskRetryPolicyState", "retries", maybe(_RETRIES)),
    field("TaskCreatedTimestamp", "created_timestamp", _TIME),
    field("TaskCompletedTimestamp", "completed_timestamp", _TIME),
    field("ContainerId", "container_id", maybe(TEXT)),
    field("ContainerHostName", "container_host", maybe(TEXT)),
    field("ContainerIPAddress", "container_ip", maybe(TEXT)),
    # ContainerPorts and ContainerGPUs may stand here; this dialect tells neither (rulings 6.3).
    field("ContainerLogHttpAddress", "container_log_http_address", maybe(TEXT)),
    field("ContainerLaunchedTimestamp", "container_launched_timestamp", _TIME),
    field("ContainerCompletedTimestamp", "container_completed_timestamp", _TIME),
    field("ContainerExitCode", "container_exit_code", _EXIT_CODE),
    field("ContainerExitDiagnostics", "container_exit_diagnostics", maybe(TEXT)),
    field("ContainerExitType", "container_exit_type", _EXIT_TYPE),
)

_TASK_ROLE = record(
    TaskRole,
    group(
        "TaskRoleStatus",
        field("TaskRoleName", "name", TEXT),
        field("FrameworkVersion", "framework_version", INT32),
    ),
    group(
        "TaskStatuses",
        echo("TaskRoleName", "name", TEXT),
        echo("FrameworkVersion", "framework_version", INTEGER),
        field("TaskStatusArray", "tasks", array(_TASK)),
    ),
)

_FRAMEWORK = record(
    Framework,
    field("SummarizedFrameworkInfo", "summary", _SUMMARY),
    group(
        "AggregatedFrameworkStatus",
        field("FrameworkStatus", "status", _STATUS),
        field("AggregatedTaskRoleStatuses", "task_roles", mapping(_TASK_ROLE)),
    ),
)

_SUMMARIES = only("SummarizedFrameworkInfos", array(_SUMMARY))
_VERSIONS = only("FrameworkVersions", array(wire.INTEGER_OR_DIGITS))
_ATTEMPTS = only("FrameworkAttempts", array(wire.INTEGER_OR_DIGITS))


# --- documents ------------------------------------------------------------------------------------------------------


def decode_framework(document: object) -> Framework:
    """A framework now, or one of its attempts."""
    framework = _FRAMEWORK.decode(without_gaps(document))
    # In this dialect a framework begins with its first request (rulings, section 2: createdTime).
    status = replace(framework.status, created_timestamp=framework.summary.first_request_timestamp)
    return replace(framework, status=status)


def encode_framework(framework: Framework) -> dict[str, object]:
    return encoded(_FRAMEWORK, framework)


def decode_summaries(document: object) -> tuple[Summary, ...]:
    return _SUMMARIES.decode(document)


def encode_summaries(summaries: Iterable[Summary]) -> dict[str, object]:
    return encoded(_SUMMARIES, tuple(summaries))


def decode_versions(document: object) -> tuple[int, ...]:
    """Ascending, each once, whatever order they came in."""
    return tuple(sorted(set(_VERSIONS.decode(document))))


def encode_versions(versions: Iterable[int]) -> dict[str, object]:
    return encoded(_VERSIONS, tuple(versions))


def decode_attempts(document: object) -> tuple[int, ...]:
    """As :func:`decode_versions`."""
    return tuple(sorted(set(_ATTEMPTS.decode(document))))


def encode_attempts(attempts: Iterable[int]) -> dict[str, object]:
    return encoded(_ATTEMPTS, tuple(attempts))


def decode_error(body: bytes) -> str | None:
    """The ``message`` of a JSON body, if it has one. Any 404 of this dialect means "no such", with or without (rulings 1.14)."""
    try:
        document = wire.parse(body)
    except LauncherUnreadable:
        return None
    message = document.get("message") if isinstance(document, dict) else None
    return message if isinstance(message, str) and message else None


# --- what this dialect can tell -------------------------------------------------------------------------------------


def seen(framework: Framework) -> Framework:
    """What is left of a record when this launcher tells it: ``decode(encode(r)) == seen(r)``.

    Seconds, its own stop codes, no request, no exit descriptions, triggers, ports, GPUs or service versions.
    """
    status = framework.status
    return Framework(
        summary=seen_summary(framework.summary),
        status=replace(
            status,
            created_timestamp=_second(framework.summary.first_request_timestamp),
            completed_timestamp=_second(status.completed_timestamp),
            application_launched_timestamp=_second(status.application_launched_timestamp),
            application_completed_timestamp=_second(status.application_completed_timestamp),
            application_exit_code=_seen_code(status.application_exit_code),
            application_exit_description=None,
            application_exit_trigger_message=None,
            application_exit_trigger_task_role_name=None,
            application_exit_trigger_task_index=None,
        ),
        task_roles={
            key: replace(role, tasks=tuple(_seen_task(task) for task in role.tasks))
            for key, role in framework.task_roles.items()
        },
        request=None,
    )


def seen_summary(summary: Summary) -> Summary:
    return replace(
        summary,
        total_gpu_number=None,
        first_request_timestamp=_second(summary.first_request_timestamp),
        last_request_timestamp=_second(summary.last_request_timestamp),
        completed_timestamp=_second(summary.completed_timestamp),
        application_exit_code=_seen_code(summary.application_exit_code),
    )


def _seen_task(task: TaskStatus) -> TaskStatus:
    return replace(
        task,
        created_timestamp=_second(task.created_timestamp),
        completed_timestamp=_second(task.completed_timestamp),
        service_version=None,
        container_ports=None,
        container_gpus=None,
        container_connection_lost_count=None,
        container_is_decommissioning=None,
        container_launched_timestamp=_second(task.container_launched_timestamp),
        container_completed_timestamp=_second(task.container_completed_timestamp),
        container_exit_code=_seen_code(task.container_exit_code),
        container_exit_description=None,
    )


def _second(moment: Instant | None) -> Instant | None:
    return moment // 1000 * 1000 if moment and moment >= 1000 else None


def _seen_code(code: int | None) -> int | None:
    return None if code is None else _private_code(code)
