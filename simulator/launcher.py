"""The simulated launcher and resource manager: a source of stories, read at the instant of a clock.

Every answer is a pure function of story and instant. What is kept is only how the stories that were asked about lately
unfold; forgetting that costs time and never changes an answer.

Limit: a real resource manager knows applications of frameworks that the launcher has forgotten; this one does not.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from itertools import islice

from cachetools import LRUCache

from contracts.clock import Clock, Instant
from contracts.launcher.port import Answer, Ask, NoSuchAttempt, NoSuchFramework, NoSuchVersion, T
from contracts.launcher.records import Application, Figures, Framework, Summary
from simulator.machine.story import Submit
from simulator.machine.timeline import Stretch, Timeline, plan
from simulator.machine.yarn import Held
from simulator.world.profile import Profile
from simulator.world.profile_files import load
from simulator.world.world import Source, Told, World, newest_first

KEPT_TASKS = 10_000
"""How many tasks the kept timelines may have together."""
MOST_SUMMED = 1000
"""Jobs that are looked at for what the cluster holds as a whole: with a million of them nobody waits for the sum of all."""


class Unfolded:
    """The timelines of the stories asked about lately. Thread-safe and bounded."""

    def __init__(self) -> None:
        self._kept: LRUCache[Hashable, Timeline] = LRUCache(KEPT_TASKS, getsizeof=_tasks)
        self._lock = threading.Lock()

    @property
    def size(self) -> float:
        return self._kept.currsize

    def timeline(self, told: Told) -> Timeline:
        with self._lock:
            kept = self._kept.get(told.key)
        if kept is None:
            kept = plan(told.tell())  # outside the lock: at worst two threads plan the same, and get the same
            with self._lock:
                if self._kept.getsizeof(kept) <= KEPT_TASKS:
                    self._kept[told.key] = kept
        return kept


def _tasks(timeline: Timeline) -> float:
    """Every framework counts as one task more, for what it is besides."""
    return 1 + sum(
        role.task_number
        for operation in timeline.story.operations
        if isinstance(operation, Submit)
        for role in operation.descriptor.task_roles.values()
    )


class SimulatedLauncher:
    """A launcher of the port."""

    def __init__(self, source: Source, clock: Clock, unfolded: Unfolded) -> None:
        self.source = source
        self.clock = clock
        self.unfolded = unfolded

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        now, edition = self.clock.now(), self.source.edition_of(name)
        told = self._told(name, now)
        stretch = self.unfolded.timeline(told).stretch(now)
        if stretch.record is None:
            raise NoSuchFramework(name)
        return self._answer(told, stretch, edition, stretch.record)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        now, edition = self.clock.now(), self.source.edition_of(name)
        try:
            told = self._told(name, now)
        except NoSuchFramework:
            raise NoSuchAttempt(name, version, attempt) from None
        past = self.unfolded.timeline(told).attempt(now, version, attempt)
        if past is None:
            raise NoSuchAttempt(name, self._version(told, version, now), attempt)
        return self._answer(told, self.unfolded.timeline(told).stretch(now), edition, past)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        now, edition = self.clock.now(), self.source.edition_of(name)
        try:
            told = self._told(name, now)
        except NoSuchFramework:
            raise NoSuchVersion(name, version) from None
        attempts = self.unfolded.timeline(told).attempts(now, version)
        if attempts is None:
            raise NoSuchVersion(name, self._version(told, version, now))
        return self._answer(told, self.unfolded.timeline(told).stretch(now), edition, attempts)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        now, edition = self.clock.now(), self.source.edition_of(name)
        told = self._told(name, now)
        versions = self.unfolded.timeline(told).versions(now)
        if versions is None:
            raise NoSuchFramework(name)
        return self._answer(told, self.unfolded.timeline(told).stretch(now), edition, versions)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        """Newest first; each read when it is asked for, all at the instant of the call."""
        now = self.clock.now()
        known = (self.summary(told, now) for told in newest_first(self.source, now))
        return (summary for summary in known if summary is not None)

    def ready(self, ask: Ask) -> None:
        """It always is."""

    def summary(self, told: Told, at: Instant) -> Summary | None:
        """``None``: its user has deleted it."""
        record = self.unfolded.timeline(told).at(at)
        return None if record is None else record.summary

    def _told(self, name: str, now: Instant) -> Told:
        told = self.source.named(name, now)
        if told is None:
            raise NoSuchFramework(name)
        return told

    def _version(self, told: Told, asked: int | None, now: Instant) -> int | None:
        """What an error says: the version asked for, else the current one, else nothing."""
        if asked is not None:
            return asked
        record = self.unfolded.timeline(told).at(now)
        return None if record is None else record.status.version

    def _answer(self, told: Told, stretch: Stretch, edition: object, value: T) -> Answer[T]:
        """``edition``: what is told of the name, read before anything else was."""
        until = told.ends if stretch.ends is None else min(stretch.ends, told.ends)
        holds = self._holding(told.name, edition, stretch.begins, until)
        return Answer(value, (told.key, stretch.edition), until, holds=holds)

    def _holding(self, name: str, edition: object, begins: Instant, ends: Instant) -> Callable[[], bool]:
        """Keeps no record: whoever keeps this keeps little."""
        edition_of, now = self.source.edition_of, self.clock.now
        return lambda: begins <= now() < ends and edition_of(name) == edition


class SimulatedResourceManager:
    """The resource manager of the port, over the same world."""

    def __init__(self, source: Source, clock: Clock, unfolded: Unfolded) -> None:
        self._source = source
        self._clock = clock
        self.unfolded = unfolded

    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        """Figures of a finished application hold; those of a running one grow all the time."""
        now = self._clock.now()
        told = self._source.with_application(application_id, now)
        known = None if told is None else self.unfolded.timeline(told).application(now, application_id)
        if told is None or known is None:
            return Answer(None, None)
        # For a second after its end the master still counts.
        over = known.finished_timestamp is not None and not known.figures.running_containers
        until = told.ends if over else None
        return Answer(known.figures, (told.key, application_id, repr(known.figures)), until)

    def known(self, application_id: str) -> Application | None:
        """The whole of it, as its own HTTP face tells it."""
        now = self._clock.now()
        told = self._source.with_application(application_id, now)
        return None if told is None else self.unfolded.timeline(told).application(now, application_id)

    def holding(self) -> Iterator[tuple[Application, list[Held]]]:
        """The applications of the newest jobs, each with its containers: what a cluster's sums are made of."""
        now = self._clock.now()
        for told in islice(newest_first(self._source, now), MOST_SUMMED):
            yield from self.unfolded.timeline(told).holding(now)

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        now = self._clock.now()
        for told in newest_first(self._source, now):
            for application in self.unfolded.timeline(told).applications(now):
                if application.started_timestamp >= since:
                    yield application


def simulated(
    seed: int, jobs: int, clock: Clock, profile: Profile | str = "default"
) -> tuple[SimulatedLauncher, SimulatedResourceManager]:
    """The world with that seed and about so many jobs. Raises BadProfile."""
    world = World(seed, jobs, load(profile) if isinstance(profile, str) else profile)
    unfolded = Unfolded()
    return SimulatedLauncher(world, clock, unfolded), SimulatedResourceManager(world, clock, unfolded)
