"""What drifted: each way once, with an id that stays the same from run to run, so that it can be waived."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

MOST_EXAMPLES = 3


class Comparison(StrEnum):
    DOCUMENT_SCHEMAS = "document-schemas"
    SCHEMAS_SIMULATOR = "schemas-simulator"
    SIMULATOR_REAL = "simulator-real"
    WAIVERS = "waivers"


@dataclass(frozen=True, slots=True)
class Finding:
    comparison: Comparison
    rule: str
    """A word or two: ``null``, ``law-L2``, ``replay``."""
    where: str
    """What it is about: a field, a state, a file. Never what is of one run only."""
    what: str
    """One sentence."""
    place: str
    """Where to look: a line of api.md, a module."""
    examples: tuple[str, ...] = ()
    """Who shows it: names and instants."""
    seen: int = 1

    @property
    def id(self) -> str:
        return "/".join((self.comparison.value, _word(self.rule), _word(self.where)))


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.~_*-]+", "-", text).strip("-")


@dataclass
class Findings:
    """In the order in which they were found first."""

    _kept: dict[str, Finding] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        known = self._kept.get(finding.id)
        if known is None:
            self._kept[finding.id] = finding
            return
        examples = tuple(dict.fromkeys((*known.examples, *finding.examples)))[:MOST_EXAMPLES]
        self._kept[finding.id] = replace(known, examples=examples, seen=known.seen + finding.seen)

    def all(self) -> tuple[Finding, ...]:
        return tuple(self._kept.values())


def distinct(found: Iterable[Finding]) -> tuple[Finding, ...]:
    kept = Findings()
    for finding in found:
        kept.add(finding)
    return kept.all()


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of one comparison."""

    comparison: Comparison
    looked_at: str | None
    """What was compared, in a few words and numbers; ``None``: a side was not given."""
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """What is worth knowing and is no drift."""
