"""The public launcher's JSON: records to and from it, one line per wire name.

camelCase keys, words, milliseconds. Every key is always there, nulls included. A promised object that is missing is an
unreadable answer; a null where a value may be unknown is none.

Source: launcher fact sheet, sections 1 to 3, corrected by the recordings.
"""

from collections.abc import Iterable
from urllib.parse import quote

from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher import wire
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.open_error import decode_error, encode_error, plain
from contracts.launcher.open_print import render, render_compact
from contracts.launcher.open_request import REQUEST, decode_descriptor, encode_descriptor
from contracts.launcher.records import (
    ExecutionType,
    ExitType,
    Framework,
    FrameworkRequest,
    FrameworkStatus,
    RetryState,
    Summary,
    TaskRole,
    TaskStatus,
)
from contracts.launcher.tables import constant, echo, encoded, field, group, record, untold
from contracts.launcher.wire import (
    BITMAP,
    COUNT,
    FLAG,
    INT32,
    INTEGER,
    SINGLE_FRACTION,
    TEXT,
    array,
    mapping,
    maybe,
    only,
    word,
)

__all__ = [
    "FRAMEWORKS_PATH",
    "ROOT_PATH",
    "decode_descriptor",
    "decode_error",
    "decode_framework",
    "decode_summaries",
    "encode_descriptor",
    "encode_error",
    "encode_framework",
    "encode_summaries",
    "framework_path",
    "plain",
    "render",
    "render_compact",
    "seen",
    "seen_summary",
]

ROOT_PATH = "/v1"
"""Answers 200 while the launcher is up; the text is no JSON."""
FRAMEWORKS_PATH = "/v1/Frameworks"


def framework_path(name: str) -> str:
    """Percent-encoded, so that no name can leave its place; ``.`` and ``..`` must not come here (rulings 1.10)."""
    return f"{FRAMEWORKS_PATH}/{quote(name, safe='')}"


# --- the tables -----------------------------------------------------------------------------------------------------

_TIME = wire.instant(1)

_RETRY_COUNTERS = record(
    RetryState,
    field("retriedCount", "retried", INTEGER),
    field("succeededRetriedCount", "succeeded", COUNT),
    field("transientNormalRetriedCount", "transient_normal", COUNT),
    field("transientConflictRetriedCount", "transient_conflict", COUNT),
    field("nonTransientRetriedCount", "non_transient", COUNT),
    field("unKnownRetriedCount", "unknown", COUNT),  # the capital K is the launcher's
)


def _counted(retries: RetryState) -> RetryState:
    """The open dialect tells no total; every retry raises exactly one of the five typed counters."""
    return replace(
        retries,
        total=retries.succeeded
        + retries.transient_normal
        + retries.transient_conflict
        + retries.non_transient
        + retries.unknown,
    )


_RETRIES = wire.Kind(lambda told: _counted(_RETRY_COUNTERS.read(told)), _RETRY_COUNTERS.write)

_SUMMARY = record(
    Summary,
    field("frameworkName", "name", TEXT),
    field("frameworkVersion", "version", INT32),
    field("executionType", "execution_type", word(ExecutionType)),
    field("frameworkDescription", "description", maybe(TEXT)),
    field("userName", "user_name", TEXT),
    field("queue", "queue", maybe(TEXT)),
    field("totalGpuNumber", "total_gpu_number", maybe(COUNT)),
    field("totalTaskNumber", "total_task_number", COUNT),
    field("totalTaskRoleNumber", "total_task_role_number", COUNT),
    field("firstRequestTimestamp", "first_request_timestamp", _TIME),
    field("lastRequestTimestamp", "last_request_timestamp", _TIME),
    field("frameworkState", "state", word(FrameworkState)),
    field("frameworkRetryPolicyState", "retries", _RETRIES),
    field("frameworkCompletedTimestamp", "completed_timestamp", _TIME),
    field("applicationExitCode", "application_exit_code", maybe(INTEGER)),
    untold("application_id"),
    untold("application_progress"),
    untold("total_cpu_number"),
    untold("total_memory_mb"),
)

