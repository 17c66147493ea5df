"""What a launcher told must be what an answer says: the fields that schemas and laws leave free, written down a second time.

A presenter may swap two numbers and every schema and law still holds; only the record behind the answer shows it. Here is
where each field comes from (rulings, sections 2 and 3), apart from the presenters and in another form, so that a slip in one
shows against the other.
"""

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, Json, Observation
from contracts.launcher.records import Framework, TaskStatus

TOLD_OF_JOB: Mapping[str, str] = {
    "name": "status.name",
    "username": "summary.user_name",
    "virtualCluster": "summary.queue",
    "version": "status.version",
    "executionType": "summary.execution_type.value",
    "attemptId": "status.retries.total",
    "retryDetails.user": "status.retries.non_transient",
    "retryDetails.platform": "status.retries.transient_normal",
    "retryDetails.resource": "status.retries.transient_conflict",
    "retryDetails.unknown": "status.retries.unknown",
    "createdTime": "status.created_timestamp",
    "completedTime": "status.completed_timestamp",
    "appLaunchedTime": "status.application_launched_timestamp",
    "appId": "status.application_id",
    "appProgress": "status.application_progress",
    "appTrackingUrl": "status.application_tracking_url",
    "appExitCode": "status.application_exit_code",
    "appExitDiagnostics": "status.application_exit_diagnostics",
    "appExitTriggerMessage": "status.application_exit_trigger_message",
    "appExitTriggerTaskRoleName": "status.application_exit_trigger_task_role_name",
    "appExitTriggerTaskIndex": "status.application_exit_trigger_task_index",
}
TOLD_OF_INFO: Mapping[str, str] = {
    "username": "summary.user_name",
    "attemptId": "summary.retries.total",
    "retryDetails.user": "summary.retries.non_transient",
    "retryDetails.platform": "summary.retries.transient_normal",
    "retryDetails.resource": "summary.retries.transient_conflict",
    "totalTaskNumber": "summary.total_task_number",
    "totalTaskRoleNumber": "summary.total_task_role_number",
    "totalGpuNumber": "summary.total_gpu_number",
    "completedTime": "summary.completed_timestamp",
}
TOLD_OF_TASK: Mapping[str, str] = {
    "taskIndex": "index",
    "containerId": "container_id",
    "containerIp": "container_ip",
    "containerHostName": "container_host",
    "containerLog": "container_log_http_address",
    "containerGpus": "container_gpus",
    "containerExitCode": "container_exit_code",
    "containerExitDiagnostics": "container_exit_diagnostics",
    "containerLaunchedTimestamp": "container_launched_timestamp",
    "containerCompletedTimestamp": "container_completed_timestamp",
}

ZERO_IF_NOT_TOLD = frozenset(
    {
        "createdTime",
        "completedTime",
        "appLaunchedTime",
        "containerLaunchedTimestamp",
        "containerCompletedTimestamp",
        "containerGpus",
        "totalGpuNumber",
    }
)


def broken_promises(seen: Observation, told: Framework | None) -> Iterator[str]:
    """Fields of one answer that are not what the launcher told; ``told`` is ``None`` where it told of no framework."""
    if seen.status != 200:
        return
    if seen.operation not in (GET_JOB, GET_ATTEMPT):
        numbers = next(iter(seen.body.values()))
        if list(numbers) != sorted(numbers):
            yield "attempts ascending" if seen.operation == GET_ATTEMPTS else "versions ascending"
    elif told is not None:
        detail = seen.body
        if seen.operation == GET_ATTEMPT:
            detail = seen.body["frameworkFullDetail"]
            yield from _of_info(seen.body["frameworkInfo"]["jobStatus"], told)
        yield from _differing(detail["jobStatus"], told, TOLD_OF_JOB)
        yield from _sums(detail["jobStatus"], told)
        yield from _tasks(detail["taskRoles"], told)


def _differing(shown: Json, told: object, table: Mapping[str, str]) -> Iterator[str]:
    for field, source in table.items():
        value: Any = shown
        for key in field.split("."):
            value = value[key]
        expected = attrgetter(source)(told)
        if value != (0 if expected is None and field in ZERO_IF_NOT_TOLD else expected):
            yield field


def _sums(shown: Json, told: Framework) -> Iterator[str]:
    asked: Mapping[str, Callable[[Framework], int | None]] = {
        "appliedCpuNumber": lambda one: _asked(one, one.summary.total_cpu_number, "cpu_number"),
        "appliedMemoryMB": lambda one: _asked(one, one.summary.total_memory_mb, "memory_mb"),
    }
    yield from (field for field, sum_of in asked.items() if shown[field] != sum_of(told))
    code = None if shown["appExitSpec"] is None else shown["appExitSpec"]["code"]
    if code != told.status.application_exit_code:
        yield "appExitSpec.code"


def _asked(told: Framework, summed: int | None, resource: str) -> int:
    if summed is not None:
        return summed
    roles = told.request.descriptor.task_roles.values() if told.request else ()
    return sum(int(getattr(role.task_service.resource, resource)) * role.task_number for role in roles)


def _of_info(shown: Json, told: Framework) -> Iterator[str]:
    yield from (f"frameworkInfo {field}" for field in _differing(shown, told, TOLD_OF_INFO))
    causes = told.summary.retries
    if shown["latestAttemptId"] != 1 + causes.non_transient + causes.transient_normal + causes.transient_conflict:
        yield "frameworkInfo latestAttemptId"


def _tasks(shown: Json, told: Framework) -> Iterator[str]:
    if shown.keys() != told.task_roles.keys():
        yield "taskRoles"
        return
    for name, role in told.task_roles.items():
        statuses = shown[name]["taskStatuses"]
        if len(statuses) != len(role.tasks):
            yield "taskStatuses"
            return
        for status, task in zip(statuses, role.tasks, strict=True):
            yield from _differing(status, task, TOLD_OF_TASK)
            yield from _of_task(status, task)


def _of_task(shown: Json, task: TaskStatus) -> Iterator[str]:
    if task.retries is not None:
        platform = task.retries.transient_normal + task.retries.transient_conflict
        if (shown["retryDetails"]["user"], shown["retryDetails"]["platform"]) != (task.retries.non_transient, platform):
            yield "task retryDetails"
    told = [part.split(":") for part in (task.container_ports or "").split(";") if ":" in part]
    if shown["containerPorts"] != {label.strip(): numbers.strip() for label, numbers in told}:
        yield "containerPorts"
