"""A simulation: a world, its clock, and all that can be done to them, put together; saved and restored as one document.

What is in the document decides everything that is answered, but for the files that scenarios are told in: seed, jobs,
profile, where the clock started, what it shows, the journal, and what the launcher was told besides. A change is made and saved before anybody is told of it;
if it cannot be saved, it is taken back.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from contracts.clock import BadClockSetting, ClockReading, VirtualClock, from_iso, iso
from simulator.journal import MOST_ENTRIES, Journal
from simulator.journal_entries import BadEntry, Entry, Tell, decode, encode
from simulator.launcher import SimulatedLauncher, SimulatedResourceManager, Unfolded
from simulator.launcher_state import LauncherRequests
from simulator.ledger import Ledger
from simulator.request_journal import RequestJournal
from simulator.state_file import VERSION, BadState, StateFile, StateNotSaved, versioned
from simulator.told.scenario_files import BadScenario, Scenarios, ShippedScenarios, in_schema
from simulator.world.profile import Profile
from simulator.world.profile_files import BadProfile, load
from simulator.world.profile_watch import ProfileWatch
from simulator.world.whole_world import WholeWorld
from simulator.world.world import World

MOST_JOBS = 100_000_000
MOST_SEED = 2**63 - 1

_log = logging.getLogger(__name__)


class Kept(Protocol):
    """Something more whose state belongs to the world's, such as its faults."""

    def state(self) -> object:
        """As JSON."""

    def restore(self, state: object) -> None:
        """Raises ValueError, and then nothing is changed."""

    def reset(self) -> None: ...


