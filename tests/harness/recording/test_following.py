"""What is asked at each look, and what of it is written: changes, silences, what vanishes, and nothing twice."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from contracts.clock import from_iso
from contracts.harness.recording.files import Limits
from contracts.harness.recording.following import Following
from contracts.harness.recording.running import Plan, record
from contracts.launcher import open_dialect, private_dialect, resource_manager
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.recordings import Exchange, Response, UnreadableRecording, exchanges, files_of
from contracts.launcher.records import Framework
from contracts.launcher.simulated_time import simulated_now
from contracts.launcher.timelines import read_recordings
from tests.stand_ins.known import framework

GONE = Response(404, "Not Found", {}, '{"exception": "NotFoundException", "message": "no"}')
SILENT = Response(None, "The launcher refused the connection.", {}, None)
LIST = open_dialect.FRAMEWORKS_PATH
A, B = framework("alice~a"), framework("bob~b", version=2)
PATH_A, PATH_B = (open_dialect.framework_path(one.summary.name) for one in (A, B))


def ok(document: object) -> Response:
    return Response(200, "OK", {"Content-Type": "application/json"}, json.dumps(document))


def completed(one: Framework) -> Framework:
    state = FrameworkState.FRAMEWORK_COMPLETED
    return replace(one, summary=replace(one.summary, state=state), status=replace(one.status, state=state))


def progressed(one: Framework, progress: float) -> Framework:
    """Its tasks went on: the list says nothing new of it."""
    return replace(one, status=replace(one.status, application_progress=progress))


@dataclass
class Launcher:
    """Says of each path what it is told to say."""

    says: dict[str, Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, source: str, path: str) -> Response:
        self.asked.append(path)
        return self.says.get(path, GONE)

    def has(self, *frameworks: Framework) -> None:
        self.says = {LIST: ok(open_dialect.encode_summaries([one.summary for one in frameworks]))}
        for one in frameworks:
            self.says[open_dialect.framework_path(one.summary.name)] = ok(open_dialect.encode_framework(one))

    def asked_since(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


@dataclass
class Followed:
    launcher: Launcher
    following: Following
    told: list[Exchange]

    def look(self) -> list[tuple[str, int | None]]:
        """What is new: paths and statuses."""
        self.told.clear()
        self.following.look()
        return [(exchange.request.path, exchange.response.status) for exchange in self.told]


@pytest.fixture
def followed() -> Followed:
    return following()


def following(
    launcher: Launcher | None = None, dialect: str = "open", *, rm: bool = False, names: tuple[str, ...] | None = None
) -> Followed:
    launcher, told = launcher or Launcher(), list[Exchange]()
    made = Following(
        dialect, launcher, lambda one: one, told.append, lambda: 1_000, asks_resource_manager=rm, names=names
    )
    return Followed(launcher, made, told)


def test_only_what_changed_is_written(followed: Followed) -> None:
    followed.launcher.has(A, B)
    assert followed.look() == [(LIST, 200), (PATH_A, 200), (PATH_B, 200)]
    assert followed.told[1].request.headers == {"Accept": "application/json"}
    assert followed.look() == []
    followed.launcher.has(A, progressed(B, 0.7))
    assert followed.look() == [(PATH_B, 200)]


def test_what_completed_is_asked_for_once_more_and_then_left_alone(followed: Followed) -> None:
    followed.launcher.has(A, completed(B))
    asked = []
    for _ in range(4):
        followed.look()
        asked.append(followed.launcher.asked_since())
    assert [PATH_B in one for one in asked] == [True, True, False, False]
    assert all(PATH_A in one for one in asked), "what lives is asked for at every look"
    followed.launcher.has(A, completed(framework("bob~b", version=3)))
    assert followed.look() == [(PATH_B, 200)], "an upgrade is seen in the list"


def test_what_vanished_is_seen_to_be_gone_once_and_forgotten(followed: Followed) -> None:
    followed.launcher.has(A, B)
    followed.look()
    followed.launcher.has(A)
    assert followed.look() == [(PATH_B, 404)]
    followed.launcher.asked_since()
    assert followed.look() == []
    assert PATH_B not in followed.launcher.asked_since()
    followed.launcher.has(A, B)
    assert followed.look() == [(PATH_B, 200)], "and told anew when it is there again"


def test_a_silence_is_written_once_for_everything_that_is_asked_in_vain(followed: Followed) -> None:
    followed.launcher.has(A, completed(B))
    for _ in range(3):
        followed.look()
    followed.launcher.says = dict.fromkeys([LIST, PATH_A, PATH_B], SILENT)
    assert followed.look() == [(LIST, None), (PATH_A, None)], "what is over is left alone"
    assert followed.told[0].response.reason == "The launcher refused the connection."
    assert followed.look() == []
    followed.launcher.has(A, completed(B))
    assert followed.look() == [(LIST, 200), (PATH_A, 200)], (
        "the answer that ends it is told, though it says nothing new"
    )


def test_a_list_that_cannot_be_read_is_written_and_what_is_known_is_followed(followed: Followed) -> None:
    followed.launcher.has(A)
    followed.look()
    followed.launcher.says[LIST] = Response(200, "OK", {}, "<html>")
    assert followed.look() == [(LIST, 200)]
    followed.launcher.says[LIST] = Response(500, "No", {}, "")
    followed.launcher.says[PATH_A] = Response(200, "OK", {}, "{}")
    assert followed.look() == [(LIST, 500), (PATH_A, 200)], "whatever it says is what it said"


def test_the_list_is_told_once_in_each_file(followed: Followed) -> None:
    followed.launcher.has(A)
    followed.look()
    followed.launcher.has(A, B)
    assert followed.look() == [(PATH_B, 200)]
    followed.following.new_file()
    assert followed.look() == [(LIST, 200)]


def test_the_resource_manager_is_asked_about_each_application_and_once_more_about_the_one_before() -> None:
    followed = following(rm=True)
    first, second = (framework("alice~a", retries=number) for number in (0, 1))
    paths = [resource_manager.application_path(str(one.status.application_id)) for one in (first, second)]

    def knows(one: Framework, *states: str) -> None:
        followed.launcher.has(one)
        followed.launcher.says |= {
            path: ok({"app": {"state": state}}) for path, state in zip(paths, states, strict=False)
        }

    knows(first, "RUNNING")
    assert followed.look()[2:] == [(paths[0], 200)]
    assert [exchange.source for exchange in followed.told] == ["launcher", "launcher", "rm"]
    knows(second, "FINISHED", "RUNNING")
    assert followed.look() == [(PATH_A, 200), (paths[0], 200), (paths[1], 200)]
    followed.launcher.asked_since()
    followed.look()
    assert paths[0] not in followed.launcher.asked_since()


def test_only_the_frameworks_that_are_named_are_asked_for() -> None:
    followed = following(names=("alice~a", "bob~gone"))
    followed.launcher.has(A, B)
    assert followed.look() == [(PATH_A, 200), ("/v1/Frameworks/bob~gone", 404)]
    assert followed.launcher.asked_since() == [PATH_A, "/v1/Frameworks/bob~gone"]
    assert followed.look() == []


def test_the_private_dialect_tells_its_past_too() -> None:
    followed = following(dialect="private")
    one = framework("alice~a", version=2, retries=1)
    path, versions = private_dialect.framework_path("alice~a"), private_dialect.versions_path("alice~a")
    attempts = private_dialect.attempts_path("alice~a", 2)
    followed.launcher.says = {
        private_dialect.FRAMEWORKS_PATH: ok(private_dialect.encode_summaries([one.summary])),
        path: ok(private_dialect.encode_framework(one)),
        versions: ok({"FrameworkVersions": [1, 2]}),
        attempts: ok({"FrameworkAttempts": [0, 1]}),
        f"{attempts}/0": ok(private_dialect.encode_framework(one)),
    }
    told = followed.look()
    assert (path, 200) in told
    assert (f"{attempts}/0", 200) in told
    assert (private_dialect.attempts_path("alice~a", 1), 404) in told
    assert followed.look() == []


def told_in(folder: Path) -> list[tuple[str, int | None]]:
    found = [one for path in files_of(folder) for one in exchanges(path, lambda warning: None)]
    return [(one.request.path, one.response.status) for one in found]


def recorded(folder: Path, launcher: Launcher, **settings: object) -> None:
    """A run of one look."""
    plan = Plan(folder, "open", interval=0.01, lasting=1, **settings)  # type: ignore[arg-type]  # a test's own settings
    record(plan, launcher, threading.Event())


def test_a_new_start_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    launcher = Launcher()
    launcher.has(A, B)
    recorded(tmp_path, launcher)
    assert told_in(tmp_path) == [(LIST, 200), (PATH_A, 200), (PATH_B, 200)]
    launcher.has(progressed(A, 0.9))
    recorded(tmp_path, launcher)
    assert sorted(told_in(tmp_path)[4:]) == [(PATH_A, 200), (PATH_B, 404)], "what vanished meanwhile is seen to be gone"
    recorded(tmp_path, launcher)
    assert told_in(tmp_path)[6:] in ([(LIST, 200)], [])


def test_pseudonyms_are_gone_on_with_too_and_never_asked_for(tmp_path: Path) -> None:
    launcher = Launcher()
    launcher.has(A, B)
    folder = tmp_path / "out"
    recorded(folder, launcher, anonymise=True)
    before = told_in(folder)
    launcher.has(A, progressed(B, 0.9))
    recorded(folder, launcher, anonymise=True)
    assert set(launcher.asked) == {LIST, PATH_A, PATH_B}
    assert [told for told in told_in(folder)[len(before) :] if told[0] != LIST] == [before[2]]
    assert not any("alice" in path or "bob" in path for path, _ in before)


def test_what_is_no_recording_is_not_gone_on_from(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{}\n")
    with pytest.raises(UnreadableRecording):
        recorded(tmp_path, Launcher())


def test_each_look_ends_a_file_that_is_large(tmp_path: Path) -> None:
    launcher = Launcher()
    launcher.has(A)
    for progress in (0.1, 0.2):
        launcher.has(progressed(A, progress))
        recorded(tmp_path, launcher, limits=Limits(size=1))
    assert len(list(tmp_path.glob("*.gz"))) == 2
    assert [said.status for said in read_recordings(tmp_path).frameworks["alice~a"].said] == [200, 200]


def test_a_stop_ends_a_look(tmp_path: Path) -> None:
    stop, launcher = threading.Event(), Launcher()
    launcher.has(A, B)

    def stopping(source: str, path: str) -> Response:
        stop.set()
        return launcher(source, path)

    done = record(Plan(tmp_path, "open", 0.01, None), stopping, stop)
    assert (done.looks, launcher.asked) == (1, [LIST])


def test_a_change_tells_when_somebody_looked_before_it(followed: Followed) -> None:
    times = iter(range(1_000, 100_000, 1_000))
    followed.following.now = lambda: next(times)
    followed.launcher.has(A)
    followed.look()
    first = followed.told[-1]
    assert first.before is None
    for _ in range(3):
        assert followed.look() == []
    followed.launcher.has(progressed(A, 0.7))
    followed.look()
    change = followed.told[-1]
    assert change.before is not None
    assert first.instant < change.before < change.instant, "the last look that still saw nothing new, not the first"
    followed.launcher.says = dict.fromkeys((LIST, PATH_A), SILENT)
    followed.look()
    followed.launcher.has(progressed(A, 0.8))
    followed.look()
    assert followed.told[-1].before == change.instant, "a silence is no look"


def test_what_a_simulated_launcher_says_is_dated_by_its_own_clock(followed: Followed) -> None:
    followed.launcher.has(A)
    told = {"X-Simulated": "seed=7; now=2026-03-01T12:00:00.250Z"}
    followed.launcher.says[PATH_A] = replace(followed.launcher.says[PATH_A], headers=told)
    followed.look()
    assert [one.instant for one in followed.told] == [1_000, from_iso("2026-03-01T12:00:00.250Z")]


@pytest.mark.parametrize("told", ["", "seed=7", "seed=7; now=soon", ["seed=7", "seed=8"]])
def test_a_clock_that_cannot_be_read_is_not_gone_by(told: str | list[str]) -> None:
    assert simulated_now([("x-simulated", told)]) is None
