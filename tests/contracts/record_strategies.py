"""Generated records of every state: what a dialect must be able to tell, however unlikely."""

from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.clock import LATEST
from contracts.launcher.exit_report import ExitReport
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import (
    AMType,
    AntiAffinityLevel,
    Application,
    CompletionPolicy,
    DiskType,
    ExecutionType,
    ExitType,
    Figures,
    Framework,
    FrameworkDescriptor,
    FrameworkRequest,
    FrameworkStatus,
    HealthCheck,
    HealthCheckFailureType,
    HealthCheckType,
    LaunchClientType,
    ParentFramework,
    PlatformParameters,
    Ports,
    Resource,
    RetryPolicy,
    RetryState,
    Summary,
    TaskRole,
    TaskRoleDescriptor,
    TaskRolePlatformParameters,
    TaskService,
    TaskStatus,
)

names = st.from_regex(r"[A-Za-z0-9\-._~]{1,12}", fullmatch=True).filter(lambda name: name not in (".", ".."))
texts = st.text(max_size=12)
versions = st.integers(-(2**31), 2**31 - 1)
counts = st.integers(0, 2**31 - 1)
instants = st.integers(0, LATEST)
progress = st.floats(0, 1)
exit_codes = st.sampled_from([0, 1, 137, 255, -7351, -7400, -170090, -170091]) | st.integers(-(2**31), 2**31 - 1)
flags = st.booleans()


def _maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


retry_states = st.builds(RetryState, counts, counts, counts, counts, counts, counts, counts)

resources = st.builds(
    Resource,
    cpu_number=counts,
    memory_mb=counts,
    port_definitions=st.dictionaries(names, st.builds(Ports, count=counts, start=counts), max_size=2),
    disk_type=st.sampled_from(DiskType),
    disk_mb=counts,
    gpu_number=counts,
    gpu_attribute=st.integers(0, 2**63 - 1),
)
retry_policies = st.builds(RetryPolicy, flags, st.integers(-2, 5))
task_role_descriptors = st.builds(
    TaskRoleDescriptor,
    task_number=st.integers(0, 50_000),
    task_service=st.builds(TaskService, versions, texts, st.lists(_maybe(texts), max_size=3).map(tuple), resources),
    task_retry_policy=retry_policies,
    completion_policy=st.builds(CompletionPolicy, _maybe(counts), _maybe(counts)),
    scale_unit_number=counts,
    scale_unit_timeout_sec=counts,
    platform=st.builds(TaskRolePlatformParameters, _maybe(texts), _maybe(texts), flags),
)
health_checks = st.builds(
    HealthCheck,
    st.sampled_from(HealthCheckType),
    _maybe(texts),
    _maybe(texts),
    failure_type=st.sampled_from(HealthCheckFailureType),
)
platforms = st.builds(
    PlatformParameters,
    am_resource=resources,
    am_node_label=_maybe(texts),
    task_node_label=_maybe(texts),
    task_node_gpu_type=_maybe(texts),
    queue=texts,
    antiaffinity_allocation=flags,
    gang_allocation=flags,
    skip_local_tried_resource=flags,
    am_type=st.sampled_from(AMType),
    task_service_health_check=_maybe(health_checks),
)
descriptors = st.builds(
    FrameworkDescriptor,
    version=versions,
    task_roles=st.dictionaries(names, task_role_descriptors, max_size=2),
    description=_maybe(texts),
    execution_type=st.sampled_from(ExecutionType),
    retry_policy=retry_policies,
    parent_framework=_maybe(st.builds(ParentFramework, names, flags, flags)),
    user_name=names,
    platform=platforms,
)
requests = st.builds(
    FrameworkRequest,
    name=names,
    descriptor=descriptors,
    launch_client_type=st.sampled_from(LaunchClientType),
    launch_client_host_name=_maybe(texts),
    launch_client_user_name=_maybe(texts),
    first_request_timestamp=instants,
    last_request_timestamp=instants,
    progress_override=_maybe(progress),
    migrate_task_requests=_maybe(st.dictionaries(names, st.sampled_from(AntiAffinityLevel), max_size=2)),
)

