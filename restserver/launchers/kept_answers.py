"""What a launcher said, kept: answers, and its word that there is no such thing. Bounded in bytes and in number, the least
recently asked for go first.

The age of what is kept is counted from the moment it was asked for, not from when it came: what a slow answer tells may be
as old as its question (as RFC 9111, 4.2.3 counts).
"""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cachetools import TLRUCache

from contracts.clock import Clock, Instant, Milliseconds
from contracts.launcher.port import Answer, Call, LauncherError
from restserver.launchers.sizes import size_of

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ENTRIES: Final = 20_000

Said: TypeAlias = Answer[Any] | LauncherError | None
"""``None`` is what ``ready`` answers."""


@dataclass(frozen=True, slots=True)
class Kept:
    said: Said
    asked_at: Instant
    size: int
    """Bytes."""


def kept(said: Said, asked_at: Instant) -> Kept:
    """With its size taken: a walk through all of a record, so done by whoever asked and under no lock."""
    return Kept(said, asked_at, size_of(vars(said) if isinstance(said, LauncherError) else said) + _BOOKKEEPING)


_BOOKKEEPING: Final = 1024
"""Bytes an entry costs besides what was said, roughly: key, links, expiry."""


class KeptAnswers:
    """Not thread-safe: whoever holds it holds a lock too. Nothing stays longer than ``lifetime``."""

    def __init__(
        self,
        clock: Clock,
        lifetime: Milliseconds,
        *,
        most_bytes: int = MOST_BYTES,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self._clock = clock
        self._most_entries = most_entries
        self._kept: TLRUCache[Call, Kept] = TLRUCache(
            most_bytes,
            ttu=lambda _call, one, _now: one.asked_at + lifetime,
            timer=clock.now,
            getsizeof=lambda one: one.size,
        )

    def get(self, call: Call) -> Kept | None:
        return self._kept.get(call)

    def keep(self, call: Call, one: Kept) -> None:
        """Unless what is there was asked for later (and not before the clock went back), or it alone is too much to keep."""
        there = self._kept.get(call)
        if there is not None and one.asked_at < there.asked_at <= self._clock.now():
            return
        if one.size > self._kept.maxsize:
            self._kept.pop(call, None)
            return
        self._kept[call] = one
        while len(self._kept) > self._most_entries:
            self._kept.popitem()

    @property
    def entries(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes."""
        return round(self._kept.currsize)
