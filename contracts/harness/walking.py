"""The stateful phase: follows jobs through time and keeps what was seen, for the laws to judge.

A look asks for a job, its versions, its attempts and their details. With a control plane the clock stands still during a
look and is moved between looks, into the past of a job and beyond its present; all answers of a look are then of one
instant. Without one, time is real: a look begins and ends with the job, and is of one instant only if both say the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from random import Random
from typing import Any, Final

from contracts.clock import EARLIEST, LATEST, Instant, iso, pause
from contracts.harness.asking import Asker
from contracts.harness.contract import EXTRA_KEYS, Contract, our_contract
from contracts.harness.control import ControlPlane, call
from contracts.harness.echoes import times_in
from contracts.harness.findings import Exchange, Finding
from contracts.harness.judging import Verdict, allows
from contracts.harness.laws import check
from contracts.harness.lines import Lines
from contracts.harness.names import RealName
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS, Observation
from contracts.harness.transport import Answered, Pairs, Request

PHASE: Final = "stateful"
REQUESTS_OF_A_LOOK: Final = 8
"""About."""
MOST_VERSIONS: Final = 3
MOST_ATTEMPTS: Final = 4
ROUNDS: Final = 5
PAUSE: Final = 1.0
"""Seconds between two rounds over the names where time is real."""
SHORTEST: Final = 2_000
FURTHEST: Final = 6 * 3_600_000
"""Milliseconds: the first look after a job was made, and how far beyond now the last one is."""


@dataclass
class Walk:
    contract: Contract
    asker: Asker
    names: Sequence[RealName]
    seed: int
    most: int
    """Requests, about."""
    control: ControlPlane | None
    observations: list[Observation] = field(default_factory=list)
    _shown_by: dict[int, Exchange] = field(default_factory=dict)
    _after: tuple[Request, ...] = ()

    def __post_init__(self) -> None:
        self._dice = Random(f"{self.seed} {PHASE}")  # noqa: S311 - repeatable on purpose
        self._shape = our_contract(self.contract.style, (EXTRA_KEYS,))

    def walk(self, now: Instant) -> None:
        """``now`` is what a control plane's clock shows. Raises :class:`Enough`, :class:`NoControl`."""
        if not self.names:
            return
        looks = max(1, self.most // REQUESTS_OF_A_LOOK)
        if self.control is None:
            self._poll(looks)
        else:
            self._visit(self.control, self._plan(looks - looks // 2, now))
            self._visit(self.control, self._edges(looks // 2))

    def findings(self, lines: Lines) -> Iterator[Finding]:
        """Breaches of the laws by what was seen."""
        for violation in check(self.observations):
            exchanges = tuple(self._shown_by[id(one)] for one in violation.observations)
            last = violation.observations[-1]
            field_named = lines.field_in(violation.what) or ""
            line = lines.of_law(violation.law, violation.what)
            yield Finding(
                last.operation, last.status, f"law {violation.law}", field_named, violation.what, line, exchanges
            )

    def _plan(self, looks: int, now: Instant) -> Iterator[tuple[Instant, RealName]]:
        """When to look at whom: from just after a job was made to some hours from now, closer together at first."""
        chosen = self._some(max(1, looks // max(3, min(12, round(looks**0.5)))))
        each = max(1, min(40, looks // len(chosen)))
        for name in chosen:
            created = name.created or now - FURTHEST
            span = max(now + FURTHEST - created, 2 * SHORTEST)
            for number in range(each):
                share = (number + self._dice.random()) / each
                after = round(SHORTEST * (span / SHORTEST) ** share)
                yield min(max(created + after, EARLIEST), LATEST), name

    def _visit(self, control: ControlPlane, planned: Iterable[tuple[Instant, RealName]]) -> None:
        for instant, group in groupby(sorted(planned, key=_order), key=lambda one: one[0]):
            control.stand_at(instant)
            self._after = (call("PUT", "/clock", {"action": "set", "to": iso(instant)}),)
            self._look_at_all([name for _, name in group], instant)

    def _edges(self, looks: int) -> list[tuple[Instant, RealName]]:
        """Just before and at the instants that answers spoke of: what lasts a moment only is seen there or nowhere."""
        known = {name.name: name for name in self.names}
        edges = {
            (max(EARLIEST, instant + shift), known[seen.name])
            for seen in self.observations
            if seen.operation == GET_JOB and seen.status == 200
            for _, instant in times_in(seen.body)
            for shift in (-1, 0, 1)
            if instant
        }
        return self._dice.sample(sorted(edges, key=_order), min(looks, len(edges)))

    def _poll(self, looks: int) -> None:
        chosen = self._some(max(1, looks // ROUNDS))
        for number in range(ROUNDS):
            if number:
                left = self.asker.patience.left()
                pause(PAUSE if left is None else min(PAUSE, left))
            self._look_at_all(chosen, None)

    def _some(self, number: int) -> list[RealName]:
        return self._dice.sample(list(self.names), min(number, len(self.names)))

    def _look_at_all(self, names: Sequence[RealName], instant: Instant | None) -> None:
        for looked in self.asker.in_order(lambda name: list(self._look(name)), names):
            for exchange, verdict, _ in looked:
                self.asker.heard(exchange, verdict, True)
            self._keep(looked, instant)

    def _keep(self, looked: "list[_Seen]", instant: Instant | None) -> None:
        if not looked:
            return
        settled = instant is not None or _settled(looked)
        first = looked[0][0].outcome.at
        for number, (exchange, verdict, asked) in enumerate(looked):
            if not self._can_be_judged(exchange, verdict):
                continue
            when = instant if instant is not None else first if settled else first + number
            seen = Observation(when, exchange.operation, *asked, exchange.status or 0, _body(verdict))
            self.observations.append(seen)
            self._shown_by[id(seen)] = exchange

    def _can_be_judged(self, exchange: Exchange, verdict: Verdict) -> bool:
        """Laws judge what is said and not how: a body must at least have the form that they read."""
        if exchange.status != 200:
            return exchange.status in (404, 500)
        response = self._shape.response(exchange.operation, 200)
        return response is not None and verdict.body is not None and allows(response, verdict.body)

    def _look(self, name: RealName) -> "Iterator[_Seen]":
        job = self._ask(GET_JOB, name)
        yield job
        versions = self._ask(GET_VERSIONS, name)
        yield versions
        yield from self._attempts(name, None)
        for version in _some_of(_listed(versions), MOST_VERSIONS):
            yield from self._attempts(name, version)
        if self.control is None:
            yield self._ask(GET_JOB, name)
        elif isinstance(job[0].outcome, Answered) and (tag := job[0].outcome.header("etag")):
            yield self._ask(GET_JOB, name, headers=(("If-None-Match", tag),))

    def _attempts(self, name: RealName, version: int | None) -> "Iterator[_Seen]":
        attempts = self._ask(GET_ATTEMPTS, name, version)
        yield attempts
        # A launcher that cannot be asked for the list cannot be asked for an attempt either, and the server must say so.
        unasked = (0,) if attempts[0].status == 500 else ()
        for attempt in _some_of(_listed(attempts), MOST_ATTEMPTS) or unasked:
            yield self._ask(GET_ATTEMPT, name, version, attempt)

    def _ask(
        self,
        operation: str,
        name: RealName,
        version: int | None = None,
        attempt: int | None = None,
        headers: Pairs = (),
    ) -> "_Seen":
        target = self.contract.path_of(operation, name.encoded, str(attempt), None if version is None else str(version))
        exchange, verdict = self.asker.ask(PHASE, Request("GET", target, headers), self._after)
        return exchange, verdict, (name.name, version, attempt)


_Seen = tuple[Exchange, Verdict, tuple[str, int | None, int | None]]


def _order(planned: tuple[Instant, RealName]) -> tuple[Instant, str]:
    return planned[0], planned[1].name


def _body(verdict: Verdict) -> dict[str, Any]:
    return verdict.body if isinstance(verdict.body, dict) else {}


def _listed(seen: _Seen) -> tuple[int, ...]:
    """The ids of a list that was answered as it should be."""
    exchange, verdict, _ = seen
    if exchange.status != 200 or not isinstance(verdict.body, dict) or len(verdict.body) != 1:
        return ()
    values = next(iter(verdict.body.values()))
    return tuple(values) if isinstance(values, list) else ()


def _some_of(ids: Sequence[int], most: int) -> list[int]:
    """The first ones and the last one."""
    return list(ids) if len(ids) <= most else [*ids[: most - 1], ids[-1]]


def _settled(looked: Sequence[_Seen]) -> bool:
    """Whether the job said the same before and after everything else."""
    first, last = looked[0][0].outcome, looked[-1][0].outcome
    return (
        isinstance(first, Answered)
        and isinstance(last, Answered)
        and looked[0][0].operation == looked[-1][0].operation == GET_JOB
        and (first.status, first.body) == (last.status, last.body)
    )
