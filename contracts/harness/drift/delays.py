"""Simulator to real, in how long things take: is what the real one showed inside what the simulator could show?

Each delay below is bounded by some of a launcher's intervals (:mod:`contracts.harness.drift.paces`) and by what the world takes
besides (uploading, a node starting something). What nobody could have seen says nothing: a delay during which nobody heard the
launcher, what was over when somebody looked first; and a change shows late only if somebody looked after it and was not shown it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from contracts.clock import Instant, Milliseconds, iso
from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.paces import Judge, Odd
from contracts.harness.drift.sides import Pace, Real
from contracts.launcher.exits import STOP_FRAMEWORK_CODES, STOP_TASK_CODES
from contracts.launcher.histories import History, Look
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import ExecutionType

COMPARISON = Comparison.SIMULATOR_REAL
UNHEARD: Milliseconds = 2_000
"""A look comes so long after what it shows, at worst, besides the launcher's periods; and so far apart two clocks may be."""
WORLD: Milliseconds = 5_000
"""An upload, a queue's answer, a container's start: what is not the launcher's, in a cluster with room."""
BOOKKEEPING: Milliseconds = 1_000
EVER: Milliseconds = 30 * 86_400_000
CONFLICTS_TO_THE_CEILING: Final = 6


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
    "from a framework's change to a look that does not show it yet": Bounds(
        _nothing, lambda pace: pace.web_status_pull + UNHEARD, "simulator/machine/looks.py"
    ),
    "from a task's change to a look that does not show it yet": Bounds(
        _nothing, lambda pace: pace.am_status_push + pace.web_status_pull + UNHEARD, "simulator/machine/looks.py"
    ),
    "from a change to the look that shows it": Bounds(lambda _: -UNHEARD, lambda _: EVER, "simulator/machine/looks.py"),
    "from the launch of an application to its first task": Bounds(
        _nothing, lambda _: EVER, "simulator/machine/master.py"
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
    unheard: Milliseconds
    """For so long the launcher could have been away without anybody noticing."""

    def range(self, pace: Pace) -> tuple[Milliseconds, Milliseconds]:
        bounds = BOUNDS[self.kind]
        return bounds.lowest(pace), bounds.highest(pace) + self.unheard


def delays(real: Real, paces: Mapping[str, Pace], *, others: bool = True) -> tuple[list[Finding], list[str]]:
    """What is odd, and what could not be judged. ``others``: whether a launcher may have intervals that are none of the known
    ``paces``."""
    odd: list[Finding] = []
    unjudged: Counter[str] = Counter()
    of_launcher: dict[str, list[History]] = defaultdict(list)
    for history in real.histories.values():
        # Who is in one recording is of one launcher.
        of_launcher[real.recording_of(history.name)].append(history)
    for histories in of_launcher.values():
        unheard = _polled(histories)
        found = [list(_delays(real, history, unheard)) for history in histories]
        judged = Judge(paces, [delay for delays in found for delay in delays], others=others)
        for one in chain.from_iterable(map(judged.outside, found)):
            if one.judged:
                odd.append(_finding(one))
            else:
                unjudged[one.delay.kind] += 1
    notes = (
        f"{count} of the delays {kind}: not judged, since too few tell which intervals that launcher has (--profile says it)"
        for kind, count in sorted(unjudged.items())
    )
    return odd, list(notes)


def _finding(odd: Odd) -> Finding:
    kind = odd.delay.kind
    what = f"{kind} took {odd.delay.length} ms; the simulator at the {odd.pace} pace shows {odd.lowest} to {odd.highest} ms"
    return Finding(COMPARISON, "delay", kind, what, BOUNDS[kind].module, (odd.delay.shown_by,))


def _polled(histories: Iterable[History]) -> Milliseconds:
    """About how often somebody looked: the shortest time between two looks at one framework that saw something new."""
    looks = (pair for history in histories for pair in pairwise(history.looks))
    return min((after.instant - before.instant for before, after in looks), default=0)


def _delays(real: Real, history: History, unheard: Milliseconds) -> Iterator[Delay]:
    recording = real.recording_of(history.name)
    for kind, begins, ends in (
        *_of_looks(history, _told(real, history)),
        *(one for run in history.runs() for one in _of_run(run)),
    ):
        if not real.was_silent(begins, ends, recording):
            yield Delay(kind, ends - begins, f"{history.name} at {iso(ends)}", unheard)


Measured = tuple[str, Instant, Instant]
"""Kind, begin, end."""


def _of_run(run: Sequence[Look]) -> Iterator[Measured]:
    first = run[0].framework
    launched: set[Instant] = set()
    ends: set[Measured] = set()
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
                yield "from the request to the launch", asked, at
        ends |= set(_ends(look))
    yield from sorted(ends)
    yield from _back_offs(run)


def _ends(look: Look) -> Iterator[Measured]:
    record = look.framework
    if record is None or record.request is None:
        return
    made = [task.created_timestamp for task in tasks_of(record).values() if task.created_timestamp is not None]
    if record.status.application_launched_timestamp is not None and made:
        yield (
            "from the launch of an application to its first task",
            record.status.application_launched_timestamp,
            min(made),
        )
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
            yield f"the back-off after {count} conflicts", ended, launched


def _told(real: Real, history: History) -> Mapping[Instant, Instant]:
    """Of each look, when somebody looked last before it, where the recording itself tells: what is worked out from how often
    things changed would accuse nobody."""
    return {one.instant: one.before for one in real.said[history.name] if one.before is not None}


def _of_looks(history: History, told: Mapping[Instant, Instant]) -> Iterator[Measured]:
    """What the very first look shows, and the first after nothing was found, says nothing."""
    known: set[tuple[str, Instant]] = set()
    before: Look | None = None
    for look in history.looks:
        fresh = {(kind, at) for kind, at in _instants(look) if (kind, at) not in known}
        known |= fresh
        if before is not None and before.framework is not None:
            looked = told.get(look.instant, before.instant)
            for whose, at in sorted(fresh):
                yield "from a change to the look that shows it", at, look.instant
                if looked > at:
                    yield f"from a {whose}'s change to a look that does not show it yet", at, looked
        before = look


def _instants(look: Look) -> Iterable[tuple[str, Instant]]:
    """Whose change, and when it was."""
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
            yield "framework", at
    for task in tasks_of(record).values():
        for at in (task.container_launched_timestamp, task.container_completed_timestamp):
            if at is not None and task.container_exit_code not in STOP_TASK_CODES:
                yield "task", at
