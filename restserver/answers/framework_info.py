"""``frameworkInfo`` of an attempt: the launcher's summary of a framework, and what its application uses in YARN.

One line per field, in the document's own spelling (rulings, section 3).
"""

from contracts.launcher.records import Figures, Framework
from contracts.states import attempt_state, job_state, sub_state
from restserver.answers.links import group_id, job_detail_link, job_full_detail_url, job_type, webportal_link
from restserver.answers.links import job_full_detail_url_of_sub_cluster as url_of_sub_cluster
from restserver.answers.presenters import Body, Site, finite, milliseconds, retry_details
from restserver.answers.progress import percent


def framework_info(framework: Framework, figures: Figures, site: Site, base_url: str) -> Body:
    return {"jobStatus": info_status(framework, figures, site, base_url)}


def portal_framework_info(framework: Framework, figures: Figures, site: Site, base_url: str) -> Body:
    summary = framework.summary
    retries = summary.retries
    added = {
        "moduleName": summary.name,
        "subState": sub_state(summary.state),
        "retryDetails": {**retry_details(retries), "unknown": retries.unknown},
        "resourceRequests": list(figures.resource_requests),
        "preemptedMemorySeconds": figures.preempted_memory_seconds,
        "preemptedVcoreSeconds": figures.preempted_vcore_seconds,
        "utilizedVmemorySeconds": figures.utilized_vmemory_seconds,
        "utilizedPmemorySeconds": figures.utilized_pmemory_seconds,
        "utilizedVcoreSeconds": figures.utilized_vcore_seconds,
        "containerAnalysis": figures.container_analysis,
        "jobFullDetailUrl": url_of_sub_cluster(base_url, summary.name, site.sub_cluster),
    }
    return {"jobStatus": info_status(framework, figures, site, base_url) | added}


def info_status(framework: Framework, figures: Figures, site: Site, base_url: str) -> Body:
    summary, status = framework.summary, framework.status
    code = summary.application_exit_code
    group = group_id(summary.tags, summary.description)
    return {
        "name": summary.name,
        "appId": summary.application_id or status.application_id,
        "username": summary.user_name,
        "state": job_state(summary.state, code),
        "attemptState": attempt_state(summary.state, code),
        "executionType": summary.execution_type.value,
        "version": summary.version,
        "attemptId": summary.retries.total,
        "retries": summary.retries.total,
        "retryDetails": retry_details(summary.retries),
        "createdTime": milliseconds(status.created_timestamp),
        "completedTime": milliseconds(summary.completed_timestamp),
        "appExitCode": code,
        "virtualCluster": summary.queue,
        "totalGpuNumber": summary.total_gpu_number or 0,
        "totalTaskNumber": summary.total_task_number,
        "totalTaskRoleNumber": summary.total_task_role_number,
        "jobType": job_type(summary.name),
        "jobDetailLink": job_detail_link(summary.name, group, site.sub_cluster),
        "runningDataCenter": site.data_center,
        "appTrackingUrl": status.application_tracking_url or "",
        "appExitDiagnostics": status.application_exit_diagnostics or "",
        "appTag": ",".join(summary.tags),
        "allocatedMB": figures.allocated_mb,
        "allocatedVCores": figures.allocated_vcores,
        "priority": figures.priority,
        "applicationProgress": percent(summary.state, status.application_progress),
        "queuePercentageUseage": finite(figures.queue_usage_percentage),
        "reservcedMB": figures.reserved_mb,
        "utilizedMB": figures.utilized_mb,
        "reservcedVCores": figures.reserved_vcores,
        "utilizedVCores": figures.utilized_vcores,
        "reservedContainers": figures.reserved_containers,
        "runningContianers": figures.running_containers,
        "pendingContaines": figures.pending_containers,
        "preemptedResourceMB": figures.preempted_resource_mb,
        "preemptedResourceVCores": figures.preempted_resource_vcores,
        "numNonAMContainerPreempted": figures.num_non_am_container_preempted,
        "numAMContainerPreempted": figures.num_am_container_preempted,
        "latestAttemptId": latest_attempt_id(framework),
        "jobFullDetailUrl": job_full_detail_url(base_url, summary.name),
        "amContainerLogs": figures.am_container_logs,
        "webportalLink": webportal_link(site.webportal_url, summary.name, site.sub_cluster),
        "groupId": group,
    }


def latest_attempt_id(framework: Framework) -> int:
    """One-based; retries of unknown cause are not in it, as deployed."""
    retries = framework.summary.retries
    return retries.non_transient + retries.transient_normal + retries.transient_conflict + 1
