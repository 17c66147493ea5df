"""What somebody who looked again and again saw of one framework, decoded: looks in the order of time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher import open_dialect, wire
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import Framework
from contracts.launcher.timelines import Recordings, Said

BLIND: Milliseconds = 1_000
"""Nobody who looks at least so often misses two things that people asked a launcher for, one after the other was heard."""


class Look(Struct, frozen=True):
    instant: Instant
    framework: Framework | None
    """``None``: not found."""
    before: Instant | None = None
    """When somebody looked last before this, and did not see this yet; ``None``: never, as far as anybody knows."""

    @property
    def unseen(self) -> Milliseconds:
        """How long it may have been there to be seen, and nobody looked."""
        return 0 if self.before is None else max(0, self.instant - self.before)


class History(Struct, frozen=True):
    name: str
    looks: tuple[Look, ...]
    """Ascending, at least one."""

    def records(self) -> list[Framework]:
        """What was found, ascending."""
        return [look.framework for look in self.looks if look.framework is not None]

    def runs(self) -> Iterator[list[Look]]:
        """Stretches of one version of one incarnation without a 404 in between. A version may be left and entered again
        between two looks; where that cannot be excluded, a new run is taken to begin."""
        for key, group in groupby(self.looks, key=_run):
            if key is None:
                continue
            run: list[Look] = []
            for look in group:
                if run and _may_have_been_left(run[-1], look):
                    yield run
                    run = []
                run.append(look)
            yield run


def _may_have_been_left(before: Look, after: Look) -> bool:
    """Whether, between two looks at one version, people may have asked for another one and for this one again. What looks
    like a retry is taken for one."""
    old, new = before.framework, after.framework
    if old is None or new is None or after.unseen <= BLIND or _asked_for(old) == _asked_for(new) is not None:
        return False
    was, is_ = old.status, new.status
    retried = is_.retries.total > was.retries.total and was.state is not FrameworkState.FRAMEWORK_COMPLETED
    goes_on = is_.retries.total == was.retries.total and was.application_id in (None, is_.application_id)
    return not retried and not goes_on


def _asked_for(record: Framework) -> Instant | None:
    """When it was last asked for anything; ``None``: the launcher does not tell."""
    return None if record.request is None else record.request.last_request_timestamp


def _run(look: Look) -> tuple[Instant | None, int] | None:
    if look.framework is None:
        return None
    status = look.framework.status
    return status.created_timestamp, status.version


def look_of(said: Said) -> Look | None:
    """A recorded answer as a look; ``None``: it says nothing about the framework. Raises :class:`LauncherUnreadable`."""
    if said.status == 404:
        return Look(said.instant, None, said.before)
    if said.status == 200:
        return Look(said.instant, open_dialect.decode_framework(wire.parse(said.content)), said.before)
    return None


def histories(recordings: Recordings) -> Mapping[str, History]:
    """Of each name that was ever found, by name. An answer that cannot be read is left out: who wants to know of it asks
    :func:`look_of`."""
    asked = with_looks_before({name: recordings.frameworks[name].said for name in recordings.names()})
    found = {name: tuple(_readable(said)) for name, said in asked.items()}
    return {name: History(name, looks) for name, looks in found.items() if any(look.framework for look in looks)}


def with_looks_before(asked: Mapping[str, Sequence[Said]]) -> Mapping[str, Sequence[Said]]:
    """The same answers, each with the instant of the look before it, which recordings need not tell: whoever writes down
    changes only looked so often as the changes that came closest together show."""
    usual = _usual_intervals(asked)
    return {name: tuple(_dated(said, usual[name])) for name, said in asked.items()}


def _dated(said: Sequence[Said], usual: Milliseconds) -> Iterator[Said]:
    earlier: Said | None = None
    for one in said:
        if one.before is None and earlier is not None:
            yield replace(one, before=max(earlier.instant, one.instant - usual))
        else:
            yield one
        earlier = one


def _usual_intervals(asked: Mapping[str, Sequence[Said]]) -> Mapping[str, Milliseconds]:
    """From look to look, at each name: of its recording or of all of them, whichever is longer. One look out of turn says
    little, hence the medians."""
    shortest = {
        name: min((later.instant - earlier.instant for earlier, later in pairwise(said)), default=None)
        for name, said in asked.items()
    }
    of_recording: dict[str, list[Milliseconds]] = defaultdict(list)
    for name, interval in shortest.items():
        if interval is not None:
            of_recording[asked[name][0].recording].append(interval)
    overall = _middle([interval for interval in shortest.values() if interval is not None])
    return {name: max(overall, _middle(of_recording[said[0].recording])) for name, said in asked.items() if said}


def _middle(intervals: Sequence[Milliseconds]) -> Milliseconds:
    return round(median(intervals)) if intervals else 0


def _readable(said: Sequence[Said]) -> Iterator[Look]:
    for one in said:
        try:
            look = look_of(one)
        except LauncherUnreadable:
            continue
        if look is not None:
            yield look
