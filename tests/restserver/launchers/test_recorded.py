"""What a recorded launcher answers, on the recordings of a real one and on made ones."""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random

import pytest

from contracts.clock import Instant, VirtualClock
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import (
    Answer,
    Ask,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from contracts.launcher.timelines import Recordings, read_recordings
from restserver.launchers.recorded import SHIPPED, RecordedLauncher, RecordedResourceManager
from tests.contracts.recording_lines import NOT_FOUND, exchange, framework, write

ASK = Ask()
FOLDER = Path("fixtures/recordings")


@lru_cache
def recording(name: str) -> Recordings:
    return read_recordings(FOLDER / f"{name}.jsonl.gz")


class World:
    """A recorded launcher and the clock it goes by."""

    def __init__(self, recordings: Recordings) -> None:
        self.recordings = recordings
        self.clock = VirtualClock(recordings.last, frozen=True)
        self.launcher = RecordedLauncher(recordings, self.clock)
        self.resource_manager = RecordedResourceManager(recordings, self.clock)

    def at(self, instant: Instant) -> RecordedLauncher:
        self.clock.set(instant)
        return self.launcher


def world(name: str) -> World:
    return World(recording(name))


def made(tmp_path: Path, *exchanges: object) -> World:
    write(tmp_path / "made.jsonl", *exchanges)  # type: ignore[arg-type] # exchanges, as the helper makes them
    return World(read_recordings(tmp_path))


def body_of(name: str, position: int) -> str:
    line = recording(name).frameworks[f"alice~{name}"]
    return [said.body for said in line.said if said.status == 200][position]


COMPLETED = "s01a-succeed-1task"


def test_without_a_word_it_stands_at_the_end_of_the_recording() -> None:
    answer = world(COMPLETED).launcher.framework(f"alice~{COMPLETED}", ASK)
    assert answer.value.status.state is FrameworkState.FRAMEWORK_COMPLETED
    assert answer.until is None


def test_a_life_is_seen_again_by_moving_the_clock() -> None:
    replayed = world(COMPLETED)
    name = f"alice~{COMPLETED}"
    states = [
        replayed.at(instant).framework(name, ASK).value.status.state.value
        for instant in replayed.recordings.instants(name)[1:]
    ]
    assert [state for n, state in enumerate(states) if state != states[n - 1] or not n] == [
        "FRAMEWORK_WAITING",
        "APPLICATION_CREATED",
        "APPLICATION_WAITING",
        "APPLICATION_RUNNING",
        "FRAMEWORK_COMPLETED",
    ]


def test_an_answer_holds_until_the_next_recorded_change() -> None:
    replayed = world(COMPLETED)
    name = f"alice~{COMPLETED}"
    first, second, third = replayed.recordings.instants(name)[1:4]
    early, late, after = (replayed.at(instant).framework(name, ASK) for instant in (first, second - 1, second))
    assert early == late
    assert early.until == second
    assert after.until == third
    assert after.edition != early.edition


def test_what_says_that_it_holds_would_be_answered_forwards_and_backwards() -> None:
    shipped = World(read_recordings(SHIPPED))
    dice = Random(1)
    held = 0
    for name, timeline in shipped.recordings.frameworks.items():
        for _ in range(60):
            instants = [dice.choice(timeline.instants) + dice.choice((-1, 0, 1, 1000)) for _ in range(2)]
            for question in (lambda one: one.framework(name, ASK), lambda one: one.attempts(name, None, ASK)):  # noqa: B023 - asked while the name is this one
                before, now = (answered(question, shipped.at(instant)) for instant in instants)
                if before is not None and before.holds is not None and before.holds():
                    assert before == now
                    held += 1
    assert held > 100


def answered(
    question: Callable[[RecordedLauncher], Answer[object]], launcher: RecordedLauncher
) -> Answer[object] | None:
    try:
        return question(launcher)
    except LauncherError:
        return None


def test_a_framework_that_was_not_recorded_yet_is_unknown() -> None:
    replayed = world(COMPLETED)
    name = f"alice~{COMPLETED}"
    not_found, first = replayed.recordings.instants(name)[:2]
    for instant in (not_found - 1, not_found, first - 1):
        assert_unknown(replayed.at(instant), name)


def assert_unknown(launcher: RecordedLauncher, name: str) -> None:
    with pytest.raises(NoSuchFramework):
        launcher.framework(name, ASK)
    with pytest.raises(NoSuchFramework):
        launcher.versions(name, ASK)
    with pytest.raises(NoSuchVersion) as no_version:
        launcher.attempts(name, None, ASK)
    assert no_version.value == NoSuchVersion(name, None)
    with pytest.raises(NoSuchAttempt) as no_attempt:
        launcher.attempt(name, 0, 1, ASK)
    assert no_attempt.value == NoSuchAttempt(name, 1, 0)
    assert not list(launcher.summaries(ASK))


def test_names_that_occur_only_in_lists_are_unknown() -> None:
    launcher = world("s17a-list-over-time").launcher
    assert {summary.name for summary in launcher.summaries(ASK)} == {"dave~list-0", "dave~list-2"}
    everyone = read_recordings(FOLDER / "s13-many-frameworks-note.jsonl.gz")
    with pytest.raises(NoSuchFramework):
        World(everyone).launcher.framework("many~0", ASK)


def test_retries_are_past_attempts_told_just_before_the_retry() -> None:
    name = "alice~s03f-fw-plain-max2-transient"
    launcher = world("s03f-fw-plain-max2-transient").launcher
    assert launcher.attempts(name, None, ASK).value == (0, 1, 2)
    told = [launcher.attempt(name, attempt, None, ASK).value.status for attempt in (0, 1, 2)]
    assert [status.retries.total for status in told] == [0, 1, 2]
    assert len({status.application_id for status in told}) == 3
    # A retry came between two looks, so the recorder saw no end of the first two.
    assert [status.state.value for status in told] == [
        "APPLICATION_RUNNING",
        "APPLICATION_RUNNING",
        "FRAMEWORK_COMPLETED",
    ]
    assert [status.completed_timestamp is None for status in told] == [True, True, False]
    assert launcher.attempt(name, 2, None, ASK) == launcher.framework(name, ASK)


def test_a_past_attempt_seen_in_back_off_has_its_end() -> None:
    name = "alice~s08w2-gang-timeout-fancy-backoff"
    launcher = world("s08w2-gang-timeout-fancy-backoff").launcher
    past = launcher.attempt(name, 0, None, ASK).value.status
    assert past.state is FrameworkState.APPLICATION_COMPLETED
    assert past.application_exit_code == -7252
    assert past.completed_timestamp is None


def test_past_attempts_are_those_seen_by_then() -> None:
    replayed = world("s03f-fw-plain-max2-transient")
    name = "alice~s03f-fw-plain-max2-transient"
    seen = [replayed.at(instant).attempts(name, None, ASK).value for instant in replayed.recordings.instants(name)[1:]]
    assert sorted(set(seen)) == [(0,), (0, 1), (0, 1, 2)]
    assert seen == sorted(seen)


def test_an_upgrade_and_the_way_back_down_are_versions_and_the_newest_run_answers() -> None:
    name = "alice~s06a-upgrade-while-running-then-lower"
    launcher = world("s06a-upgrade-while-running-then-lower").launcher
    assert launcher.versions(name, ASK).value == (1, 2)
    now = launcher.framework(name, ASK).value
    assert now.status.version == 1
    assert launcher.attempt(name, 0, None, ASK).value == launcher.attempt(name, 0, 1, ASK).value == now
    left = launcher.attempt(name, 0, 2, ASK).value.status
    assert (left.version, left.state) == (2, FrameworkState.APPLICATION_RUNNING)


def test_a_version_that_was_left_after_its_end_keeps_its_end() -> None:
    name = "alice~s06c-put-after-completed-same-and-new-version"
    launcher = world("s06c-put-after-completed-same-and-new-version").launcher
    assert launcher.versions(name, ASK).value == (10, 11)
    left = launcher.attempt(name, 0, 10, ASK).value.status
    assert (left.state, left.application_exit_code) == (FrameworkState.FRAMEWORK_COMPLETED, 3)


@pytest.mark.parametrize(("version", "attempt"), [(None, 1), (1, 5), (7, 0), (-1, 0)])
def test_what_was_not_seen_of_a_known_framework_is_unknown(version: int | None, attempt: int) -> None:
    name = f"alice~{COMPLETED}"
    with pytest.raises(NoSuchAttempt) as raised:
        world(COMPLETED).launcher.attempt(name, attempt, version, ASK)
    assert raised.value == NoSuchAttempt(name, 1 if version is None else version, attempt)


def test_a_version_that_was_not_seen_has_no_attempts() -> None:
    with pytest.raises(NoSuchVersion) as raised:
        world(COMPLETED).launcher.attempts(f"alice~{COMPLETED}", 7, ASK)
    assert raised.value == NoSuchVersion(f"alice~{COMPLETED}", 7)


def test_a_framework_seen_to_vanish_is_unknown_from_then_on_but_its_past_is_told() -> None:
    launcher = world("s05h-parent-stop-cascade").launcher
    name = "alice~parent-h"
    with pytest.raises(NoSuchFramework):
        launcher.framework(name, ASK)
    assert launcher.versions(name, ASK).value == (1,)
    assert launcher.attempts(name, None, ASK).value == (0,)
    last = launcher.attempt(name, 0, None, ASK).value.status
    assert last.state is FrameworkState.FRAMEWORK_COMPLETED
    assert name not in {summary.name for summary in launcher.summaries(ASK)}
    with pytest.raises(NoSuchAttempt) as raised:
        launcher.attempt(name, 1, None, ASK)
    assert raised.value.version == 1


def test_a_framework_that_was_deleted_and_put_again_is_another_one() -> None:
    replayed = world("s07a-delete-while-running-resubmit")
    name = "alice~s07a-delete-while-running-resubmit"
    versions = {
        replayed.at(instant).attempt(name, 0, None, ASK).value.status.created_timestamp
        for instant in replayed.recordings.instants(name)[1:]
    }
    assert len(versions) == 2


def test_a_delete_that_the_launcher_never_noticed_is_the_same_framework() -> None:
    launcher = world("s07b-delete-and-put-at-once").launcher
    name = "alice~s07b-delete-and-put-at-once"
    assert launcher.attempts(name, None, ASK).value == (0,)
    assert launcher.framework(name, ASK) == launcher.attempt(name, 0, None, ASK)


def test_while_nothing_answered_the_launcher_is_unavailable_and_then_it_is_back() -> None:
    replayed = world("s14a-launcher-restart")
    name = "alice~restart-running"
    line = replayed.recordings.frameworks[name]
    position = next(n for n, said in enumerate(line.said) if said.status is None)
    launcher = replayed.at(line.instants[position])
    for ask in (
        lambda: launcher.framework(name, ASK),
        lambda: launcher.attempt(name, 0, None, ASK),
        lambda: launcher.attempts(name, None, ASK),
        lambda: launcher.versions(name, ASK),
    ):
        with pytest.raises(LauncherUnavailable, match="did not answer when this was recorded"):
            ask()
    replayed.clock.set(line.instants[position + 1])
    assert launcher.framework(name, ASK).value.status.state is FrameworkState.APPLICATION_RUNNING


def test_an_error_of_the_launcher_is_told_as_it_was_told(tmp_path: Path) -> None:
    refused = '{"exception": "X", "message": "too much\\n\\tat somewhere", "javaClassName": "X"}'
    replayed = made(
        tmp_path,
        framework(1, "a", refused, status=503, headers={"Retry-After": "9"}),
        framework(2, "a", "<html>no such page</html>", status=404),
    )
    with pytest.raises(LauncherRefused) as raised:
        replayed.at(1).framework("a", ASK)
    assert (raised.value.status, raised.value.retry_after) == (503, "9")
    assert (raised.value.message or "").startswith("too much")
    # A page of some other server says nothing about frameworks.
    with pytest.raises(LauncherRefused) as raised:
        replayed.at(2).framework("a", ASK)
    assert raised.value.status == 404


def test_an_unreadable_answer_is_one_clear_error_and_leaves_no_trace_in_the_past(tmp_path: Path) -> None:
    name = f"alice~{COMPLETED}"
    replayed = made(
        tmp_path,
        framework(1, name, body_of(COMPLETED, 0)),
        framework(2, name, "oops"),
        framework(3, name, body_of(COMPLETED, -1)),
    )
    for ask in (
        lambda: replayed.at(2).framework(name, ASK),
        lambda: replayed.at(2).attempts(name, None, ASK),
        lambda: replayed.at(2).versions(name, ASK),
    ):
        with pytest.raises(LauncherUnreadable):
            ask()
    assert not list(replayed.at(2).summaries(ASK))
    assert replayed.at(3).attempts(name, None, ASK).value == (0,)


def test_an_answer_about_another_framework_is_unreadable(tmp_path: Path) -> None:
    replayed = made(tmp_path, framework(1, "a", body_of(COMPLETED, 0)))
    with pytest.raises(LauncherUnreadable, match="another framework"):
        replayed.launcher.framework("a", ASK)


def test_it_is_always_ready() -> None:
    world("s14a-launcher-restart").launcher.ready(ASK)


def test_it_tells_which_recording_it_speaks_from(tmp_path: Path) -> None:
    assert world(COMPLETED).launcher.recording_of(f"alice~{COMPLETED}") == COMPLETED
    assert world(COMPLETED).launcher.recording_of("nobody") is None
    write(tmp_path / "a.jsonl", framework(10, "a", NOT_FOUND, status=404))
    write(tmp_path / "b.jsonl", framework(20, "a", "{ }"))
    replayed = World(read_recordings(tmp_path))
    assert [replayed.at(instant).recording_of("a") for instant in (5, 10, 20)] == ["a", "a", "b"]


def test_the_resource_manager_is_what_was_recorded_of_it() -> None:
    replayed = world("s01b-succeed-2tasks")
    ((id_, line),) = replayed.recordings.applications.items()
    answers = []
    for instant in (line.instants[0] - 1, *line.instants):
        replayed.clock.set(instant)
        answers.append(replayed.resource_manager.application(id_, ASK))
    assert answers[0].value is None
    assert answers[0].until == line.instants[0]
    told = [answer.value for answer in answers if answer.value is not None]
    assert max(figures.running_containers for figures in told) >= 3
    assert told[-1].running_containers == 0
    assert len({answer.edition for answer in answers if answer.value is not None}) == len(told)


def test_an_application_the_resource_manager_did_not_know_or_could_not_tell_has_no_figures(tmp_path: Path) -> None:
    path = "/ws/v1/cluster/apps/application_1_0001"
    replayed = made(
        tmp_path,
        exchange(1, path, '{"RemoteException":{"message":"no"}}', source="rm", status=404),
        exchange(2, path, "oops", source="rm"),
        exchange(3, path, "", source="rm", status=None, reason="refused"),
    )
    for instant, until in ((1, 2), (2, 3), (3, None)):
        replayed.clock.set(instant)
        answer = replayed.resource_manager.application("application_1_0001", ASK)
        assert (answer.value, answer.until) == (None, until)
    assert replayed.resource_manager.application("application_9_0009", ASK).value is None


def test_an_application_that_only_a_list_shows_is_told_from_it() -> None:
    replayed = world("s16b-rm-application-list")
    listed = {
        id_
        for said in replayed.recordings.application_lists.said
        for id_ in re.findall(r'"id":"(application\w+)"', said.body)
    }
    assert listed
    for id_ in sorted(listed)[:5]:
        assert replayed.resource_manager.application(id_, ASK).value is not None
    replayed.clock.set(replayed.recordings.first - 1)
    answer = replayed.resource_manager.application(min(listed), ASK)
    assert (answer.value, answer.until) == (None, replayed.recordings.first)


def test_applications_are_each_told_as_they_were_seen_last(tmp_path: Path) -> None:
    single = next(said for said in recording("s01b-succeed-2tasks").applications.values()).said
    app = json.loads(next(said.body for said in reversed(single) if said.status == 200))["app"]
    older, other = app | {"diagnostics": "older"}, app | {"id": "application_1_0002", "startedTime": 5}
    path = f"/ws/v1/cluster/apps/{app['id']}"
    replayed = made(
        tmp_path,
        exchange(1, path, json.dumps({"app": older}), source="rm"),
        exchange(2, "/ws/v1/cluster/apps", json.dumps({"apps": {"app": [app, other]}}), source="rm"),
        exchange(3, "/ws/v1/cluster/apps", '{"apps":null}', source="rm"),
        exchange(4, "/ws/v1/cluster/apps", "oops", source="rm"),
        exchange(4, path, "", source="rm", status=404),
        exchange(5, path, json.dumps({"app": app | {"diagnostics": "newest"}}), source="rm"),
    )
    replayed.clock.set(4)
    told = {one.id: one for one in replayed.resource_manager.applications(0, ASK)}
    assert set(told) == {app["id"], "application_1_0002"}
    assert told[app["id"]].diagnostics == app["diagnostics"]
    assert [one.id for one in replayed.resource_manager.applications(6, ASK)] == [app["id"]]
    replayed.clock.set(5)
    newest = {one.id: one.diagnostics for one in replayed.resource_manager.applications(0, ASK)}
    assert newest[app["id"]] == "newest"
    replayed.clock.set(1)
    assert [one.diagnostics for one in replayed.resource_manager.applications(0, ASK)] == ["older"]
    replayed.clock.set(0)
    assert not list(replayed.resource_manager.applications(0, ASK))


@pytest.mark.no_cover
def test_what_is_kept_decoded_is_bounded() -> None:
    everything = World(read_recordings(FOLDER))
    assert len(list(everything.launcher.summaries(ASK))) > 100
    first = everything.launcher.framework(f"alice~{COMPLETED}", ASK).value
    assert everything.launcher.framework(f"alice~{COMPLETED}", ASK).value is first


def test_a_dozen_recordings_come_with_the_package() -> None:
    shipped = read_recordings(SHIPPED)
    assert len(list(SHIPPED.glob("*.jsonl.gz"))) == 12
    assert len(list(World(shipped).launcher.summaries(ASK))) >= 12
