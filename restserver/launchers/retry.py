"""Asks again where a connection failed before anything of an answer came, and nowhere else: what was heard stands.

A few times, within the deadline, each time after a pause that grows and is rolled with dice, so that many servers do not come
back to a restarted launcher in the same instant. (A kept connection that had gone stale is the transport's own business:
it asks once more at once, and that is not seen here.)
"""

import threading
from collections.abc import Callable
from random import Random
from typing import Any, Final

from contracts.clock import Clock, Milliseconds
from contracts.launcher.port import Ask, Call, LauncherUnavailable

PAUSES: Final[tuple[Milliseconds, ...]] = (50, 200)
"""Before each time it asks again; the dice take between half of it and the whole."""


def really_wait(pause: Milliseconds) -> None:
    threading.Event().wait(pause / 1000)


class Retry:
    """A hook. ``waited`` waits that long; tests move their clock instead."""

    def __init__(
        self,
        clock: Clock,
        *,
        dice: Random,
        waited: Callable[[Milliseconds], None] = really_wait,
        pauses: tuple[Milliseconds, ...] = PAUSES,
    ) -> None:
        self._clock = clock
        self._dice = dice
        self._waited = waited
        self._pauses = pauses
        self.retries = 0
        """So far; a figure for people, so a lost count in a race is no harm."""

    def __call__(self, call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
        del call
        for longest in self._pauses:
            try:
                return proceed(ask)
            except LauncherUnavailable as error:
                pause = round(longest * self._dice.uniform(0.5, 1.0))
                if not error.unheard or not self._is_time_for(pause, ask):
                    raise
            self._waited(pause)
            self.retries += 1
        return proceed(ask)

    def _is_time_for(self, pause: Milliseconds, ask: Ask) -> bool:
        return ask.deadline is None or self._clock.now() + pause < ask.deadline
