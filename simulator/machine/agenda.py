"""Events in order of time. Nothing ticks: whoever changes something says when somebody will look, and that look is an event."""

import heapq
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeAlias

from contracts.clock import Instant

_Facts = ParamSpec("_Facts")
_Event: TypeAlias = tuple[Instant, int, Callable[..., None], tuple[object, ...]]


class Agenda:
    """Equal instants keep the order in which they were entered."""

    def __init__(self) -> None:
        self._events: list[_Event] = []
        self._entered = 0
        self._due: set[tuple[str, Instant]] = set()

    def at(
        self,
        instant: Instant,
        action: Callable[Concatenate[Instant, _Facts], None],
        *facts: _Facts.args,
        **named: _Facts.kwargs,
    ) -> None:
        """Calls ``action(instant, *facts)`` then."""
        if named:
            raise TypeError("the facts of an event stand in order")
        self._entered += 1
        event: _Event = (instant, self._entered, action, facts)
        heapq.heappush(self._events, event)

    def once(self, instant: Instant, action: Callable[[Instant], None]) -> None:
        """Several reasons to look at the same tick are one look."""
        key = (action.__name__, instant)
        if key not in self._due:
            self._due.add(key)
            self.at(instant, self._look, action)

    def _look(self, now: Instant, action: Callable[[Instant], None]) -> None:
        self._due.remove((action.__name__, now))
        action(now)

    def clear(self) -> None:
        self._events.clear()

    @property
    def next_event(self) -> Instant | None:
        return self._events[0][0] if self._events else None

    def step(self) -> None:
        instant, _, action, facts = heapq.heappop(self._events)
        action(instant, *facts)

    def run_to(self, instant: Instant) -> None:
        while self._events and self._events[0][0] <= instant:
            self.step()
