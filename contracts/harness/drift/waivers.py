"""Drift that somebody has looked at and lives with for a while: a pattern of findings, a reason, and a day it ends.

A waiver is a promise to look again. One that has ended waives nothing any more, and one that nothing needs is taken for
forgotten: both are findings themselves.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from contracts.clock import Instant
from contracts.harness.drift.findings import Comparison, Finding

KEYS: Final = frozenset({"finding", "reason", "expires"})


class BadWaivers(ValueError):
    """A file that is no list of waivers. One line: file, line, what is wrong."""


@dataclass(frozen=True, slots=True)
class Waiver:
    finding: str
    """A pattern of ids, with ``*`` and ``?``."""
    reason: str
    expires: date
    """The last day on which it counts, in UTC."""
    place: str
    """File and line."""

    def waives(self, finding: Finding) -> bool:
        return fnmatchcase(finding.id, self.finding)

    def expired(self, now: Instant) -> bool:
        return datetime.fromtimestamp(now / 1000, UTC).date() > self.expires


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Raises :class:`BadWaivers`, ``OSError``."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML().load(path.read_text(encoding="utf-8"))
    except (YAMLError, ValueError) as error:  # a day that no calendar has is a ValueError
        raise BadWaivers(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if document is None:
        return ()
    if not isinstance(document, CommentedSeq):
        raise BadWaivers(f"{path}: a list of waivers is wanted, each with finding, reason and expires")
    waivers = []
    for position, entry in enumerate(document):
        where = f"{path}:{document.lc.item(position)[0] + 1}"
        if not isinstance(entry, CommentedMap):
            raise BadWaivers(f"{where}: {entry!r} is no waiver: finding, reason and expires are wanted")
        waivers.append(_waiver(dict(entry), where))
    return tuple(waivers)


def _waiver(entry: dict[str, object], where: str) -> Waiver:
    if entry.keys() != KEYS:
        wrong = sorted(map(str, entry.keys() ^ KEYS))
        raise BadWaivers(f"{where}: a waiver has finding, reason and expires; wrong or missing: {', '.join(wrong)}")
    finding, reason, expires = entry["finding"], entry["reason"], entry["expires"]
    if not isinstance(finding, str) or not finding.strip():
        raise BadWaivers(f"{where}: finding: {finding!r} is no pattern of findings")
    if not isinstance(reason, str) or not reason.strip():
        raise BadWaivers(f"{where}: reason: a waiver without a reason is none")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise BadWaivers(f"{where}: expires: {expires!r} is no day: 2027-01-31 is")
    return Waiver(finding.strip(), reason.strip(), expires, where)


@dataclass(frozen=True, slots=True)
class Judged:
    open: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...]
    about_waivers: tuple[Finding, ...]


def judge(found: Iterable[Finding], waivers: Sequence[Waiver], now: Instant, ran: frozenset[Comparison]) -> Judged:
    """``ran``: a waiver about a comparison that was not made is neither needed nor needless."""
    open_: list[Finding] = []
    waived: list[tuple[Finding, Waiver]] = []
    needed: set[Waiver] = set()
    for finding in found:
        matching = [waiver for waiver in waivers if waiver.waives(finding)]
        needed |= set(matching)
        living = next((waiver for waiver in matching if not waiver.expired(now)), None)
        if living is None:
            open_.append(finding)
        else:
            waived.append((finding, living))
    return Judged(tuple(open_), tuple(waived), tuple(_about(waivers, needed, now, ran)))


def _about(
    waivers: Sequence[Waiver], needed: set[Waiver], now: Instant, ran: frozenset[Comparison]
) -> Iterator[Finding]:
    for waiver in waivers:
        if waiver.expired(now):
            what = f"the waiver of {waiver.finding} ended on {waiver.expires} ({waiver.reason})"
            yield Finding(Comparison.WAIVERS, "expired", waiver.finding, what, waiver.place)
        elif waiver not in needed and any(fnmatchcase(f"{one}/", _head(waiver.finding)) for one in ran):
            what = f"the waiver of {waiver.finding} waives nothing ({waiver.reason})"
            yield Finding(Comparison.WAIVERS, "unused", waiver.finding, what, waiver.place)


def _head(pattern: str) -> str:
    """The part of a pattern that says which comparison it is about."""
    head, slash, _ = pattern.partition("/")
    return f"{head}/" if slash else pattern if "*" in pattern else f"{pattern}/"
