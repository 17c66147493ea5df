"""Simulator to real, in how long things take: is what the real one showed inside what the simulator could show?

A launcher looks at everything in periods of its own. Each delay below is bounded by some of these intervals and by what the
world takes besides (uploading, a node starting something). Which of the known paces a launcher has, its delays tell together:
the one under which they are likeliest. A delay during which nobody heard the launcher says nothing.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from contracts.clock import Instant, Milliseconds, iso
from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.sides import Pace, Real
from contracts.launcher.exits import STOP_FRAMEWORK_CODES, STOP_TASK_CODES
from contracts.launcher.histories import History, Look
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import ExecutionType

COMPARISON = Comparison.SIMULATOR_REAL
UNHEARD: Milliseconds = 2_000
"""A look comes so long after what it shows, at worst, besides the launcher's periods: the recorder polls too."""
WORLD: Milliseconds = 5_000
"""An upload, a queue's answer, a container's start: what is not the launcher's, in a cluster with room."""
BOOKKEEPING: Milliseconds = 1_000
CONFLICTS_TO_THE_CEILING: Final = 6
OUTSIDE: Final = math.log(1e-9)
"""How unlikely a delay outside the bounds is: so much that it takes several inside others to outweigh it."""


USUAL: Final = 2.0
"""What speaks for the pace of most of a launcher's frameworks: it may have been set up anew in between, but seldom is."""


@dataclass(frozen=True, slots=True)
class Bounds:
    lowest: Callable[[Pace], Milliseconds]
    highest: Callable[[Pace], Milliseconds]
    module: str


def _nothing(pace: Pace) -> Milliseconds:
    del pace
    return 0


def _back_off(conflicts: int) -> Bounds:
    """Before the next application; ``conflicts`` is counted before this retry."""

    def ceiling(pace: Pace) -> Milliseconds:
        low, high = pace.conflict_back_off_min, pace.conflict_back_off_max
        steps = min(conflicts, CONFLICTS_TO_THE_CEILING)
        return low + (high - low) * steps // CONFLICTS_TO_THE_CEILING + pace.service_request_pull + WORLD

    return Bounds(lambda pace: pace.conflict_back_off_min, ceiling, "simulator/machine/delays.py")


BOUNDS: Final[Mapping[str, Bounds]] = {
    "from the request to the launch": Bounds(
        _nothing, lambda pace: pace.service_request_pull + WORLD, "simulator/machine/engine.py"
    ),
    "from the last exit to the end of the application": Bounds(
        _nothing, lambda pace: pace.service_rm_resync + WORLD, "simulator/machine/hadoop.py"
    ),
    "from the end of the application to that of the framework": Bounds(
        _nothing, lambda _: BOOKKEEPING, "simulator/machine/engine.py"
    ),
    "from a stop to the end": Bounds(
        _nothing, lambda pace: pace.service_request_pull + BOOKKEEPING, "simulator/machine/engine.py"
    ),
    "from a framework's change to the look that shows it": Bounds(
        _nothing, lambda pace: pace.web_status_pull + UNHEARD, "simulator/machine/looks.py"
    ),
    "from a task's change to the look that shows it": Bounds(
        _nothing, lambda pace: pace.am_status_push + pace.web_status_pull + UNHEARD, "simulator/machine/looks.py"
    ),
    "the gang's timeout": Bounds(
        lambda pace: pace.gang_timeout,
        lambda pace: pace.gang_timeout + pace.service_rm_resync + WORLD,
        "simulator/machine/master.py",
    ),
    **{f"the back-off after {count} conflicts": _back_off(count) for count in range(CONFLICTS_TO_THE_CEILING + 1)},
}


@dataclass(frozen=True, slots=True)
class Delay:
    kind: str
    length: Milliseconds
    shown_by: str
    polled: Milliseconds = 0
    """How long nobody had looked, if that matters to it."""

    def fits(self, pace: Pace) -> bool:
        low, high = self.range(pace)
        return low <= self.length <= high

    def range(self, pace: Pace) -> tuple[Milliseconds, Milliseconds]:
        bounds = BOUNDS[self.kind]
        return bounds.lowest(pace), bounds.highest(pace) + self.polled

    def likelihood(self, pace: Pace) -> float:
        low, high = self.range(pace)
        return -math.log(high - low) if low <= self.length <= high else OUTSIDE


def delays(real: Real, paces: Mapping[str, Pace]) -> Iterator[Finding]:
    of_launcher: dict[str, list[list[Delay]]] = defaultdict(list)
    for history in real.histories.values():
        # Who is in one recording is of one launcher.
        of_launcher[real.said[history.name][0].recording].append(list(_delays(real, history)))
    for histories in of_launcher.values():
        usual = _likeliest(paces, [delay for found in histories for delay in found], {})
        for found in histories:
            name = _likeliest(paces, found, {usual: USUAL})
            yield from _outside(name, paces[name], found)


