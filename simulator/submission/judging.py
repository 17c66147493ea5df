"""What the real launcher lets in: the bodies of its writes, judged as it judges them, with its messages.

The keys are those of ``contracts.launcher.open_request``; here stands what may be in them. A body that is let in is read by
that module, so that what is stored cannot differ from what is shown (a test holds the two tables to each other).

Source: the recordings (s12b to s12d); the launcher fact sheet, 1.5 and 2.2.
"""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from contracts.launcher import wire
from contracts.launcher.open_request import (
    decode_descriptor,
    decode_execution_type,
    decode_progress,
    decode_task_number,
)
from contracts.launcher.records import ExecutionType, FrameworkDescriptor
from simulator.submission import json_input
from simulator.submission.binding import (
    NAME,
    ByName,
    Flag,
    Fraction,
    Key,
    Many,
    Shape,
    Text,
    Type,
    Whole,
    Word,
    at_least,
    at_most,
    filled,
    matching,
    no_longer_than,
    required,
)
from simulator.submission.refusals import bad_request, violations

LARGEST_TASK_NUMBER = 50_000


class Library(Struct, frozen=True):
    """What the Hadoop under the launcher was patched to support."""

    gpu: bool = True
    port: bool = True


def _default(name: str, type_: Type, value: object, *constraints: Callable[[object], str | None]) -> Key:
    return Key(name, type_, lambda: value, (required, *constraints))


def _needed(name: str, type_: Type, *constraints: Callable[[object], str | None]) -> Key:
    return Key(name, type_, constraints=(required, *constraints))


def _optional(name: str, type_: Type, *constraints: Callable[[object], str | None]) -> Key:
    return Key(name, type_, constraints=constraints)


def _of_defaults(name: str, shape: Shape) -> Key:
    """An object that is there with its defaults where it is left out."""
    return Key(name, shape, lambda: shape.bind({}), (required,))


def descriptor_shape(library: Library) -> Shape:
    """The body of PUT framework."""
    retry_policy = Shape(
        "RetryPolicyDescriptor",
        (
            _default("fancyRetryPolicy", Flag(), False),
            _default("maxRetryCount", Whole(), 0, at_least(-2)),
        ),
    )
    ports = Shape(
        "Ports",
        (_default("start", Whole(), 0, at_least(0)), _needed("count", Whole(), at_least(1))),
    )
    resource = Shape(
        "ResourceDescriptor",
        (
            _needed("cpuNumber", Whole(), at_least(1)),
            _needed("memoryMB", Whole(), at_least(1)),
            Key("portDefinitions", ByName(ports), dict, (required,)),
            _default("diskType", Word("DiskType", ("HDD", "SSD")), "HDD"),
            _default("diskMB", Whole(), 0, at_least(0)),
            _default("gpuNumber", Whole(), 0, at_least(0)),
            _default("gpuAttribute", Whole("long", 64), 0, at_least(0)),
        ),
        whole=lambda told: _resource_reasons(told, library),
    )
    service = Shape(
        "ServiceDescriptor",
        (
            _needed("version", Whole()),
            _optional("entryPoint", Text(), filled),
            _optional("sourceLocations", Many(Text()), filled),
            _needed("resource", resource),
        ),
    )
    completion = Shape(
        "TaskRoleApplicationCompletionPolicyDescriptor",
        (
            Key("minFailedTaskCount", Whole(), lambda: 1, (at_least(1),)),
            _optional("minSucceededTaskCount", Whole(), at_least(1)),
        ),
    )
    role_platform = Shape(
        "TaskRolePlatformSpecificParametersDescriptor",
        (
            _optional("taskNodeLabel", Text()),
            _optional("taskNodeGpuType", Text(), matching(_GPU_TYPES)),
            _default("samePortAllocation", Flag(), False),
        ),
    )
    role = Shape(
        "TaskRoleDescriptor",
        (
            _needed("taskNumber", Whole(), *_TASK_NUMBER),
            _default("scaleUnitNumber", Whole(), 1),
            _default("scaleUnitTimeoutSec", Whole(), 0),
            _of_defaults("taskRetryPolicy", retry_policy),
            _of_defaults("applicationCompletionPolicy", completion),
            _needed("taskService", service),
            _of_defaults("platformSpecificParameters", role_platform),
        ),
    )
    return Shape(
        "FrameworkDescriptor",
        (
            _optional("description", Text(), no_longer_than(1024)),
            _needed("version", Whole()),
            _default("executionType", _EXECUTION_TYPE, "START"),
            _of_defaults("retryPolicy", retry_policy),
            _optional("parentFramework", _PARENT),
            _of_defaults("user", Shape("UserDescriptor", (_default("name", Text(), "default", matching(NAME)),))),
            _optional("taskRoles", ByName(role), filled),
            _of_defaults("platformSpecificParameters", _platform(resource)),
        ),
    )


_GPU_TYPES = r"^[^\s]{1,256}$"
_TASK_NUMBER = (at_least(0), at_most(LARGEST_TASK_NUMBER))
_EXECUTION_TYPE = Word("ExecutionType", ("START", "STOP"))

_PARENT = Shape(
    "ParentFrameworkDescriptor",
    (
        _needed("parentFrameworkName", Text(), matching(NAME)),
        _default("deleteOnParentDeleted", Flag(), False),
        _default("stopOnParentStopped", Flag(), False),
    ),
)

