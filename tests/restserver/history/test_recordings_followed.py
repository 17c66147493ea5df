"""A real launcher's recordings, polled at several paces: the history against what a recorder saw every 0.3 seconds.

The resource manager here knows every application of the recordings, each as it was at the instant of the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

from contracts.clock import Milliseconds, VirtualClock
from contracts.launcher.port import Ask, NoSuchAttempt, NoSuchFramework
from contracts.launcher.recordings import name_of
from contracts.launcher.records import Application
from contracts.launcher.resource_manager import exit_report, framework_of
from contracts.launcher.timelines import Recordings, read_recordings
from restserver.history.follower import Follower
from restserver.history.recovery import Recovery
from restserver.history.remembering import Remembering
from restserver.history.schema import Mark
from restserver.history.store import Past, Store
from restserver.launchers.recorded import RecordedLauncher, RecordedResourceManager
from tests.restserver.history.telling import ONE_BATCH, Listing, database

FOLDER = Path("fixtures/recordings")
ASK = Ask()
LONG_AFTER: Milliseconds = 300_000
RETRIED = (
    "s03f-fw-fancy-max2-transient",
    "s03f-fw-plain-max-2-succeeded",
    "s03m-both-levels-plain-1-1-unknown",
    "s05d-submit-as-STOP-then-new-version-START",
    "s06a-upgrade-while-running-then-lower",
    "s06c-put-after-completed-same-and-new-version",
    "s07a-delete-while-running-resubmit",
    "s07b-delete-and-put-at-once",
    "s08w2-gang-timeout-fancy-backoff",
    "s14a-launcher-restart",
    "s18a-retention-20s-and-task-limit-10",
    "s22-random-01",
)
PACES: tuple[Milliseconds, ...] = (300, 1_000, 5_000, 30_000)


@cache
def everything() -> Recordings:
    return read_recordings(FOLDER)


@cache
def applications() -> tuple[Application, ...]:
    """As they were seen last, the final lists of s16b included."""
    recordings = everything()
    return tuple(RecordedResourceManager(recordings, VirtualClock(recordings.last, frozen=True)).applications(0, ASK))


@dataclass(frozen=True)
class Followed:
    names: tuple[str, ...]
    launcher: RecordedLauncher
    store: Store
    clock: VirtualClock

    def past(self, name: str) -> Past:
        past = self.store.past(name)
        assert past is not None, name
        return past

    def marks(self, name: str) -> dict[tuple[int, int], str | None]:
        return {one.place: one.mark for one in self.past(name).kept}


Play: TypeAlias = Callable[[str, Milliseconds], Followed]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Each recording is followed once per pace: nothing here changes what came of it."""
    return cache(lambda recording, pace: played(tmp_path_factory.mktemp("history"), recording, pace))


def played(folder: Path, recording: str, pace: Milliseconds) -> Followed:
    """From the first recorded instant until long after the last one."""
    recordings = read_recordings(FOLDER / f"{recording}.jsonl.gz")
    clock = VirtualClock(recordings.first, frozen=True)
    launcher = RecordedLauncher(recordings, clock)
    store = Store(database(folder))
    yarn = Listing(list(applications()), clock)
    follower = Follower(launcher, store, clock, lambda _: False, ONE_BATCH)
    recovery = Recovery(store, yarn, pace)
    while clock.now() < recordings.last + 2 * pace:
        follower.poll()
        recovery.step(clock.now())
        clock.advance(pace)
    for _ in range(4):
        clock.advance(LONG_AFTER)
        recovery.step(clock.now())
    store.database.close()
    return Followed(recordings.names(), launcher, store, clock)


@pytest.mark.no_cover
@pytest.mark.parametrize("pace", [300, 5_000, 30_000])
@pytest.mark.parametrize("recording", RETRIED)
def test_what_is_kept_is_what_was_recorded(recording: str, pace: Milliseconds, followed: Play) -> None:
    found = followed(recording, pace)
    for name in found.names:
        if pace < 30_000 or found.store.past(name) is not None:
            kept_agrees(found, name)
        if pace == 300:
            nothing_recorded_is_missing(found, name)


@pytest.mark.no_cover
@pytest.mark.parametrize("pace", [5_000, 30_000])
def test_all_recordings_at_once(pace: Milliseconds, tmp_path: Path) -> None:
    recordings = everything()
    assert len(recordings.names()) > 100
    # Hours apart: only the stretches in which something happens are polled.
    found = followed_in_stretches(tmp_path, recordings, pace)
    known = [name for name in found.names if found.store.past(name) is not None]
    assert len(known) > 80
    for name in known:
        kept_agrees(found, name)


def followed_in_stretches(folder: Path, recordings: Recordings, pace: Milliseconds) -> Followed:
    clock = VirtualClock(recordings.first, frozen=True)
    launcher = RecordedLauncher(recordings, clock)
    store = Store(database(folder))
    follower = Follower(launcher, store, clock, lambda _: False, ONE_BATCH)
    recovery = Recovery(store, Listing(list(applications()), clock), pace)
    for instant in sorted({instant - instant % pace for instant in recordings.instants()})[
        :: 6 if pace < 30_000 else 1
    ]:
        clock.set(max(instant, recordings.first))
        follower.poll()
        recovery.step(clock.now())
    for _ in range(4):
        clock.advance(LONG_AFTER)
        recovery.step(clock.now())
    store.database.close()
    return Followed(recordings.names(), launcher, store, clock)


