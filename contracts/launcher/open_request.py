"""The request side of the open dialect: what was submitted, in the public launcher's words.

The same table is read in two moods. A *submission* is read as the launcher reads one: a key that is left out has its
default, a word may be given by its number, an explicit null counts only where null is a value, and numbers, texts and flags
are turned into one another as its JSON library does. What a launcher *told* is read as every answer of one: exact types, an
unknown word is UNKNOWN, and a null that says nothing is the default.

Source: launcher fact sheet, 1.1 and 2.2, with the recordings' answer to open question 6.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from contracts.launcher import wire
from contracts.launcher.records import (
    AMType,
    AntiAffinityLevel,
    CompletionPolicy,
    DiskType,
    ExecutionType,
    FrameworkDescriptor,
    FrameworkRequest,
    HealthCheck,
    HealthCheckFailureType,
    HealthCheckType,
    LaunchClientType,
    ParentFramework,
    PlatformParameters,
    Ports,
    Resource,
    RetryPolicy,
    TaskRoleDescriptor,
    TaskRolePlatformParameters,
    TaskService,
)
from contracts.launcher.submitted import SUBMITTED_FLAG, SUBMITTED_INTEGER, SUBMITTED_TEXT, submitted_word
from contracts.launcher.tables import encoded, field, group, record
from contracts.launcher.wire import Kind, array, mapping, maybe, only

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class _Mood(Struct, frozen=True):
    text: Kind[str]
    integer: Kind[int]
    count: Kind[int]
    """What answers add up: a launcher judged it when it was submitted, and never tells one below 0."""
    flag: Kind[bool]
    word: Callable[[type[StrEnum]], wire.AnyKind]
    default: Callable[[wire.AnyKind, object], wire.AnyKind]


def _default_or_null(kind: Kind[T], value: T) -> Kind[T]:
    read = kind.read
    return Kind(lambda told: value if told is None or told is wire.ABSENT else read(told), kind.write)


_TOLD = _Mood(wire.TEXT, wire.INTEGER, wire.COUNT, wire.FLAG, wire.word, _default_or_null)
_SUBMITTED = _Mood(SUBMITTED_TEXT, SUBMITTED_INTEGER, SUBMITTED_INTEGER, SUBMITTED_FLAG, submitted_word, wire.default)


def _descriptor(mood: _Mood) -> Kind[FrameworkDescriptor]:
    text, integer, flag, word, default = mood.text, mood.integer, mood.flag, mood.word, mood.default
    count = mood.count

    retry_policy = record(
        RetryPolicy,
        field("fancyRetryPolicy", "fancy", default(flag, False)),
        field("maxRetryCount", "max_retry_count", default(integer, 0)),
    )
    completion_policy = record(
        CompletionPolicy,
        # Null is a value here (never triggers), 1 only the default.
        field("minFailedTaskCount", "min_failed_task_count", wire.default(maybe(integer), 1)),
        field("minSucceededTaskCount", "min_succeeded_task_count", maybe(integer)),
    )
    ports = record(
        Ports,
        field("start", "start", default(integer, 0)),
        field("count", "count", integer),
    )
    resource = record(
        Resource,
        field("cpuNumber", "cpu_number", count),
        field("memoryMB", "memory_mb", count),
        field("portDefinitions", "port_definitions", default(mapping(ports), {})),
        field("diskType", "disk_type", default(word(DiskType), DiskType.HDD)),
        field("diskMB", "disk_mb", default(integer, 0)),
        field("gpuNumber", "gpu_number", default(integer, 0)),
        field("gpuAttribute", "gpu_attribute", default(integer, 0)),
    )
    task_service = record(
        TaskService,
        field("version", "version", integer),
        field("entryPoint", "entry_point", text),
        field("sourceLocations", "source_locations", array(maybe(text))),
        field("resource", "resource", resource),
    )
    task_role_platform = record(
        TaskRolePlatformParameters,
        field("taskNodeLabel", "task_node_label", maybe(text)),
        field("taskNodeGpuType", "task_node_gpu_type", maybe(text)),
        field("samePortAllocation", "same_port_allocation", default(flag, False)),
    )
    task_role = record(
        TaskRoleDescriptor,
        field("taskNumber", "task_number", count),
        field("scaleUnitNumber", "scale_unit_number", default(integer, 1)),
        field("scaleUnitTimeoutSec", "scale_unit_timeout_sec", default(integer, 0)),
        field("taskRetryPolicy", "task_retry_policy", default(retry_policy, RetryPolicy())),
        field("applicationCompletionPolicy", "completion_policy", default(completion_policy, CompletionPolicy())),
        field("taskService", "task_service", task_service),
        field("platformSpecificParameters", "platform", default(task_role_platform, TaskRolePlatformParameters())),
    )
    parent_framework = record(
        ParentFramework,
        field("parentFrameworkName", "name", text),
        field("deleteOnParentDeleted", "delete_on_parent_deleted", default(flag, False)),
        field("stopOnParentStopped", "stop_on_parent_stopped", default(flag, False)),
    )
    health_check = record(
        HealthCheck,
        field("healthCheckType", "type", default(word(HealthCheckType), HealthCheckType.COMMAND)),
        field("entryPoint", "entry_point", maybe(text)),
        field("webUrl", "web_url", maybe(text)),
        field("delaySeconds", "delay_seconds", default(integer, 30)),
        field("intervalSeconds", "interval_seconds", default(integer, 30)),
        field("timeoutSeconds", "timeout_seconds", default(integer, 30)),
        field("consecutiveFailures", "consecutive_failures", default(integer, 10)),
        field("gracePeriodSeconds", "grace_period_seconds", default(integer, 60)),
        field(
            "healthCheckFailureType",
            "failure_type",
            default(word(HealthCheckFailureType), HealthCheckFailureType.TRANSIENT_ERROR),
        ),
    )
    usual = PlatformParameters()
    platform = record(
        PlatformParameters,
        field("amResource", "am_resource", default(resource, usual.am_resource)),
        field("amNodeLabel", "am_node_label", maybe(text)),
        field("taskNodeLabel", "task_node_label", maybe(text)),
        field("taskNodeGpuType", "task_node_gpu_type", maybe(text)),
        field("queue", "queue", default(text, usual.queue)),
        field("containerConnectionMaxLostCount", "container_connection_max_lost_count", default(integer, -2)),
        field("containerConnectionMaxExceedCount", "container_connection_max_exceed_count", default(integer, 2)),
        field("antiaffinityAllocation", "antiaffinity_allocation", default(flag, False)),
        field("gangAllocation", "gang_allocation", default(flag, False)),
        field("skipLocalTriedResource", "skip_local_tried_resource", default(flag, True)),
        field("amType", "am_type", default(word(AMType), AMType.DEFAULT)),
        field("agentUseHeartbeat", "agent_use_heartbeat", default(flag, False)),
        field("agentHeartbeatIntervalSec", "agent_heartbeat_interval_sec", default(integer, 30)),
        field("agentExpiryIntervalSec", "agent_expiry_interval_sec", default(integer, 180)),
        field("agentUseHealthCheck", "agent_use_health_check", default(flag, False)),
        field("taskServiceHealthCheck", "task_service_health_check", maybe(health_check)),
    )
    return record(
        FrameworkDescriptor,
        field("description", "description", maybe(text)),
        field("version", "version", integer),
        field("executionType", "execution_type", default(word(ExecutionType), ExecutionType.START)),
        field("retryPolicy", "retry_policy", default(retry_policy, RetryPolicy())),
        field("parentFramework", "parent_framework", maybe(parent_framework)),
        field("user", "user_name", default(only("name", default(text, "default")), "default")),
        field("taskRoles", "task_roles", mapping(task_role)),
        field("platformSpecificParameters", "platform", default(platform, usual)),
    )


_DESCRIPTOR = _descriptor(_TOLD)
_SUBMISSION = _descriptor(_SUBMITTED)

_MIGRATION = only("antiAffinityLevel", wire.word(AntiAffinityLevel))

REQUEST = record(
    FrameworkRequest,
    group(
        "frameworkRequest",
        field("frameworkName", "name", wire.TEXT),
        field("frameworkDescriptor", "descriptor", _DESCRIPTOR),
        field(
            "launchClientType",
            "launch_client_type",
            _default_or_null(wire.word(LaunchClientType), LaunchClientType.UNKNOWN),
        ),
        field("launchClientHostName", "launch_client_host_name", maybe(wire.TEXT)),
        field("launchClientUserName", "launch_client_user_name", maybe(wire.TEXT)),
        field("firstRequestTimestamp", "first_request_timestamp", wire.INTEGER),
        field("lastRequestTimestamp", "last_request_timestamp", wire.INTEGER),
    ),
    field("overrideApplicationProgressRequest", "progress_override", maybe(only("applicationProgress", wire.NUMBER))),
    field("migrateTaskRequests", "migrate_task_requests", maybe(mapping(_MIGRATION))),
)
"""An ``aggregatedFrameworkRequest``."""


def decode_request(document: object) -> FrameworkRequest:
    return REQUEST.decode(document)


def decode_descriptor(document: object) -> FrameworkDescriptor:
    """The body of a submission, defaults filled in. Raises LauncherUnreadable with the path to what is wrong."""
    return _SUBMISSION.decode(document)


def encode_descriptor(descriptor: FrameworkDescriptor) -> Mapping[str, object]:
    return encoded(_DESCRIPTOR, descriptor)


# --- the small bodies -----------------------------------------------------------------------------------------------

_TASK_NUMBER = only("taskNumber", SUBMITTED_INTEGER)
_EXECUTION_TYPE = only("executionType", submitted_word(ExecutionType))
_PROGRESS = only("applicationProgress", wire.NUMBER)
_MIGRATE_TASK = only("antiAffinityLevel", wire.default(submitted_word(AntiAffinityLevel), AntiAffinityLevel.ANY))


def decode_task_number(document: object) -> int:
    return _TASK_NUMBER.decode(document)


def decode_execution_type(document: object) -> ExecutionType:
    return _EXECUTION_TYPE.decode(document)


def decode_progress(document: object) -> float:
    return _PROGRESS.decode(document)


def decode_migrate_task(document: object) -> AntiAffinityLevel:
    return _MIGRATE_TASK.decode(document)
