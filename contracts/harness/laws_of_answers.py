"""Laws L7 and L10: what one answer says must agree with itself, and with the other answers of the same instant."""

from collections.abc import Iterator, Mapping, Sequence

from contracts.harness.laws_of_time import FINAL_TASK_STATES, FRAMEWORK_COMPLETED
from contracts.harness.observations import GET_ATTEMPT, GET_JOB, Json, Moment, Observation, Violation, tasks_of
from contracts.launcher.exits import STOP_FRAMEWORK_CODES, STOP_TASK_CODES

FINAL_STATES = frozenset({"SUCCEEDED", "STOPPED", "FAILED"})
_SHOWN = {
    # sub-state: state, attemptState; None is final by exit code
    "FrameworkWaiting": ("WAITING", "WAITING"),
    "ApplicationCreated": ("WAITING", "WAITING"),
    "ApplicationLaunched": ("WAITING", "WAITING"),
    "ApplicationWaiting": ("WAITING", "WAITING"),
    "ApplicationRunning": ("RUNNING", "RUNNING"),
    "ApplicationRetrievingDiagnostics": ("WAITING", "WAITING"),
    "ApplicationCompleted": ("WAITING", None),
    FRAMEWORK_COMPLETED: (None, None),
    "UNKNOWN": ("UNKNOWN", "UNKNOWN"),
}


def l7_an_answer_agrees_with_itself(moments: Sequence[Moment]) -> Iterator[Violation]:
    """Final states, exit codes, completion times and sub-states of one answer tell the same."""
    for moment in moments:
        for one in moment.seen:
            if one.status == 200 and one.operation in (GET_JOB, GET_ATTEMPT):
                yield from (Violation("L7", what, (one,)) for what in _contradictions(one))


def _contradictions(one: Observation) -> Iterator[str]:
    if one.operation == GET_JOB:
        detail = one.body
    else:
        detail = one.body["frameworkFullDetail"]
        yield from _of_status(one.body["frameworkInfo"]["jobStatus"])
    yield from _of_status(detail["jobStatus"])
    for (role, index), task in tasks_of(detail).items():
        yield from (f"task {index} of {role}: {what}" for what in _of_task(task))


def _of_status(status: Json) -> Iterator[str]:
    code, state, attempt_state = status["appExitCode"], status["state"], status["attemptState"]
    # The summary in the documented style has no sub-state: a job is then completed if its state says so.
    sub_state = status.get("subState", FRAMEWORK_COMPLETED if state in FINAL_STATES else None)
    if attempt_state != "UNKNOWN" and (attempt_state in FINAL_STATES) != (code is not None):
        yield f"attemptState is {attempt_state}, appExitCode is {code}"
    if sub_state != "UNKNOWN" and (status["completedTime"] != 0) != (sub_state == FRAMEWORK_COMPLETED):
        yield f"completedTime is {status['completedTime']} while {sub_state or state}"
    if sub_state is not None:
        final = _final(code, STOP_FRAMEWORK_CODES)
        expected = tuple(shown or final for shown in _SHOWN[sub_state])
        if (state, attempt_state) != expected:
            yield f"{sub_state} with exit code {code} is shown as {state}, {attempt_state}"


def _of_task(task: Json) -> Iterator[str]:
    code, state = task["containerExitCode"], task["taskState"]
    if state not in FINAL_TASK_STATES:
        return
    if code is None:
        yield f"{state} without an exit code"
    elif state != _final(code, STOP_TASK_CODES):
        yield f"{state} with exit code {code}"


def _final(code: int | None, stop_codes: frozenset[int]) -> str:
    if code == 0:
        return "SUCCEEDED"
    return "STOPPED" if code in stop_codes else "FAILED"


def l10_one_instant_tells_one_story(moments: Sequence[Moment]) -> Iterator[Violation]:
    """At one instant the detail of the current attempt repeats the job detail, and so do the fields its summary shares."""
    for moment in moments:
        job = moment.job()
        for one in moment.of(GET_ATTEMPT):
            if one.status == 200:
                full, info = one.body["frameworkFullDetail"], one.body["frameworkInfo"]
                for field in _differing(_as_summary(full["jobStatus"]), _as_summary(info["jobStatus"])):
                    yield Violation("L10", f"frameworkInfo tells another {field}", (one,))
            if job is not None and _asks_for_current(one, job.status):
                for what in _departures(one, job.seen):
                    yield Violation("L10", what, (job.seen, one))


def _departures(attempt: Observation, job: Observation) -> Iterator[str]:
    if attempt.status == 404:
        yield "the current attempt is not found"
    elif attempt.status == 200:
        full = attempt.body["frameworkFullDetail"]
        for field in _differing(full["jobStatus"], job.body["jobStatus"]):
            yield f"the current attempt tells another {field}"
        if full["taskRoles"] != job.body["taskRoles"]:
            yield "the current attempt tells other taskRoles"


def _asks_for_current(one: Observation, status: Json) -> bool:
    return one.attempt == status["attemptId"] and one.version in (None, status["version"])


def _as_summary(status: Json) -> Json:
    """What is null in a detail is empty text in a summary."""
    return {field: None if value == "" else value for field, value in status.items()}


def _differing(mine: Json, other: Json) -> Iterator[str]:
    """The fields both have, with different values."""
    for field, value in mine.items():
        if field not in other:
            continue
        if isinstance(value, Mapping) and isinstance(other[field], Mapping):
            yield from (f"{field}.{inner}" for inner in _differing(value, other[field]))
        elif value != other[field]:
            yield field
