"""One framework's planned story: its record, its past and its applications at any instant.

A pure function of story and instant, computed lazily: the machine runs as far as somebody asked, its logs stay, and a
record is composed from them. The order of questions changes nothing; asking often changes nothing. Bounded work: see
``simulator.machine.story`` on endings.
"""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from msgspec import Struct

from contracts.clock import LATEST, Instant
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Application, Framework, FrameworkRequest
from simulator.machine import view, yarn
from simulator.machine.application import entry_at
from simulator.machine.delays import last_tick, web_phase
from simulator.machine.engine import Machine
from simulator.machine.statuses import PastAttempt, Run, StatusEntry
from simulator.machine.story import Story

_at = itemgetter(0)


def plan(story: Story) -> "Timeline":
    return Timeline(story, Machine(story))


class _Shown(Struct, frozen=True):
    """What the web server has at hand to answer with at an instant."""

    request: FrameworkRequest
    entry: StatusEntry | None
    """``None``: nothing of the version asked for, so the status is inferred."""
    looked: Instant


class _LeftVersion(Struct, frozen=True):
    """A version that was left by an upgrade: what was shown last of it."""

    record: Framework
    run: Run | None


class Stretch(Struct, frozen=True):
    """A time in which nothing changes but the applications, and what is shown in it."""

    begins: Instant
    ends: Instant | None
    """Excluded; ``None``: for ever."""
    edition: int
    record: Framework | None


