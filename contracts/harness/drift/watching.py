"""The real side, live: a launcher that is only read. First its list, then its frameworks one by one, for a bounded time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from contracts.clock import Clock, Instant, Milliseconds, pause, uptime
from contracts.harness.drift.sides import RECOVERY, Real, Silence
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Summary
from contracts.launcher.timelines import Said

MOST_WATCHED = 60
"""Frameworks that are looked at again and again; a real launcher must not notice it."""
LIVING = 2 / 3
"""So many of them are such that may still change, if there are enough."""


class NoAnswer(Exception):
    """The launcher did not answer. One line says why."""


@dataclass(frozen=True, slots=True)
class Heard:
    status: int
    body: str
    instant: Instant | None = None
    """By the clock of the launcher, if it is simulated; ``None``: ours is as good."""


@dataclass(frozen=True)
class Live:
    """How a launcher is asked. All raise :class:`NoAnswer`."""

    title: str
    dialect: str
    summaries: Callable[[], Iterable[Summary]]
    framework: Callable[[str], Heard]
    application: Callable[[str], Heard] | None = None
    close: Callable[[], None] = lambda: None


@dataclass
class _Watch:
    live: Live
    clock: Clock
    said: dict[str, list[Said]] = field(default_factory=dict)
    looked: dict[str, Instant] = field(default_factory=dict)
    """When each was answered last."""
    silences: list[Silence] = field(default_factory=list)
    first: Instant | None = None
    heard: Instant | None = None
    """When the launcher was heard first and last."""
    silent: bool = False

    def look(self, name: str) -> None:
        try:
            heard = self.live.framework(name)
        except NoAnswer:
            self.silent = True
            return
        now = self.clock.now() if heard.instant is None else heard.instant
        if self.silent:
            self.silences.append(Silence(now if self.heard is None else self.heard, now + RECOVERY))
        self.first = now if self.first is None else self.first
        self.heard, self.silent = now, False
        before = self.said.setdefault(name, [])
        if not before or (before[-1].status, before[-1].body) != (heard.status, heard.body):
            before.append(
                Said(now, self.live.title, heard.status, None, heard.body, before=self.looked.get(name)),
            )
        self.looked[name] = now


def watch(
    live: Live, clock: Clock, length: Milliseconds, interval: Milliseconds, passed: Callable[[], float] = uptime
) -> Real:
    """``clock`` dates the looks; how long they last is counted in ``passed`` seconds, which never go back. Raises
    :class:`NoAnswer` if it cannot even be asked for its list."""
    begun, until = clock.now(), passed() + length / 1000
    names = chosen(list(live.summaries()))
    seen = _Watch(live, clock)
    while True:
        next_look = passed() + interval / 1000
        for name in names:
            seen.look(name)
        now = passed()
        if max(now, next_look) > until:
            break
        pause(max(0.0, next_look - now))
    # Before the first question nobody knows of it.
    real = Real(live.title, live.dialect, seen.said, (Silence(0, seen.first or begun), *seen.silences))
    return Real(real.title, real.dialect, real.said, real.silences, _applications(real, live, clock))


def chosen(summaries: Sequence[Summary]) -> tuple[str, ...]:
    """Mostly those that may still change, and some that are over; the newest of each."""
    newest = sorted(summaries, key=lambda one: one.first_request_timestamp or 0, reverse=True)
    living = [one.name for one in newest if one.state is not FrameworkState.FRAMEWORK_COMPLETED]
    over = [one.name for one in newest if one.state is FrameworkState.FRAMEWORK_COMPLETED]
    first = living[: max(round(MOST_WATCHED * LIVING), MOST_WATCHED - len(over))]
    return (*first, *over[: MOST_WATCHED - len(first)])


def _applications(real: Real, live: Live, clock: Clock) -> dict[str, Sequence[Said]]:
    if live.application is None:
        return {}
    ids = {
        history.looks[-1].framework.status.application_id
        for history in real.histories.values()
        if history.looks[-1].framework is not None
    }
    found: dict[str, Sequence[Said]] = {}
    for identity in sorted(one for one in ids if one is not None):
        try:
            heard = live.application(identity)
        except NoAnswer:
            continue
        at = clock.now() if heard.instant is None else heard.instant
        found[identity] = (Said(at, live.title, heard.status, None, heard.body),)
    return found
