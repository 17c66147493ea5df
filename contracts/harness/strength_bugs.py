"""Mistakes that people make in presenters and dialects, each with a name: what it does to a record, or to an answer.

Each is as small as the slip it stands for. A mistake of a dialect changes what the launcher seems to have told; a mistake of a
presenter changes what is answered.
"""

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from msgspec.structs import replace

from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS, Observation
from contracts.launcher.exits import STOP_FRAMEWORK_CODES, STOP_TASK_CODES
from contracts.launcher.records import Framework, FrameworkStatus, RetryState, TaskStatus

Body: TypeAlias = dict[str, Any]
"""A copy of an answer's body, to be changed in place."""


@dataclass(frozen=True)
class Bug:
    name: str
    of_record: Callable[[Framework], Framework] | None = None
    """A mistake of a dialect."""
    of_answer: Callable[[Observation, Body], None] | None = None
    """A mistake of a presenter."""

    def answer(self, seen: Observation) -> Observation:
        if self.of_answer is None:
            return seen
        body = copy.deepcopy(dict(seen.body))
        self.of_answer(seen, body)
        return dataclasses.replace(seen, body=body)


def _status(change: Callable[[FrameworkStatus], FrameworkStatus]) -> Callable[[Framework], Framework]:
    return lambda told: replace(told, status=change(told.status))


def _counters(change: Callable[[RetryState], RetryState]) -> Callable[[Framework], Framework]:
    def changed(told: Framework) -> Framework:
        summary, status = told.summary, told.status
        return replace(
            told,
            summary=replace(summary, retries=change(summary.retries)),
            status=replace(status, retries=change(status.retries)),
        )

    return changed


def _tasks(change: Callable[[TaskStatus], TaskStatus]) -> Callable[[Framework], Framework]:
    def changed(told: Framework) -> Framework:
        roles = {name: replace(r, tasks=tuple(change(t) for t in r.tasks)) for name, r in told.task_roles.items()}
        return replace(told, task_roles=roles)

    return changed


def _seconds(told: Framework) -> Framework:
    def of(instant: int | None) -> int | None:
        return None if instant is None else instant // 1000

    status, summary = told.status, told.summary
    changed = replace(
        told,
        summary=replace(summary, completed_timestamp=of(summary.completed_timestamp)),
        status=replace(
            status,
            created_timestamp=of(status.created_timestamp),
            completed_timestamp=of(status.completed_timestamp),
            application_launched_timestamp=of(status.application_launched_timestamp),
        ),
    )
    return _tasks(
        lambda task: replace(
            task,
            container_launched_timestamp=of(task.container_launched_timestamp),
            container_completed_timestamp=of(task.container_completed_timestamp),
        )
    )(changed)


def _of_jobs(change: Callable[[Body], None]) -> Callable[[Observation, Body], None]:
    """What a presenter of a job's status does, wherever it is shown in full."""

    def changed(seen: Observation, body: Body) -> None:
        if seen.status == 200 and seen.operation == GET_JOB:
            change(body["jobStatus"])
        elif seen.status == 200 and seen.operation == GET_ATTEMPT:
            change(body["frameworkFullDetail"]["jobStatus"])

    return changed


def _of_tasks(change: Callable[[Body], None]) -> Callable[[Observation, Body], None]:
    def changed(seen: Observation, body: Body) -> None:
        if seen.status == 200 and seen.operation in (GET_JOB, GET_ATTEMPT):
            for role in body.get("frameworkFullDetail", body)["taskRoles"].values():
                for task in role["taskStatuses"]:
                    change(task)

    return changed


def _of_info(change: Callable[[Body], None]) -> Callable[[Observation, Body], None]:
    def changed(seen: Observation, body: Body) -> None:
        if seen.status == 200 and seen.operation == GET_ATTEMPT:
            change(body["frameworkInfo"]["jobStatus"])

    return changed


