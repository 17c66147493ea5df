"""What people do to the world, and the record of it: every change goes through here, whoever asks for it.

The world is a pure function of seed, profile, journal and instant. An operation happens at the clock's now; what the journal
holds of later instants belongs to a future that is not to be any more, and is dropped. Each method says how many entries
that were. An operation on a framework that is not there now raises NoSuchFramework and changes nothing.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contracts.clock import Clock, Instant
from contracts.launcher.port import NoSuchFramework
from contracts.launcher.records import Framework, FrameworkDescriptor, LaunchClientType
from simulator.journal_entries import Advance, Deed, Entry, Tell
from simulator.launcher import Unfolded
from simulator.ledger import Ledger, ledger_of
from simulator.machine.story import Delete, Kill, Migrate, SetProgress, SetTaskNumber, Start, Stop, Submit
from simulator.machine.timeline import Timeline
from simulator.world.whole_world import Lived, WholeWorld

MOST_ENTRIES = 10_000
"""Of one world: each is kept, and saved with every change."""


class JournalFull(Exception):
    """Nothing was done."""

    def __str__(self) -> str:
        return f"the journal holds {MOST_ENTRIES} operations and no more: POST /__admin/reset empties it"


class NameTaken(Exception):
    """A story is told for a name that is free."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a framework {name} already: delete it, or choose another name")


class NoStep(Exception):
    """There is no step that waits for a hand, or it is another one."""


class Journal:
    """Thread-safe: one operation after the other."""

    def __init__(self, clock: Clock, world: WholeWorld, unfolded: Unfolded) -> None:
        self._clock = clock
        self._world = world
        self._unfolded = unfolded
        self.lock = threading.RLock()
        self.changed: Callable[[], None] = lambda: None
        """Called after every change, before anybody is told of it; if it raises, the change has not happened."""

    @property
    def ledger(self) -> Ledger:
        return self._world.ledger

    # --- the launcher's operations ----------------------------------------------------------------------------------

    def submit(
        self,
        name: str,
        descriptor: FrameworkDescriptor,
        client_type: LaunchClientType = LaunchClientType.UNKNOWN,
        client_host: str | None = "127.0.0.1",
        client_user: str | None = "UNKNOWN",
    ) -> int:
        """Creates the framework, updates it in place, or, with another version, upgrades it."""
        with self.lock:
            now = self._clock.now()
            return self._do(name, Submit(now, descriptor, client_type, client_host, client_user))

    def stop(self, name: str) -> int:
        return self._do_to(name, Stop)

    def start(self, name: str) -> int:
        return self._do_to(name, Start)

    def delete(self, name: str) -> int:
        return self._do_to(name, Delete)

    def set_task_number(self, name: str, role: str, number: int) -> int:
        """A role that is not there changes nothing, as with the launcher."""
        return self._do_to(name, lambda now: SetTaskNumber(now, role, number))

    def set_progress(self, name: str, progress: float) -> int:
        return self._do_to(name, lambda now: SetProgress(now, progress))

    def migrate(self, name: str, container_id: str) -> int:
        return self._do_to(name, lambda now: Migrate(now, container_id))

    def kill(self, name: str) -> int:
        """Through YARN: an application by its id, or the living one of a framework by name. One that is over stays so."""
        with self.lock:
            now = self._clock.now()
            told = self._world.with_application(name, now)
            if told is None:
                return self._do_to(name, Kill)
            if self._unfolded.timeline(told).application(now, name) is None:
                raise NoSuchFramework(name)
            return self._do(told.name, Kill(now, name))

    # --- stories ----------------------------------------------------------------------------------------------------

    def tell(self, name: str, story: Mapping[str, Any]) -> int:
        """The story, as a scenario file has it and found right, begins now. Raises NameTaken."""
        with self.lock:
            now = self._clock.now()
            if self.standing(name, now) is not None:
                raise NameTaken(name)
            return self._do(name, Tell(now, story))

    def advance(self, name: str, to: str | None = None) -> int:
        """Leaves the step that waits for a hand; ``to``: only if that is the next one. Raises NoStep."""
        with self.lock:
            now = self._clock.now()
            if self.standing(name, now) is None:
                raise NoSuchFramework(name)
            lived = self.life(name, now)
            if lived is None or lived.job is None or not lived.job.steps:
                raise NoStep(f"{name} has no steps: nobody told its story so")
            steps = lived.job.steps
            reached = lived.job.step_at(self._unfolded.timeline(lived.told), now)
            if reached is None or not steps[reached].by_hand:
                at = "before its first step" if reached is None else f"at step {steps[reached].name}"
                raise NoStep(f"{name} is {at}, which is left by itself")
            following = steps[reached + 1].name if reached + 1 < len(steps) else None
            if to not in (None, following):
                raise NoStep(f"{name} is at step {steps[reached].name}; after that comes {following}, not {to}")
            if any(
                isinstance(entry.deed, Advance) and entry.deed.step == steps[reached].name and entry.at <= now
                for entry in lived.entries
            ):
                raise NoStep(f"{name} has left step {steps[reached].name} already, and the launcher is to notice yet")
            return self._do(name, Advance(now, steps[reached].name))

    # --- what is there ----------------------------------------------------------------------------------------------

    def submitted(self) -> list[str]:
        """Names that people submitted something for; some may be gone."""
        return [name for name, page in self.ledger.pages.items() if page.slots]

    def standing(self, name: str, now: Instant) -> Framework | None:
        told = self._world.named(name, now)
        return None if told is None else self._unfolded.timeline(told).at(now)

    def life(self, name: str, now: Instant) -> Lived | None:
        """Its life at that instant, if a hand or a scenario had part in it."""
        told = self._world.named(name, now)
        if told is None:
            return None
        return next((lived for lived in reversed(self._world.lives(name)) if lived.told.key == told.key), None)

    def timeline(self, lived: Lived) -> Timeline:
        return self._unfolded.timeline(lived.told)

    # --- as a whole -------------------------------------------------------------------------------------------------

    def replace(self, entries: Iterable[Entry]) -> None:
        """In time order. Does not say that it changed: whoever restores a world says so once."""
        with self.lock:
            self._world.ledger = ledger_of(entries)

    def _do_to(self, name: str, deed: Callable[[Instant], Deed]) -> int:
        with self.lock:
            now = self._clock.now()
            if self.standing(name, now) is None:
                raise NoSuchFramework(name)
            return self._do(name, deed(now))

    def _do(self, name: str, deed: Deed) -> int:
        before = self._world.ledger
        past = before.until(deed.at)
        if len(past.entries) >= MOST_ENTRIES:
            raise JournalFull
        self._world.ledger = past.plus(Entry(name, deed))
        try:
            self.changed()
        except BaseException:
            self._world.ledger = before
            raise
        return len(before.entries) - len(past.entries)