_STATUS = record(
    FrameworkStatus,
    field("frameworkName", "name", TEXT),
    field("frameworkVersion", "version", INT32),
    field("frameworkState", "state", word(FrameworkState)),
    field("frameworkRetryPolicyState", "retries", _RETRIES),
    field("frameworkCreatedTimestamp", "created_timestamp", _TIME),
    field("frameworkCompletedTimestamp", "completed_timestamp", _TIME),
    field("applicationId", "application_id", maybe(TEXT)),
    field("applicationProgress", "application_progress", maybe(SINGLE_FRACTION)),
    field("applicationTrackingUrl", "application_tracking_url", maybe(TEXT)),
    field("applicationLaunchedTimestamp", "application_launched_timestamp", _TIME),
    field("applicationCompletedTimestamp", "application_completed_timestamp", _TIME),
    field("applicationExitCode", "application_exit_code", maybe(INTEGER)),
    field("applicationExitDescription", "application_exit_description", maybe(TEXT)),
    field("applicationExitDiagnostics", "application_exit_diagnostics", maybe(TEXT)),
    field("applicationExitType", "application_exit_type", maybe(word(ExitType))),
    field("applicationExitTriggerMessage", "application_exit_trigger_message", maybe(TEXT)),
    field("applicationExitTriggerTaskRoleName", "application_exit_trigger_task_role_name", maybe(TEXT)),
    field("applicationExitTriggerTaskIndex", "application_exit_trigger_task_index", maybe(INTEGER)),
)

_TASK = record(
    TaskStatus,
    field("taskIndex", "index", COUNT),
    field("taskRoleName", "task_role_name", TEXT),
    field("taskState", "state", word(TaskState)),
    field("taskRetryPolicyState", "retries", maybe(_RETRIES)),
    field("taskCreatedTimestamp", "created_timestamp", _TIME),
    field("taskCompletedTimestamp", "completed_timestamp", _TIME),
    field("taskServiceStatus", "service_version", maybe(only("serviceVersion", INTEGER))),
    field("containerId", "container_id", maybe(TEXT)),
    field("containerHost", "container_host", maybe(TEXT)),
    field("containerIp", "container_ip", maybe(TEXT)),
    field("containerPorts", "container_ports", maybe(TEXT)),
    field("containerGpus", "container_gpus", maybe(BITMAP)),
    field("containerLogHttpAddress", "container_log_http_address", maybe(TEXT)),
    field("containerConnectionLostCount", "container_connection_lost_count", maybe(INTEGER)),
    field("containerIsDecommissioning", "container_is_decommissioning", maybe(FLAG)),
    field("containerLaunchedTimestamp", "container_launched_timestamp", _TIME),
    field("containerCompletedTimestamp", "container_completed_timestamp", _TIME),
    field("containerExitCode", "container_exit_code", maybe(INTEGER)),
    field("containerExitDescription", "container_exit_description", maybe(TEXT)),
    field("containerExitDiagnostics", "container_exit_diagnostics", maybe(TEXT)),
    field("containerExitType", "container_exit_type", maybe(word(ExitType))),
)

_NO_ROLLOUT = {
    "overallRolloutServiceVersion": None,
    "overallRolloutStatus": "UNKNOWN",
    "overallRolloutStartTimestamp": None,
    "overallRolloutEndTimestamp": None,
    "currentRolloutScaleUnit": None,
    "currentRolloutTaskIndexes": None,
    "currentRolloutStatus": "UNKNOWN",
    "currentRolloutStartTimestamp": None,
    "currentRolloutEndTimestamp": None,
}
"""Rollouts were never built: no launcher ever says anything else."""

_TASK_ROLE = record(
    TaskRole,
    group(
        "taskRoleStatus",
        field("taskRoleName", "name", TEXT),
        constant("taskRoleRolloutStatus", _NO_ROLLOUT),
        field("frameworkVersion", "framework_version", INT32),
    ),
    group(
        "taskStatuses",
        echo("taskRoleName", "name", TEXT),
        field("taskStatusArray", "tasks", array(_TASK)),
        echo("frameworkVersion", "framework_version", INTEGER),
    ),
)

