"""Which intervals a launcher has, as its delays tell them together: those that leave the fewest of them unexplained.

A launcher looks at everything in periods of its own, and somebody set each of them. Most have a pace that is known, or that
one stretched, which all delays tell together. Whoever set one interval otherwise shows it by one kind of delay, again and
again. How delays are spread inside their bounds says nothing: that hangs on when somebody looked.

A delay that is outside all the same is odd if others of its kind say so, or if no pace that anybody would set explains it.
Else it is not judged: it may be one delay of a launcher that was set up otherwise.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple, Protocol

from contracts.clock import Milliseconds
from contracts.harness.drift.sides import Pace

ODD: Final = 14.0
"""What speaks against a pace for each delay outside its bounds. All such weights are logarithms of how unlikely something is."""
STRETCHED: Final = 10.0
"""What speaks against a stretch, for each power of e: one delay alone explains none to four times a known pace."""
OF_ITS_OWN: Final = 6.0
"""What speaks against a single interval that does not go with the others."""
UNUSUAL: Final = 2.0
"""What speaks against another pace than that of most of a launcher's frameworks: it may have been set up anew in between."""
OTHERS: Final = 3
"""So many delays of one kind inside their bounds tell that another one is odd."""
STRETCHES: Final = tuple(1.05**step for step in range(-33, 52) if step)
"""From some fifth to some twelve times a known pace: so somebody may have set the intervals of a launcher."""


class Delay(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def length(self) -> Milliseconds: ...
    @property
    def shown_by(self) -> str: ...
    def range(self, pace: Pace) -> tuple[Milliseconds, Milliseconds]: ...


@dataclass(frozen=True, slots=True)
class Stretched:
    """A pace, all of it faster or slower."""

    service_request_pull: Milliseconds
    service_rm_resync: Milliseconds
    am_status_push: Milliseconds
    web_status_pull: Milliseconds
    conflict_back_off_min: Milliseconds
    conflict_back_off_max: Milliseconds
    gang_timeout: Milliseconds


def stretched(pace: Pace, factor: float) -> Stretched:
    return Stretched(**{field.name: round(getattr(pace, field.name) * factor) for field in fields(Stretched)})


class Odd(NamedTuple):
    delay: Delay
    pace: str
    lowest: Milliseconds
    highest: Milliseconds
    judged: bool
    """Whether it is odd; else it is one of too few to tell."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    pace: Pace
    against: float
    """What speaks against it before any delay is looked at."""

    def odds(self, delays: Iterable[Delay]) -> float:
        return self.against + ODD * sum(not _inside(one, self.pace) for one in delays)


class Judge:
    """Knows the pace of one launcher."""

    def __init__(self, paces: Mapping[str, Pace], delays: Sequence[Delay], *, others: bool) -> None:
        known = [_Candidate(name, pace, 0.0) for name, pace in paces.items()]
        every = known + [
            _Candidate(f"{name} (x{factor:.3g})", stretched(pace, factor), STRETCHED * abs(math.log(factor)))
            for name, pace in paces.items()
            for factor in (STRETCHES if others else ())
        ]
        kinds = _by_kind(delays)
        own = {kind: min(every, key=lambda one: one.odds(found)) for kind, found in kinds.items()} if others else {}
        self._usual = min(
            every,
            key=lambda one: (
                one.against
                + sum(
                    min(_outside(one, found), OF_ITS_OWN + own[kind].odds(found) if kind in own else math.inf)
                    for kind, found in kinds.items()
                )
            ),
        )
        self._own = {
            kind: one
            for kind, one in own.items()
            if OF_ITS_OWN + one.odds(kinds[kind]) < _outside(self._usual, kinds[kind])
        }
        self._known = [_Candidate(one.name, one.pace, UNUSUAL) for one in known]
        self._plausible = [(stretched(pace, STRETCHES[0]), stretched(pace, STRETCHES[-1])) for pace in paces.values()]
        self._others = others
        self._inside = {
            kind: sum(_inside(one, own_pace.pace) for one in found)
            for kind, found in kinds.items()
            for own_pace in (self._own.get(kind, self._usual),)
        }

    def outside(self, delays: Sequence[Delay]) -> Iterator[Odd]:
        """Of one framework, which may have lived at another known pace than most."""
        plain = [one for one in delays if one.kind not in self._own]
        pace = min((_Candidate(self._usual.name, self._usual.pace, 0.0), *self._known), key=lambda one: one.odds(plain))
        for one in delays:
            possible = [pace, *([self._own[one.kind]] if one.kind in self._own else [])]
            if not any(_inside(one, candidate.pace) for candidate in possible):
                judged = self._inside.get(one.kind, 0) >= OTHERS or not self._is_explained(one)
                yield Odd(one, possible[-1].name, *one.range(possible[-1].pace), judged)

    def _is_explained(self, delay: Delay) -> bool:
        """By some stretch: all between the fastest and the slowest may be."""
        return self._others and any(
            delay.range(fastest)[0] <= delay.length <= delay.range(slowest)[1] for fastest, slowest in self._plausible
        )


def _outside(candidate: _Candidate, delays: Iterable[Delay]) -> float:
    return candidate.odds(delays) - candidate.against


def _inside(delay: Delay, pace: Pace) -> bool:
    low, high = delay.range(pace)
    return low <= delay.length <= high


def _by_kind(delays: Iterable[Delay]) -> dict[str, list[Delay]]:
    found: dict[str, list[Delay]] = defaultdict(list)
    for one in delays:
        found[one.kind].append(one)
    return found
