"""So many calls at once and no more; so many wait, first come first served, none past its deadline; the rest is told to come again."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from contracts.clock import Clock, Instant
from contracts.launcher.port import Ask, Call, LauncherBusy
from restserver.launchers.waiting import seconds_to_wait

AT_ONCE: Final = 8
"""Half as many as the default server has threads: a slow launcher does not also get all of them at once."""
WAITING: Final = 64
"""More than the default server has threads: there it is the deadline that ends waiting, not the length of the queue."""
RETRY_AFTER: Final = "1"


class Gate:
    """A hook. ``who`` is the name of the other side in sentences. Thread-safe."""

    def __init__(self, clock: Clock, who: str, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._clock = clock
        self._who = who
        self._at_once = at_once
        self._most_waiting = waiting
        self._changed = threading.Condition(threading.Lock())
        self._queue: deque[object] = deque()
        self._inside = 0
        self.turned_away = 0
        """Calls that found the queue full, or waited in it until their deadline, so far."""

    @property
    def inside(self) -> int:
        return self._inside

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def __call__(self, call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
        del call
        self._enter(ask.deadline)
        try:
            return proceed(ask)
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _enter(self, deadline: Instant | None) -> None:
        with self._changed:
            if self._inside >= self._at_once or self._queue:
                self._wait_for_a_place(deadline)
            elif seconds_to_wait(deadline, self._clock) is None:
                raise self._away("was not asked: the time for the answer was up")
            self._inside += 1

    def _wait_for_a_place(self, deadline: Instant | None) -> None:
        if len(self._queue) >= self._most_waiting:
            raise self._away("was not asked: too many calls wait already")
        place = object()
        self._queue.append(place)
        try:
            while True:
                seconds = seconds_to_wait(deadline, self._clock)
                if seconds is None:
                    raise self._away("was not asked: too many calls were before this one")
                if self._queue[0] is place and self._inside < self._at_once:
                    return
                self._changed.wait(seconds)
        finally:
            self._queue.remove(place)
            self._changed.notify_all()

    def _away(self, why: str) -> LauncherBusy:
        self.turned_away += 1
        return LauncherBusy(RETRY_AFTER, f"{self._who} {why}.")