def kept_agrees(found: Followed, name: str) -> None:
    """Every attempt kept is one that there was, with its own application and its own end."""
    past = found.past(name)
    known = {one.id: one for one in applications() if (framework_of(one.name) or ("",))[0] == name}
    for version in past.versions():
        for attempt, one in past.attempts(version).items():
            framework = found.store.document(one.id)
            assert framework is not None
            assert (framework.status.version, framework.status.retries.total) == (version, attempt)
            recorded = recorded_application(found, name, version, attempt)
            if recorded is not None and one.application_id is not None and one.run == past.newest.run:
                assert one.application_id == recorded
            report = exit_report(known[one.application_id].diagnostics) if one.application_id in known else None
            if one.mark in (Mark.COMPLETED, Mark.RECOVERED) and report is not None:
                assert framework.status.application_exit_code == report.code
            if one.mark == Mark.UNFINISHED:
                assert report is None


def recorded_application(found: Followed, name: str, version: int, attempt: int) -> str | None:
    try:
        return found.launcher.attempt(name, attempt, version, ASK).value.status.application_id
    except NoSuchAttempt:
        return None


def nothing_recorded_is_missing(found: Followed, name: str) -> None:
    past = found.past(name)
    versions = found.launcher.versions(name, ASK).value
    assert past.versions() == versions
    for version in versions:
        assert set(found.launcher.attempts(name, version, ASK).value) <= set(past.attempts(version))


# --- the hard cases, by name ----------------------------------------------------------------------------------------

RETRY = "alice~restart-retry"


@pytest.mark.no_cover
@pytest.mark.parametrize("pace", [300, 1_000])
def test_s14a_every_attempt_was_seen_and_only_the_one_never_submitted_has_no_end(pace: int, followed: Play) -> None:
    found = followed("s14a-launcher-restart", pace)
    assert found.marks(RETRY) == {(0, 0): Mark.COMPLETED, (0, 1): Mark.COMPLETED, (0, 2): Mark.UNFINISHED, (0, 3): None}
    assert [one.application_id for one in found.past(RETRY).kept] == [
        f"application_1795464678844_{number}" for number in ("0185", "0187", "0189", "0191")
    ]


def test_s14a_an_attempt_that_neither_side_knows_is_a_gap(followed: Play) -> None:
    found = followed("s14a-launcher-restart", 5_000)
    assert found.marks(RETRY) == {(0, 0): Mark.COMPLETED, (0, 1): Mark.COMPLETED, (0, 3): None}
    assert found.past(RETRY).incarnation.gaps == 1


def test_s14a_a_count_that_cannot_fit_numbers_nothing(followed: Play) -> None:
    found = followed("s14a-launcher-restart", 30_000)
    assert found.marks(RETRY) == {(0, 3): None}
    assert found.past(RETRY).incarnation.gaps == 3


FANCY = "alice~s03f-fw-fancy-max2-transient"


@pytest.mark.no_cover
@pytest.mark.parametrize("pace", PACES)
def test_s03f_all_five_attempts_are_known_at_any_pace(pace: int, followed: Play) -> None:
    found = followed("s03f-fw-fancy-max2-transient", pace)
    past = found.past(FANCY)
    assert [one.attempt for one in past.kept] == [0, 1, 2, 3, 4]
    assert past.incarnation.gaps == 0
    for one in past.kept[:-1]:
        framework = found.store.document(one.id)
        assert framework is not None
        assert framework.status.application_exit_code == 193
        assert framework.status.retries.transient_normal == one.attempt
    if pace == 30_000:
        assert Mark.RECOVERED in found.marks(FANCY).values()


UPGRADED = "alice~s06a-upgrade-while-running-then-lower"


@pytest.mark.parametrize("pace", [300, 1_000, 5_000])
def test_s06a_a_version_left_and_entered_again_is_a_run_of_its_own(pace: int, followed: Play) -> None:
    found = followed("s06a-upgrade-while-running-then-lower", pace)
    past = found.past(UPGRADED)
    assert found.marks(UPGRADED) == {(0, 0): Mark.UNFINISHED, (1, 0): Mark.UNFINISHED, (2, 0): None}
    assert past.versions() == (1, 2)
    assert past.attempts(1)[0].application_id == "application_1795464678844_0071"


def test_s06a_runs_that_no_poll_saw_are_not_numbered(followed: Play) -> None:
    found = followed("s06a-upgrade-while-running-then-lower", 30_000)
    assert found.marks(UPGRADED) == {(0, 0): None}
    assert found.past(UPGRADED).incarnation.gaps == 2


@pytest.mark.parametrize("pace", PACES)
def test_s07b_a_delete_and_a_put_within_one_pull_are_one_incarnation(pace: int, followed: Play) -> None:
    found = followed("s07b-delete-and-put-at-once", pace)
    assert found.marks("alice~s07b-delete-and-put-at-once") == {(0, 0): None}


def test_s07a_a_delete_and_a_later_put_are_two(followed: Play) -> None:
    found = followed("s07a-delete-while-running-resubmit", 300)
    name = "alice~s07a-delete-while-running-resubmit"
    assert [one.application_id for one in found.past(name).kept] == ["application_1795464678844_0087"]


def test_s18a_what_the_launcher_forgot_is_still_told(followed: Play) -> None:
    found = followed("s18a-retention-20s-and-task-limit-10", 1_000)
    remembering = Remembering(found.launcher, found.store, found.clock)
    with pytest.raises(NoSuchFramework):
        remembering.framework("alice~ret-gone", ASK)
    assert remembering.versions("alice~ret-gone", ASK).value == (1,)
    assert remembering.attempts("alice~ret-gone", None, ASK).value == (0,)
    assert remembering.attempt("alice~ret-gone", 0, None, ASK).value.status.application_exit_code == 0


def test_every_recording_named_here_is_there() -> None:
    assert set(RETRIED) <= {name_of(path) for path in FOLDER.glob("*.jsonl.gz")}
