"""The circuit breaker: the table, what counts against somebody, and how it is let back in."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import VirtualClock
from contracts.launcher.port import (
    LAUNCHER_ERRORS,
    Ask,
    Call,
    LauncherBusy,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from restserver.launchers.breaker import (
    FAILURES,
    LONGEST_PAUSE,
    PAUSE,
    TRANSITIONS,
    Breaker,
    Event,
    State,
    counts_against,
)
from tests.restserver.launchers.threads import PATIENCE, started

NOW = 1_000_000
DOWN = LauncherUnavailable("The launcher refused the connection.")
CALL = Call("framework", "alice~mnist")


class Bench:
    """A breaker and what it stands before."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW, frozen=True)
        self.breaker = Breaker(self.clock, "The launcher")
        self.calls = 0

    def ask(
        self, error: BaseException | None = None, call: Call = CALL, inside: Callable[[], None] | None = None
    ) -> Any:
        def proceed(ask: Ask) -> str:
            del ask
            self.calls += 1
            if inside is not None:
                inside()
            if error is not None:
                raise error
            return "told"

        return self.breaker(call, Ask(), proceed)

    def fail(self, times: int = FAILURES, error: LauncherError = DOWN) -> None:
        for index in range(times):
            with pytest.raises(type(error)):
                self.ask(error, Call("framework", f"job-{index}"))


def state_of(bench: Bench) -> State:
    return bench.breaker.state


def test_every_state_has_its_exits_and_none_is_final() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {event for exits in TRANSITIONS.values() for event in exits} == set(Event)
    assert {state for exits in TRANSITIONS.values() for state in exits.values()} == set(State)


def test_failures_in_a_row_open_it_and_then_nobody_is_asked() -> None:
    bench = Bench()
    bench.fail()
    assert state_of(bench) is State.OPEN
    with pytest.raises(LauncherBusy, match=r"failed too often, and is not asked for another 1 s\.") as caught:
        bench.ask()
    assert (bench.calls, bench.breaker.refused, caught.value.retry_after) == (FAILURES, 1, "1")


def test_an_answer_in_between_forgets_the_failures() -> None:
    bench = Bench()
    bench.fail(FAILURES - 1)
    assert bench.ask() == "told"
    bench.fail(FAILURES - 1)
    assert state_of(bench) is State.CLOSED


def test_after_the_pause_one_probe_is_let_through_and_its_answer_closes_it() -> None:
    bench = Bench()
    bench.fail()
    bench.clock.advance(PAUSE)
    assert state_of(bench) is State.HALF_OPEN

    def meanwhile() -> None:
        with pytest.raises(LauncherBusy) as caught:
            bench.ask()
        assert caught.value.retry_after == "1"

    assert bench.ask(inside=meanwhile) == "told"
    assert state_of(bench) is State.CLOSED
    assert (bench.ask(), bench.breaker.opened) == ("told", 1)


