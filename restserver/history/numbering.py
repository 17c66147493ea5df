"""Which application was which attempt: the resource manager's list against what polls saw (rulings 6.7).

All applications of a framework in order of start; consecutive equal versions are a stretch; within it the applications that a
poll saw are anchors, and what lies between is numbered only where the counts fit. Nothing else is: an application that cannot
be numbered is a stray.

An anchor counts even if the resource manager does not know it (one never submitted, one forgotten); ids count up, so they say
where it stood. A stretch begins with attempt 0, which is an anchor without an application. It has no such end: how many attempts
an older run had after the last one that was seen, nobody knows.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from contracts.launcher import resource_manager
from contracts.launcher.records import Application
from restserver.history.looks import Kept

Place: TypeAlias = tuple[int, int]
"""Run and attempt."""

_ID: Final = re.compile(r"application_([0-9]{1,18})_([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True)
class Numbering:
    breaks: tuple[Place, ...] = ()
    """Here a new run begins, though it was taken for the same one: another version ran in between. If there are any, nothing
    is numbered yet."""
    numbered: Mapping[Place, Application] = field(default_factory=dict)
    """Seen ones too, where the resource manager knows them."""
    strays: tuple[Application, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    version: int
    application: Application | None
    kept: Kept | None


def number(kept: Sequence[Kept], applications: Iterable[Application], *, over: bool) -> Numbering:
    """``kept``: what is stored of one incarnation, by run and attempt. ``over``: the last of it is in the past.

    While it is not, applications after it belong to the future: the list may be younger than the look.
    """
    entries = _in_order(kept, applications)
    anchors = [entry.kept for entry in entries if entry.kept is not None]
    if anchors != sorted(anchors, key=lambda one: one.place):
        return Numbering(strays=_free(entries))  # the two sides contradict each other
    current = kept[-1]
    if current.application_id is None:
        entries.append(_Entry(current.version, None, current))
    elif not over:
        del entries[next(i for i, entry in enumerate(entries) if entry.kept is current) + 1 :]
    stretches = _stretches(entries)
    breaks = _breaks(stretches)
    if breaks:
        return Numbering(breaks=breaks)
    numbered: dict[Place, Application] = {}
    for stretch in stretches:
        numbered |= _numbered(stretch)
    known = {one.id for one in numbered.values()}
    return Numbering((), numbered, tuple(one for one in _free(entries) if one.id not in known))


def _in_order(kept: Sequence[Kept], applications: Iterable[Application]) -> list[_Entry]:
    anchors = {one.application_id: one for one in kept if one.application_id is not None}
    ordered = sorted(applications, key=lambda one: (one.started_timestamp, _sequence(one.id)))
    entries = [_Entry(_version(one), one, anchors.get(one.id)) for one in ordered]
    for one in ordered:
        anchors.pop(one.id, None)
    ids = [_sequence(one.id) for one in ordered]
    # From the last to the first, so that places found before stay right.
    for id_, anchor in sorted(anchors.items(), key=lambda item: _sequence(item[0]), reverse=True):
        entries.insert(bisect_right(ids, _sequence(id_)), _Entry(anchor.version, None, anchor))
    return entries


def _version(application: Application) -> int:
    named = resource_manager.framework_of(application.name)
    assert named is not None  # noqa: S101 - they were found by that name
    return named[1]


def _sequence(application_id: str) -> tuple[int, int]:
    found = _ID.fullmatch(application_id)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _stretches(entries: Iterable[_Entry]) -> list[list[_Entry]]:
    stretches: list[list[_Entry]] = []
    for entry in entries:
        if stretches and stretches[-1][-1].version == entry.version:
            stretches[-1].append(entry)
        else:
            stretches.append([entry])
    return stretches


def _breaks(stretches: Iterable[Sequence[_Entry]]) -> tuple[Place, ...]:
    """The first place in a stretch whose run was met in an earlier one."""
    met: set[int] = set()
    breaks: list[Place] = []
    for stretch in stretches:
        here: set[int] = set()
        for entry in stretch:
            if entry.kept is not None and entry.kept.run not in here:
                here.add(entry.kept.run)
                if entry.kept.run in met:
                    breaks.append(entry.kept.place)
        met |= here
    return tuple(breaks)


def _numbered(stretch: Sequence[_Entry]) -> dict[Place, Application]:
    numbered: dict[Place, Application] = {}
    between: list[Application] = []
    run, attempt = None, -1  # before the first attempt of whatever run begins here
    for entry in stretch:
        if entry.kept is None:
            assert entry.application is not None  # noqa: S101 - an entry is one of them at least
            between.append(entry.application)
            continue
        one = entry.kept
        if entry.application is not None:
            numbered[one.place] = entry.application
        # Of two runs of one version with nothing of another between them, nobody knows which one ran what lies there.
        if run in (None, one.run) and len(between) == one.attempt - attempt - 1:
            numbered |= {(one.run, attempt + 1 + i): found for i, found in enumerate(between)}
        run, attempt, between = one.run, one.attempt, []
    return numbered


def _free(entries: Iterable[_Entry]) -> tuple[Application, ...]:
    return tuple(entry.application for entry in entries if entry.kept is None and entry.application is not None)
