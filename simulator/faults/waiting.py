"""Waiting on the virtual clock: what an injected delay does to whoever asked.

A wait is over when so much simulated time has passed, or at once when the clock is moved over its end (or to before its
begin: then it belongs to a time that is not to be any more). While the clock stands still nobody would ever be let go, so
after 30 real seconds they are. Waiters are bounded: they hold the server's threads, and some must be left to move the clock.
"""

import threading
from collections.abc import Callable

from contracts.clock import EARLIEST, Instant, Milliseconds, VirtualClock

LONGEST_FROZEN: Milliseconds = 30_000
MOST_WAITERS = 8
LOOK_EVERY: Milliseconds = 20
"""How soon a waiter notices that the clock was moved."""


class Waiting:
    """Thread-safe. ``real`` gives the real time in milliseconds, ``pause`` lets so much of it pass; tests pass their own."""

    def __init__(
        self,
        clock: VirtualClock,
        most: int = MOST_WAITERS,
        real: Callable[[], Instant] | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._clock = clock
        self._places = threading.BoundedSemaphore(most)
        # A virtual clock that nobody holds is a stopwatch of the real time.
        self._real = real or VirtualClock(EARLIEST).now
        self._pause = pause or threading.Event().wait

    def wait(self, length: Milliseconds) -> bool:
        """Whether it waited: with every place taken it does not."""
        if not self._places.acquire(blocking=False):
            return False
        try:
            self._pass(length)
        finally:
            self._places.release()
        return True

    def _pass(self, length: Milliseconds) -> None:
        begun = self._clock.now()
        stood_still: Instant | None = None
        while True:
            shown = self._clock.read()
            left = begun + length - shown.now
            if left <= 0 or shown.now < begun:
                return
            if shown.frozen:
                stood_still = self._real() if stood_still is None else stood_still
                if self._real() - stood_still >= LONGEST_FROZEN:
                    return
                self._pause(LOOK_EVERY / 1000)
            else:
                stood_still = None
                self._pause(min(LOOK_EVERY, left / shown.rate) / 1000)
