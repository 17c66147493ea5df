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
from contracts.launcher.records import Framework, RetryState
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
        between two looks: where it must have been, another run begins."""
        for key, group in groupby(self.looks, key=_run):
            run: list[Look] = []
            for look in group if key is not None else ():
                if run and _entered_again(run[-1], look):
                    yield run
                    run = []
                run.append(look)
            if run:
                yield run


def _run(look: Look) -> tuple[Instant | None, int] | None:
    if look.framework is None:
        return None
    status = look.framework.status
    return status.created_timestamp, status.version


def _entered_again(before: Look, after: Look) -> bool:
    """Somebody asked for something meanwhile (a launcher that does not tell: may have), and what is seen of another
    application cannot have come of the earlier one's retries."""
    if before.framework is None or after.framework is None:
        return False
    asked, asked_later = before.framework.request, after.framework.request
    if asked is not None and asked_later is not None:
        asked_again = asked.last_request_timestamp != asked_later.last_request_timestamp
    else:
        asked_again = True
    old, new = before.framework.status, after.framework.status
    if old.application_id is not None and old.application_id == new.application_id:
        return False
    fell = any(getattr(new.retries, one) < getattr(old.retries, one) for one in RetryState.__struct_fields__)
    was_over = old.state is FrameworkState.FRAMEWORK_COMPLETED
    is_no_retry = old.application_id is not None and new.retries.total == old.retries.total
    return asked_again and (fell or was_over or is_no_retry)


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
