"""Names, users, hosts, addresses and free texts told by pseudonyms; states, counts, times, codes and ids as they are."""

import http.client
import os
import secrets
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from contracts.harness.recording.files import NotWritten
from contracts.harness.recording.pseudonyms import Pseudonyms
from contracts.harness.recording.texts import rewritten
from contracts.launcher.recordings import Exchange, Headers, Request, Response

NAMED_BY_USERS: Final = frozenset(
    {"taskroles", "aggregatedtaskrolestatuses", "portdefinitions", "environmentvariables", "extras", "labels"}
)
"""In lower case: objects whose keys are names that somebody chose. Every other key is a word of the launcher."""
PLAIN_HEADERS: Final = frozenset(
    {
        *(
            "accept",
            "cache-control",
            "connection",
            "content-encoding",
            "content-length",
            "content-type",
            "date",
            "etag",
        ),
        *("expires", "pragma", "retry-after", "transfer-encoding", "vary", "x-frame-options", "x-simulated"),
    }
)
SHORTEST_KEY: Final = 16


class Anonymised:
    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._text = pseudonyms.text

    def exchange(self, exchange: Exchange) -> Exchange:
        request, response = exchange.request, exchange.response
        return replace(
            exchange,
            request=Request(
                request.method, self._text(request.path), self._headers(request.headers), self._body(request.body)
            ),
            response=Response(
                response.status, self._reason(response), self._headers(response.headers), self._body(response.body)
            ),
        )

    def _reason(self, response: Response) -> str | None:
        """The usual words of a status name nobody, nor does what is said here of a silence; a container's own words may."""
        status, reason = response.status, response.reason
        if reason is None or status is None or reason == http.client.responses.get(status):
            return reason
        return self._text(reason)

    def _body(self, body: str | None) -> str | None:
        if body is None:
            return None
        return rewritten(body, lambda under, text: self._text(text), self._key)

    def _key(self, under: str, key: str) -> str:
        return self._text(key) if under.lower() in NAMED_BY_USERS else key

    def _headers(self, headers: Headers) -> Headers:
        return {name: value if name.lower() in PLAIN_HEADERS else self._told(value) for name, value in headers.items()}

    def _told(self, value: str | list[str]) -> str | list[str]:
        return [self._text(one) for one in value] if isinstance(value, list) else self._text(value)


def key_beside(folder: Path) -> tuple[Path, bytes]:
    """The key of a folder of recordings; made if there is none. It lies beside the folder, not in it: who is given the
    recordings must not be given the key. Raises :class:`NotWritten`.
    """
    path = folder.resolve().with_name(f"{folder.resolve().name}.key")
    try:
        if not path.exists():
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="ascii") as out:
                out.write(f"{secrets.token_hex(32)}\n")
        key = path.read_text(encoding="ascii").strip().encode()
    except (OSError, UnicodeDecodeError) as error:
        raise NotWritten(f"the key {path} cannot be read or made: {error}") from error
    if len(key) < SHORTEST_KEY:
        raise NotWritten(f"the key {path} is too short to be one")
    return path, key
