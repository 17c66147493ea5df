import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import (
    EARLIEST,
    FASTEST,
    LATEST,
    BadClockSetting,
    ClockReading,
    SystemClock,
    VirtualClock,
    from_iso,
    iso,
)

START = 1_800_000_000_000
instants = st.integers(EARLIEST, LATEST)


class Real:
    """A real time that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 5_000

    def __call__(self) -> int:
        return self.now


def test_the_system_clock_shows_the_machines_time() -> None:
    assert abs(SystemClock().now() - time.time() * 1000) < 10_000


def test_a_virtual_clock_runs_by_itself() -> None:
    clock = VirtualClock(START, rate=FASTEST)
    assert START <= clock.now() <= LATEST


@given(instants, st.integers(0, 10**6), st.floats(0.001, 1000))
def test_time_passes_at_the_rate(start: int, passed: int, rate: float) -> None:
    real = Real()
    clock = VirtualClock(start, rate=rate, real=real)
    assert clock.now() == start
    real.now += passed
    assert clock.now() == min(LATEST, start + int(passed * rate))
    assert clock.read() == ClockReading(clock.now(), rate, frozen=False)


@given(instants, st.integers(0, 10**9))
def test_a_frozen_clock_stands_still(start: int, passed: int) -> None:
    real = Real()
    clock = VirtualClock(start, frozen=True, real=real)
    real.now += passed
    assert clock.now() == start


def test_resumed_it_goes_on_from_where_it_stood() -> None:
    real = Real()
    clock = VirtualClock(START, real=real)
    real.now += 100
    assert clock.freeze() == ClockReading(START + 100, 1.0, frozen=True)
    real.now += 1000
    assert clock.resume() == ClockReading(START + 100, 1.0, frozen=False)
    real.now += 10
    assert clock.now() == START + 110


@given(instants, st.integers(-LATEST, LATEST), st.booleans())
def test_advancing_jumps_by_that_much_or_not_at_all(start: int, by: int, frozen: bool) -> None:
    clock = VirtualClock(start, frozen=frozen, real=Real())
    if EARLIEST <= start + by <= LATEST:
        assert clock.advance(by).now == start + by
        assert clock.edition == 1
    else:
        with pytest.raises(BadClockSetting):
            clock.advance(by)
        assert (clock.now(), clock.edition) == (start, 0)
    assert clock.read().frozen is frozen


@given(instants, instants)
def test_setting_goes_anywhere_even_back(start: int, to: int) -> None:
    clock = VirtualClock(start, real=Real())
    assert clock.set(to).now == clock.now() == to


def test_scaling_keeps_the_instant_and_changes_the_pace() -> None:
    real = Real()
    clock = VirtualClock(START, real=real)
    real.now += 50
    assert clock.scale(60).now == START + 50
    real.now += 1000
    assert clock.now() == START + 50 + 60_000


def test_the_rate_of_a_frozen_clock_is_kept_and_not_applied() -> None:
    real = Real()
    clock = VirtualClock(START, frozen=True, real=real)
    clock.scale(10)
    real.now += 5
    assert clock.read() == ClockReading(START, 10, frozen=True)
    clock.resume()
    real.now += 5
    assert clock.now() == START + 50


@given(st.lists(st.sampled_from(["freeze", "resume", "advance", "set", "scale", "pass"]), max_size=8))
def test_whatever_was_done_reset_gives_the_clock_it_was_made_as(steps: list[str]) -> None:
    real = Real()
    clock = VirtualClock(START, rate=2.0, real=real)
    for step in steps:
        if step == "pass":
            real.now += 77
        else:
            change = {
                "advance": lambda: clock.advance(5),
                "set": lambda: clock.set(3),
                "scale": lambda: clock.scale(9),
            }
            change.get(step, getattr(clock, step))()
    edition = clock.edition
    assert clock.reset() == ClockReading(START, 2.0, frozen=False)
    assert clock.edition == edition + 1
    assert edition == sum(step != "pass" for step in steps)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), FASTEST * 1.01])
def test_a_rate_no_clock_can_have_changes_nothing(rate: float) -> None:
    clock = VirtualClock(START, frozen=True)
    with pytest.raises(BadClockSetting):
        clock.scale(rate)
    assert clock.read() == ClockReading(START, 1.0, frozen=True)
    with pytest.raises(BadClockSetting):
        VirtualClock(START, rate=rate)


@pytest.mark.parametrize("instant", [-1, LATEST + 1])
def test_an_instant_no_clock_can_show_changes_nothing(instant: int) -> None:
    clock = VirtualClock(START, frozen=True)
    with pytest.raises(BadClockSetting):
        clock.set(instant)
    assert clock.now() == START
    with pytest.raises(BadClockSetting):
        VirtualClock(instant)


def test_time_ends_in_the_year_9999() -> None:
    real = Real()
    clock = VirtualClock(LATEST - 5, rate=FASTEST, real=real)
    real.now += 10**9
    assert clock.now() == LATEST


def test_many_hands_at_once_lose_no_change() -> None:
    clock = VirtualClock(START, frozen=True)
    hands = [threading.Thread(target=lambda: [clock.advance(1) for _ in range(200)]) for _ in range(5)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert (clock.now(), clock.edition) == (START + 1000, 1000)


@given(instants)
def test_an_instant_is_spelled_so_that_it_is_understood(instant: int) -> None:
    assert from_iso(iso(instant)) == instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-01T12:00:00Z", 1772366400000),
        ("2026-03-01T12:00:00", 1772366400000),
        ("2026-03-01T13:00:00+01:00", 1772366400000),
        ("2026-03-01T12:00:00.0006Z", 1772366400001),
        ("9999-12-31T23:59:59.999Z", LATEST),
    ],
)
def test_iso_texts(text: str, instant: int) -> None:
    assert from_iso(text) == instant


def test_milliseconds_are_spelled_only_where_there_are_any() -> None:
    assert iso(1772366400000) == "2026-03-01T12:00:00Z"
    assert iso(1772366400007) == "2026-03-01T12:00:00.007Z"


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "2026-02-30"]
)
def test_what_is_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_iso(text)
