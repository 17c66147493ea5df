"""Each law is broken alone, and caught by exactly it; what the laws allow is not caught."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.harness.laws import LAWS, check
from contracts.harness.laws_of_time import SUB_STATES
from contracts.harness.observations import Observation
from tests.contracts.told_jobs import (
    CREATED,
    attempt,
    attempt_1,
    attempt_detail,
    attempts,
    detail,
    job,
    missing,
    task,
    versions,
)

CONTAINER = "container_1_0001_01_000002"
ANEW = detail("FrameworkWaiting")
"""After another version was tried and left again, between two looks."""


def story(*bodies: dict[str, object] | None) -> list[Observation]:
    return [job(number, body) for number, body in enumerate(bodies)]


BROKEN: list[tuple[str, str, list[Observation]]] = [
    ("L1", "running goes back to created", story(detail(), detail("ApplicationCreated", appLaunchedTime=CREATED + 20))),
    ("L1", "waiting again without a retry", story(detail("ApplicationCreated"), detail("FrameworkWaiting", appId="application_1_0001"))),
    ("L2", "a counter falls", story(attempt_1(), attempt_1(retryDetails={"user": 0, "platform": 0, "resource": 0, "unknown": 0}))),
    ("L2", "attemptId is below its parts", story(detail(retryDetails={"user": 0, "platform": 1, "resource": 0, "unknown": 0}))),
    ("L2", "attemptId and retries differ", story(detail(retries=1))),
    ("L2", "the application changes within an attempt", story(detail(), detail(appId="application_1_0009"))),
    ("L2", "the application is lost within an attempt", story(detail(), detail(appId=None))),
    ("L2", "a retry keeps its application", story(detail(), attempt_1(appId="application_1_0001"))),
    ("L2", "another application within an attempt, though there is no other version", [job(0, detail()), versions(0, 1), job(1, detail(appId="application_1_0009")), versions(1, 1)]),
    ("L1", "running goes back to created, whatever versions there are", [job(0, detail()), versions(0, 1, 2), job(1, detail("ApplicationCreated", appLaunchedTime=CREATED + 20)), versions(1, 1, 2)]),
    ("L3", "a completed job gets other diagnostics", story(detail("FrameworkCompleted"), detail("FrameworkCompleted", appExitDiagnostics="!"))),
    ("L3", "a completed job completes again", story(detail("FrameworkCompleted"), detail("FrameworkCompleted", completedTime=CREATED + 101))),
    ("L4", "a launch before the creation", story(detail(appLaunchedTime=CREATED - 1))),
    ("L4", "a completion before the creation", story(detail("FrameworkCompleted", completedTime=CREATED - 1))),
    ("L4", "a container before the creation", story(detail("ApplicationRunning", task(containerLaunchedTimestamp=CREATED - 1)))),
    ("L4", "one application with two creations", story(detail(), detail(createdTime=CREATED + 1))),
    ("L5", "the launch moves", story(detail(), detail(appLaunchedTime=CREATED + 21))),
    ("L5", "the launch is lost", story(detail(), detail(appLaunchedTime=0))),
    ("L5", "a finished task runs again", story(detail("ApplicationRunning", task(0, "SUCCEEDED")), detail("ApplicationRunning", task(0, containerId="other")))),
    ("L5", "a task's counter falls", story(
        detail("ApplicationRunning", task(retryDetails={"user": 0, "platform": 1, "unknown": 0})),
        detail("ApplicationRunning", task()),
    )),
    ("L5", "a task vanishes", story(detail("ApplicationRunning", task(0), task(1)), detail("ApplicationRunning", task(0)))),
    ("L6", "a container is launched twice", story(detail("ApplicationRunning", task()), detail("ApplicationRunning", task(containerLaunchedTimestamp=CREATED + 31)))),
    ("L6", "a container's launch is lost", story(detail("ApplicationRunning", task()), detail("ApplicationRunning", task(containerLaunchedTimestamp=0)))),
    ("L6", "a container completes before it is launched", story(detail("ApplicationRunning", task(0, "SUCCEEDED", containerCompletedTimestamp=CREATED + 29)))),
    ("L6", "a past attempt tells another launch", [
        job(1, detail("ApplicationRunning", task())),
        attempt(2, 0, attempt_detail(detail("ApplicationRunning", task(containerLaunchedTimestamp=CREATED + 31)))),
    ]),
    ("L7", "a final attempt without exit code", story(detail("ApplicationCompleted", attemptState="FAILED"))),
    ("L7", "an exit code before the end", story(detail("ApplicationRunning", appExitCode=1))),
    ("L7", "completed without a time", story(detail("FrameworkCompleted", completedTime=0))),
    ("L7", "a time before completion", story(detail("ApplicationRunning", completedTime=CREATED + 5))),
    ("L7", "another state than the sub-state's", story(detail("ApplicationRunning", state="WAITING"))),
    ("L7", "succeeded with exit code 1", story(detail("FrameworkCompleted", appExitCode=1))),
    ("L7", "failed with the stop code", story(detail("FrameworkCompleted", appExitCode=-7351, state="FAILED", attemptState="FAILED"))),
    ("L7", "a finished task without exit code", story(detail("ApplicationRunning", task(0, "SUCCEEDED", containerExitCode=None)))),
    ("L7", "a stopped task with another exit code", story(detail("ApplicationRunning", task(0, "STOPPED", containerExitCode=9)))),
    ("L7", "a time before completion, in both parts of an attempt", [attempt(1, 0, attempt_detail(detail(completedTime=CREATED)))]),
    ("L8", "an attempt vanishes from the list", [
        job(1, attempt_1()), attempts(1, 0, 1), job(2, attempt_1()), attempts(2, 1),
    ]),
    ("L8", "an attempt of the future", [job(1, detail()), attempts(1, 0, 1)]),
    ("L8", "a listed attempt is not found", [job(1, attempt_1()), attempts(1, 0, 1), missing(attempt(1, 0, {}))]),
    ("L9", "the current version is not listed", [job(1, detail()), versions(1, 2)]),
    ("L9", "no versions of a job that is there", [job(1, detail()), missing(versions(1))]),
    ("L9", "a listed version has no attempts", [versions(1, 1, 2), missing(attempts(1, version=2))]),
    ("L10", "the current attempt tells another memory", [job(1, detail()), attempt(1, 0, attempt_detail(detail(appliedMemoryMB=1)))]),
    ("L10", "the current attempt tells other tasks", [job(1, detail("ApplicationRunning", task())), attempt(1, 0, attempt_detail(detail()))]),
    ("L10", "the current attempt is not found", [job(1, detail()), missing(attempt(1, 0, {}, version=1))]),
    ("L10", "the summary tells another version", [attempt(1, 0, attempt_detail(detail(), version=2))]),
    ("L10", "the summary tells another counter", [attempt(1, 0, attempt_detail(detail(), retryDetails={"user": 1, "platform": 0, "resource": 0}))]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("law", "history"), [(law, h) for law, _, h in BROKEN], ids=[f"{law}: {what}" for law, what, _ in BROKEN]
)
def test_a_broken_law_is_caught_and_no_other(law: str, history: list[Observation]) -> None:
    violations = check(history)
    assert {violation.law for violation in violations} == {law}, violations
    assert all(violation.observations for violation in violations)


def test_both_parts_of_an_attempt_detail_are_judged() -> None:
    assert len(check([attempt(1, 0, attempt_detail(detail(completedTime=CREATED)))])) == 2


def test_every_law_is_broken_by_some_history() -> None:
    assert {law for law, _, _ in BROKEN} == set(LAWS) == {f"L{number}" for number in range(1, 11)}


def test_a_violation_says_law_and_answers() -> None:
    (violation,) = check([job(1, attempt_1()), attempts(1, 0, 1), missing(attempt(1, 0, {}))])
    assert str(violation) == (
        "L8: attempt 0 is listed and not found"
        " (getAttempts alice~job at 1: 200; getAttempt alice~job attempt 0 at 1: 404)"
    )


ALLOWED: list[tuple[str, list[Observation]]] = [
    ("a version entered again between two looks, told by the other version", [job(0, detail()), versions(0, 1), job(1, ANEW), versions(1, 1, 2)]),
    ("a version entered again, the other one known before", [job(0, detail()), versions(0, 1, 2), job(1, ANEW), versions(1, 1, 2)]),
    ("a version entered again, with fewer retries", [job(0, attempt_1()), versions(0, 1, 2), job(1, detail(appId="application_1_0009")), versions(1, 1, 2)]),
    ("a plain life", story(
        None, detail("FrameworkWaiting"), detail("ApplicationCreated"), detail("ApplicationWaiting"),
        detail("ApplicationRunning", task()), detail("FrameworkCompleted", task(0, "SUCCEEDED")),
    )),
    ("states jumped over", story(detail("FrameworkWaiting"), detail("FrameworkCompleted"))),
    ("a retry unseen in between", story(detail(), attempt_1("ApplicationCreated"))),
    ("a retry seen as waiting", story(detail(), attempt_1("FrameworkWaiting"), attempt_1())),
    ("an attempt whose application nobody saw", story(detail("FrameworkWaiting"), attempt_1("FrameworkWaiting"), attempt_1())),
    ("a retry after a success", story(detail(), attempt_1(retryDetails={"user": 0, "platform": 0, "resource": 0, "unknown": 0}))),
    ("deleted and put again", story(detail("FrameworkCompleted"), None, detail("FrameworkWaiting", createdTime=CREATED + 500))),
    ("deleted and put again unseen", story(attempt_1(), detail("FrameworkWaiting", createdTime=CREATED + 500))),
    ("an upgrade", story(detail("FrameworkCompleted"), detail("FrameworkWaiting", version=2))),
    ("a version entered again", story(attempt_1(), detail("FrameworkWaiting", version=2), detail("FrameworkWaiting"))),
    ("a word we do not know", story(detail(), detail() | {"jobStatus": {
        **detail()["jobStatus"], "subState": "UNKNOWN", "state": "UNKNOWN", "attemptState": "UNKNOWN"}}, detail())),
    ("an unknown task state", story(
        detail("ApplicationRunning", task(0, "SUCCEEDED")), detail("ApplicationRunning", task(0, "UNKNOWN", containerExitCode=0, containerCompletedTimestamp=CREATED + 90)),
    )),
    ("errors in between", [job(1, detail()), Observation(2, "getJob", "alice~job", None, None, 500, {}), job(3, detail())]),
    ("progress may fall", story(detail(appProgress=0.5), detail(appProgress=0.1))),
    ("a task retried", story(
        detail("ApplicationRunning", task()),
        detail("ApplicationRunning", task(0, "WAITING", containerId=None, containerLaunchedTimestamp=0, retryDetails={"user": 1, "platform": 0, "unknown": 0})),
    )),
    ("no retry state of tasks", story(*2 * [detail("ApplicationRunning", task(retryDetails={"user": "N/A", "platform": "N/A", "unknown": "N/A"}))])),
    ("tasks settle after the end", story(detail("FrameworkCompleted", task()), detail("FrameworkCompleted", task(0, "SUCCEEDED")))),
    ("scaled down", story(
        detail("ApplicationRunning", task(0), task(1)), detail("ApplicationRunning", task(0), task(1), appliedCpuNumber=1),
        detail("ApplicationRunning", task(0), appliedCpuNumber=1),
    )),
    ("the resource manager goes on counting", story(detail("FrameworkCompleted", allocatedMB=512), detail("FrameworkCompleted", allocatedMB=0))),
    ("stopped after the end", story(detail("FrameworkCompleted", executionType="START"), detail("FrameworkCompleted", executionType="STOP"))),
    ("stopped before it had an application", story(detail("FrameworkCompleted", appExitCode=-7351, state="STOPPED", attemptState="STOPPED", appLaunchedTime=0))),
    ("a private stop code", story(detail("FrameworkCompleted", task(0, "STOPPED", containerExitCode=-170091), appExitCode=-170090, state="STOPPED", attemptState="STOPPED"))),
    ("a past attempt", [job(2, attempt_1()), attempts(2, 0, 1), attempt(2, 0, attempt_detail(detail("ApplicationCompleted", appExitCode=1, attemptState="FAILED")))]),
    ("the summary of a finished job", [attempt(1, 0, attempt_detail(detail("FrameworkCompleted")))]),
    ("a gap in the list", [job(1, attempt_1()), attempts(1, 1), job(2, attempt_1()), attempts(2, 0, 1)]),
    ("the list before the retry is seen", [job(1, detail()), attempts(2, 0, 1), job(3, attempt_1()), attempts(3, 0, 1)]),
    ("lists of a job that is gone", [job(1, attempt_1()), attempts(1, 0, 1), job(2, None), attempts(2), versions(2)]),
    ("lists of a past version", [job(1, detail(version=2)), versions(1, 1, 2), attempts(1, 0, 1, version=1), attempts(1, 0, version=2)]),
    ("nothing listed", [job(1, detail()), attempts(1)]),
    ("a detail that failed", [job(1, detail()), Observation(1, "getAttempt", "alice~job", None, 0, 500, {})]),
    ("lists that failed", [Observation(1, operation, "alice~job", None, None, 500, {}) for operation in ("getAttempts", "getVersions")]),
    ("the other style's keys", [job(1, detail()), attempts(1, 0, key="attempts"), versions(1, 1, key="versions")]),
    ("another name", [job(1, detail("FrameworkCompleted")), Observation(2, "getJob", "bob~job", None, None, 200, detail())]),
]  # fmt: skip


@pytest.mark.parametrize("history", [h for _, h in ALLOWED], ids=[what for what, _ in ALLOWED])
def test_what_the_laws_allow_is_not_caught(history: list[Observation]) -> None:
    assert check(history) == []


@given(st.data())
def test_the_order_in_which_observations_are_handed_over_changes_nothing(data: st.DataObject) -> None:
    history = data.draw(st.sampled_from([h for _, _, h in BROKEN]))
    shuffled = data.draw(st.permutations(history))
    assert sorted(map(str, check(shuffled))) == sorted(map(str, check(history)))


def test_sub_states_are_the_framework_states_in_pascal_case() -> None:
    assert set(SUB_STATES) == {
        "FrameworkWaiting", "ApplicationCreated", "ApplicationLaunched", "ApplicationWaiting", "ApplicationRunning",
        "ApplicationRetrievingDiagnostics", "ApplicationCompleted", "FrameworkCompleted",
    }  # fmt: skip