def test_every_probe_that_fails_doubles_the_pause_up_to_a_bound() -> None:
    bench = Bench()
    bench.fail()
    pauses = []
    for _ in range(8):
        began = bench.clock.now()
        while state_of(bench) is State.OPEN:
            bench.clock.advance(PAUSE)
        pauses.append(bench.clock.now() - began)
        bench.fail(1)
    assert pauses == [1_000, 2_000, 4_000, 8_000, 16_000, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    bench.clock.advance(LONGEST_PAUSE)
    assert (bench.ask(), bench.breaker.opened) == ("told", 9)
    bench.fail()
    bench.clock.advance(PAUSE)
    assert state_of(bench) is State.HALF_OPEN


def test_a_probe_that_was_never_asked_leaves_its_place_to_the_next() -> None:
    bench = Bench()
    bench.fail()
    bench.clock.advance(PAUSE)
    with pytest.raises(LauncherBusy):
        bench.ask(LauncherBusy())
    assert bench.ask() == "told"
    assert state_of(bench) is State.CLOSED


def test_a_probe_that_dies_does_not_stay_out_for_ever() -> None:
    bench = Bench()
    bench.fail()
    bench.clock.advance(PAUSE)
    with pytest.raises(ZeroDivisionError):
        bench.ask(ZeroDivisionError())
    assert state_of(bench) is State.OPEN
    bench.clock.advance(2 * PAUSE)
    assert bench.ask() == "told"


def test_what_was_let_through_before_it_opened_has_no_say_afterwards() -> None:
    bench = Bench()
    assert bench.ask(inside=bench.fail) == "told"
    assert state_of(bench) is State.OPEN
    bench.clock.advance(PAUSE)
    assert bench.ask() == "told"


@pytest.mark.parametrize("late", [None, DOWN])
def test_while_a_probe_is_out_only_its_own_word_counts(late: LauncherError | None) -> None:
    bench = Bench()
    inside, go = threading.Event(), threading.Event()

    def held_up() -> None:
        inside.set()
        assert go.wait(PATIENCE)

    early = started(lambda: bench.ask(late, inside=held_up))
    assert inside.wait(PATIENCE)
    bench.fail()
    bench.clock.advance(PAUSE)

    def the_early_one_ends() -> None:
        go.set()
        assert early.exception(PATIENCE) is late
        assert state_of(bench) is State.HALF_OPEN

    assert bench.ask(inside=the_early_one_ends) == "told"
    assert state_of(bench) is State.CLOSED


def test_a_busy_that_comes_late_changes_nothing() -> None:
    bench = Bench()
    with pytest.raises(LauncherBusy):
        bench.ask(LauncherBusy(), inside=bench.fail)
    assert state_of(bench) is State.OPEN


def test_a_clock_that_goes_back_ends_the_pause() -> None:
    bench = Bench()
    bench.fail()
    bench.clock.advance(-10)
    assert bench.ask() == "told"


def test_the_wish_to_be_left_alone_is_granted_within_reason() -> None:
    for wish, granted in (
        ("20", 20_000),
        ("999999", LONGEST_PAUSE),
        ("Fri, 31 Dec 1999 23:59:59 GMT", PAUSE),
        (None, PAUSE),
    ):
        bench = Bench()
        bench.fail(error=LauncherRefused(503, "too much to do", wish))
        bench.clock.advance(granted - 1)
        assert state_of(bench) is State.OPEN
        bench.clock.advance(1)
        assert state_of(bench) is State.HALF_OPEN


def test_one_job_that_a_launcher_chokes_on_does_not_open_it_for_all() -> None:
    bench = Bench()
    for _ in range(3 * FAILURES):
        with pytest.raises(LauncherRefused):
            bench.ask(LauncherRefused(500, "NullPointerException"))
    assert state_of(bench) is State.CLOSED
    bench.fail(FAILURES - 1, LauncherRefused(500, "NullPointerException"))
    assert state_of(bench) is State.OPEN


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (NoSuchFramework("a"), False),
        (NoSuchAttempt("a", 1, 0), False),
        (NoSuchVersion("a", 1), False),
        (LauncherRefused(404, None), False),
        (LauncherRefused(429, None), True),
        (LauncherRefused(500, None), True),
        (LauncherRefused(503, None), True),
        (DOWN, True),
        (LauncherUnreadable("$", "a list"), False),
        (LauncherBusy(), False),
    ],
)
def test_what_counts_against_a_launcher(error: LauncherError, counts: bool) -> None:
    assert (counts_against(error, CALL) is not None) is counts
    assert (counts_against(error, Call("ready")) is not None) is counts
    assert type(error) in LAUNCHER_ERRORS


@given(st.lists(st.sampled_from(["fail", "answer", "wait"]), max_size=60))
def test_it_never_asks_while_open_and_always_asks_again(steps: list[str]) -> None:
    bench = Bench()
    in_a_row = 0
    for step in steps:
        state, calls = state_of(bench), bench.calls
        if step == "wait":
            bench.clock.advance(LONGEST_PAUSE)
            assert state_of(bench) is not State.OPEN
            continue
        try:
            bench.ask(DOWN if step == "fail" else None)
        except LauncherBusy:
            assert state is State.OPEN
        except LauncherUnavailable:
            in_a_row += 1
            assert (state_of(bench) is State.OPEN) == (state is State.HALF_OPEN or in_a_row >= FAILURES)
        else:
            in_a_row = 0
            assert state_of(bench) is State.CLOSED
        if state_of(bench) is State.OPEN:
            in_a_row = 0
        assert bench.calls - calls == (state is not State.OPEN)