def _of_list(operation: str, change: Callable[[list[int]], list[int]]) -> Callable[[Observation, Body], None]:
    def changed(seen: Observation, body: Body) -> None:
        if seen.status == 200 and seen.operation == operation:
            (key,) = body
            body[key] = change(body[key])

    return changed


def _swap(body: Body, one: str, other: str) -> None:
    body[one], body[other] = body[other], body[one]


def _if(body: Body, key: str, found: object, instead: object) -> None:
    if body[key] == found and type(body[key]) is type(found):
        body[key] = instead


def _stop_is_failure(body: Body) -> None:
    if body["appExitCode"] in STOP_FRAMEWORK_CODES:
        for key in ("state", "attemptState"):
            _if(body, key, "STOPPED", "FAILED")


def _stopped_task_is_failure(body: Body) -> None:
    if body["containerExitCode"] in STOP_TASK_CODES:
        _if(body, "taskState", "STOPPED", "FAILED")


_OTHER_LIST = {
    "NoJobAttemptsError": "NoJobVersionsError",
    "NoJobVersionsError": "NoJobAttemptsError",
    "NoFrameworkAttemptsError": "NoFrameworkVersionsError",
    "NoFrameworkVersionsError": "NoFrameworkAttemptsError",
}


def _other_code(seen: Observation, body: Body) -> None:
    if seen.status == 404:
        body["code"] = _OTHER_LIST.get(body["code"], body["code"])


def _spelt_right(seen: Observation, body: Body) -> None:
    if seen.status == 404 and seen.operation in (GET_ATTEMPTS, GET_VERSIONS):
        body["message"] = body["message"].replace("atempt", "attempt").replace("list of versions", "list of attempts")


def _moving_creation(seen: Observation, body: Body) -> None:
    _of_jobs(lambda status: status.update(createdTime=seen.instant))(seen, body)


def _first_sum_only(body: Body) -> None:
    body["attemptId"] -= body["retryDetails"]["platform"]


