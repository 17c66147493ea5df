"""What protects a real launcher from its clients, and clients from a launcher in trouble.

A shield is a stack of hooks, each in a module of its own; from the outside in:

* :class:`Keeping` (here): kept answers and single flight. Any number of clients of one job cost at most one call per TTL.
* :mod:`.breaker`: leaves alone who fails again and again.
* :mod:`.retry`: asks again where a connection failed; within the breaker, so that one question counts once.
* :mod:`.gate`: so many calls at once, so many wait.

**The promise.** An answer given at instant ``t`` was asked for after ``t - ttl``, where ``t`` is when the question came in. So a
copy is used, and a flight joined, only if it began less than a TTL ago; a launcher that takes longer than that for an answer
is asked by the next client anew, and the gate bounds what that costs. Keys are whole calls, and what is kept under a call came
from that call: no answer can be another job's.

"No such framework" is an answer and is kept like one. An error is kept for no longer than a second (:data:`LONGEST_ERROR`), so that
a job that a launcher cannot tell is not asked for by every client of it, and is well again soon after the launcher is; but not
where nobody asked the launcher, nor where the time of whoever asked was up. Those who are under way together share what comes.
With ``stale_for``, a copy too old to be promised is given instead of an error, for so long, and says so (``stale_since``).
"""

import threading
from collections.abc import Callable, Hashable
from copy import copy
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from contracts.clock import Clock, Instant, Milliseconds
from contracts.launcher.port import (
    Answer,
    Ask,
    Call,
    Hook,
    LauncherBusy,
    LauncherError,
    LauncherRefused,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
    stacked,
)
from restserver.launchers.breaker import FAILURES, PAUSE, Breaker
from restserver.launchers.gate import AT_ONCE, WAITING, Gate
from restserver.launchers.kept_answers import MOST_BYTES, MOST_ENTRIES, Kept, KeptAnswers, Said, kept
from restserver.launchers.retry import Retry
from restserver.launchers.single_flight import Flight

LONGEST_ERROR: Final[Milliseconds] = 1_000
"""That an error is kept, however long the TTL."""
MOST_BYTES_OF_ERRORS: Final = 4 * 1024 * 1024
KEPT_OPERATIONS: Final = frozenset({"framework", "attempt", "attempts", "versions", "ready", "application"})
"""Lists of everything are neither kept nor shared: they are streamed, and only the archiver and people ask for them."""


def is_an_answer(error: LauncherError, call: Call) -> bool:
    """Whether it says that there is no such thing, and not that something is wrong. A resource manager says it with 404;
    of a launcher that is some other program's, such as a proxy's whose launcher is gone.
    """
    return isinstance(error, NoSuchFramework | NoSuchAttempt | NoSuchVersion) or (
        call.operation == "application" and isinstance(error, LauncherRefused) and error.status == 404
    )