_FRAMEWORK = record(
    Framework,
    field("summarizedFrameworkInfo", "summary", _SUMMARY),
    field("aggregatedFrameworkRequest", "request", REQUEST),
    group(
        "aggregatedFrameworkStatus",
        field("frameworkStatus", "status", _STATUS),
        field("aggregatedTaskRoleStatuses", "task_roles", mapping(_TASK_ROLE)),
    ),
)

_SUMMARIES = only("summarizedFrameworkInfos", array(_SUMMARY))


# --- documents ------------------------------------------------------------------------------------------------------


def decode_framework(document: object) -> Framework:
    """One framework. Its summary is completed from what the same document tells elsewhere."""
    return _completed(_FRAMEWORK.decode(document))


def encode_framework(framework: Framework) -> dict[str, object]:
    """A framework as this launcher tells it. It always knows the request, so a record without one cannot be told."""
    if framework.request is None:
        raise ValueError(f"{framework.summary.name}: the open dialect tells the request, and this record has none")
    return encoded(_FRAMEWORK, framework)


def decode_summaries(document: object) -> tuple[Summary, ...]:
    return _SUMMARIES.decode(document)


def encode_summaries(summaries: Iterable[Summary]) -> dict[str, object]:
    return encoded(_SUMMARIES, tuple(summaries))


# --- what this dialect can tell -------------------------------------------------------------------------------------


def seen(framework: Framework) -> Framework:
    """What is left of a record when this launcher tells it: ``decode(encode(r)) == seen(r)``."""
    status = framework.status
    return _completed(
        replace(
            framework,
            summary=seen_summary(framework.summary),
            request=_seen_request(framework.request),
            status=replace(
                status,
                retries=_counted(status.retries),
                created_timestamp=_happened(status.created_timestamp),
                completed_timestamp=_happened(status.completed_timestamp),
                application_progress=_single(status.application_progress),
                application_launched_timestamp=_happened(status.application_launched_timestamp),
                application_completed_timestamp=_happened(status.application_completed_timestamp),
            ),
            task_roles={
                key: replace(role, tasks=tuple(_seen_task(task) for task in role.tasks))
                for key, role in framework.task_roles.items()
            },
        )
    )


def seen_summary(summary: Summary) -> Summary:
    """A summary as the list shows it: no application id, progress, CPU, memory or tags."""
    return replace(
        summary,
        total_cpu_number=None,
        total_memory_mb=None,
        first_request_timestamp=_happened(summary.first_request_timestamp),
        last_request_timestamp=_happened(summary.last_request_timestamp),
        retries=_counted(summary.retries),
        completed_timestamp=_happened(summary.completed_timestamp),
        application_id=None,
        application_progress=None,
        tags=(),
    )


def _seen_request(request: FrameworkRequest | None) -> FrameworkRequest | None:
    if request is None or not request.descriptor.tags:
        return request
    return replace(request, descriptor=replace(request.descriptor, tags=()))


def _seen_task(task: TaskStatus) -> TaskStatus:
    return replace(
        task,
        retries=_counted(task.retries) if task.retries else None,
        created_timestamp=_happened(task.created_timestamp),
        completed_timestamp=_happened(task.completed_timestamp),
        container_launched_timestamp=_happened(task.container_launched_timestamp),
        container_completed_timestamp=_happened(task.container_completed_timestamp),
    )


def _happened(moment: Instant | None) -> Instant | None:
    return moment if moment and moment > 0 else None


def _single(progress: float | None) -> float | None:
    return None if progress is None else wire.single(progress)


def _completed(framework: Framework) -> Framework:
    return replace(
        framework,
        summary=replace(
            framework.summary,
            total_cpu_number=_total(framework.request, cpu=True),
            total_memory_mb=_total(framework.request, cpu=False),
            application_id=framework.status.application_id,
            application_progress=framework.status.application_progress,
        ),
    )


def _total(request: FrameworkRequest | None, *, cpu: bool) -> int | None:
    """Over all roles, task number times what one task asks for (rulings, section 2)."""
    if request is None:
        return None
    roles = request.descriptor.task_roles.values()
    return sum(
        role.task_number * (role.task_service.resource.cpu_number if cpu else role.task_service.resource.memory_mb)
        for role in roles
    )