BUGS = (
    Bug("seconds for milliseconds, everywhere", of_record=_seconds),
    Bug(
        "seconds for milliseconds, in the launch only",
        of_record=_status(
            lambda s: replace(s, application_launched_timestamp=(s.application_launched_timestamp or 0) // 1000 or None)
        ),
    ),
    Bug(
        "user and platform retries swapped",
        of_record=_counters(lambda r: replace(r, non_transient=r.transient_normal, transient_normal=r.non_transient)),
    ),
    Bug(
        "platform and resource retries swapped",
        of_record=_counters(
            lambda r: replace(r, transient_conflict=r.transient_normal, transient_normal=r.transient_conflict)
        ),
    ),
    Bug("platform retries of a task without the conflicts", of_record=_tasks(lambda t: replace(
        t, retries=t.retries and replace(t.retries, transient_conflict=0)))),
    Bug("host and IP of a container swapped", of_record=_tasks(lambda t: replace(
        t, container_ip=t.container_host, container_host=t.container_ip))),
    Bug("launch and completion of a container swapped", of_record=_tasks(lambda t: replace(
        t, container_launched_timestamp=t.container_completed_timestamp,
        container_completed_timestamp=t.container_launched_timestamp))),
    Bug("creation and completion swapped", of_record=_status(lambda s: replace(
        s, created_timestamp=s.completed_timestamp, completed_timestamp=s.created_timestamp))),
    Bug("diagnostics cut off", of_record=_status(lambda s: replace(
        s, application_exit_diagnostics=s.application_exit_diagnostics and s.application_exit_diagnostics[:40]))),
    Bug("the last task role left out", of_record=lambda told: replace(
        told, task_roles=dict(list(told.task_roles.items())[:-1]))),
    Bug("the first task of a role left out", of_record=lambda told: replace(
        told, task_roles={n: replace(r, tasks=r.tasks[1:]) for n, r in told.task_roles.items()})),
    Bug("no queue told as an empty one", of_record=lambda told: replace(
        told, summary=replace(told.summary, queue=""))),
    Bug("the name of the job for its user", of_record=lambda told: replace(
        told, summary=replace(told.summary, user_name=told.summary.name))),
    Bug("GPU bitmap through a floating point number", of_record=_tasks(lambda t: replace(
        t, container_gpus=t.container_gpus and int(float(t.container_gpus))))),
    Bug("the exit code of a success lost", of_record=_status(lambda s: replace(
        s, application_exit_code=s.application_exit_code or None))),
    Bug("stop code of a framework not translated", of_answer=_of_jobs(_stop_is_failure)),
    Bug("stop code of a task not translated", of_answer=_of_tasks(_stopped_task_is_failure)),
    Bug("attempt id off by one", of_answer=_of_jobs(lambda b: b.update(attemptId=b["attemptId"] + 1))),
    Bug("attempt id without the platform's retries", of_answer=_of_jobs(_first_sum_only)),
    Bug("retries without those of the user", of_answer=_of_jobs(
        lambda b: b.update(retries=b["retries"] - b["retryDetails"]["user"]))),
    Bug("the latest attempt counted from zero", of_answer=_of_info(
        lambda b: b.update(latestAttemptId=b["latestAttemptId"] - 1))),
    Bug("the latest attempt without the platform's retries", of_answer=_of_info(
        lambda b: b.update(latestAttemptId=b["latestAttemptId"] - b["retryDetails"]["platform"]))),
    Bug("null for zero in a time", of_answer=_of_jobs(lambda b: _if(b, "completedTime", 0, None))),
    Bug("zero for null in an exit code", of_answer=_of_jobs(lambda b: _if(b, "appExitCode", None, 0))),
    Bug("zero for null in the exit code of a task", of_answer=_of_tasks(lambda b: _if(b, "containerExitCode", None, 0))),
    Bug("cores and memory swapped", of_answer=_of_jobs(lambda b: _swap(b, "appliedCpuNumber", "appliedMemoryMB"))),
    Bug("state and attempt state swapped", of_answer=_of_jobs(lambda b: _swap(b, "state", "attemptState"))),
    Bug("running as soon as launched", of_answer=_of_jobs(
        lambda b: b["subState"] == "ApplicationLaunched" and b.update(state="RUNNING", attemptState="RUNNING"))),
    Bug("the launcher's own spelling of a state", of_answer=_of_jobs(lambda b: b.update(subState=b["subState"].upper()))),
    Bug("progress in percent", of_answer=_of_jobs(
        lambda b: b.update(appProgress=b["appProgress"] and b["appProgress"] * 100))),
    Bug("START for STOP", of_answer=_of_jobs(lambda b: _if(b, "executionType", "STOP", "START"))),
    Bug("creation told as now", of_answer=_moving_creation),
    Bug("ports not taken apart", of_answer=_of_tasks(
        lambda b: b.update(containerPorts=b["containerPorts"] and {"all": ";".join(b["containerPorts"].values())}))),
    Bug("ports as numbers", of_answer=_of_tasks(
        lambda b: b.update(containerPorts=dict.fromkeys(b["containerPorts"], 22)))),
    Bug("no exit type told as null", of_answer=_of_tasks(lambda b: _if(b, "containerExitType", "NOT_AVAILABLE", None))),
    Bug("the exit row of another code", of_answer=_of_jobs(
        lambda b: b["appExitSpec"] and b["appExitSpec"].update(code=b["appExitSpec"]["code"] + 1))),
    Bug("attempts counted from one", of_answer=_of_list(GET_ATTEMPTS, lambda ids: [one + 1 for one in ids])),
    Bug("attempts newest first", of_answer=_of_list(GET_ATTEMPTS, lambda ids: ids[::-1])),
    Bug("versions without the current one", of_answer=_of_list(GET_VERSIONS, lambda ids: ids[:-1])),
    Bug("two error codes swapped", of_answer=_other_code),
    Bug("a message spelt right", of_answer=_spelt_right),
    Bug("the summary's state out of step", of_answer=_of_info(lambda b: _if(b, "state", "RUNNING", "WAITING"))),
)  # fmt: skip
