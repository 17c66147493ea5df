"""Asks one server and judges what it says, within limits: of time, of rate, of patience.

Requests of one list go out from several threads; what comes back is handed over in the order of the list, so that a run
with more workers finds the same.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Final, TypeVar

from contracts.clock import pause, uptime
from contracts.harness.contract import Contract
from contracts.harness.expectations import Expectation, expectation
from contracts.harness.findings import Exchange
from contracts.harness.judging import Judge, Verdict
from contracts.harness.transport import REFUSED, TIME_OUT, Client, Request, Unanswered

T = TypeVar("T")
R = TypeVar("R")

MOST_TIME_OUTS: Final = 3
MOST_REFUSALS: Final = 5
"""In a row; a server that is this silent is not asked further."""
OVER: Final = "--max-time is over"


class Enough(Exception):
    """The check stops before its end. Says why."""


@dataclass
class Patience:
    """When to stop. ``until`` is a point of :func:`contracts.clock.uptime`."""

    until: float | None = None
    _time_outs: int = 0
    _refusals: int = 0

    def left(self) -> float | None:
        """Seconds. Raises :class:`Enough`."""
        if self._time_outs >= MOST_TIME_OUTS:
            raise Enough(f"{MOST_TIME_OUTS} requests in a row got no answer in time")
        if self._refusals >= MOST_REFUSALS:
            raise Enough(f"{MOST_REFUSALS} connections in a row were refused")
        if self.until is None:
            return None
        if self.over:
            raise Enough(OVER)
        return max(0.001, self.until - uptime())

    @property
    def over(self) -> bool:
        return self.until is not None and uptime() >= self.until

    def after(self, kind: str | None) -> None:
        """What came of a request: ``None`` or the kind of an :class:`Unanswered`."""
        self._time_outs = self._time_outs + 1 if kind == TIME_OUT else 0
        self._refusals = self._refusals + 1 if kind == REFUSED else 0


@dataclass
class Pace:
    """At most so many requests a second; ``None``: as fast as they go."""

    per_second: float | None = None
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def wait(self) -> None:
        if self.per_second is None:
            return
        with self._lock:
            now = uptime()
            turn = max(now, self._next)
            self._next = turn + 1 / self.per_second
        pause(turn - now)


@dataclass
class Asker:
    client: Client
    contract: Contract
    patience: Patience
    pace: Pace
    pool: ThreadPoolExecutor
    workers: int
    heard: Callable[[Exchange, Verdict, bool], None]
    """Told of every exchange, in order, and whether it was about a real name."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._judge = Judge(self.contract)

    def ask_all(self, phase: str, questions: "Iterable[tuple[Request, bool]]") -> None:
        """Raises :class:`Enough`."""
        for exchange, verdict, real in self.in_order(lambda asked: (*self.ask(phase, asked[0]), asked[1]), questions):
            self.heard(exchange, verdict, real)

    def ask(
        self,
        phase: str,
        request: Request,
        after: tuple[Request, ...] = (),
        expects: Callable[[Expectation], Expectation] = lambda usual: usual,
    ) -> tuple[Exchange, Verdict]:
        """Tells nobody: whoever asks hands over what he heard. ``after``: as of an :class:`Exchange`. Raises :class:`Enough`."""
        left = self.patience.left()
        self.pace.wait()
        expected = expects(expectation(self.contract, request))
        outcome = self.client.ask(request, left)
        if isinstance(outcome, Unanswered) and outcome.kind == TIME_OUT and self.patience.over:
            raise Enough(OVER)  # it was cut short: nobody can say that the server was late
        self.patience.after(outcome.kind if isinstance(outcome, Unanswered) else None)
        exchange = Exchange(next(self._numbers), phase, expected.operation, request, outcome, after)
        return exchange, self._judge.judge(exchange, expected)

    def in_order(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """The results of work done by several threads, in the order of the items; a few items ahead, no more."""
        if self.workers == 1:
            yield from map(work, items)
            return
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(self.pool.submit(work, item))
                if len(waiting) >= 2 * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
