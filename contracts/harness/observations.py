"""What a client saw of a server, in order of time, and the stretches of it that promises are made about.

Kept here: the scope words of the laws. A stretch ends at a 404 of the job detail, for nothing is promised across it; an
incarnation is a stretch with the same ``createdTime``; a run is a stretch of an incarnation with the same version. Other
errors tell nothing about the job and end nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, TypeAlias

from contracts.clock import Instant

GET_JOB = "getJob"
GET_ATTEMPT = "getAttempt"
GET_ATTEMPTS = "getAttempts"
GET_VERSIONS = "getVersions"

Json: TypeAlias = Mapping[str, Any]
"""A body, or a part of one, that its schema was found to allow: typed by the document, not by Python."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One answer. Answers of one instant are those between which nothing can have changed: a clock stood still."""

    instant: Instant
    operation: str
    name: str
    version: int | None
    """As asked for; ``None``: it was left out."""
    attempt: int | None
    status: int
    body: Json

    def __str__(self) -> str:
        asked = "".join(
            f" {word} {value}"
            for word, value in (("version", self.version), ("attempt", self.attempt))
            if value is not None
        )
        return f"{self.operation} {self.name}{asked} at {self.instant}: {self.status}"


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that two answers, or one, cannot both keep."""

    law: str
    what: str
    observations: tuple[Observation, ...]

    def __str__(self) -> str:
        return f"{self.law}: {self.what} ({'; '.join(map(str, self.observations))})"


@dataclass(frozen=True, slots=True)
class Job:
    """A job detail that was answered."""

    seen: Observation

    @property
    def status(self) -> Json:
        status: Json = self.seen.body["jobStatus"]
        return status

    def tasks(self) -> dict[tuple[str, int], Json]:
        return tasks_of(self.seen.body)


def tasks_of(detail: Json) -> dict[tuple[str, int], Json]:
    """Every task of a job detail by role name and index."""
    return {
        (role, task["taskIndex"]): task
        for role, described in detail["taskRoles"].items()
        for task in described["taskStatuses"]
    }


@dataclass(frozen=True)
class Moment:
    """Everything seen of one name at one instant."""

    seen: tuple[Observation, ...]

    def of(self, operation: str) -> Iterator[Observation]:
        return (one for one in self.seen if one.operation == operation)

    def job(self) -> Job | None:
        """The job detail, if it was asked for and answered."""
        return next((Job(one) for one in self.of(GET_JOB) if one.status == 200), None)

    def versions(self) -> frozenset[int]:
        """Those that were listed; empty if none were."""
        listed = (one.body.values() for one in self.of(GET_VERSIONS) if one.status == 200)
        return frozenset(version for values in listed for ids in values for version in ids)

    def gone(self) -> bool:
        return any(one.status == 404 for one in self.of(GET_JOB))


Stretch: TypeAlias = Sequence[Moment]


def moments_by_name(observations: Iterable[Observation]) -> dict[str, list[Moment]]:
    """The moments of each name, ascending."""
    by_name: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        by_name[one.name].append(one)
    return {
        name: [
            Moment(tuple(group))
            for _, group in groupby(sorted(seen, key=lambda one: one.instant), key=lambda one: one.instant)
        ]
        for name, seen in by_name.items()
    }


def stretches(moments: Iterable[Moment]) -> Iterator[list[Moment]]:
    """The moments at which the job detail was answered, cut at every 404."""
    stretch: list[Moment] = []
    for moment in moments:
        if moment.gone():
            if stretch:
                yield stretch
            stretch = []
        elif moment.job() is not None:
            stretch.append(moment)
    if stretch:
        yield stretch


def incarnations(moments: Iterable[Moment]) -> Iterator[list[Moment]]:
    for stretch in stretches(moments):
        yield from _cut(stretch, "createdTime")


def runs(moments: Iterable[Moment]) -> Iterator[list[Moment]]:
    """A version may be left and entered again between two looks; where that cannot be excluded, a new run is taken to begin."""
    for incarnation in incarnations(moments):
        for stretch in _cut(incarnation, "version"):
            run = [stretch[0]]
            for earlier, later in pairwise(stretch):
                if _may_have_been_left(earlier, later):
                    yield run
                    run = []
                run.append(later)
            yield run


def _may_have_been_left(earlier: Moment, later: Moment) -> bool:
    """Another version has appeared meanwhile; or there is another, and the later moment is of an application begun anew."""
    before, after = earlier.versions(), later.versions()
    if len(after) < 2:
        return False
    if before and not after <= before:
        return True
    first, second = jobs((earlier, later))
    attempts, applications = zip(
        *((job.status["attemptId"], job.status["appId"]) for job in (first, second)), strict=True
    )
    is_another = applications[0] is not None and applications[0] != applications[1]
    return bool(attempts[1] < attempts[0] or (attempts[1] == attempts[0] and is_another))


def jobs(moments: Iterable[Moment]) -> list[Job]:
    """The job details of moments, ascending."""
    return [job for moment in moments if (job := moment.job()) is not None]


def _cut(stretch: Stretch, field: str) -> Iterator[list[Moment]]:
    def value(moment: Moment) -> object:
        job = moment.job()
        return None if job is None else job.status[field]

    for _, group in groupby(stretch, key=value):
        yield list(group)
