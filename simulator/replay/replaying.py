"""A recorded history told to the simulator, and what came out otherwise.

The simulated framework is watched closely, as no client could: a recording may have caught any state on the way, so each
state it shows must be found on our way, in the same order. What the recording does not tell is tried
(:class:`simulator.replay.setting.Unknowns`): the question is whether the simulator can show what the launcher showed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher.histories import History
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Framework
from simulator.machine.story import SECOND, Operation, Story
from simulator.machine.timeline import Timeline, plan
from simulator.replay.asked import operations
from simulator.replay.comparison import missed, outcome, steps
from simulator.replay.happened import happened
from simulator.replay.setting import Unknowns, cluster, unknowns
from simulator.replay.unseen import unseen

CLOSELY = 20
"""Milliseconds from look to look. The service hears of an end at such an instant, at the deployed pace: so it is seen
retrieving the diagnostics, which is over within milliseconds; what follows that as soon is a look between two of ours."""
PATIENCE = 60 * SECOND
"""The last look at a slow launcher may come that much before ours shows the same."""


class Difference(Struct, frozen=True):
    """What a replay shows otherwise than the recording."""

    what: str
    recorded: object
    simulated: object

    def __str__(self) -> str:
        return f"{self.what}: recorded {self.recorded}, simulated {self.simulated}"


class Replayed(Struct, frozen=True):
    unknowns: Unknowns
    differences: tuple[Difference, ...]
    """Empty: the same came out."""
    excuse: str | None = None
    """Why the differences say little: too much of the story had to be made up. ``None``: they say what they say."""


class NotTold(Exception):
    """The history does not tell what a story needs. The message says what is missing."""


def replay(history: History) -> Replayed:
    """The replay with the fewest differences. Raises :class:`NotTold`."""
    if any(record.request is None for record in history.records()):
        raise NotTold("the launcher does not tell what was asked for")
    tried = (Replayed(unknown, tuple(compare(history, unknown))) for unknown in unknowns(history))
    best = next(tried)
    while best.differences and (other := next(tried, None)) is not None:
        best = min(best, other, key=lambda replayed: len(replayed.differences))
    return replace(best, excuse=_excuse(history, best.differences)) if best.differences else best


WORDS: Final = frozenset({"exit type", "exit description", "exit diagnostics", "trigger message", "trigger role"})
"""How one and the same end is told: that hangs on nothing that nobody saw."""


def _excuse(history: History, differences: Sequence[Difference]) -> str | None:
    return None if WORDS.issuperset(difference.what for difference in differences) else unseen(history)


def story_of(history: History, unknown: Unknowns) -> Story:
    asked = tuple(_later(operation, unknown.lag) for operation in operations(history.looks))
    return Story(
        history.records()[0].status.name,
        cluster(history, unknown),
        asked,
        happened(history, unknown.intervals),
    )


def _later(operation: Operation, lag: int) -> Operation:
    return replace(operation, at=operation.at + lag)


def compare(history: History, unknown: Unknowns) -> Iterator[Difference]:
    closely = replace(unknown.intervals, web_status_pull=CLOSELY, am_status_push=CLOSELY)
    story = story_of(history, replace(unknown, intervals=closely))
    watched = list(_watched(plan(story), story.operations[0].at, history.looks[-1].instant + PATIENCE))
    ours = steps(record for _, record in watched)
    step = missed(steps(look.framework for look in history.looks), ours)
    if step is not None:
        yield Difference("steps", step, ours)
    seen = next(look for look in reversed(history.looks) if look.framework is not None)
    last = history.records()[-1]
    # How long something may take is another question: what was not over yet was like ours at some time.
    since = seen.instant if last.status.state is FrameworkState.FRAMEWORK_COMPLETED else story.operations[0].at
    yield from _nearest(outcome(last), [outcome(record) for record in _since(watched, since)])


def shown(history: History, unknown: Unknowns) -> list[Framework]:
    """Our records as a client would have seen them, one at each change, from the first look until the last one, or until
    ours shows what that one showed: nobody knows what came after it."""
    timeline = plan(story_of(history, unknown))
    last = history.looks[-1]
    told: list[Framework] = []
    for instant, record in _watched(timeline, history.looks[0].instant, last.instant + PATIENCE):
        told += [record] if record is not None else []
        if instant >= last.instant and steps([record]) == steps([last.framework]):
            break
    return told


def _watched(timeline: Timeline, first: Instant, last: Instant) -> Iterator[tuple[Instant, Framework | None]]:
    """At every change between two instants."""
    instant: Instant | None = first
    while instant is not None and instant <= last:
        yield instant, timeline.at(instant)
        instant = timeline.next_change(instant)


def _since(watched: Sequence[tuple[Instant, Framework | None]], instant: Instant) -> Iterator[Framework]:
    """What stood at that instant, and whatever came later."""
    standing = [record for at, record in watched if at <= instant and record is not None][-1:]
    yield from standing
    yield from (record for at, record in watched if at > instant and record is not None)


def _nearest(real: Mapping[str, object], ours: Iterable[Mapping[str, object]]) -> Sequence[Difference]:
    """What the likest of ours has otherwise."""
    otherwise = [[Difference(what, real[what], one[what]) for what in real if real[what] != one[what]] for one in ours]
    return min(otherwise, key=len, default=[Difference("the framework", real, None)])
