"""RecordedBytes: answers with the bytes and headers that a real launcher and resource manager gave at an instant.

Both Content-Type headers of a real launcher are sent, and answers are chunked where they were. What was never asked in the
recording has no bytes; it is answered as the launcher answers its root, an unknown framework or an unknown path.
"""

import contextlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts.clock import LATEST, Instant
from contracts.launcher.recordings import Exchange, Response, exchanges
from tests.stand_ins.served import ACTIVE, Asked, Reply, Served, serving

OF_THE_WIRE = {"transfer-encoding", "content-length", "connection"}
"""Headers that say how the bytes travel; this server says so itself."""


@dataclass
class RecordedBytes:
    """``at`` may be moved while it serves."""

    exchanges: Sequence[Exchange]
    at: Instant = LATEST
    served: Served = field(default_factory=lambda: Served(""))

    def __post_init__(self) -> None:
        self._by_path: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in sorted(self.exchanges, key=lambda e: e.instant):
            if exchange.request.method == "GET":
                self._by_path[exchange.request.path].append(exchange)

    @property
    def url(self) -> str:
        return self.served.url

    def reply(self, asked: Asked) -> Reply | None:
        known = self._by_path.get(asked.path, [])
        position = bisect_right(known, self.at, key=lambda e: e.instant)
        if position:
            return _as_recorded(known[position - 1].response)
        if asked.path in ("/", "/v1"):
            return ACTIVE  # rarely recorded, and always alike
        return _unknown_framework() if asked.path.startswith("/v1/Frameworks/") else _unknown_path()


@contextlib.contextmanager
def recorded_bytes(path: Path, at: Instant = LATEST) -> Iterator[RecordedBytes]:
    stand_in = RecordedBytes(tuple(exchanges(path, _surprised)), at)
    with serving(stand_in.reply) as served:
        stand_in.served = served
        yield stand_in


def _surprised(warning: str) -> None:
    raise AssertionError(warning)


def _as_recorded(response: Response) -> Reply | None:
    if response.status is None:
        return None
    headers = [
        (name, value)
        for name, content in response.headers.items()
        if name.lower() not in OF_THE_WIRE
        for value in ([content] if isinstance(content, str) else content)
    ]
    chunked = "Transfer-Encoding" in response.headers
    return Reply(response.status, (response.body or "").encode(), headers, chunked, response.reason)


def _unknown_framework() -> Reply:
    name = "com.microsoft.frameworklauncher.common.exceptions.NotFoundException"
    body = f'{{"exception":"NotFoundException","message":"{name}\\n\\tat somewhere\\n","javaClassName":"{name}"}}'
    return Reply(404, body.encode(), [("Content-Type", "application/json")], chunked=True)


def _unknown_path() -> Reply:
    return Reply(
        404, b"<html><body><h2>HTTP ERROR 404</h2></body></html>", [("Content-Type", "text/html; charset=iso-8859-1")]
    )