class Timeline:
    """Thread-safe. ``None`` as an answer: the name is not known at that instant, or has no such version or attempt."""

    def __init__(self, story: Story, machine: Machine) -> None:
        self.story = story
        self._machine = machine
        self._lock = threading.RLock()
        self._kept: tuple[int, Framework | None] | None = None
        self._stretch: Stretch | None = None
        self._states: list[tuple[FrameworkState, int]] = []
        self._states_at: list[int] = []
        """How many of them there were after each change that was looked at."""

    def __del__(self) -> None:
        self._machine.fall_apart()

    # --- now --------------------------------------------------------------------------------------------------------

    def at(self, instant: Instant) -> Framework | None:
        """The record, its request included."""
        with self._lock:
            edition = self.edition(instant)
            if self._kept is None or self._kept[0] != edition:
                shown = self._shown(instant)
                self._kept = (edition, None if shown is None else self._record(shown))
            return self._kept[1]

    def stretch(self, instant: Instant) -> Stretch:
        """The one that instant lies in, from then on. Pollers mostly ask within one."""
        kept = self._stretch
        if kept is None or instant < kept.begins or (kept.ends is not None and instant >= kept.ends):
            with self._lock:
                kept = Stretch(instant, self.next_change(instant), self.edition(instant), self.at(instant))
            self._stretch = kept
        return kept

    def edition(self, instant: Instant) -> int:
        """How many changes there were. Equal editions of one story, equal records, lists and past attempts."""
        with self._lock:
            self._machine.agenda.run_to(instant)
            return bisect_right(self._machine.looks.changes, instant)

    def next_change(self, instant: Instant) -> Instant | None:
        """Until then (excluded) everything but the applications stays as it is at ``instant``; ``None``: for ever, or for
        longer than any clock can show."""
        with self._lock:
            machine = self._machine
            machine.agenda.run_to(instant)
            while True:
                found = bisect_right(machine.looks.changes, instant)
                change = machine.looks.changes[found] if found < len(machine.looks.changes) else None
                upcoming = machine.agenda.next_event
                if upcoming is None or upcoming > LATEST or (change is not None and change <= upcoming):
                    return change
                machine.agenda.step()

    def changes(self, instant: Instant, before: int, after: int) -> tuple[Instant, ...]:
        """The last so many instants of a change up to that one, and the next so many, as far as the story goes."""
        with self._lock:
            edition = self.edition(instant)
            found = self._machine.looks.changes[max(0, edition - before) : edition]
            while after and (instant := self.next_change(instant) or 0):
                found.append(instant)
                after -= 1
            return tuple(found)

    def states(self, instant: Instant) -> tuple[tuple[FrameworkState, int], ...]:
        """The states that were shown up to then, one after the other, each with its attempt."""
        with self._lock:
            edition = self.edition(instant)
            for change in self._machine.looks.changes[len(self._states_at) : edition]:
                record = self.at(change)
                if record is not None:
                    shown = (record.status.state, record.status.retries.total)
                    if shown not in self._states[-1:]:
                        self._states.append(shown)
                self._states_at.append(len(self._states))
            return tuple(self._states[: self._states_at[edition - 1] if edition else 0])

    # --- the past ---------------------------------------------------------------------------------------------------

    def versions(self, instant: Instant) -> tuple[int, ...] | None:
        """Ascending: those shown since the framework was created, the current one included."""
        with self._lock:
            current = self.at(instant)
            if current is None:
                return None
            return tuple(sorted({current.status.version, *self._left_versions(instant, current)}))

    def attempts(self, instant: Instant, version: int | None = None) -> tuple[int, ...] | None:
        """Ascending, of the newest run of that version; ``None`` as version: the current one."""
        with self._lock:
            run = self._run(instant, version)
            return None if run is None else tuple(range(run.record.status.retries.total + 1))

    def attempt(self, instant: Instant, version: int | None, attempt: int) -> Framework | None:
        """Ended by a retry: the record just before it. Ended by an upgrade: what was shown last. Else: as it is now."""
        with self._lock:
            run = self._run(instant, version)
            if run is None or not 0 <= attempt <= run.record.status.retries.total:
                return None
            if attempt == run.record.status.retries.total:
                return run.record
            if run.run is None:
                raise AssertionError("an inferred status has no retries")
            return self._past_record(run.run.past[attempt])

    # --- applications -----------------------------------------------------------------------------------------------

    def application(self, instant: Instant, application_id: str) -> Application | None:
        """As the resource manager knows it; it remembers applications of deleted frameworks."""
        with self._lock:
            self._machine.agenda.run_to(instant)
            life = next((life for life in self._machine.applications if life.id == application_id), None)
            return None if life is None else yarn.application(life, self.story.cluster, instant)

    def applications(self, instant: Instant) -> Iterator[Application]:
        """All it knows, in order of start."""
        with self._lock:
            self._machine.agenda.run_to(instant)
            cluster = self.story.cluster
            known = [yarn.application(life, cluster, instant) for life in self._machine.applications]
        return (application for application in known if application is not None)

    def holding(self, instant: Instant) -> list[tuple[Application, list[yarn.Held]]]:
        """The same applications, each with the containers it holds then."""
        with self._lock:
            self._machine.agenda.run_to(instant)
            cluster = self.story.cluster
            lives = self._machine.applications
            known = [(yarn.application(life, cluster, instant), yarn.held(life, cluster, instant)) for life in lives]
        return [(application, held) for application, held in known if application is not None]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _shown(self, instant: Instant) -> _Shown | None:
        machine, cluster = self._machine, self.story.cluster
        stored = entry_at(machine.requests, instant)
        request = stored[1] if stored is not None else None
        if request is None:
            return None
        looked = last_tick(instant, web_phase(cluster.started), cluster.intervals.web_status_pull)
        seen = entry_at(machine.statuses, looked)
        entry = seen[1] if seen is not None else None
        if entry is not None and self._asked_for_another(entry.status.version, looked, instant):
            entry = None
        return _Shown(request, entry, looked)

    def _asked_for_another(self, version: int, looked: Instant, instant: Instant) -> bool:
        """A request of another version makes the web server drop the status it had; only its next look brings one back."""
        requests = self._machine.requests
        first = max(0, bisect_right(requests, looked, key=_at) - 1)
        stood = dict(requests[first : bisect_right(requests, instant, key=_at)])  # of one instant only the last stood
        return any(request is not None and request.descriptor.version != version for request in stood.values())

    def _record(self, shown: _Shown) -> Framework:
        if shown.entry is None:
            return self._composed(shown.request, StatusEntry(view.inferred_status(shown.request), None, Run()), 0)
        return self._composed(shown.request, shown.entry, shown.looked)

    def _composed(self, request: FrameworkRequest, entry: StatusEntry, looked: Instant) -> Framework:
        push = self.story.cluster.intervals.am_status_push
        return view.framework(request, entry.status, entry.life, looked, push, self.story.tags)

    def _run(self, instant: Instant, version: int | None) -> "_LeftVersion | None":
        """The newest run of a version, the current one included."""
        current = self.at(instant)
        shown = self._shown(instant)
        if current is None or shown is None:
            return None
        if version is None or version == current.status.version:
            return _LeftVersion(current, shown.entry.run if shown.entry is not None else None)
        return self._left_versions(instant, current).get(version)

    def _left_versions(self, instant: Instant, current: Framework) -> dict[int, _LeftVersion]:
        """By version, the newest run of each that was left in this incarnation, as it was shown last."""
        left: dict[int, _LeftVersion] = {}
        requests = self._machine.requests
        for position in range(1, bisect_right(requests, instant, key=_at)):
            at, request = requests[position]
            before = requests[position - 1][1]
            if request is None or before is None or request.descriptor.version == before.descriptor.version:
                continue
            shown = self._shown(at - 1)
            if shown is None or shown.request.descriptor.version == request.descriptor.version:
                continue
            record = self._record(shown)
            if record.status.created_timestamp == current.status.created_timestamp:
                left[record.status.version] = _LeftVersion(record, shown.entry.run if shown.entry else None)
        return left

    def _past_record(self, past: PastAttempt) -> Framework:
        return self._composed(past.request, StatusEntry(past.status, past.life, Run()), past.at)
