"""Lists, then fetches what lives or changed: no more calls than that, and none of them lost."""

import logging

import pytest

from contracts.clock import Milliseconds
from contracts.launcher.port import (
    LauncherBusy,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchFramework,
)
from restserver.history.follower import TICK, Follower, Pace, Polled
from tests.restserver.history.telling import COMPLETED, CREATED, NAME, Archive, told


def fetched(archive: Archive) -> list[str]:
    archive.launcher.asked.clear()
    archive.clock.advance(1_000)
    archive.follower.poll()
    return sorted(archive.launcher.asked)


def test_what_lives_is_fetched_at_every_poll(archive: Archive) -> None:
    archive.launcher.tell(told(name="a"), told(name="b"))
    assert fetched(archive) == fetched(archive) == ["a", "b"]


def test_what_is_completed_is_fetched_twice_and_then_left_alone(archive: Archive) -> None:
    archive.launcher.tell(told(name="a", state=COMPLETED, exit_code=0))
    assert [fetched(archive) for _ in range(4)] == [["a"], ["a"], [], []]


def test_what_the_list_says_anew_is_fetched_again(archive: Archive) -> None:
    archive.launcher.tell(told(name="a", state=COMPLETED, exit_code=0))
    for _ in range(3):
        fetched(archive)
    archive.launcher.tell(told(name="a", state=COMPLETED, exit_code=0, requested=CREATED + 1))
    assert fetched(archive) == ["a"]


def test_a_new_follower_goes_on_where_the_last_one_was_killed(archive: Archive) -> None:
    archive.launcher.tell(told(name="a", state=COMPLETED, exit_code=0), told(name="b"))
    fetched(archive)
    archive.follower = Follower(archive.launcher, archive.store, archive.clock, lambda _: False)
    assert fetched(archive) == ["b"]


def test_one_that_cannot_be_read_does_not_keep_the_others(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    archive.launcher.tell(told(name="a"), told(name="b"), told(name="c"))
    archive.launcher.failures = {"a": LauncherUnreadable("$", "nothing"), "b": LauncherRefused(500, "no")}
    with caplog.at_level(logging.WARNING):
        assert archive.follower.poll() == Polled(listed=3, fetched=3, failed=2, gone=0)
    assert "a could not be followed" in caplog.text
    assert archive.store.past("c") is not None


@pytest.mark.parametrize("error", [LauncherUnavailable("away"), LauncherBusy()])
def test_a_launcher_in_trouble_is_left_alone_until_the_next_poll(
    archive: Archive, error: LauncherUnavailable | LauncherBusy
) -> None:
    archive.launcher.tell(*(told(name=name) for name in "abc"))
    archive.launcher.failures = {"b": error}
    with pytest.raises(type(error)):
        archive.follower.poll()
    assert archive.store.past("a") is not None
    archive.launcher.failures = {}
    assert fetched(archive) == ["a", "b", "c"]


def test_a_launcher_that_is_away_has_forgotten_nothing(archive: Archive) -> None:
    archive.poll(told())
    archive.launcher.failure = LauncherUnavailable("away")
    with pytest.raises(LauncherUnavailable):
        archive.follower.poll()
    assert set(archive.store.followed()) == {NAME}


def test_what_vanishes_between_list_and_fetch_is_no_failure(archive: Archive) -> None:
    archive.launcher.tell(told(name="a"))
    archive.launcher.failures = {"a": NoSuchFramework("a")}
    assert archive.follower.poll() == Polled(listed=1, fetched=1, failed=0, gone=0)


def test_names_that_cannot_be_are_not_asked_for(archive: Archive) -> None:
    archive.launcher.tell(told(name=".."), told(name="a/b"), told(name="a"))
    assert fetched(archive) == ["a"]


def test_calls_are_spread_and_stop_when_told(archive: Archive) -> None:
    waited: list[Milliseconds] = []

    def wait(pause: Milliseconds) -> bool:
        waited.append(pause)
        archive.clock.advance(pause)
        return len(waited) == 3

    archive.launcher.tell(*(told(name=f"f{i:02}") for i in range(25)))
    follower = Follower(archive.launcher, archive.store, archive.clock, wait, Pace(calls_per_second=50, at_once=2))
    polled = follower.poll()
    assert waited == [TICK] * 3
    assert polled == Polled(listed=25, fetched=15, failed=0, gone=0, stopped=True)


def test_a_framework_remembered_during_the_poll_is_not_taken_for_gone(archive: Archive) -> None:
    archive.store.record(told(name="new"), archive.clock.now())
    assert archive.follower.poll().gone == 0
    archive.clock.advance(1)
    assert archive.follower.poll().gone == 1
