"""Simulator to real: every kind of drift is found on a recording that was changed on purpose; unchanged ones are clean."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from contracts.harness.drift import comparing, delays
from contracts.harness.drift.findings import Comparison
from contracts.harness.drift.recorded import recorded
from contracts.harness.drift.sides import Real, Silence
from contracts.harness.observations import GET_JOB, Observation
from restserver.commands.drift import _Sides
from restserver.launchers.recorded import SHIPPED
from tests.harness.drifted import Change, Json, changed, everything, found, nobody, real_of, side

SUCCEEDED = "alice~s01b-succeed-2tasks"
FAILED = "alice~s02d-exit2-stderr"
RETRIED = "alice~s03f-fw-plain-max2-transient"
TASK_RETRIED = "alice~s03t-task-plain-max3-transient"
STOPPED = "alice~s05a-stop-while-running"
GANG = "alice~s08w1-gang-timeout-plain"
BACKED_OFF = "alice~s08w2-gang-timeout-fancy-backoff"
MEMORY = "alice~s10f-physical-memory-exceeded"
KILLED = "alice~s11a-rm-kill-plain"

F = "aggregatedFrameworkStatus"


def status(document: Json) -> Json:
    return document[F]["frameworkStatus"]


def summary(document: Json) -> Json:
    return document["summarizedFrameworkInfo"]


def tasks(document: Json) -> list[Json]:
    roles = document[F]["aggregatedTaskRoleStatuses"]
    return [task for role in roles.values() for task in role["taskStatuses"]["taskStatusArray"]]


def of_status(**values: object) -> Change:
    return lambda document, _: status(document).update(values)


def at_the_end(**values: object) -> Change:
    def change(document: Json, left: int) -> None:
        if not left:
            status(document).update(values)
            summary(document).update({key: value for key, value in values.items() if key in summary(document)})

    return change


def of_tasks(choose: Callable[[Json], bool] = lambda task: True, **values: object) -> Change:
    def change(document: Json, _: int) -> None:
        for task in filter(choose, tasks(document)):
            task.update(values)

    return change


def moved(field: str, by: int, *, only_last: bool = False) -> Change:
    def change(document: Json, left: int) -> None:
        if status(document)[field] is not None and not (only_last and left):
            status(document)[field] += by
            if field in summary(document):
                summary(document)[field] += by

    return change


def running(task: Json) -> bool:
    return bool(task["taskState"] == "CONTAINER_RUNNING")


def exited(task: Json) -> bool:
    return task["containerExitCode"] not in (None, -7400)


def without_a_key(document: Json, _: int) -> None:
    del status(document)["applicationProgress"]


def with_a_key(document: Json, _: int) -> None:
    status(document)["applicationPriority"] = 3


def retries(**counters: int) -> Change:
    def change(document: Json, left: int) -> None:
        if not left:
            for part in (status(document), summary(document)):
                part["frameworkRetryPolicyState"].update(counters)

    return change


def task_retries(**counters: int) -> Change:
    def change(document: Json, left: int) -> None:
        for task in tasks(document):
            if not left:
                task["taskRetryPolicyState"].update(counters)

    return change


def policy(**values: object) -> Change:
    def change(document: Json, _: int) -> None:
        request = document["aggregatedFrameworkRequest"]["frameworkRequest"]["frameworkDescriptor"]
        request["retryPolicy"].update(values)

    return change


def no_second_task(document: Json, _: int) -> None:
    for role in document[F]["aggregatedTaskRoleStatuses"].values():
        told = role["taskStatuses"]["taskStatusArray"]
        if len(told) > 1:
            told[1]["taskIndex"] = 7


def counted_otherwise(document: Json, _: int) -> None:
    """A conflict that was seen raises the counter of unknown causes."""
    for part in (status(document), summary(document)):
        counters = part["frameworkRetryPolicyState"]
        counters["unKnownRetriedCount"], counters["transientConflictRetriedCount"] = (
            counters["transientConflictRetriedCount"],
            0,
        )


DRIFTS: Mapping[str, tuple[str, Change, str]] = {
    "a key dropped": (SUCCEEDED, without_a_key, "simulator-real/key/.aggregatedFrameworkStatus.frameworkStatus.applicationProgress"),
    "a key added": (SUCCEEDED, with_a_key, "simulator-real/key/.aggregatedFrameworkStatus.frameworkStatus.applicationPriority"),
    "a number as text": (SUCCEEDED, of_status(frameworkVersion="1"), "simulator-real/type/"),
    "a word nobody knows": (SUCCEEDED, at_the_end(frameworkState="FRAMEWORK_PAUSED"), "simulator-real/word/"),
    "another state nobody knows": (SUCCEEDED, at_the_end(frameworkState="FRAMEWORK_PAUSED"), "simulator-real/law-L1/UNKNOWN"),
    "a task state nobody knows": (SUCCEEDED, of_tasks(running, taskState="CONTAINER_PAUSED"), "simulator-real/law-L5/UNKNOWN"),
    "null where it never is": (SUCCEEDED, of_tasks(running, containerIp=None), "simulator-real/null/CONTAINER_RUNNING-containerIp".replace("containerIp", "container_ip")),
    "set where it never is": (SUCCEEDED, of_tasks(running, containerExitCode=0), "simulator-real/null/CONTAINER_RUNNING-container_exit_code"),
    "a way that the table has not": (SUCCEEDED, at_the_end(frameworkState="APPLICATION_CREATED"), "simulator-real/law-L1/"),
    "a counter more than its sum": (RETRIED, retries(retriedCount=9), "simulator-real/law-L2/sum-of-the-counters"),
    "a counter that falls": (RETRIED, retries(transientNormalRetriedCount=1), "simulator-real/law-L2/transient_normal"),
    "a retry too many": (SUCCEEDED, retries(unKnownRetriedCount=1, retriedCount=1), "simulator-real/retry-rule/"),
    "a counter of another kind": (BACKED_OFF, counted_otherwise, "simulator-real/retry-rule/framework-counted-TRANSIENT_CONFLICT"),
    "a counter of a task": (TASK_RETRIED, task_retries(retriedCount=9), "simulator-real/law-L2/sum-of-the-counters"),
    "a retry that the policy forbids": (RETRIED, policy(maxRetryCount=0), "simulator-real/retry-rule/framework-retried-"),
    "an end that the policy forbids": (RETRIED, policy(maxRetryCount=-1), "simulator-real/retry-rule/framework-ended-"),
    "a change after the end": (STOPPED, at_the_end(applicationProgress=0.25), "simulator-real/law-L3/status"),
    "something before the creation": (SUCCEEDED, of_status(applicationLaunchedTimestamp=1_000_000), "simulator-real/law-L4/"),
    "a launch that moves": (SUCCEEDED, moved("applicationLaunchedTimestamp", 5, only_last=True), "simulator-real/law-L5/launch"),
    "a container that moves": (STOPPED, lambda document, left: of_tasks(containerLaunchedTimestamp=1_795_465_440_000 + left)(document, left), "simulator-real/law-L6/"),
    "a task that is not dense": (SUCCEEDED, no_second_task, "simulator-real/tasks/dense"),
    "half a trigger": (FAILED, at_the_end(applicationExitTriggerTaskRoleName=None), "simulator-real/tasks/half-a-trigger"),
    "a launch too late": (SUCCEEDED, moved("applicationLaunchedTimestamp", 60_000), "simulator-real/delay/"),
    "an end too late": (FAILED, moved("frameworkCompletedTimestamp", 5_000), "simulator-real/delay/from-the-end-of-the-application"),
    "a back-off too short": (BACKED_OFF, moved("applicationLaunchedTimestamp", -18_500), "simulator-real/delay/"),
    "another address": (SUCCEEDED, of_status(applicationTrackingUrl="http://rm.example/apps/1"), "simulator-real/text/application_tracking_url"),
    "another application's address": (SUCCEEDED, of_status(applicationTrackingUrl="http://rm.example/proxy/application_1795464678844_9999/"), "simulator-real/text/application_tracking_url"),
    "another kind of id": (SUCCEEDED, of_tasks(running, containerId="pod-1"), "simulator-real/text/container_id"),
    "another log address": (SUCCEEDED, of_tasks(running, containerLogHttpAddress="http://node-1.cluster.example/logs"), "simulator-real/text/container_log_http_address"),
    "ports in another form": (SUCCEEDED, of_tasks(running, containerPorts="ssh=22"), "simulator-real/text/container_ports"),
    "another trigger": (FAILED, at_the_end(applicationExitTriggerMessage="It failed"), "simulator-real/text/application_exit_trigger_message"),
    "another exit type": (MEMORY, of_tasks(exited, containerExitType="TRANSIENT_NORMAL"), "simulator-real/text/exit-type-of-7122".replace("of-", "of--")),
    "another description": (MEMORY, at_the_end(applicationExitDescription="Too much"), "simulator-real/text/exit-description-of"),
    "diagnostics in another form": (FAILED, at_the_end(applicationExitDiagnostics="[node-1] exit 2"), "simulator-real/text/diagnostics-of-a-program"),
    "diagnostics of another exit": (FAILED, at_the_end(applicationExitCode=3), "simulator-real/text/diagnostics-of-a-program"),
    "a success with a text": (SUCCEEDED, at_the_end(applicationExitDiagnostics="fine"), "simulator-real/text/diagnostics-of-0"),
    "another gang text": (GANG, at_the_end(applicationExitDiagnostics="gave up"), "simulator-real/text/diagnostics-of"),
    "another kill text": (KILLED, at_the_end(applicationExitDiagnostics="killed"), "simulator-real/text/diagnostics-of"),
    "a type that no table gives": (FAILED, at_the_end(applicationExitType="TRANSIENT_NORMAL"), "simulator-real/text/exit-type-of-a-program"),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
def test_each_kind_of_drift_is_found(drift: str) -> None:
    name, change, expected = DRIFTS[drift]
    ids = found(changed(real_of(name), change))
    assert any(one.startswith(expected) for one in ids), sorted(ids)


@pytest.mark.no_cover
def test_what_was_not_changed_is_clean() -> None:
    names = [SUCCEEDED, FAILED, RETRIED, TASK_RETRIED, STOPPED, GANG, BACKED_OFF, MEMORY, KILLED]
    assert found(real_of(*names)) == {}


def test_the_shipped_recordings_are_clean_answers_and_all() -> None:
    compared = comparing.simulator_to_real(side(), recorded(SHIPPED), _Sides().present)
    assert compared.findings == ()
    assert compared.notes == ()
    assert "12 recordings" in (compared.looked_at or "")


@pytest.mark.no_cover
def test_all_recordings_are_clean() -> None:
    assert {one: finding.what for one, finding in found(everything()).items()} == {}


def late_looks(real: Real, by: int, unseen: int | None = None) -> Real:
    """Every look so much later; ``unseen``: and nobody had looked for so long."""
    said = [
        structs.replace(one, instant=one.instant + by, before=None if unseen is None else one.instant + by - unseen)
        for one in real.said[SUCCEEDED]
    ]
    return replace(real, said={SUCCEEDED: said}, silences=())


def test_a_look_that_comes_too_late_is_a_delay() -> None:
    ids = found(late_looks(real_of(SUCCEEDED), 600_000))
    assert any("look-that-does-not-show-it" in one for one in ids), sorted(ids)


def test_a_look_that_comes_late_is_one_of_a_launcher_set_up_otherwise_unless_a_profile_says_how_it_is() -> None:
    real = late_looks(real_of(SUCCEEDED), 60_000)
    assert found(real) == {}
    odd, unjudged = delays.delays(real, side().paces, others=False)
    assert any("does not show it yet" in one.where for one in odd)
    assert unjudged == []


def test_a_look_before_what_it_shows_is_a_delay() -> None:
    ids = found(late_looks(real_of(SUCCEEDED), -10_000))
    assert any("the-look-that-shows-it" in one for one in ids), sorted(ids)


def test_a_look_that_comes_late_because_nobody_looked_is_none() -> None:
    """Nor does one that comes late hide that somebody had looked, long after the change, and had not been told."""
    real = real_of(SUCCEEDED)
    assert not any("/delay/" in one for one in found(late_looks(real, 600_000, 600_000)))
    assert any("/delay/" in one for one in found(late_looks(real, 600_000, 300)))


def test_nothing_is_said_of_delays_while_nobody_was_heard() -> None:
    real = changed(real_of(SUCCEEDED), moved("applicationLaunchedTimestamp", 60_000))
    begin, end = real.said[SUCCEEDED][0].instant, real.said[SUCCEEDED][-1].instant
    silent = replace(real, silences=(Silence(begin - 60_000, end + 60_000),))
    assert not any("/delay/" in one for one in found(silent))


def test_an_unreadable_answer_is_a_finding_with_its_place() -> None:
    (finding,) = [
        one
        for one in found(changed(real_of(SUCCEEDED), of_status(frameworkVersion="1"))).values()
        if one.rule == "type"
    ]
    assert "frameworkVersion" in finding.where
    assert finding.place == "contracts/launcher/open_dialect.py"
    assert finding.seen > 1
    assert len(finding.examples) == 3


def test_what_is_not_json_at_all_is_a_finding() -> None:
    real = real_of(SUCCEEDED, FAILED)
    spoiled = [structs.replace(one, body="<html>") for one in real.said[SUCCEEDED] if one.status == 200]
    ids = found(replace(real, said={**real.said, SUCCEEDED: spoiled}))
    assert [one.where for one in ids.values() if one.rule == "type"] == ["$"]


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ({"state": "PAUSED"}, "state"),
        ({"finalStatus": "PERHAPS"}, "finalStatus"),
        ({"finalStatus": "UNDEFINED"}, "finalStatus"),
        ({"finishedTime": 0}, "finishedTime"),
        ({"progress": 250.0}, "progress"),
        ({"name": "[bob~x]_[1]_[CLI]_[h]_[u]"}, "name"),
        ({"user": "mallory"}, "user"),
        ({"progress": "half"}, "apps.app"),
    ],
)  # fmt: skip
def test_what_the_resource_manager_says_otherwise_is_found(change: dict[str, Any], about: str) -> None:
    real = real_of(SUCCEEDED)
    ((identity, told),) = real.applications.items()
    last = [one for one in told if one.status == 200][-1]
    document = json.loads(last.body)
    document["app"].update(change)
    spoiled = replace(
        real,
        applications={identity: [structs.replace(last, body=json.dumps(document)), structs.replace(last, status=404)]},
    )
    ids = found(spoiled)
    assert any(one.startswith("simulator-real/application/") and about in one for one in ids), sorted(ids)


def test_a_history_that_began_before_anybody_looked_says_little_when_replayed() -> None:
    real = real_of(RETRIED)
    told = [
        one
        for one in real.said[RETRIED]
        if '"transientNormalRetriedCount" : 2' in one.body or '"transientNormalRetriedCount":2' in one.body
    ]
    assert told
    late = replace(real, said={RETRIED: told})
    compared = comparing.simulator_to_real(
        side(), changed(late, retries(unKnownRetriedCount=5, retriedCount=7)), nobody
    )
    assert not any(one.rule == "replay" for one in compared.findings)
    assert compared.notes == ("1 of 1 histories: not judged by their replay, since the first attempts were not seen",)


def test_words_of_the_launcher_that_are_only_our_own_are_a_note() -> None:
    spoken = at_the_end(
        applicationExitCode=-7350, applicationExitDescription="Lost it", applicationExitType="TRANSIENT_NORMAL"
    )
    assert any("exit-description" in one for one in found(changed(real_of(STOPPED), spoken)))
    other = at_the_end(
        applicationExitCode=-7250, applicationExitDescription="Oh", applicationExitType="TRANSIENT_NORMAL"
    )
    compared = comparing.simulator_to_real(side(), changed(real_of(STOPPED), other), nobody)
    assert any("words for exit code -7250" in note for note in compared.notes)
    assert not any(one.id.startswith("simulator-real/text/exit-description") for one in compared.findings)


def test_our_answers_about_a_drifted_launcher_are_judged_by_schemas_and_laws() -> None:
    strange = changed(real_of(SUCCEEDED), at_the_end(frameworkVersion=1, applicationProgress=7.0))
    ids = {one.id for one in comparing.simulator_to_real(side(), strange, _Sides().present).findings}
    assert "simulator-real/type/.aggregatedFrameworkStatus.frameworkStatus.applicationProgress" in ids
    ids = {one.id for one in comparing.simulator_to_real(side(), real_of(SUCCEEDED), _in_per_cent).findings}
    assert any(one.startswith("simulator-real/answer-schema-") for one in ids), sorted(ids)
    falling = changed(real_of(RETRIED), retries(transientNormalRetriedCount=1, retriedCount=1))
    ids = {one.id for one in comparing.simulator_to_real(side(), falling, _Sides().present).findings}
    assert any(one.startswith("simulator-real/answer-law/L2") for one in ids), sorted(ids)


def _in_per_cent(real: Real, style: str) -> Sequence[Observation]:
    """What a presenter would answer that takes progress for per cent."""
    told = []
    for one in _Sides().present(real, style):
        status = {**one.body["jobStatus"], "appProgress": 100.0} if one.operation == GET_JOB else None
        told.append(one if status is None else replace(one, body={**one.body, "jobStatus": status}))
    return told


def test_null_in_a_state_that_the_simulator_never_shows_so() -> None:
    from contracts.harness.drift import structure

    real = structure.nullness(everything().histories[SUCCEEDED].records())
    (one,) = structure.nulls_of_real(structure.Nullness({("APPLICATION_RUNNING", "application_id", True): 4}), real)
    assert "never is so there" in one.what
    assert one.comparison is Comparison.SIMULATOR_REAL
    lawful = structure.Nullness({("APPLICATION_COMPLETED", "application_launched_timestamp", True): 4})
    assert list(structure.nulls_of_real(lawful, real)) == []
    assert list(structure.not_shown(lawful, real)) != []


def test_what_a_replay_shows_null_and_the_real_one_never_did_in_that_attempt() -> None:
    from contracts.harness.drift import structure

    real = everything().histories[SUCCEEDED].records()
    other = [structs.replace(one, status=structs.replace(one.status, application_tracking_url=None)) for one in real]
    assert not structure.nulls_of_replay(real, real)
    found = [one.what for one in structure.nulls_of_replays(structure.nulls_of_replay(real, other * 3))]
    assert found == []  # not often enough
    (finding, *_) = structure.nulls_of_replays(structure.nulls_of_replay(real * 5, other))
    assert "application_tracking_url is null in the simulator where the real one had it set" in finding.what


def test_a_real_side_says_what_it_is() -> None:
    assert isinstance(everything(), Real)
    assert everything().was_silent(1_795_466_474_000, 1_795_466_475_000, "any")  # the launcher was restarted