summaries = st.builds(
    Summary,
    name=names,
    version=versions,
    execution_type=st.sampled_from(ExecutionType),
    description=_maybe(texts),
    user_name=texts,
    queue=_maybe(texts),
    total_task_number=counts,
    total_task_role_number=counts,
    total_gpu_number=_maybe(counts),
    total_cpu_number=_maybe(counts),
    total_memory_mb=_maybe(counts),
    first_request_timestamp=_maybe(instants),
    last_request_timestamp=_maybe(instants),
    state=st.sampled_from(FrameworkState),
    retries=retry_states,
    completed_timestamp=_maybe(instants),
    application_exit_code=_maybe(exit_codes),
    application_id=_maybe(texts),
    application_progress=_maybe(progress),
    tags=st.lists(texts, max_size=3).map(tuple),
)
statuses = st.builds(
    FrameworkStatus,
    name=names,
    version=versions,
    state=st.sampled_from(FrameworkState),
    retries=retry_states,
    created_timestamp=_maybe(instants),
    completed_timestamp=_maybe(instants),
    application_id=_maybe(texts),
    application_progress=_maybe(progress),
    application_tracking_url=_maybe(texts),
    application_launched_timestamp=_maybe(instants),
    application_completed_timestamp=_maybe(instants),
    application_exit_code=_maybe(exit_codes),
    application_exit_description=_maybe(texts),
    application_exit_diagnostics=_maybe(texts),
    application_exit_type=_maybe(st.sampled_from(ExitType)),
    application_exit_trigger_message=_maybe(texts),
    application_exit_trigger_task_role_name=_maybe(texts),
    application_exit_trigger_task_index=_maybe(counts),
)
tasks = st.builds(
    TaskStatus,
    index=counts,
    task_role_name=names,
    state=st.sampled_from(TaskState),
    retries=_maybe(retry_states),
    created_timestamp=_maybe(instants),
    completed_timestamp=_maybe(instants),
    service_version=_maybe(versions),
    container_id=_maybe(texts),
    container_host=_maybe(texts),
    container_ip=_maybe(texts),
    container_ports=_maybe(texts),
    container_gpus=_maybe(st.integers(0, 2**64 - 1)),
    container_log_http_address=_maybe(texts),
    container_connection_lost_count=_maybe(counts),
    container_is_decommissioning=_maybe(flags),
    container_launched_timestamp=_maybe(instants),
    container_completed_timestamp=_maybe(instants),
    container_exit_code=_maybe(exit_codes),
    container_exit_description=_maybe(texts),
    container_exit_diagnostics=_maybe(texts),
    container_exit_type=_maybe(st.sampled_from(ExitType)),
)
task_roles = st.builds(TaskRole, names, versions, st.lists(tasks, max_size=2).map(tuple))

frameworks = st.builds(
    Framework,
    summary=summaries,
    status=statuses,
    task_roles=st.dictionaries(names, task_roles, max_size=2),
    request=requests,
)
"""As a launcher that tells everything would have them."""

frameworks_without_request = frameworks.map(lambda framework: replace(framework, request=None))

reports = st.builds(
    ExitReport,
    code=exit_codes,
    description=_maybe(texts),
    diagnostics=_maybe(texts),
    type=_maybe(st.sampled_from(ExitType)),
    trigger_message=_maybe(texts),
    trigger_task_role_name=_maybe(texts),
    trigger_task_index=_maybe(counts),
)


def _asking(figures: Figures, asked: list[int]) -> Figures:
    """Pending containers are what the resource requests ask for."""
    return replace(
        figures,
        resource_requests=tuple({"priority": 0, "numContainers": number} for number in asked),
        pending_containers=sum(asked),
    )


figures = st.builds(
    _asking,
    st.builds(
        Figures,
        *([counts] * 8),
        pending_containers=st.just(0),
        preempted_resource_mb=counts,
        preempted_resource_vcores=counts,
        num_non_am_container_preempted=counts,
        num_am_container_preempted=counts,
        priority=st.integers(-5, 5),
        queue_usage_percentage=st.floats(0, 1e6),
        am_container_logs=_maybe(texts.map(lambda text: f"http://node/{text}")),
        preempted_memory_seconds=counts,
        preempted_vcore_seconds=counts,
        utilized_vmemory_seconds=counts,
        utilized_pmemory_seconds=counts,
        utilized_vcore_seconds=counts,
        container_analysis=st.dictionaries(texts, counts, max_size=2),
    ),
    st.lists(counts, max_size=3),
)
applications = st.builds(
    Application,
    id=st.builds("application_{}_{:04}".format, instants, st.integers(1, 99_999)) | texts,
    name=texts,
    user=texts,
    queue=texts,
    state=st.sampled_from(["NEW", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "KILLED", "FAILED"]),
    final_status=st.sampled_from(["UNDEFINED", "SUCCEEDED", "FAILED", "KILLED"]),
    progress=st.floats(0, 100),
    tracking_url=_maybe(texts.filter(bool)),
    diagnostics=texts,
    started_timestamp=instants,
    finished_timestamp=_maybe(instants.filter(bool)),
    figures=figures,
    memory_seconds=counts,
    vcore_seconds=counts,
    master=_maybe(st.builds(Resource, cpu_number=counts, memory_mb=counts)),
)
