"""The whole world: a population, the stories of scenario files, and what people did to any of them.

Everything that decides what a name means at an instant stands here. A name has lives: the first is that of the scenario, or
of the population, or begins with somebody's submission; a story told for a name that is free begins another. A life's story
is its own, with what people did merged in.

Rulings. Once somebody has submitted, stopped or deleted a job, what its simulated user had still in mind does not happen any
more: the job is theirs. A job of the population that somebody submitted again, while it was there, is not forgotten with its
window but by the launcher, as theirs are; submitted after it was forgotten, it begins anew.

Nothing here depends on what is done later: a story with one more entry at its end has the same past.
"""

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, overload

from cachetools import LRUCache
from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import LATEST, Instant
from simulator.dice import number
from simulator.journal_entries import Advance, Entry, Tell
from simulator.ledger import NOTHING, Ledger, Page
from simulator.machine.story import Cluster, Delete, EndContainers, Kill, MakeRoom, Operation, Stop, Story, Submit
from simulator.world.arrivals import EPOCH
from simulator.world.fortunes import Continued, Fortune
from simulator.world.jobs import MOST_APPLICATIONS
from simulator.world.lives import Life
from simulator.world.world import KEPT_NAMES, STARTED_BEFORE, WEEK, Told, World

if TYPE_CHECKING:  # a start tells no story
    from simulator.told.scenario import Ground, Job

STRIDE = 1 << 24
"""Places between two jobs of the population, for those that came by hand in between."""
BY_HAND, BY_SCENARIO = 1, 2
"""Their applications count from another start of the resource manager: as many milliseconds later."""
_SLOT_BITS = 16
_APPLICATION_ID = re.compile(r"application_([0-9]{1,15})_([0-9]{4,15})", re.ASCII)
_NUMBERS = tuple[Instant, int]
"""Start of the resource manager, and the first number of an application."""


class JobsOfScenarios(Protocol):
    @property
    def edition(self) -> object:
        """Equal editions, equal jobs."""

    def job(self, name: str) -> "Job | None": ...

    def jobs(self) -> "Sequence[Job]": ...


