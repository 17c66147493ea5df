"""The jobs of a simulated world, for ``GET /__admin/jobs``: paged by place, so that no page costs more than it shows."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct

from contracts.clock import Instant
from contracts.launcher.records import Summary
from simulator.admin.job_list import Candidate, JobPage, JobQuery, select
from simulator.launcher import SimulatedLauncher
from simulator.problems import BadInput
from simulator.world.world import Told

LONGEST_CURSOR = 25
"""Digits."""


class SimulatedJobs:
    """A cursor is the place of the last job looked at; it stays good whatever the clock does meanwhile."""

    def __init__(self, launcher: SimulatedLauncher) -> None:
        self._launcher = launcher

    def page(self, query: JobQuery) -> JobPage:
        now = self._launcher.clock.now()
        all_places = self._launcher.source.places(now)
        places = _places(all_places, query)
        shown, last, scanned = select(self._candidates(places, now), query)
        return JobPage(
            jobs=shown,
            cursor=last if scanned < len(places) else None,
            scanned=scanned,
            total=None if query.filtered else len(all_places),
        )

    def _candidates(self, places: "_Part", now: Instant) -> Iterator[Candidate]:
        for place in places:
            told = self._launcher.source.at_place(place)

            def read(told: Told = told) -> Summary | None:
                return self._launcher.summary(told, now)

            yield str(place), told.name, told.user_name, read


def _places(places: Sequence[int], query: JobQuery) -> "_Part":
    """Those still to be looked at, in the order asked for."""
    begin, end = 0, len(places)
    if query.cursor is not None:
        if not (query.cursor.isascii() and query.cursor.isdigit() and len(query.cursor) <= LONGEST_CURSOR):
            raise BadInput(f"cursor {query.cursor!r} is none that this list has given")
        left = int(query.cursor)
        if query.order == "newest":
            end = bisect_left(places, left)
        else:
            begin = bisect_right(places, left)
    positions = range(begin, end)[::-1] if query.order == "newest" else range(begin, end)
    return _Part(places, positions[query.offset or 0 :])


class _Part(Struct, frozen=True):
    """Some of the places, read when they are come to."""

    places: Sequence[int]
    positions: range

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[int]:
        return (self.places[position] for position in self.positions)
