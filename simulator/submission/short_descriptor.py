"""A descriptor as people write it by hand, made into the launcher's own words; that is all there is to it.

``roles`` instead of ``taskRoles``, and what is said of a role in one word each. Whoever writes ``taskRoles`` writes a whole
descriptor, and nothing is changed in it.
"""

from collections.abc import Mapping
from typing import Any


def in_the_launchers_words(short: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a submission. What was found right by the schema of stories goes in."""
    if "taskRoles" in short:
        return dict(short)
    platform: dict[str, Any] = {"queue": short.get("queue", "default")}
    if short.get("gang", False):
        platform["gangAllocation"] = True
    if short.get("apart", False):
        platform["antiaffinityAllocation"] = True
    if "am_memory_mb" in short:
        platform["amResource"] = {"cpuNumber": 1, "memoryMB": short["am_memory_mb"]}
    return {
        "description": short.get("description"),
        "version": short.get("version", 1),
        "executionType": short.get("execution_type", "START"),
        "retryPolicy": _retries(short.get("retry", 0)),
        "user": {"name": short.get("user", "story")},
        "taskRoles": {name: _role(role or {}) for name, role in short.get("roles", {"main": {}}).items()},
        "platformSpecificParameters": platform,
    }


def _role(role: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "taskNumber": role.get("tasks", 1),
        "taskRetryPolicy": _retries(role.get("retry", 0)),
        "applicationCompletionPolicy": {
            "minFailedTaskCount": role.get("min_failed", 1),
            "minSucceededTaskCount": role.get("min_succeeded"),
        },
        "platformSpecificParameters": {"taskNodeLabel": role.get("label")},
        "taskService": {
            "version": role.get("service_version", 1),
            "entryPoint": role.get("entry_point", "python3 main.py"),
            "sourceLocations": ["hdfs://cluster.example/jobs/code"],
            "resource": {
                "cpuNumber": role.get("cpu", 1),
                "memoryMB": role.get("memory_mb", 2048),
                "gpuNumber": role.get("gpus", 0),
                "portDefinitions": {
                    label: {"start": 0, "count": count} for label, count in role.get("ports", {}).items()
                },
            },
        },
    }


def _retries(policy: int | str) -> dict[str, Any]:
    """A number, or ``fancy``, or ``fancy 3``."""
    if isinstance(policy, int):
        return {"fancyRetryPolicy": False, "maxRetryCount": policy}
    _, _, count = policy.partition(" ")
    return {"fancyRetryPolicy": True, "maxRetryCount": int(count or 0)}