class WholeWorld:
    """A source. Thread-safe: population and ledger are replaced as wholes."""

    def __init__(self, population: World, scenarios: JobsOfScenarios, started: Instant) -> None:
        self.population = population
        self.scenarios = scenarios
        self.started = started
        """What the scenarios count from."""
        self.ledger = Ledger()
        self.look: Callable[[], None] = lambda: None
        """Called before every question: who watches a file looks at it then."""
        self._kept: LRUCache[object, tuple[Lived, ...]] = LRUCache(KEPT_NAMES)
        self._came: tuple[object, Came] | None = None
        self._told_of_place: dict[int, Told] = {}
        self._lock = threading.Lock()

    # --- the source -------------------------------------------------------------------------------------------------

    def edition_of(self, name: str) -> object:
        """What :meth:`lives` goes by."""
        self.look()
        return self.ledger.pages.get(name), self.scenarios.job(name), self.population, self.started

    def named(self, name: str, at: Instant) -> Told | None:
        self.look()
        if name not in self.ledger.pages and self.scenarios.job(name) is None:
            return self.population.named(name, at)
        return next((life.told for life in reversed(self.lives(name)) if life.told.begins <= at < life.told.ends), None)

    def with_application(self, application_id: str, at: Instant) -> Told | None:
        self.look()
        owner = self.population.owner(application_id)
        if owner is not None:
            told = self.lives(owner.name)[0].told if owner.name in self.ledger.pages else owner
            return told if told.begins <= at < told.ends else None
        match = _APPLICATION_ID.fullmatch(application_id)
        if match is None:
            return None
        numbers = int(match[1]), (int(match[2]) - 1) // MOST_APPLICATIONS * MOST_APPLICATIONS + 1
        life = self._by_hand().with_numbers.get(numbers)
        return life.told if life is not None and life.told.begins <= at else None

    def places(self, at: Instant) -> "Places":
        self.look()
        by_hand = [life.told.place for life in self._by_hand().lives if life.is_listed(at)]
        return Places(self.population.places(at), by_hand)

    def at_place(self, place: int) -> Told:
        index, rest = divmod(place, STRIDE)
        if rest:
            self._by_hand()
            return self._told_of_place[place]
        told = self.population.at_place(index)
        return self.lives(told.name)[0].told if told.name in self.ledger.pages else told

    # --- lives ------------------------------------------------------------------------------------------------------

    def lives(self, name: str) -> "tuple[Lived, ...]":
        """In the order they came. Of a name that somebody did something to, or that a scenario tells of."""
        page, job = self.ledger.pages.get(name, NOTHING), self.scenarios.job(name)
        key = (name, page.digest, page.slots, job.digest if job is not None else None, self.population, self.started)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            kept = tuple(self._lived(name, page, job))
            with self._lock:
                self._kept[key] = kept
        return kept

    def _lived(self, name: str, page: Page, job: "Job | None") -> "list[Lived]":
        chapters: list[list[Entry]] = [[]]
        for entry in page.entries:
            if isinstance(entry.deed, Tell):
                chapters.append([])
            chapters[-1].append(entry)
        lives: list[Lived] = []
        first, *told = chapters
        slots = list(page.slots)
        base = None if job is not None else self.population.known(name)
        if job is not None:
            begins = job.begins(self.started)
            numbers = _numbers(begins, BY_SCENARIO, number(_SLOT_BITS, "scenario", name))
            lives.append(self._of_job(job, begins, numbers, first, page))
        elif base is not None:
            lives.append(self._of_population(base, first, page))
        elif any(isinstance(entry.deed, Submit) for entry in first):
            lives.append(self._of_submission(name, first, slots[0], page))
        if any(isinstance(entry.deed, Submit) for entry in first):
            slots = slots[1:]
        for slot, entries in zip(slots, told, strict=True):
            tell = entries[0].deed
            assert isinstance(tell, Tell)  # noqa: S101 - that is where a chapter begins
            numbers = _numbers(tell.at, BY_HAND, slot)
            from simulator.told.scenario import job_of

            lives.append(self._of_job(job_of(tell.story), tell.at, numbers, entries[1:], page))
        return lives

    def _of_job(self, job: "Job", begins: Instant, numbers: _NUMBERS, entries: list[Entry], page: Page) -> "Lived":
        advances = tuple(entry.deed for entry in entries if isinstance(entry.deed, Advance))
        submits = [entry.at for entry in entries if isinstance(entry.deed, Submit)]
        told = Told(
            key=(job.digest, begins, numbers, page.digest, self.population.seed, self.population.profile.identity()),
            name=job.name,
            user_name=job.user_name,
            place=self._place(begins, numbers),
            begins=min(begins, *submits) if submits else begins,
            ends=LATEST,
            tell=lambda: _merged(job.story(begins, self._ground(numbers), advances), entries),
        )
        return Lived(told, job, entries, numbers)

    def _of_submission(self, name: str, entries: list[Entry], slot: int, page: Page) -> "Lived":
        submit = next(entry.deed for entry in entries if isinstance(entry.deed, Submit))
        numbers = _numbers(submit.at, BY_HAND, slot)
        population = self.population
        told = Told(
            key=(name, numbers, page.digest, population.seed, population.profile.identity()),
            name=name,
            user_name=submit.descriptor.user_name,
            place=self._place(submit.at, numbers),
            begins=submit.at,
            ends=LATEST,
            tell=lambda: _merged(
                Story(
                    name=name,
                    cluster=self._ground_of_people(numbers),
                    operations=(),
                    behaviour=self._fortune(name, numbers[1]),
                    seed=f"{population.seed}/by hand/{name}",
                    most_applications=MOST_APPLICATIONS,
                ),
                entries,
            ),
        )
        return Lived(told, None, entries, numbers)

    def _of_population(self, base: Told, entries: list[Entry], page: Page) -> "Lived":
        submits = [entry.at for entry in entries if isinstance(entry.deed, Submit)]
        told = Told(
            key=(base.key, page.digest),
            name=base.name,
            user_name=base.user_name,
            place=base.place * STRIDE,
            begins=min(base.begins, *submits) if submits else base.begins,
            ends=LATEST if submits else base.ends,
            tell=partial(self._continued, base, entries, min(submits, default=None)),
        )
        return Lived(told, None, entries, None, base)

    def _continued(self, base: Told, entries: list[Entry], submitted: Instant | None) -> Story:
        story = base.tell()
        life = story.behaviour
        assert isinstance(life, Life)  # noqa: S101 - so the population's jobs live
        planned = story.operations
        if submitted is not None and submitted >= base.ends:
            planned = (*planned, Delete(base.ends))
        beyond = self._fortune(base.name, life.first_application)
        return _merged(replace(story, operations=planned, behaviour=Continued(life, beyond)), entries)

    def _fortune(self, name: str, first_application: int) -> Fortune:
        return Fortune(self.population.profile, f"{self.population.seed}/by hand/{name}", first_application)

    def _ground_of_people(self, numbers: _NUMBERS) -> Cluster:
        """What nobody tells a story of is refused where the cluster has no such queue, or no such host."""
        profile = self.population.profile
        return replace(
            self._ground(numbers).cluster(profile.pace),
            node_memory_mb=profile.memory_mb_per_host,
            node_cpu_number=profile.cpus_per_host,
            queues=frozenset(profile.queues.words),
        )

    def _ground(self, numbers: _NUMBERS) -> "Ground":
        from simulator.told.scenario import Ground

        population, profile = self.population.population, self.population.profile
        return Ground(
            numbers[0],
            numbers[1],
            population.hosts,
            f"rm.{profile.domain}:8088",
            profile.gpus_per_host,
        )

    # --- in the order they came -------------------------------------------------------------------------------------

    def _by_hand(self) -> "Came":
        """Everything that is not in its place in the population."""
        ledger = self.ledger
        edition = (ledger.entries[-1:], len(ledger.entries), id(ledger), self.scenarios.edition, self.population)
        if self._came is None or self._came[0] != edition:
            names = {*ledger.pages, *(job.name for job in self.scenarios.jobs())}
            came = Came([life for name in names for life in self.lives(name)])
            # Never emptied: whoever pages through the list while somebody changes it finds what it was shown.
            self._told_of_place.update((life.told.place, life.told) for life in came.lives)
            self._came = edition, came
        return self._came[1]

    def _place(self, begins: Instant, numbers: _NUMBERS) -> int:
        """After the job of the population that came last before; among each other as their numbers say."""
        before = max(0, self.population.arrivals.newest(begins))
        return before * STRIDE + 1 + numbers[1] // MOST_APPLICATIONS % (STRIDE - 1)


