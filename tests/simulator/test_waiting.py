"""Waiting on the virtual clock, with the real time in the test's hands."""

import threading

from contracts.clock import VirtualClock
from simulator.faults.waiting import LONGEST_FROZEN, Waiting


class Real:
    """The real time in milliseconds; it passes when somebody pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses = 0

    def __call__(self) -> int:
        return int(self.now)

    def pause(self, seconds: float) -> None:
        self.now += max(seconds * 1000, 1)
        self.pauses += 1


def test_a_wait_lasts_as_long_as_simulated_time_takes() -> None:
    real = Real()
    clock = VirtualClock(0, rate=10, real=real)
    assert Waiting(clock, real=real, pause=real.pause).wait(5000)
    assert clock.now() >= 5000
    assert 500 <= real.now <= 540


def test_a_wait_ends_at_once_when_the_clock_is_moved_over_its_end() -> None:
    real = Real()
    clock = VirtualClock(0, frozen=True, real=real)

    def pause(seconds: float) -> None:
        real.pause(seconds)
        if real.pauses == 3:
            clock.advance(60_000)

    assert Waiting(clock, real=real, pause=pause).wait(60_000)
    assert real.pauses == 3


def test_a_wait_ends_when_the_clock_is_turned_back_before_its_begin() -> None:
    real = Real()
    clock = VirtualClock(100_000, frozen=True, real=real)

    def pause(seconds: float) -> None:
        real.pause(seconds)
        clock.set(1000)

    assert Waiting(clock, real=real, pause=pause).wait(60_000)
    assert real.pauses == 1


def test_nobody_waits_longer_than_thirty_real_seconds_for_a_clock_that_stands_still() -> None:
    real = Real()
    clock = VirtualClock(0, frozen=True, real=real)
    assert Waiting(clock, real=real, pause=real.pause).wait(60_000)
    assert LONGEST_FROZEN <= real.now < LONGEST_FROZEN + 100


def test_waiters_are_bounded_and_whoever_comes_too_many_does_not_wait() -> None:
    clock = VirtualClock(0, frozen=True)
    inside, go_on = threading.Event(), threading.Event()

    def pause(seconds: float) -> None:
        inside.set()
        go_on.wait()

    waiting = Waiting(clock, most=1, pause=pause)
    first = threading.Thread(target=waiting.wait, args=(1000,))
    first.start()
    inside.wait()
    assert not waiting.wait(1000)
    clock.advance(1000)
    go_on.set()
    first.join()
    assert waiting.wait(0)
