"""ETags of one server: equal ones never stand for different answers, and an answer that did not change is not sent again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from contracts.harness.findings import Exchange, Finding, Objection
from contracts.harness.lines import Lines
from contracts.harness.transport import Answered


@dataclass
class Editions:
    _bodies: dict[tuple[str, str], tuple[bytes, Exchange]] = field(default_factory=dict)

    def objections(self, exchange: Exchange, lines: Lines) -> Iterator[Finding]:
        answer = exchange.outcome
        if not isinstance(answer, Answered) or answer.status != 200 or exchange.request.method != "GET":
            return
        tag = answer.header("etag")
        if tag is None:
            return
        line = lines.of_header("ETag")
        if ("If-None-Match", tag) in exchange.request.headers:
            what = f"the answer did not change, its ETag {tag} was sent back, and it was sent again: 304 is promised"
            yield Objection("header: ETag", "unchanged", what, line).to(exchange)
        digest = hashlib.sha256(answer.body).digest()
        before, first = self._bodies.setdefault((exchange.request.target, tag), (digest, exchange))
        if before != digest and not tag.startswith("W/"):
            what = f"two different answers have the ETag {tag}"
            yield Finding(exchange.operation, 200, "header: ETag", "changed", what, line, (first, exchange))