class Simulation:
    def __init__(
        self,
        seed: int,
        jobs: int,
        clock: VirtualClock,
        profile: str = "default",
        scenarios: Scenarios | ShippedScenarios | None = None,
        file: Path | None = None,
    ) -> None:
        """A state that ``file`` holds is restored. Raises BadProfile, BadState."""
        self.clock = clock
        self.profile = profile
        self._profile_watch = ProfileWatch(profile)
        self.scenarios = ShippedScenarios() if scenarios is None else scenarios
        self.world = WholeWorld(World(seed, jobs, load(profile)), self.scenarios, clock.start.now)
        unfolded = Unfolded()
        self.launcher = SimulatedLauncher(self.world, clock, unfolded)
        self.resource_manager = SimulatedResourceManager(self.world, clock, unfolded)
        self.journal = Journal(clock, self.world, unfolded)
        self.requests = RequestJournal(clock)
        self.launcher_requests = LauncherRequests(clock, self.changing)
        self.kept: dict[str, Kept] = {"launcherRequest": self.launcher_requests}
        """By their key in the document."""
        self._file = None if file is None else StateFile(file)
        self._early: Mapping[str, object] = {}
        found = None if self._file is None else self._file.load()
        if found is not None:
            self._restore(found)
        self.journal.changed = self.save
        self.world.look = self._look

    def _look(self) -> None:
        """Another mix is another population; what people did, and the clock, stay."""
        if not self.scenarios.watch:
            return
        mix = self._profile_watch.changed()
        if mix is not None:
            with self.journal.lock:
                self.world.population = World(self.seed, self.jobs, mix)
                try:
                    self.save()
                except StateNotSaved as error:
                    _log.warning("the profile has changed, and %s", error)

    @property
    def profile_problem(self) -> str | None:
        """Why the profile's file, as it is now, is not used."""
        self.world.look()
        return self._profile_watch.problem

    @property
    def seed(self) -> int:
        return self.world.population.seed

    @property
    def jobs(self) -> int:
        return self.world.population.arrivals.jobs

    def keep(self, key: str, kept: Kept) -> None:
        """Makes it part of the state. Raises BadState if the restored one has something else under that key."""
        self.kept[key] = kept
        if key in self._early:
            try:
                kept.restore(self._early[key])
            except ValueError as error:
                raise BadState(f"{key}: {error}") from error

    # --- changes ----------------------------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """What is done in here is saved at its end, or else taken back, the clock and the ledger at least."""
        with self.journal.lock:
            before = self._snapshot()
            try:
                yield
                self.save()
            except BaseException:
                before()
                raise

    def _snapshot(self) -> Callable[[], None]:
        started, reading, edition = self.clock.start, self.clock.read(), self.clock.edition
        population, began, ledger = self.world.population, self.world.started, self.world.ledger
        profile, watch = self.profile, self._profile_watch
        kept = {key: each.state() for key, each in self.kept.items()}

        def back() -> None:
            if self.clock.edition != edition:
                self.clock.restore(started, reading)
            self.world.population, self.world.started, self.world.ledger = population, began, ledger
            self.profile, self._profile_watch = profile, watch
            for key, state in kept.items():
                if self.kept[key].state() != state:
                    self.kept[key].restore(state)

        return back

    def reset(self) -> int:
        """As it began: nothing was done to it. How many entries of the journal are gone."""
        with self.changing():
            gone = len(self.world.ledger.entries)
            self.world.ledger = Ledger()
            self.clock.reset()
            for each in self.kept.values():
                each.reset()
            return gone

    def populate(self, seed: int | None = None, jobs: int | None = None, profile: str | None = None) -> int:
        """Another population. What people did was done to the one before, and is dropped; how many entries that were.

        Raises BadProfile.
        """
        with self.changing():
            mix = self.world.population.profile if profile is None else load(profile)
            gone = self._become(
                seed if seed is not None else self.seed, jobs if jobs is not None else self.jobs, mix, Ledger()
            )
            if profile is not None:
                self.profile, self._profile_watch = profile, ProfileWatch(profile)
            return gone

    def _become(self, seed: int, jobs: int, profile: Profile, ledger: Ledger) -> int:
        gone = len(self.world.ledger.entries)
        self.world.population, self.world.ledger = World(seed, jobs, profile), ledger
        return gone

    # --- as a document ----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, object]:
        with self.journal.lock:
            return {
                "version": VERSION,
                "seed": self.seed,
                "jobs": self.jobs,
                "profile": self.profile,
                "profileIdentity": self.world.population.profile.identity(),
                "start": _shown(self.clock.start),
                "clock": _shown(self.clock.read()),
                "journal": [encode(entry) for entry in self.world.ledger.entries],
                **{key: each.state() for key, each in self.kept.items()},
            }

    def save(self) -> None:
        """Raises StateNotSaved. Without a file it does nothing."""
        if self._file is not None:
            with self.journal.lock:
                self._file.save(self.state())

    def restore(self, document: object) -> None:
        """Becomes the world of that document, wholly. Raises BadState, and then nothing is changed."""
        with self.changing():
            self._restore(versioned(document, "the state"))

    def _restore(self, document: Mapping[str, Any]) -> None:
        from simulator.told.words import BadStory

        try:
            seed, jobs = _number(document, "seed", MOST_SEED), _number(document, "jobs", MOST_JOBS)
            profile = load(str(document["profile"]))
            start, now = _reading(document["start"]), _reading(document["clock"])
            entries = [_entry(written) for written in document["journal"]]
        except KeyError as error:
            raise BadState(f"it says nothing of {error}") from error
        except (
            BadProfile,
            BadEntry,
            BadStory,
            BadScenario,
            BadClockSetting,
            TypeError,
            ValueError,
            OverflowError,
        ) as error:
            raise BadState(str(error)) from error
        if document.get("profileIdentity") not in (profile.identity(), profile.former_identity()):
            raise BadState(f"profile {document['profile']} is not the mix any more that it was when this was saved")
        instants = [entry.at for entry in entries]
        if instants != sorted(instants) or len(entries) > MOST_ENTRIES:
            raise BadState(f"a journal stands in time order, and has at most {MOST_ENTRIES} entries")
        try:
            self.clock.restore(start, now)
            for key, each in self.kept.items():
                if key in document:
                    each.restore(document[key])
                else:
                    each.reset()
        except ValueError as error:
            raise BadState(str(error)) from error
        self._early = document
        self.profile = str(document["profile"])
        self._profile_watch = ProfileWatch(self.profile)
        self._become(seed, jobs, profile, Ledger())
        self.world.started = start.now
        self.journal.replace(entries)


def _entry(written: object) -> Entry:
    entry = decode(written)
    if isinstance(entry.deed, Tell):
        from simulator.told.scenario import job_of, tried

        in_schema(entry.deed.story, f"the story of {entry.name}")
        if tried(job_of(entry.deed.story)).name != entry.name:
            raise BadEntry(f"the story told for {entry.name} is another's")
    return entry


def _shown(reading: ClockReading) -> dict[str, object]:
    return {"now": iso(reading.now), "rate": reading.rate, "frozen": reading.frozen}


def _reading(shown: Mapping[str, Any]) -> ClockReading:
    rate, frozen = shown["rate"], shown["frozen"]
    if (
        isinstance(rate, bool)
        or not isinstance(rate, int | float)
        or not math.isfinite(rate)
        or type(frozen) is not bool
    ):
        raise BadState("a clock has a rate, a number, and is frozen or not")
    return ClockReading(from_iso(shown["now"]), float(rate), frozen)


def _number(document: Mapping[str, Any], key: str, most: int) -> int:
    value = document[key]
    if type(value) is not int or not (key == "jobs") <= value <= most:
        raise BadState(f"{key} is {value!r}, no whole number up to {most}")
    return value
