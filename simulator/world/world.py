"""A world: seed, profile and number of jobs. Which frameworks there are at an instant, and the story of each.

A world is a source of stories by name. Nothing in it is ever made before somebody asks, and nothing depends on what was
asked before; so it needs no memory, no background work, and no start.

The resource manager is started anew every week, as far as ids tell: an application id is its start and a number, and the
number is made of the job's place in its week, so that an id is as good as a name.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import LATEST, Instant, Milliseconds
from simulator.machine.story import DAY, MINUTE, Cluster, Story
from simulator.world.arrivals import EPOCH, Arrivals
from simulator.world.jobs import MOST_APPLICATIONS, job
from simulator.world.population import Population
from simulator.world.profile import Profile

WEEK: Milliseconds = 7 * DAY
KEPT_NAMES = 4096
STARTED_BEFORE: Milliseconds = 11 * MINUTE + 7_844
"""The resource manager is up this long when its week begins."""

_APPLICATION_ID = re.compile(r"application_([0-9]{1,15})_([0-9]{4,15})", re.ASCII)


class Told(Struct, frozen=True):
    """One framework of a source: when it is there, and how to get its story."""

    key: Hashable
    """Equal keys, equal stories, whichever world they are from."""
    name: str
    user_name: str
    place: int
    """Of the source's frameworks in the order they came."""
    begins: Instant
    ends: Instant
    """Forgotten from then on."""
    tell: Callable[[], Story]


class Source(Protocol):
    """Where frameworks come from: a population now; scenarios and what people submitted are others of the same kind."""

    def edition_of(self, name: str) -> object:
        """Of all that is told of that name: equal editions, equal frameworks at every instant."""

    def named(self, name: str, at: Instant) -> Told | None:
        """The framework of that name, if it exists at that instant."""

    def with_application(self, application_id: str, at: Instant) -> Told | None:
        """The framework whose application that may be, if it exists at that instant."""

    def places(self, at: Instant) -> Sequence[int]:
        """The places of all frameworks that exist at that instant, ascending in the order they came."""

    def at_place(self, place: int) -> Told: ...


class World:
    """The frameworks of a population."""

    def __init__(self, seed: int, jobs: int, profile: Profile) -> None:
        self.seed = seed
        self.profile = profile
        self.population = Population(seed, profile)
        self.arrivals = Arrivals(seed, jobs, profile.window)
        self._key = (seed, jobs, profile.identity())
        # Pollers ask for the same names again and again. Pure, so keeping the answers changes none.
        self._index_of = lru_cache(KEPT_NAMES)(self.population.index_of)
        self.at_place = lru_cache(KEPT_NAMES)(self._told)

    def edition_of(self, name: str) -> object:
        del name
        return self._key

    def named(self, name: str, at: Instant) -> Told | None:
        index = self._index_of(name)
        return None if index is None else self._existing(index, at)

    def known(self, name: str) -> Told | None:
        """The job that has this name, whenever it may exist."""
        index = self._index_of(name)
        return None if index is None else self.at_place(index)

    def with_application(self, application_id: str, at: Instant) -> Told | None:
        owner = self.owner(application_id)
        return owner if owner is not None and owner.begins <= at < owner.ends else None

    def owner(self, application_id: str) -> Told | None:
        """The job whose application that may be, whenever it may exist."""
        match = _APPLICATION_ID.fullmatch(application_id)
        if match is None:
            return None
        started, number = int(match[1]), int(match[2])
        week, rest = divmod(started + STARTED_BEFORE - EPOCH, WEEK)
        index = self.arrivals.first_slot_from(EPOCH + week * WEEK) + (number - 1) // MOST_APPLICATIONS
        if rest or week < 0 or number < 1 or self._week(index) != week or self.arrivals.slot(index) > LATEST:
            return None
        return self.at_place(index)

    def places(self, at: Instant) -> range:
        return self.arrivals.existing(at)

    def _told(self, place: int) -> Told:
        arrival = self.arrivals.instant(place)
        return Told(
            key=(*self._key, place),
            name=self.population.name_of(place),
            user_name=self.population.user_of(place).name,
            place=place,
            begins=arrival,
            ends=arrival + self.profile.window,
            tell=lambda: self._tell(place, arrival),
        )

    def _existing(self, index: int, at: Instant) -> Told | None:
        if index < 0 or not self.arrivals.may_exist(index, at):
            return None
        told = self.at_place(index)
        return told if told.begins <= at < told.ends else None

    def resource_manager_started(self, at: Instant) -> Instant:
        """The start that ids of applications tell then."""
        return EPOCH + max(0, at - EPOCH) // WEEK * WEEK - STARTED_BEFORE

    def _week(self, index: int) -> int:
        return (self.arrivals.slot(index) - EPOCH) // WEEK

    def _tell(self, index: int, arrival: Instant) -> Story:
        week = self._week(index)
        place_in_week = index - self.arrivals.first_slot_from(EPOCH + week * WEEK)
        dice_name = f"{self.seed}/job/{index}"
        told = job(
            self.profile,
            self.population.user_of(index),
            arrival,
            dice_name,
            first_application=place_in_week * MOST_APPLICATIONS + 1,
        )
        return Story(
            name=self.population.name_of(index),
            cluster=Cluster(
                started=EPOCH + week * WEEK - STARTED_BEFORE,
                hosts=self.population.hosts,
                # The window forgets; so the launcher itself never does before.
                intervals=replace(self.profile.pace, completed_retention=self.profile.window),
                resource_manager=f"rm.{self.profile.domain}:8088",
                node_memory_mb=self.profile.memory_mb_per_host,
                node_cpu_number=self.profile.cpus_per_host,
                node_gpu_number=self.profile.gpus_per_host,
                queues=frozenset(self.profile.queues.words),
            ),
            operations=told.operations,
            behaviour=told.life,
            seed=dice_name,
            tags=told.tags,
            most_applications=MOST_APPLICATIONS,
        )


def newest_first(source: Source, at: Instant) -> Iterator[Told]:
    return map(source.at_place, reversed(source.places(at)))