class Lived(Struct, frozen=True):
    told: Told
    job: "Job | None"
    """Its story, where somebody told one."""
    entries: Sequence[Entry]
    numbers: _NUMBERS | None
    """``None``: the population's."""
    base: Told | None = None

    def is_listed(self, at: Instant) -> bool:
        """What stands in the population's own place, or was deleted, is not."""
        if not self.told.begins <= at < self.told.ends or (self.base and self.base.begins <= at < self.base.ends):
            return False
        done = [entry.deed for entry in self.entries if entry.at <= at and isinstance(entry.deed, Submit | Delete)]
        return not (done and isinstance(done[-1], Delete))


class Came:
    def __init__(self, lives: Sequence[Lived]) -> None:
        self.lives = sorted(lives, key=lambda life: life.told.place)
        self.with_numbers: Mapping[_NUMBERS | None, Lived] = {life.numbers: life for life in self.lives}


class Places(Sequence[int]):
    """Places of a population, with others in between."""

    def __init__(self, simulated: range, others: Sequence[int]) -> None:
        self._simulated = simulated
        self._others = others
        self._positions = [
            position + bisect_left(simulated, -(-other // STRIDE)) for position, other in enumerate(others)
        ]
        """Where the others stand."""

    def __len__(self) -> int:
        return len(self._simulated) + len(self._others)

    @overload
    def __getitem__(self, position: int) -> int: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[int]: ...

    def __getitem__(self, position: int | slice) -> int | Sequence[int]:
        if isinstance(position, slice):
            return [self[each] for each in range(len(self))[position]]
        position = range(len(self))[position]
        before = bisect_left(self._positions, position)
        if before < len(self._positions) and self._positions[before] == position:
            return self._others[before]
        return self._simulated[position - before] * STRIDE


def _numbers(begins: Instant, kind: int, slot: int) -> _NUMBERS:
    week = max(0, begins - EPOCH) // WEEK
    return EPOCH + week * WEEK - STARTED_BEFORE + kind, slot * MOST_APPLICATIONS + 1


def _merged(story: Story, entries: Sequence[Entry]) -> Story:
    """With what people did; the first of it that makes the job theirs ends what its simulated user had in mind."""
    done: list[Operation] = [entry.deed for entry in entries if not isinstance(entry.deed, Tell | Advance)]
    theirs = min((deed.at for deed in done if isinstance(deed, Submit | Stop | Delete)), default=LATEST + 1)
    planned = [
        operation
        for operation in story.operations
        if operation.at <= theirs or isinstance(operation, Kill | MakeRoom | EndContainers)
    ]
    return replace(story, operations=tuple(sorted((*planned, *done), key=lambda operation: operation.at)))
