"""The only door to the real time. Everything else holds a :class:`Clock` and asks it.

An instant is an ``int``: milliseconds since 1970-01-01T00:00:00Z. That is the unit of the open launcher and of the API, so
no conversion stands between a clock and a timestamp.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

from msgspec import Struct

Instant: TypeAlias = int
"""Milliseconds since the epoch, UTC."""

Milliseconds: TypeAlias = int
"""A length of time."""


class Clock(Protocol):
    def now(self) -> Instant: ...


def real_now() -> Instant:
    """The machine's time."""
    return time.time_ns() // 1_000_000


stopwatch: Callable[[], int] = time.perf_counter_ns
"""Nanoseconds since some moment, always forward: for how long something took, never for when."""


def uptime() -> float:
    """Seconds since some moment, always forward: for deadlines."""
    return time.monotonic()


def pause(length: float) -> None:
    """Really waits so many seconds. For programs that watch others; nothing that is simulated waits here."""
    time.sleep(length)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> Instant:
        return real_now()


class ClockReading(Struct, frozen=True):
    """What a virtual clock shows. ``rate`` is simulated seconds per real second; frozen, it is kept but not applied."""

    now: Instant
    rate: float
    frozen: bool


class BadClockSetting(ValueError):
    """A rate, length or instant a clock cannot have. The clock is unchanged."""


# Years 1970 to 9999: what ISO 8601 with four digits, and ``datetime``, can spell.
EARLIEST: Instant = 0
LATEST: Instant = 253_402_300_799_999
FASTEST = 1_000_000.0


_Shown: TypeAlias = tuple[Instant, float, bool, Instant]
"""An instant, the rate since, whether frozen, and the real time when it was that instant."""


class VirtualClock:
    """A clock people hold: freeze, resume, advance, set, scale, reset. Thread-safe; costs nothing while nobody asks.

    ``real`` gives the real time in milliseconds; tests pass their own. Each change raises :attr:`edition`, so that nothing
    kept from before a change can be taken for something from after it.
    """

    def __init__(
        self, start: Instant, *, rate: float = 1.0, frozen: bool = False, real: Callable[[], Instant] | None = None
    ) -> None:
        self._real = real or _monotonic
        self._lock = threading.Lock()
        """Of changes. Who only asks for now needs none: what is shown is replaced as a whole."""
        self._start = (_within(start), _positive(rate), frozen)
        self._shown: _Shown = (*self._start, self._real())
        self.edition = 0

    def now(self) -> Instant:
        anchor, rate, frozen, anchored_at = self._shown
        if frozen:
            return anchor
        return min(LATEST, anchor + int((self._real() - anchored_at) * rate))

    def read(self) -> ClockReading:
        with self._lock:
            _, rate, frozen, _ = self._shown
            return ClockReading(self.now(), rate, frozen)

    def freeze(self) -> ClockReading:
        return self._change(frozen=True)

    def resume(self) -> ClockReading:
        return self._change(frozen=False)

    def advance(self, by: Milliseconds) -> ClockReading:
        """Jumps by that much; a negative length goes back."""
        return self._change(by=by)

    def set(self, to: Instant) -> ClockReading:
        return self._change(to=to)

    def scale(self, rate: float) -> ClockReading:
        return self._change(rate=rate)

    def reset(self) -> ClockReading:
        """Back to the instant, rate and freeze it was made with."""
        start, rate, frozen = self._start
        return self._change(to=start, rate=rate, frozen=frozen)

    @property
    def start(self) -> ClockReading:
        """What :meth:`reset` goes back to."""
        return ClockReading(*self._start)

    def restore(self, start: ClockReading, now: ClockReading) -> ClockReading:
        """As if it had been made with ``start`` and now showed ``now``: a kept clock goes on where it was left."""
        made = (_within(start.now), _positive(start.rate), start.frozen)
        reading = self._change(to=now.now, rate=now.rate, frozen=now.frozen)
        self._start = made
        return reading

    def _change(
        self,
        *,
        by: Milliseconds = 0,
        to: Instant | None = None,
        rate: float | None = None,
        frozen: bool | None = None,
    ) -> ClockReading:
        with self._lock:
            _, old_rate, was_frozen, _ = self._shown
            now = _within((self.now() if to is None else to) + by)
            rate = old_rate if rate is None else _positive(rate)
            frozen = was_frozen if frozen is None else frozen
            self._shown = (now, rate, frozen, self._real())
            self.edition += 1
            return ClockReading(now, rate, frozen)


def _monotonic() -> Instant:
    return time.monotonic_ns() // 1_000_000


def _within(instant: Instant) -> Instant:
    if not EARLIEST <= instant <= LATEST:
        raise BadClockSetting(f"{instant} ms is outside the years 1970 to 9999")
    return instant


def _positive(rate: float) -> float:
    if not 0 < rate <= FASTEST:
        raise BadClockSetting(f"rate {rate} is not above 0 and at most {FASTEST:.0f}")
    return rate


def iso(instant: Instant) -> str:
    """``2026-03-01T12:00:00Z``, with milliseconds only where there are any."""
    text = (_EPOCH + timedelta(milliseconds=instant)).isoformat(
        timespec="milliseconds" if instant % 1000 else "seconds"
    )
    return text.replace("+00:00", "Z")


def from_iso(text: str) -> Instant:
    """An ISO 8601 instant; without a zone it is UTC. Raises ``ValueError`` for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _within((moment - _EPOCH + timedelta(microseconds=500)) // timedelta(milliseconds=1))


# Whole numbers all the way: a float of seconds loses milliseconds in far years.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
