"""The mix of jobs in a world: how many of which shape, how long they wait and run, how they end.

Plain values, taken from a document that ``profile_files`` has read and found right.
"""

import json
import math
import random
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict, replace

from contracts.clock import Milliseconds
from simulator.dice import below
from simulator.lengths import length
from simulator.machine.story import DEPLOYED, FAST, SECOND, Intervals

Range: TypeAlias = tuple[int, int]
"""Lowest and highest, both included."""


class Lengths(Struct, frozen=True):
    """A lognormal distribution of lengths of time."""

    median: Milliseconds
    spread: float
    longest: Milliseconds

    def roll(self, dice: random.Random) -> Milliseconds:
        return min(self.longest, round(dice.lognormvariate(math.log(self.median), self.spread)))


class Between(Struct, frozen=True):
    """A length of time between two others, each as likely."""

    low: Milliseconds
    high: Milliseconds

    @property
    def middle(self) -> Milliseconds:
        return (self.low + self.high) // 2

    def roll(self, dice: random.Random) -> Milliseconds:
        """Where both ends are whole seconds, so is the length: things happen at the looks of somebody."""
        if self.low % SECOND or self.high % SECOND:
            return dice.randint(self.low, self.high)
        return dice.randint(self.low // SECOND, self.high // SECOND) * SECOND

    def at(self, *name: object) -> Milliseconds:
        """By the die of that name; always in milliseconds."""
        return self.low + below(self.high - self.low, *name)


class Starting(Struct, frozen=True):
    """How fast what was asked for comes, in a cluster with room for it."""

    submission: Between = Between(300, 1800)
    """From the application id to the submission."""
    master: Between = Between(2 * SECOND, 6 * SECOND)
    """From there, after the waiting, to the running master."""
    container: Between = Between(1 * SECOND, 9 * SECOND)
    """From a task's request to its container."""
    program: Between = Between(200, 2500)
    """From there to the running program."""

    @property
    def about(self) -> Milliseconds:
        """What a master and its containers take together, in whole seconds."""
        return (self.master.middle + self.container.middle + self.program.middle) // SECOND * SECOND


USUAL_START = Starting()


class Weighted(Struct, frozen=True):
    """Words and how often each comes."""

    words: tuple[str, ...]
    cumulated: tuple[float, ...]

    def shares(self) -> dict[str, float]:
        """Each word's part of the whole."""
        before = (0.0, *self.cumulated)
        return {
            word: (up_to - begin) / self.cumulated[-1]
            for word, begin, up_to in zip(self.words, before, self.cumulated, strict=False)
        }

    def roll(self, dice: random.Random) -> str:
        return dice.choices(self.words, cum_weights=self.cumulated)[0]


class RoleShape(Struct, frozen=True):
    name: str
    tasks: Range
    cpu: Range
    memory_mb: Range
    gpus: Range
    ports: tuple[tuple[str, int], ...]
    serves: bool


class Shape(Struct, frozen=True):
    weight: float
    gang: float
    roles: tuple[RoleShape, ...]


class Profile(Struct, frozen=True):
    name: str
    about: str
    window: Milliseconds
    intervals: Literal["deployed", "fast"]
    users: int
    locales: tuple[str, ...]
    """Each as often as its weight says; users take them in turn."""
    hosts: int
    gpus_per_host: int
    memory_mb_per_host: int | None
    cpus_per_host: int | None
    domain: str
    queues: Weighted
    topics: tuple[str, ...]
    works: tuple[str, ...]
    job_wrappers: float
    without_namespace: float
    groups: float
    shapes: tuple[Shape, ...]
    waiting: Lengths
    starting: Starting
    running: Lengths
    endings: Weighted
    retries: float
    most_retries: int
    retry_causes: Weighted
    task_retries: float
    most_task_retries: int
    upgrades: float
    most_upgrades: int

    @property
    def pace(self) -> Intervals:
        """How often the launcher looks, and how long it waits."""
        return _PACES[self.intervals]

    def identity(self) -> str:
        """Equal mixes, equal identities; the name is not part of it."""
        return self._identity(_NO_PART_OF_IT)

    def former_identity(self) -> str:
        """As it was called before hosts had a size: states that were saved then still name it so."""
        return self._identity({*_NO_PART_OF_IT, "memory_mb_per_host", "cpus_per_host"})

    def _identity(self, without: Collection[str]) -> str:
        usual = {"starting"} if self.starting == USUAL_START else set()  # profiles could not say it once
        mix = {key: value for key, value in asdict(self).items() if key not in without and key not in usual}
        return blake2b(json.dumps(mix, default=asdict).encode(), digest_size=8).hexdigest()


_NO_PART_OF_IT = frozenset({"name", "about"})
_PACES = {"deployed": DEPLOYED, "fast": FAST}


def _weighted(weights: Mapping[str, float]) -> Weighted:
    return Weighted(tuple(weights), tuple(accumulate(weights.values())))


def _lengths(values: Mapping[str, Any]) -> Lengths:
    return Lengths(length(values["median"]), float(values["spread"]), length(values["longest"]))


def starting_of(told: Mapping[str, Sequence[str]]) -> Starting:
    """What it says nothing of is as usual."""
    between = {key: Between(length(low), length(high)) for key, (low, high) in told.items()}
    return replace(USUAL_START, **between)


def _range(values: Sequence[int]) -> Range:
    low, high = values
    return int(low), int(high)


def profile_of(name: str, mix: Mapping[str, Any]) -> Profile:
    """The profile in a document that was found right."""
    users, cluster, names = mix["users"], mix["cluster"], mix["names"]
    return Profile(
        name=name,
        about=mix["about"],
        window=length(mix["window"]),
        intervals=mix["intervals"],
        users=users["count"],
        locales=tuple(locale for locale, weight in users["locales"].items() for _ in range(weight)),
        hosts=cluster["hosts"],
        gpus_per_host=cluster["gpus_per_host"],
        memory_mb_per_host=cluster.get("memory_mb_per_host"),
        cpus_per_host=cluster.get("cpus_per_host"),
        domain=cluster["domain"],
        queues=_weighted(cluster["queues"]),
        topics=tuple(names["topics"]),
        works=tuple(names["works"]),
        job_wrappers=names["job_wrappers"],
        without_namespace=names["without_namespace"],
        groups=names["groups"],
        shapes=tuple(_shape(shape) for shape in mix["shapes"]),
        waiting=_lengths(mix["waiting"]),
        starting=starting_of(mix.get("starting", {})),
        running=_lengths(mix["running"]),
        endings=_weighted(mix["endings"]),
        retries=mix["retries"]["chance"],
        most_retries=mix["retries"]["most"],
        retry_causes=_weighted(mix["retries"]["causes"]),
        task_retries=mix["task_retries"]["chance"],
        most_task_retries=mix["task_retries"]["most"],
        upgrades=mix["upgrades"]["chance"],
        most_upgrades=mix["upgrades"]["most"],
    )


def _shape(shape: Mapping[str, Any]) -> Shape:
    return Shape(
        weight=shape["weight"],
        gang=shape.get("gang", 0.0),
        roles=tuple(
            RoleShape(
                name=name,
                tasks=_range(role["tasks"]),
                cpu=_range(role["cpu"]),
                memory_mb=_range(role["memory_mb"]),
                gpus=_range(role.get("gpus", (0, 0))),
                ports=tuple(role.get("ports", {}).items()),
                serves=role.get("serves", False),
            )
            for name, role in shape["roles"].items()
        ),
    )
