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
from msgspec.structs import asdict

from contracts.clock import Milliseconds
from simulator.lengths import length
from simulator.machine.story import DEPLOYED, FAST, Intervals

Range: TypeAlias = tuple[int, int]
"""Lowest and highest, both included."""


class Lengths(Struct, frozen=True):
    """A lognormal distribution of lengths of time."""

    median: Milliseconds
    spread: float
    longest: Milliseconds

    def roll(self, dice: random.Random) -> Milliseconds:
        return min(self.longest, round(dice.lognormvariate(math.log(self.median), self.spread)))


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
        mix = {key: value for key, value in asdict(self).items() if key not in without}
        return blake2b(json.dumps(mix, default=asdict).encode(), digest_size=8).hexdigest()


_NO_PART_OF_IT = frozenset({"name", "about"})
_PACES = {"deployed": DEPLOYED, "fast": FAST}


def _weighted(weights: Mapping[str, float]) -> Weighted:
    return Weighted(tuple(weights), tuple(accumulate(weights.values())))


def _lengths(values: Mapping[str, Any]) -> Lengths:
    return Lengths(length(values["median"]), float(values["spread"]), length(values["longest"]))


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
