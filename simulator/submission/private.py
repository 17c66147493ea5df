"""What the private consumer submits, as the descriptor that the open dialect would have been given.

Known from the one consumer alone (launcher fact sheet, 8.6): objects are often wrapped as ``{Name, Element}``, roles are an
array. Which bodies the private launcher refuses is not known; so after this translation the open launcher's rules judge.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from simulator.submission.refusals import bad_request

Told: TypeAlias = Any
"""A value of the body, whatever it is: the rules of the descriptor judge it afterwards."""


def _inside(told: Told) -> Told:
    """What a wrapping holds; what is not wrapped is itself."""
    return told["Element"] if isinstance(told, dict) and "Element" in told else told


def _renamed(told: Told, names: Mapping[str, str]) -> Told:
    """The keys that are known, under the names of the open dialect."""
    inside = _inside(told)
    if not isinstance(inside, dict):
        return inside
    return {names[key]: value for key, value in inside.items() if key in names}


_RETRY_POLICY = {"MaxRetryCount": "maxRetryCount", "FancyRetryPolicy": "fancyRetryPolicy"}
_RESOURCE = {
    "CpuNumber": "cpuNumber",
    "MemoryMB": "memoryMB",
    "GpuNumber": "gpuNumber",
    "DiskType": "diskType",
    "DiskMB": "diskMB",
}
_SERVICE = {
    "Version": "version",
    "EntryPoint": "entryPoint",
    "SourceLocations": "sourceLocations",
    "Resource": "resource",
}
_ROLE = {"TaskNumber": "taskNumber", "TaskRetryPolicy": "taskRetryPolicy", "TaskService": "taskService"}
_PLATFORM = {
    "AMNodeLabel": "amNodeLabel",
    "TaskNodeLabel": "taskNodeLabel",
    "Queue": "queue",
    "AMResource": "amResource",
    "GangAllocation": "gangAllocation",
}
_FRAMEWORK = {
    "Version": "version",
    "Description": "description",
    "ExecutionType": "executionType",
    "RetryPolicy": "retryPolicy",
    "TaskRoles": "taskRoles",
    "PlatformSpecificParameters": "platformSpecificParameters",
}


def descriptor_of(told: Told) -> Told:
    """The same wishes in the open dialect's words. Raises Refused for roles without a name."""
    if not isinstance(told, dict):
        return told
    framework = _renamed(told, _FRAMEWORK)
    if isinstance(owner := told.get("Owner"), dict) and "Name" in owner:
        framework["user"] = {"name": owner["Name"]}
    if "retryPolicy" in framework:
        framework["retryPolicy"] = _renamed(framework["retryPolicy"], _RETRY_POLICY)
    if "platformSpecificParameters" in framework:
        platform = _renamed(framework["platformSpecificParameters"], _PLATFORM)
        if isinstance(platform, dict) and "amResource" in platform:
            platform["amResource"] = _renamed(platform["amResource"], _RESOURCE)
        framework["platformSpecificParameters"] = platform
    if isinstance(roles := framework.get("taskRoles"), list):
        framework["taskRoles"] = dict(_role(place, role) for place, role in enumerate(roles))
    return framework


def tags_of(told: Told) -> tuple[str, ...]:
    """What the summary tells of it later; what is no list of texts is no tag."""
    platform = _inside(told.get("PlatformSpecificParameters")) if isinstance(told, dict) else None
    tags = platform.get("Tags") if isinstance(platform, dict) else None
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


def _role(place: int, told: Told) -> tuple[str, Told]:
    if not isinstance(told, dict) or not isinstance(told.get("Name"), str):
        raise bad_request(f"TaskRoles[{place}]: a role needs a Name")
    role = _renamed(told, _ROLE)
    if isinstance(role, dict):
        if "taskRetryPolicy" in role:
            role["taskRetryPolicy"] = _renamed(role["taskRetryPolicy"], _RETRY_POLICY)
        if "taskService" in role:
            service = _renamed(role["taskService"], _SERVICE)
            if isinstance(service, dict) and "resource" in service:
                service["resource"] = _renamed(service["resource"], _RESOURCE)
            role["taskService"] = service
    return told["Name"], role
