"""A circuit breaker: who fails again and again is left alone for a while, then tried with one call.

Everything that decides its state lives here: the table is the machine, the clock is injected, and nothing runs by itself
(an open breaker becomes half open when somebody asks after the pause).

What counts against somebody, and why:

* It could not be asked, or did not answer in time. Every time.
* It says that it has too much to do (429, 502, 503, 504). Every time; where it names the seconds to wait, they are waited.
* Any other 5xx: once per job. One job that a launcher chokes on, polled often, must not take all others with it; a launcher
  that chokes on everything is found out by the number of jobs.

Everything else is an answer, "no such framework" and other 4xx included: whoever says so is alive, and what counted against
it is forgotten. LauncherBusy is raised before anybody is asked, so it says nothing.
"""

import enum
import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from contracts.clock import Clock, Instant, Milliseconds
from contracts.launcher.port import (
    Ask,
    Call,
    LauncherBusy,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
)

logger = logging.getLogger(__name__)


class State(enum.Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Event(enum.Enum):
    FAILED_TOO_OFTEN = enum.auto()
    PAUSE_OVER = enum.auto()
    PROBE_ANSWERED = enum.auto()
    PROBE_FAILED = enum.auto()


TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    State.CLOSED: {Event.FAILED_TOO_OFTEN: State.OPEN},
    State.OPEN: {Event.PAUSE_OVER: State.HALF_OPEN},
    State.HALF_OPEN: {Event.PROBE_ANSWERED: State.CLOSED, Event.PROBE_FAILED: State.OPEN},
}

FAILURES: Final = 5
"""That much counted against it, without an answer in between, opens it."""
PAUSE: Final[Milliseconds] = 1_000
"""The first one: short, for most troubles are. Each probe that fails doubles it."""
LONGEST_PAUSE: Final[Milliseconds] = 30_000
"""However often probes failed, and however long the other side wishes to be left alone."""

_CONDITION: Final[Mapping[State, str]] = {
    State.CLOSED: "ok",
    State.OPEN: "open: calls are refused for a while",
    State.HALF_OPEN: "half open: the next call decides",
}
_TOO_MUCH_TO_DO: Final = frozenset({429, 502, 503, 504})


def counts_against(error: LauncherError, call: Call) -> Hashable:
    """What the error shows, equal for what counts only once; ``None``: nothing."""
    if isinstance(error, LauncherUnavailable):
        return object()
    if isinstance(error, LauncherRefused):
        if error.status in _TOO_MUCH_TO_DO:
            return object()
        if error.status >= 500:
            return call if call.name is None else call.name
    return None


class Breaker:
    """A hook. ``who`` is the name of the other side in sentences. Thread-safe."""

    def __init__(self, clock: Clock, who: str, *, failures: int = FAILURES, pause: Milliseconds = PAUSE) -> None:
        self._clock = clock
        self._who = who
        self._failures = failures
        self._pause = pause
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._period = 0
        """Raised by each transition: a call that was let through in an earlier one has nothing to say any more."""
        self._against: set[Hashable] = set()
        self._opened: Instant = 0
        self._resting: Milliseconds = pause
        self._failed_probes = 0
        self._wish: Milliseconds = 0
        self._probing = False
        self.opened = 0
        """How often, so far."""
        self.refused = 0
        """How many calls it did not let through, so far."""

    @property
    def state(self) -> State:
        """As the next call would find it."""
        with self._lock:
            return State.HALF_OPEN if self._state is State.OPEN and self._wait() <= 0 else self._state

    @property
    def condition(self) -> str:
        """``ok``, or what becomes of calls: for ``/readyz``."""
        return _CONDITION[self.state]

    def __call__(self, call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
        period = self._admitted()
        try:
            result = proceed(ask)
        except LauncherBusy:
            self._not_asked(period)
            raise
        except LauncherError as error:
            self._heard(period, counts_against(error, call), _wish(error))
            raise
        except BaseException:
            # A mistake of ours, or the end of the thread: not known to be an answer, and a probe must not stay out for ever.
            self._heard(period, object(), 0)
            raise
        self._heard(period, None, 0)
        return result

    def _admitted(self) -> int:
        """The period in which the call is let through. Raises LauncherBusy."""
        with self._lock:
            if self._state is State.OPEN and self._wait() <= 0:
                self._move(Event.PAUSE_OVER)
            if self._state is State.OPEN or self._probing:
                self.refused += 1
                seconds = max(1, -(-self._wait() // 1000)) if self._state is State.OPEN else 1
                raise LauncherBusy(
                    str(seconds), f"{self._who} failed too often, and is not asked for another {seconds} s."
                )
            self._probing = self._state is State.HALF_OPEN
            return self._period

    def _wait(self) -> Milliseconds:
        """What is left of the pause; a clock that went back ends it."""
        now = self._clock.now()
        return self._opened + self._resting - now if now >= self._opened else 0

    def _not_asked(self, period: int) -> None:
        with self._lock:
            if period == self._period:
                self._probing = False

    def _heard(self, period: int, against: Hashable, wish: Milliseconds) -> None:
        with self._lock:
            if period != self._period:
                return
            if against is None:
                self._against.clear()
            else:
                self._against.add(against)
                self._wish = wish
            if self._state is State.HALF_OPEN:
                self._move(Event.PROBE_ANSWERED if against is None else Event.PROBE_FAILED)
            elif len(self._against) >= self._failures:
                self._move(Event.FAILED_TOO_OFTEN)

    def _move(self, event: Event) -> None:
        self._state = TRANSITIONS[self._state][event]
        self._period += 1
        self._probing = False
        self._against.clear()
        if event is Event.PROBE_ANSWERED:
            self._failed_probes = 0
        elif event is Event.PROBE_FAILED:
            self._failed_probes += 1
        if self._state is State.OPEN:
            self._opened = self._clock.now()
            self._resting = min(LONGEST_PAUSE, max(self._pause * 2 ** min(self._failed_probes, 16), self._wish))
            self.opened += 1
        self._tell(event)

    def _tell(self, event: Event) -> None:
        """The beginning and the end of a trouble; what lies between is seen in the metrics."""
        if event is Event.FAILED_TOO_OFTEN:
            logger.warning("%s failed too often, and is left alone for a while", self._who)
        elif event is Event.PROBE_ANSWERED:
            logger.warning("%s answers again", self._who)


def _wish(error: LauncherError) -> Milliseconds:
    """The seconds a refusal names; a date is not read, the usual pause holds then."""
    wish = error.retry_after if isinstance(error, LauncherRefused) else None
    return int(wish) * 1000 if wish is not None and wish.isdecimal() and wish.isascii() else 0
