"""ETags of one server: equal ones never stand for different answers, and an answer that did not change is not sent again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from cachetools import LRUCache

from contracts.harness.findings import Exchange, Finding, Objection
from contracts.harness.lines import Lines
from contracts.harness.transport import Answered

MOST_KEPT: Final = 10_000


@dataclass
class Editions:
    _bodies: "LRUCache[tuple[str, str], tuple[bytes, Exchange]]" = field(default_factory=lambda: LRUCache(MOST_KEPT))

    def objections(self, exchange: Exchange, lines: Lines) -> Iterator[Finding]:
        answer = exchange.outcome
        if not isinstance(answer, Answered) or answer.status != 200 or exchange.request.method != "GET":
            return
        tag = answer.header("etag")
        if tag is None:
            return
        if any(name.lower() == "if-none-match" and value == tag for name, value in exchange.request.headers):
            what = f"the answer did not change, its ETag {tag} was sent back, and it was sent again: 304 is promised"
            yield Objection("header: ETag", "unchanged", what, lines.of_header("ETag")).to(exchange)
        digest = hashlib.sha256(answer.body).digest()
        bare = replace(exchange, outcome=replace(answer, body=b""))
        before, first = self._bodies.setdefault((exchange.request.target, tag), (digest, bare))
        if before != digest and not tag.startswith("W/"):
            what = f"two different answers have the ETag {tag}"
            line = lines.of_header("ETag")
            yield Finding(exchange.operation, 200, "header: ETag", "changed", what, line, (first, exchange))
