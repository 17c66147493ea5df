"""A launcher's record as the body of a job detail: one line per field, so that where a field comes from stands here.

Names and types are the document's (rulings, section 2). Nothing is judged here: a record that contradicts itself is
presented as it is.
"""

from collections.abc import Mapping
from math import isfinite
from typing import TypeAlias

from msgspec import Struct

from contracts.clock import Instant
from contracts.launcher.records import Figures, Framework, RetryState, TaskRole, TaskStatus
from contracts.states import attempt_state, exit_type, job_state, sub_state, task_state
from restserver.answers.exit_messages import exit_messages
from restserver.answers.exit_spec import ExitSpec
from restserver.answers.links import group_id, job_detail_link, job_type
from restserver.answers.progress import percent

Body: TypeAlias = dict[str, object]

NOT_TOLD = "N/A"
"""Stands for each retry counter of a task whose launcher gives none."""


class Site(Struct, frozen=True):
    """What answers say about the place they come from, besides the launcher's records."""

    exit_spec: ExitSpec
    data_center: str = ""
    sub_cluster: str = ""
    webportal_url: str = ""


def milliseconds(instant: Instant | None) -> int:
    """0: has not happened; portals test for it."""
    return instant or 0


def job_detail(framework: Framework, site: Site) -> Body:
    return {"jobStatus": job_status(framework, site), "taskRoles": task_roles(framework)}


def portal_job_detail(framework: Framework, figures: Figures, site: Site) -> Body:
    summary, status = framework.summary, framework.status
    group = group_id(summary.tags, summary.description)
    added = {
        "appCompletedTime": milliseconds(status.application_completed_timestamp),
        "moduleName": status.name,
        "totalGpuNumber": summary.total_gpu_number or 0,
        "totalTaskNumber": summary.total_task_number,
        "totalTaskRoleNumber": summary.total_task_role_number,
        "jobType": job_type(status.name),
        "jobDetailLink": job_detail_link(status.name, group, site.sub_cluster),
        "runningDataCenter": site.data_center,
        "appTag": ",".join(summary.tags),
        "allocatedMB": figures.allocated_mb,
        "allocatedVCores": figures.allocated_vcores,
        "priority": figures.priority,
        "groupId": group,
        "applicationProgress": percent(status.state, status.application_progress),
    }
    return {"jobStatus": job_status(framework, site) | added, "taskRoles": task_roles(framework)}


def portal_full_detail(framework: Framework, site: Site) -> Body:
    added = {"appCompletedTime": milliseconds(framework.status.application_completed_timestamp)}
    return {"jobStatus": job_status(framework, site) | added, "taskRoles": task_roles(framework)}


def job_status(framework: Framework, site: Site) -> Body:
    summary, status = framework.summary, framework.status
    code = status.application_exit_code
    return {
        "name": status.name,
        "username": summary.user_name,
        "state": job_state(status.state, code),
        "attemptState": attempt_state(status.state, code),
        "virtualCluster": summary.queue,
        "subState": sub_state(status.state),
        "executionType": summary.execution_type.value,
        "version": status.version,
        "attemptId": status.retries.total,
        "retries": status.retries.total,
        "retryDetails": {**retry_details(status.retries), "unknown": status.retries.unknown},
        "createdTime": milliseconds(status.created_timestamp),
        "completedTime": milliseconds(status.completed_timestamp),
        "appLaunchedTime": milliseconds(status.application_launched_timestamp),
        "appId": status.application_id,
        "appProgress": finite(status.application_progress),
        "appTrackingUrl": status.application_tracking_url,
        "appExitCode": code,
        "appExitDiagnostics": status.application_exit_diagnostics,
        "appliedCpuNumber": applied_cpu_number(framework),
        "appliedMemoryMB": applied_memory_mb(framework),
        "appExitSpec": site.exit_spec.row(code),
        "appExitMessages": exit_messages(status.application_exit_diagnostics, code),
        "appExitTriggerMessage": status.application_exit_trigger_message,
        "appExitTriggerTaskRoleName": status.application_exit_trigger_task_role_name,
        "appExitTriggerTaskIndex": status.application_exit_trigger_task_index,
    }


def retry_details(retries: RetryState) -> Body:
    return {
        "user": retries.non_transient,
        "platform": retries.transient_normal,
        "resource": retries.transient_conflict,
    }


def applied_cpu_number(framework: Framework) -> int:
    """As the launcher sums it up; where it does not, the sum over what was asked for."""
    if framework.summary.total_cpu_number is not None:
        return framework.summary.total_cpu_number
    roles = framework.request.descriptor.task_roles.values() if framework.request else ()
    return sum(role.task_number * role.task_service.resource.cpu_number for role in roles)


def applied_memory_mb(framework: Framework) -> int:
    if framework.summary.total_memory_mb is not None:
        return framework.summary.total_memory_mb
    roles = framework.request.descriptor.task_roles.values() if framework.request else ()
    return sum(role.task_number * role.task_service.resource.memory_mb for role in roles)


def task_roles(framework: Framework) -> Body:
    return {name: task_role(role) for name, role in framework.task_roles.items()}


def finite(number: float | None) -> float | None:
    """No launcher may tell a number that is none (``NaN``), and no answer holds one. Raises ValueError."""
    if number is not None and not isfinite(number):
        raise ValueError(f"{number} is not JSON compliant")
    return number


def task_role(role: TaskRole) -> Body:
    return {"taskRoleStatus": {"name": role.name}, "taskStatuses": [task_status(task) for task in role.tasks]}


def task_status(task: TaskStatus) -> Body:
    return {
        "taskIndex": task.index,
        "taskState": task_state(task.state, task.container_exit_code),
        "containerId": task.container_id,
        "containerIp": task.container_ip,
        "containerHostName": task.container_host,
        "containerPorts": container_ports(task.container_ports),
        "containerGpus": task.container_gpus or 0,
        "containerLog": task.container_log_http_address,
        "containerExitCode": task.container_exit_code,
        "containerLaunchedTimestamp": milliseconds(task.container_launched_timestamp),
        "containerCompletedTimestamp": milliseconds(task.container_completed_timestamp),
        "containerExitDiagnostics": task.container_exit_diagnostics,
        "containerExitType": exit_type(task.container_exit_type),
        "retryDetails": task_retry_details(task.retries),
    }


def container_ports(ports: str | None) -> Mapping[str, str]:
    """``ssh:23010;http:23011,23012;`` by label; a part without a label says nothing."""
    parts = (part.partition(":") for part in (ports or "").split(";"))
    return {label.strip(): numbers.strip() for label, colon, numbers in parts if colon}


def task_retry_details(retries: RetryState | None) -> Body:
    if retries is None:
        return {"user": NOT_TOLD, "platform": NOT_TOLD, "unknown": NOT_TOLD}
    return {
        "user": retries.non_transient,
        "platform": retries.transient_normal + retries.transient_conflict,
        "unknown": retries.unknown,
    }
