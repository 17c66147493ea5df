"""The laws across answers, over whatever clients happen to ask: what was seen of each job, in an order that is certain.

Two answers are in a certain order only if the one was complete before the other was asked for; of answers that overlap the
first is kept. A clock that went back, another world, or a change made through the control plane begins a new age: nothing
is promised across it. Answers are taken as of one instant only where a simulated clock says so and the job said the same
before and after, since a server may have caches.

What is kept is bounded: when it is much, it is judged, and of each job only the last word is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from contracts.clock import from_iso
from contracts.harness.findings import Exchange, Finding
from contracts.harness.laws import check
from contracts.harness.lines import Lines
from contracts.harness.observations import GET_JOB, Observation
from contracts.harness.transport import Answered

MOST_KEPT: Final = 8 * 1024 * 1024
"""Bytes of answers."""
MOST_JOBS: Final = 10_000
Asked = tuple[str, str, int | None, int | None]
"""Operation, name, version, attempt."""


@dataclass
class _Job:
    """What was seen of one name."""

    seen: list[Observation] = field(default_factory=list)
    complete: float = 0.0
    """When the last answer of ``seen`` was there."""
    now: str | None = None
    """What the simulated clock said then."""
    since_told: int = 0
    """How many observations came after the last job detail."""


@dataclass
class LawsInPassing:
    lines: Lines
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _shown_by: dict[int, tuple[Observation, Exchange]] = field(default_factory=dict)
    _size: int = 0

    def add(
        self, asked: Asked, exchange: Exchange, body: dict[str, object], sent: float, complete: float
    ) -> Iterator[Finding]:
        """One answer whose body has the form that laws read; ``sent`` and ``complete`` are points of uptime."""
        answer = exchange.outcome
        assert isinstance(answer, Answered)  # noqa: S101 - only those have a body
        operation, name, version, attempt = asked
        now = answer.header("x-simulated")
        job = self._jobs.get(name)
        if job is not None and _went_back(job.now, now):
            yield from self.judged()
            self.new_age()
            job = None
        if job is None:
            job = self._jobs[name] = _Job()
        if sent < job.complete:
            return
        job.complete = complete
        last = job.seen[-1].instant if job.seen else 0
        seen = Observation(max(last + 1, answer.at), operation, name, version, attempt, answer.status, body)
        if operation == GET_JOB and self._says_the_same(job, seen):
            if now is not None and now == job.now:
                self._settled(job)
            job.since_told, job.now = 0, now
            return
        job.now = now
        job.since_told = 0 if operation == GET_JOB else job.since_told + 1
        job.seen.append(seen)
        self._shown_by[id(seen)] = seen, exchange
        self._size += len(answer.body)
        if self._size > MOST_KEPT or len(self._jobs) > MOST_JOBS:
            yield from self.judged()

    def judged(self) -> Iterator[Finding]:
        """Breaches by what was seen. Afterwards the last job detail of each name is kept, to go on from."""
        observations = [seen for job in self._jobs.values() for seen in job.seen]
        for violation in check(observations):
            exchanges = tuple(self._shown_by[id(one)][1] for one in violation.observations)
            last = violation.observations[-1]
            yield Finding(
                last.operation,
                last.status,
                f"law {violation.law}",
                self.lines.field_in(violation.what) or "",
                violation.what,
                self.lines.of_law(violation.law, violation.what),
                exchanges,
            )
        self._shorten()

    def new_age(self) -> None:
        self._jobs.clear()
        self._shown_by.clear()
        self._size = 0

    def _says_the_same(self, job: _Job, seen: Observation) -> bool:
        told = job.seen[-1 - job.since_told] if len(job.seen) > job.since_told else None
        return told is not None and told.operation == GET_JOB and (told.status, told.body) == (seen.status, seen.body)

    def _settled(self, job: _Job) -> None:
        """Everything since the last job detail is of its instant, for it says the same now as then."""
        for place in range(len(job.seen) - job.since_told, len(job.seen)):
            old = job.seen[place]
            new = job.seen[place] = replace(old, instant=job.seen[place - 1].instant)
            self._shown_by[id(new)] = new, self._shown_by.pop(id(old))[1]

    def _shorten(self) -> None:
        kept: dict[int, tuple[Observation, Exchange]] = {}
        for job in self._jobs.values():
            job.seen = [seen for seen in job.seen if seen.operation == GET_JOB][-1:]
            job.since_told = 0
            kept |= {id(seen): self._shown_by[id(seen)] for seen in job.seen}
        self._shown_by = kept
        self._size = sum(
            len(exchange.outcome.body) for _, exchange in kept.values() if isinstance(exchange.outcome, Answered)
        )
        if self._size > MOST_KEPT // 2 or len(self._jobs) > MOST_JOBS:
            self.new_age()


def _went_back(before: str | None, now: str | None) -> bool:
    """Whether ``X-Simulated`` tells of another world, or of an earlier time."""
    if before is None or now is None:
        return before is not now
    world, _, instant = before.partition("; now=")
    new_world, _, new_instant = now.partition("; now=")
    try:
        return world != new_world or from_iso(new_instant) < from_iso(instant)
    except (ValueError, OverflowError):
        return before != now