class Keeping:
    """A hook: kept answers and single flight under one lock, so that between a landing and a keeping nobody asks twice."""

    def __init__(
        self,
        clock: Clock,
        who: str,
        ttl: Milliseconds,
        *,
        stale_for: Milliseconds = 0,
        most_bytes: int = MOST_BYTES,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self._clock = clock
        self._who = who
        self._ttl = ttl
        self._stale_for = stale_for
        self._lock = threading.Lock()
        self._flights: dict[Call, Flight] = {}
        self._kept = KeptAnswers(clock, ttl + stale_for, most_bytes=most_bytes, most_entries=most_entries)
        self._errors = KeptAnswers(clock, min(ttl, LONGEST_ERROR), most_bytes=MOST_BYTES_OF_ERRORS)
        self.hits = 0
        """Questions answered from a copy (of an error, too), or spared because it still says the same, so far."""
        self.shared = 0
        """Questions that joined a call under way, so far."""
        self.misses = 0
        """Questions that became a call, so far."""
        self.stale = 0
        """Errors that a stale copy stood in for, so far."""

    def __call__(self, call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
        if call.operation not in KEPT_OPERATIONS:
            return proceed(ask)
        while True:
            found = self._found(call)
            if isinstance(found, Kept):
                return self._given(call, found.said)
            flight, leads = found
            if leads:
                return self._lead(call, flight, ask, proceed)
            brought = flight.followed(ask.deadline, self._clock, self._who)
            if brought is not None:
                return self._given(call, brought.said)

    @property
    def entries(self) -> int:
        with self._lock:
            return self._kept.entries + self._errors.entries

    @property
    def size(self) -> int:
        """Bytes of what is kept."""
        with self._lock:
            return self._kept.size + self._errors.size

    def _found(self, call: Call) -> Kept | tuple[Flight, bool]:
        """A copy that is young enough, or the flight to follow, or a new one to lead."""
        with self._lock:
            now = self._clock.now()
            kept = self._kept.get(call)
            if kept is not None and self._is_young(kept.asked_at, now):
                self.hits += 1
                return kept
            error = self._errors.get(call)
            if error is not None and error.asked_at <= now:
                self.hits += 1
                return error
            flight = self._flights.get(call)
            if flight is not None and self._is_young(flight.began, now):
                self.shared += 1
                return flight, False
            self.misses += 1
            self._flights[call] = flight = Flight(now)
            return flight, True

    def _is_young(self, began: Instant, now: Instant) -> bool:
        """What lies in the future was asked for before the clock was put back: nobody knows how old it is."""
        return 0 <= now - began < self._ttl

    def _lead(self, call: Call, flight: Flight, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
        brought: Kept | None = None
        try:
            said = self._dated(call, proceed(ask), flight.began)
            brought = kept(said, flight.began)
        except LauncherError as error:
            brought = kept(_fresh(error), flight.began)
            return self._given(call, error)
        finally:
            in_time = ask.deadline is None or self._clock.now() < ask.deadline
            self._landed(call, flight, brought, in_time=in_time)
        return said

    def _dated(self, call: Call, said: Answer[Any] | None, began: Instant) -> Answer[Any] | None:
        if said is None:
            return None
        until = began + self._ttl
        until = until if said.until is None else min(said.until, until)
        return replace(said, until=until, holds=partial(self._still_says, call, said.edition))

    def _still_says(self, call: Call, edition: Hashable) -> bool:
        """Whether a copy would be given, and it is of that edition. Waits for nobody: who cannot be told now may ask."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            kept = self._kept.get(call)
            if kept is None or not self._is_young(kept.asked_at, self._clock.now()):
                return False
            says = isinstance(kept.said, Answer) and kept.said.edition == edition
            self.hits += says
            return says
        finally:
            self._lock.release()

    def _landed(self, call: Call, flight: Flight, brought: Kept | None, *, in_time: bool) -> None:
        with self._lock:
            if brought is not None and (
                not isinstance(brought.said, LauncherError) or is_an_answer(brought.said, call)
            ):
                self._kept.keep(call, brought)
            elif brought is not None and in_time and not isinstance(brought.said, LauncherBusy):
                self._errors.keep(call, brought)
            if self._flights.get(call) is flight:
                del self._flights[call]
        flight.land(brought)

    def _given(self, call: Call, said: Said) -> Any:
        """What a call brought; a stale copy instead of an error, where that is allowed and there is one."""
        if isinstance(said, LauncherError) and not is_an_answer(said, call) and self._stale_for:
            with self._lock:
                kept = self._kept.get(call)
                if kept is not None and isinstance(kept.said, Answer):
                    self.stale += 1
                    return replace(kept.said, stale_since=kept.asked_at + self._ttl, holds=None)
        return _told(said)


def _told(said: Said) -> Any:
    if isinstance(said, LauncherError):
        raise _fresh(said)
    return said


def _fresh(error: LauncherError) -> LauncherError:
    """The same statement without where it was raised: one kept or shared must not hold, or mix, the stacks of threads."""
    return copy(error)


@dataclass(frozen=True)
class Policy:
    """How much of a shield there is."""

    ttl: Milliseconds = 1_000
    """0: nothing is kept, nothing is shared."""
    stale_for: Milliseconds = 0
    breaker: bool = True
    at_once: int = AT_ONCE
    waiting: int = WAITING
    failures: int = FAILURES
    pause: Milliseconds = PAUSE
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True)
class Shield:
    """The stack, and its parts for those who look after them."""

    hook: Hook
    gate: Gate
    retry: Retry
    breaker: Breaker | None
    keeping: Keeping | None


def shield(clock: Clock, who: str, policy: Policy, dice: Random, innermost: Hook) -> Shield:
    """``innermost`` sees only the calls that are really made."""
    keeping = (
        Keeping(clock, who, policy.ttl, stale_for=policy.stale_for, most_bytes=policy.most_bytes)
        if policy.ttl > 0
        else None
    )
    retry = Retry(clock, dice=dice)
    breaker = Breaker(clock, who, failures=policy.failures, pause=policy.pause) if policy.breaker else None
    gate = Gate(clock, who, at_once=policy.at_once, waiting=policy.waiting)
    hooks = [hook for hook in (keeping, breaker, retry, gate) if hook is not None]
    return Shield(stacked(*hooks, innermost), gate, retry, breaker, keeping)
