"""What a launcher tells, as typed immutable records; the words are the launcher's own.

A record holds everything either dialect can tell. What one dialect cannot tell is ``None`` (or empty) after decoding; each
dialect states that as ``seen(record)``. Instants are milliseconds since the epoch, ``None`` while the thing has not
happened. Memory is in MB, progress a fraction 0..1.

Source: launcher fact sheet, sections 2 and 8.4.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from contracts.clock import Instant
from contracts.launcher.lifecycle import FrameworkState, TaskState


class ExitType(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    TRANSIENT_NORMAL = "TRANSIENT_NORMAL"
    TRANSIENT_CONFLICT = "TRANSIENT_CONFLICT"
    NON_TRANSIENT = "NON_TRANSIENT"
    UNKNOWN = "UNKNOWN"


class ExecutionType(StrEnum):
    START = "START"
    STOP = "STOP"
    UNKNOWN = "UNKNOWN"
    """A word or number of a launcher that we do not know (rulings 1.15)."""


class LaunchClientType(StrEnum):
    UNKNOWN = "UNKNOWN"
    LIB = "LIB"
    DATA_DEPLOYMENT = "DATA_DEPLOYMENT"
    APPLICATION_MASTER = "APPLICATION_MASTER"
    CLI = "CLI"
    WEB_UI = "WEB_UI"


class DiskType(StrEnum):
    HDD = "HDD"
    SSD = "SSD"
    UNKNOWN = "UNKNOWN"
    """As above, here and below."""


class AMType(StrEnum):
    DEFAULT = "DEFAULT"
    AGENT = "AGENT"
    UNKNOWN = "UNKNOWN"


class AntiAffinityLevel(StrEnum):
    ANY = "ANY"
    NODE = "NODE"
    RACK = "RACK"
    UNKNOWN = "UNKNOWN"


class HealthCheckType(StrEnum):
    COMMAND = "COMMAND"
    WEB = "WEB"
    UNKNOWN = "UNKNOWN"


class HealthCheckFailureType(StrEnum):
    NON_TRANSIENT_ERROR = "NON_TRANSIENT_ERROR"
    TRANSIENT_ERROR = "TRANSIENT_ERROR"
    UNKNOWN = "UNKNOWN"


# --- what was asked for ---------------------------------------------------------------------------------------------


class RetryPolicy(Struct, frozen=True):
    fancy: bool = False
    max_retry_count: int = 0
    """-2: retry always, success included; -1: retry every failure; n: n retries."""


class Ports(Struct, frozen=True):
    count: int
    start: int = 0
    """0: dynamic, else the fixed first port."""


class Resource(Struct, frozen=True):
    cpu_number: int
    memory_mb: int
    port_definitions: Mapping[str, Ports] = field(default_factory=dict)
    disk_type: DiskType = DiskType.HDD
    disk_mb: int = 0
    gpu_number: int = 0
    gpu_attribute: int = 0


class TaskService(Struct, frozen=True):
    version: int
    entry_point: str
    source_locations: tuple[str | None, ...]
    resource: Resource


class CompletionPolicy(Struct, frozen=True):
    min_failed_task_count: int | None = 1
    min_succeeded_task_count: int | None = None


class TaskRolePlatformParameters(Struct, frozen=True):
    task_node_label: str | None = None
    task_node_gpu_type: str | None = None
    same_port_allocation: bool = False


class TaskRoleDescriptor(Struct, frozen=True):
    task_number: int
    task_service: TaskService
    task_retry_policy: RetryPolicy = RetryPolicy()
    completion_policy: CompletionPolicy = CompletionPolicy()
    scale_unit_number: int = 1
    scale_unit_timeout_sec: int = 0
    platform: TaskRolePlatformParameters = TaskRolePlatformParameters()


class ParentFramework(Struct, frozen=True):
    name: str
    delete_on_parent_deleted: bool = False
    stop_on_parent_stopped: bool = False


class HealthCheck(Struct, frozen=True):
    type: HealthCheckType = HealthCheckType.COMMAND
    entry_point: str | None = None
    web_url: str | None = None
    delay_seconds: int = 30
    interval_seconds: int = 30
    timeout_seconds: int = 30
    consecutive_failures: int = 10
    grace_period_seconds: int = 60
    failure_type: HealthCheckFailureType = HealthCheckFailureType.TRANSIENT_ERROR


class PlatformParameters(Struct, frozen=True):
    am_resource: Resource = Resource(cpu_number=1, memory_mb=4096)
    am_node_label: str | None = None
    task_node_label: str | None = None
    task_node_gpu_type: str | None = None
    queue: str = "default"
    container_connection_max_lost_count: int = -2
    container_connection_max_exceed_count: int = 2
    antiaffinity_allocation: bool = False
    gang_allocation: bool = False
    skip_local_tried_resource: bool = True
    am_type: AMType = AMType.DEFAULT
    agent_use_heartbeat: bool = False
    agent_heartbeat_interval_sec: int = 30
    agent_expiry_interval_sec: int = 180
    agent_use_health_check: bool = False
    task_service_health_check: HealthCheck | None = None


class FrameworkDescriptor(Struct, frozen=True):
    """The body of a submission, defaults filled in."""

    version: int
    task_roles: Mapping[str, TaskRoleDescriptor]
    description: str | None = None
    execution_type: ExecutionType = ExecutionType.START
    retry_policy: RetryPolicy = RetryPolicy()
    parent_framework: ParentFramework | None = None
    user_name: str = "default"
    platform: PlatformParameters = PlatformParameters()
    tags: tuple[str, ...] = ()
    """Asked for in the private dialect alone; the open one neither takes nor tells any."""


class FrameworkRequest(Struct, frozen=True):
    """What the launcher stored of the submissions of one name."""

    name: str
    descriptor: FrameworkDescriptor
    launch_client_type: LaunchClientType
    launch_client_host_name: str | None
    launch_client_user_name: str | None
    first_request_timestamp: Instant
    last_request_timestamp: Instant
    progress_override: float | None = None
    migrate_task_requests: Mapping[str, AntiAffinityLevel] | None = None
    """By container id; ``None`` until the first migrate."""


# --- what became of it ----------------------------------------------------------------------------------------------


class RetryState(Struct, frozen=True):
    """Counters of retries made (not of exits seen)."""

    total: int = 0
    """The sum of the five typed counters; the private dialect tells it, in the open one it is counted up."""
    retried: int = 0
    """Those that count against ``max_retry_count``."""
    succeeded: int = 0
    transient_normal: int = 0
    transient_conflict: int = 0
    non_transient: int = 0
    unknown: int = 0


class Summary(Struct, frozen=True, gc=False):
    """One framework as the list of a launcher shows it."""

    name: str
    version: int
    execution_type: ExecutionType
    description: str | None
    user_name: str
    queue: str | None
    total_task_number: int
    total_task_role_number: int
    total_gpu_number: int | None
    total_cpu_number: int | None
    total_memory_mb: int | None
    first_request_timestamp: Instant | None
    last_request_timestamp: Instant | None
    state: FrameworkState
    retries: RetryState
    completed_timestamp: Instant | None
    application_exit_code: int | None
    application_id: str | None
    application_progress: float | None
    tags: tuple[str, ...] = ()


class FrameworkStatus(Struct, frozen=True, gc=False):
    name: str
    version: int
    state: FrameworkState
    retries: RetryState
    created_timestamp: Instant | None
    completed_timestamp: Instant | None = None
    application_id: str | None = None
    application_progress: float | None = None
    application_tracking_url: str | None = None
    application_launched_timestamp: Instant | None = None
    application_completed_timestamp: Instant | None = None
    application_exit_code: int | None = None
    application_exit_description: str | None = None
    application_exit_diagnostics: str | None = None
    application_exit_type: ExitType | None = None
    application_exit_trigger_message: str | None = None
    application_exit_trigger_task_role_name: str | None = None
    application_exit_trigger_task_index: int | None = None


class TaskStatus(Struct, frozen=True, gc=False):
    index: int
    task_role_name: str
    state: TaskState
    retries: RetryState | None
    """``None``: the launcher gives no retry state for the task."""
    created_timestamp: Instant | None
    completed_timestamp: Instant | None = None
    service_version: int | None = None
    container_id: str | None = None
    container_host: str | None = None
    container_ip: str | None = None
    container_ports: str | None = None
    """As the launcher spells them: ``ssh:23010;http:23011,23012;``."""
    container_gpus: int | None = None
    """A bitmap of up to 64 bits; keep it exact."""
    container_log_http_address: str | None = None
    container_connection_lost_count: int | None = None
    container_is_decommissioning: bool | None = None
    container_launched_timestamp: Instant | None = None
    container_completed_timestamp: Instant | None = None
    container_exit_code: int | None = None
    container_exit_description: str | None = None
    container_exit_diagnostics: str | None = None
    container_exit_type: ExitType | None = None


class TaskRole(Struct, frozen=True):
    name: str
    framework_version: int
    tasks: tuple[TaskStatus, ...]
    """Position is the task index."""


class Framework(Struct, frozen=True):
    """A framework at one instant: the current attempt, or a past one as ruled (rulings 6.5)."""

    summary: Summary
    status: FrameworkStatus
    task_roles: Mapping[str, TaskRole] = field(default_factory=dict)
    """By role name; empty before the first status push of an attempt."""
    request: FrameworkRequest | None = None
    """``None`` where the dialect does not tell it."""


# --- what the resource manager tells --------------------------------------------------------------------------------


class Figures(Struct, frozen=True):
    """What YARN says one application uses. Never negative: "n/a" and absence are 0 (rulings, section 3)."""

    allocated_mb: int = 0
    allocated_vcores: int = 0
    utilized_mb: int = 0
    utilized_vcores: int = 0
    reserved_mb: int = 0
    reserved_vcores: int = 0
    reserved_containers: int = 0
    running_containers: int = 0
    pending_containers: int = 0
    preempted_resource_mb: int = 0
    preempted_resource_vcores: int = 0
    num_non_am_container_preempted: int = 0
    num_am_container_preempted: int = 0
    priority: int = 0
    queue_usage_percentage: float = 0.0
    am_container_logs: str | None = None
    preempted_memory_seconds: int = 0
    preempted_vcore_seconds: int = 0
    utilized_vmemory_seconds: int = 0
    utilized_pmemory_seconds: int = 0
    utilized_vcore_seconds: int = 0
    resource_requests: tuple[Mapping[str, object], ...] = ()
    """As the resource manager gave them."""
    container_analysis: Mapping[str, object] = field(default_factory=dict)


class Application(Struct, frozen=True):
    """One application of the resource manager: what recovery of lost attempts reads (rulings 6.6, 6.7)."""

    id: str
    name: str
    user: str
    queue: str
    state: str
    final_status: str
    progress: float
    """0..100."""
    tracking_url: str | None
    diagnostics: str
    started_timestamp: Instant
    finished_timestamp: Instant | None
    figures: Figures
    memory_seconds: int = 0
    """What its containers held, MB times seconds, up to now; of those that live it is counted now and then."""
    vcore_seconds: int = 0
    master: Resource | None = None
    """What its master's container is of, from the submission to the end; ``None``: it has none any more, or never got one."""