def _likeliest(paces: Mapping[str, Pace], found: Sequence[Delay], before: Mapping[str, float]) -> str:
    """``before``: what speaks for a pace before its delays are looked at."""

    def likelihood(name: str) -> float:
        return before.get(name, 0.0) + sum(delay.likelihood(paces[name]) for delay in found)

    return max(paces, key=likelihood)


def _outside(name: str, pace: Pace, found: Iterable[Delay]) -> Iterator[Finding]:
    for one in found:
        if not one.fits(pace):
            low, high = one.range(pace)
            what = f"{one.kind} took {one.length} ms; the simulator at the {name} pace shows {low} to {high} ms"
            yield Finding(COMPARISON, "delay", one.kind, what, BOUNDS[one.kind].module, (one.shown_by,))


def _delays(real: Real, history: History) -> Iterator[Delay]:
    measured = [
        *_of_looks(history),
        *(one for run in history.runs() for one in _of_run(run)),
    ]
    for kind, begins, ends, polled in measured:
        if not real.was_silent(begins, ends):
            yield Delay(kind, ends - begins, f"{history.name} at {iso(ends)}", polled)


Measured = tuple[str, Instant, Instant, Milliseconds]
"""Kind, begin, end, how long nobody had looked."""


def _of_run(run: Sequence[Look]) -> Iterator[Measured]:
    first = run[0].framework
    launched: set[Instant] = set()
    ends: set[tuple[str, Instant, Instant]] = set()
    for look in run:
        if look.framework is None or look.framework.request is None:
            continue
        status = look.framework.status
        at = status.application_launched_timestamp
        if at is not None and not status.retries.total and at not in launched and first is not None:
            launched.add(at)
            asked = None if first.request is None else first.request.last_request_timestamp
            # Only who saw the request at once, and before the launch, knows that nothing else was in the way.
            prompt = asked is not None and run[0].instant - asked <= UNHEARD
            if (
                asked is not None
                and prompt
                and asked <= at
                and first.status.application_launched_timestamp in (None, at)
            ):
                yield "from the request to the launch", asked, at, 0
        ends |= set(_ends(look))
    yield from ((*end, 0) for end in sorted(ends))
    yield from _back_offs(run)


def _ends(look: Look) -> Iterator[tuple[str, Instant, Instant]]:
    record = look.framework
    if record is None or record.request is None:
        return
    status, request = record.status, record.request
    ended, completed, code = (
        status.application_completed_timestamp,
        status.completed_timestamp,
        status.application_exit_code,
    )
    if ended is None:
        return
    if completed is not None:
        yield "from the end of the application to that of the framework", ended, completed
    if code in STOP_FRAMEWORK_CODES:
        if request.descriptor.execution_type is ExecutionType.STOP and request.last_request_timestamp <= ended:
            yield "from a stop to the end", request.last_request_timestamp, ended
        return
    tasks = tasks_of(record).values()
    exits = [task.container_completed_timestamp for task in tasks if task.container_exit_code not in STOP_TASK_CODES]
    times = [at for at in exits if at is not None]
    if status.application_exit_trigger_message is not None and times:
        yield "from the last exit to the end of the application", max(times), ended
    made = [task.created_timestamp for task in tasks if task.created_timestamp is not None]
    if code == GANG_TIMED_OUT and made:
        yield "the gang's timeout", max(made), ended


GANG_TIMED_OUT: Final = -7252


def _back_offs(run: Sequence[Look]) -> Iterator[Measured]:
    for before, after in pairwise(run):
        if before.framework is None or after.framework is None:
            continue
        old, new = before.framework.status, after.framework.status
        ended, launched = old.application_completed_timestamp, new.application_launched_timestamp
        if (
            ended is not None
            and launched is not None
            and new.retries.total == old.retries.total + 1
            and new.retries.transient_conflict == old.retries.transient_conflict + 1
        ):
            count = min(old.retries.transient_conflict, CONFLICTS_TO_THE_CEILING)
            yield f"the back-off after {count} conflicts", ended, launched, 0


def _of_looks(history: History) -> Iterator[Measured]:
    """How long after something had happened the first look showed it. What the very first look shows says nothing."""
    known: set[tuple[str, Instant]] = set()
    for position, look in enumerate(history.looks):
        fresh = {(kind, at) for kind, at in _instants(look) if (kind, at) not in known}
        known |= fresh
        if position and history.looks[position - 1].framework is not None:
            # Any time since somebody looked last, it may have been there to be seen.
            yield from ((kind, at, look.instant, look.unseen) for kind, at in sorted(fresh))


def _instants(look: Look) -> Iterable[tuple[str, Instant]]:
    record = look.framework
    if record is None:
        return
    status = record.status
    for at in (
        status.application_launched_timestamp,
        status.application_completed_timestamp,
        status.completed_timestamp,
    ):
        if at is not None:
            yield "from a framework's change to the look that shows it", at
    for task in tasks_of(record).values():
        for at in (task.container_launched_timestamp, task.container_completed_timestamp):
            if at is not None and task.container_exit_code not in STOP_TASK_CODES:
                yield "from a task's change to the look that shows it", at
