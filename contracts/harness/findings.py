"""What a check found: each way in which a server breaks its contract, once, with the answer that shows it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from contracts.harness.transport import Answered, Request, Unanswered


@dataclass(frozen=True)
class Exchange:
    """A request and what came of it. ``operation`` is what was asked, as the contract calls it."""

    number: int
    phase: str
    operation: str
    request: Request
    outcome: Answered | Unanswered
    after: tuple[Request, ...] = ()
    """Calls of the control plane that made the server what it then was: they moved its clock, or broke its launcher."""

    @property
    def status(self) -> int | None:
        return self.outcome.status


@dataclass(frozen=True)
class Finding:
    operation: str
    status: int | None
    rule: str
    """``schema: required``, ``law L7`` ...: which promise is broken."""
    where: str
    """Place in the schema or the answer; empty: the whole answer."""
    what: str
    """One sentence: what broke."""
    line: int | None
    """Of api.md."""
    exchanges: tuple[Exchange, ...] = ()
    """That show it; the last one is the one to repeat."""
    seen: int = 1

    @property
    def fingerprint(self) -> str:
        """The same from run to run: neither names nor numbers of one run are in it."""
        text = "|".join((self.operation, str(self.status), self.rule, self.where))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Objection:
    """What is wrong with one answer, whichever exchange it came in."""

    rule: str
    where: str
    what: str
    line: int | None

    def to(self, exchange: Exchange) -> Finding:
        return Finding(exchange.operation, exchange.status, self.rule, self.where, self.what, self.line, (exchange,))


@dataclass
class Findings:
    """Distinct findings in the order in which they were first found. Of the same ones the shortest request is kept."""

    accepted: frozenset[str] = frozenset()
    """Fingerprints that are known already."""
    _kept: dict[str, Finding] = field(default_factory=dict)

    def add(self, found: Iterable[Finding]) -> None:
        for one in found:
            known = self._kept.get(one.fingerprint)
            if known is None:
                self._kept[one.fingerprint] = one
            else:
                shorter = min((known, one), key=_length)
                self._kept[one.fingerprint] = replace(shorter, seen=known.seen + one.seen)

    @property
    def new(self) -> list[Finding]:
        return [one for one in self._kept.values() if one.fingerprint not in self.accepted]

    @property
    def known(self) -> list[Finding]:
        return [one for one in self._kept.values() if one.fingerprint in self.accepted]

    @property
    def healed(self) -> list[str]:
        """Accepted fingerprints that were not met."""
        return sorted(self.accepted - self._kept.keys())


def _length(finding: Finding) -> int:
    return sum(len(exchange.request.target) for exchange in finding.exchanges)


class BadBaseline(ValueError):
    """A baseline file with a line that begins with no fingerprint."""


def read_baseline(path: Path) -> frozenset[str]:
    """One fingerprint a line, anything may follow it; ``#`` begins a comment. Raises :class:`BadBaseline`, ``OSError``."""
    found = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words[0]) != 12 or set(words[0]) - set("0123456789abcdef"):
            raise BadBaseline(f"{path}:{number}: {words[0]!r} is no fingerprint: twelve hexadecimal digits are")
        found.add(words[0])
    return frozenset(found)
