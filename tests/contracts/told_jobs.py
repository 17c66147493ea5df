"""Answers about a made-up job, as a server that keeps every law would give them; tests break them one by one."""

import copy
from typing import Any

from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS, Observation

NAME = "alice~job"
CREATED = 1_000_000

Answer = dict[str, Any]

SHOWN = {
    "FrameworkWaiting": "WAITING",
    "ApplicationCreated": "WAITING",
    "ApplicationLaunched": "WAITING",
    "ApplicationWaiting": "WAITING",
    "ApplicationRunning": "RUNNING",
    "ApplicationCompleted": "WAITING",
    "FrameworkCompleted": "SUCCEEDED",
}


def task(index: int = 0, state: str = "RUNNING", **changes: object) -> Answer:
    told: Answer = {
        "taskIndex": index,
        "taskState": state,
        "containerId": f"container_1_0001_01_{index + 2:06}",
        "containerExitCode": 0 if state == "SUCCEEDED" else None,
        "containerLaunchedTimestamp": CREATED + 30,
        "containerCompletedTimestamp": CREATED + 90 if state == "SUCCEEDED" else 0,
        "retryDetails": {"user": 0, "platform": 0, "unknown": 0},
    }
    return told | changes


def detail(sub_state: str = "ApplicationRunning", *tasks: Answer, **changes: object) -> Answer:
    done = sub_state == "FrameworkCompleted"
    status: Answer = {
        "name": NAME,
        "subState": sub_state,
        "state": SHOWN[sub_state],
        "attemptState": SHOWN[sub_state],
        "version": 1,
        "attemptId": 0,
        "retries": 0,
        "retryDetails": {"user": 0, "platform": 0, "resource": 0, "unknown": 0},
        "createdTime": CREATED,
        "completedTime": CREATED + 100 if done else 0,
        "appLaunchedTime": 0 if sub_state in ("FrameworkWaiting", "ApplicationCreated") else CREATED + 20,
        "appId": None if sub_state == "FrameworkWaiting" else "application_1_0001",
        "appExitCode": 0 if done else None,
        "appExitDiagnostics": None,
        "appliedCpuNumber": 2,
        "appliedMemoryMB": 2048,
    }
    return {
        "jobStatus": status | changes,
        "taskRoles": {"worker": {"taskRoleStatus": {"name": "worker"}, "taskStatuses": list(tasks)}},
    }


def attempt_1(sub_state: str = "ApplicationRunning", *tasks: Answer, **changes: object) -> Answer:
    """The same job in its second attempt, after a transient failure."""
    retried = {
        "attemptId": 1,
        "retries": 1,
        "retryDetails": {"user": 0, "platform": 1, "resource": 0, "unknown": 0},
        "appId": None if sub_state == "FrameworkWaiting" else "application_1_0002",
    }
    return detail(sub_state, *tasks, **(retried | changes))


def job(instant: int, body: Answer | None) -> Observation:
    """``None``: not found."""
    return _seen(instant, GET_JOB, None, None, body)


def attempt(instant: int, attempt_id: int, body: Answer | None, version: int | None = None) -> Observation:
    return _seen(instant, GET_ATTEMPT, version, attempt_id, body)


def attempts(instant: int, *ids: int, version: int | None = None, key: str = "FrameworkAttempts") -> Observation:
    return _seen(instant, GET_ATTEMPTS, version, None, {key: list(ids)})


def versions(instant: int, *ids: int, key: str = "FrameworkVersions") -> Observation:
    return _seen(instant, GET_VERSIONS, None, None, {key: list(ids)})


def missing(seen: Observation) -> Observation:
    """The same question, answered with 404."""
    return _seen(seen.instant, seen.operation, seen.version, seen.attempt, None)


def attempt_detail(full: Answer, **info_changes: object) -> Answer:
    """The attempt detail that goes with a job detail; the summary says empty text where the detail says null."""
    info = {field: value for field, value in full["jobStatus"].items() if field not in ("subState", "appLaunchedTime")}
    info["retryDetails"] = {kind: count for kind, count in info["retryDetails"].items() if kind != "unknown"}
    info["appExitDiagnostics"] = info["appExitDiagnostics"] or ""
    return {"frameworkFullDetail": copy.deepcopy(full), "frameworkInfo": {"jobStatus": info | info_changes}}


def _seen(
    instant: int, operation: str, version: int | None, attempt_id: int | None, body: Answer | None
) -> Observation:
    error = {"code": "NoSuch", "message": "There is none."}
    return Observation(instant, operation, NAME, version, attempt_id, 404 if body is None else 200, body or error)