_HEALTH_CHECK = Shape(
    "HealthCheckDescriptor",
    (
        _default("healthCheckType", Word("HealthCheckType", ("COMMAND", "WEB")), "COMMAND"),
        _optional("entryPoint", Text()),
        _optional("webUrl", Text()),
        _default("delaySeconds", Whole(), 30),
        _default("intervalSeconds", Whole(), 30),
        _default("timeoutSeconds", Whole(), 30),
        _default("consecutiveFailures", Whole(), 10),
        _default("gracePeriodSeconds", Whole(), 60),
        _default(
            "healthCheckFailureType",
            Word("HealthCheckFailureType", ("NON_TRANSIENT_ERROR", "TRANSIENT_ERROR")),
            "TRANSIENT_ERROR",
        ),
    ),
)


def _platform(resource: Shape) -> Shape:
    return Shape(
        "PlatformSpecificParametersDescriptor",
        (
            Key("amResource", resource, lambda: resource.bind({"cpuNumber": 1, "memoryMB": 4096}), (required,)),
            _optional("amNodeLabel", Text()),
            _optional("taskNodeLabel", Text()),
            _optional("taskNodeGpuType", Text(), matching(_GPU_TYPES)),
            _default("queue", Text(), "default"),
            _default("containerConnectionMaxLostCount", Whole(), -2, at_least(-2)),
            _default("containerConnectionMaxExceedCount", Whole(), 2, at_least(0)),
            _default("antiaffinityAllocation", Flag(), False),
            _default("gangAllocation", Flag(), False),
            _default("skipLocalTriedResource", Flag(), True),
            _default("amType", Word("AMType", ("DEFAULT", "AGENT")), "DEFAULT"),
            _default("agentUseHeartbeat", Flag(), False),
            _default("agentHeartbeatIntervalSec", Whole(), 30),
            _default("agentExpiryIntervalSec", Whole(), 180),
            _default("agentUseHealthCheck", Flag(), False),
            _optional("taskServiceHealthCheck", _HEALTH_CHECK),
        ),
    )


def _resource_reasons(told: Mapping[str, object], library: Library) -> Iterator[str]:
    gpus, bits, ports = told["gpuNumber"], told["gpuAttribute"], told["portDefinitions"]
    if isinstance(gpus, int) and gpus > 0 and not library.gpu:
        yield (
            "GpuNumber is large than zero, but local hadoop library doesn't support Gpu, please patch YARN-7481 first: "
            f"GpuNumber: [{gpus}]"
        )
    if isinstance(gpus, int) and isinstance(bits, int) and bits:
        shown = f"{bits % 2**64:b}"
        if shown.count("1") != gpus:
            yield f"GpuNumber [{gpus}] is not consistent with GpuAttribute [{bits}({shown})]"
    # Labels that lead to no port are complained of on their own.
    if (
        isinstance(ports, dict)
        and not library.port
        and any(each and (each["count"] or 0) > 0 for each in ports.values())
    ):
        labels = ", ".join(f"<{label} = {each['start']},{each['count']}>" for label, each in ports.items() if each)
        yield (
            "PortDefinitions is not empty, but local hadoop library doesn't support Port, please patch YARN-7481 first: "
            f"PortDefinitions: [{{{labels}}}]"
        )


# --- the small bodies -----------------------------------------------------------------------------------------------

TASK_NUMBER = Shape("UpdateTaskNumberRequest", (_needed("taskNumber", Whole(), *_TASK_NUMBER),))
EXECUTION_TYPE = Shape("UpdateExecutionTypeRequest", (_needed("executionType", _EXECUTION_TYPE),))
PROGRESS = Shape(
    "OverrideApplicationProgressRequest",
    (_needed("applicationProgress", Fraction(), at_least(0.0), at_most(1.0)),),
)
MIGRATE_TASK = Shape(
    "MigrateTaskRequest",
    (Key("antiAffinityLevel", Word("AntiAffinityLevel", ("ANY", "NODE", "RACK")), lambda: "ANY"),),
)
CLUSTER = Shape(
    "ClusterConfiguration",
    (
        _optional(
            "nodes",
            ByName(Shape("NodeConfiguration", (_optional("gpuType", Text(), matching(r"^[^,\s]{1,256}$")),)), False),
        ),
    ),
)
_USER = Shape("UserDescriptor", (_default("name", Text(), "default", matching(NAME)),))
ACL = Shape(
    "AclConfiguration",
    (
        Key(
            "namespaceAcls",
            ByName(Shape("NamespaceAcl", (Key("users", Many(_USER), list, (required,)),))),
            dict,
            (required,),
        ),
        Key("normalAdminUsers", Many(_USER), list, (required,)),
    ),
)
DATA_DEPLOYMENT = Shape(
    "UpdateDataDeploymentVersionRequest",
    (
        _needed("dataDeploymentVersionType", Word("DataDeploymentVersionType", ("LAUNCHING", "LAUNCHED"))),
        _optional("dataDeploymentVersion", Text(), filled),
    ),
)


def bound(shape: Shape, body: bytes) -> Mapping[str, object] | None:
    """The body with its types settled; ``None``: there is none. Raises Refused."""
    value = json_input.read(body)
    return None if value is None else shape.bound(value)


def judged(shape: Shape, told: Mapping[str, object] | None) -> Mapping[str, object]:
    """The same, if every constraint holds. Raises Refused."""
    if told is None:
        raise bad_request("Object is null")
    found = list(shape.violations(told))
    if found:
        raise violations(found)
    return told


# --- what was let in ------------------------------------------------------------------------------------------------


def descriptor(told: Mapping[str, object]) -> FrameworkDescriptor:
    return decode_descriptor(told)


def execution_type(told: Mapping[str, object]) -> ExecutionType:
    return decode_execution_type(told)


def task_number(told: Mapping[str, object]) -> int:
    return decode_task_number(told)


def progress(told: Mapping[str, object]) -> float:
    """As 32 bits hold it, shortest form."""
    return wire.single(decode_progress(told))
