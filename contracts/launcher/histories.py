"""What somebody who looked again and again saw of one framework, decoded: looks in the order of time."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from msgspec import Struct

from contracts.clock import Instant
from contracts.launcher import open_dialect, wire
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import Framework
from contracts.launcher.timelines import Recordings, Said


class Look(Struct, frozen=True):
    instant: Instant
    framework: Framework | None
    """``None``: not found."""
    before: Instant | None = None
    """When somebody looked last before this, and did not see this yet; ``None``: that is not known."""


class History(Struct, frozen=True):
    name: str
    looks: tuple[Look, ...]
    """Ascending, at least one."""

    def records(self) -> list[Framework]:
        """What was found, ascending."""
        return [look.framework for look in self.looks if look.framework is not None]

    def runs(self) -> Iterator[list[Look]]:
        """Stretches of one version of one incarnation without a 404 in between."""
        for key, group in groupby(self.looks, key=_run):
            if key is not None:
                yield list(group)


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
    found = {name: tuple(_readable(recordings.frameworks[name].said)) for name in recordings.names()}
    return {name: History(name, looks) for name, looks in found.items() if any(look.framework for look in looks)}


def _readable(said: Iterable[Said]) -> Iterator[Look]:
    for one in said:
        try:
            look = look_of(one)
        except LauncherUnreadable:
            continue
        if look is not None:
            yield look
