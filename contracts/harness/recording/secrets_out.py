"""Secrets never get into a recording: not by the header they came in, nor by a name that tells of one, nor by their value.

Taken out, always: credentials in headers (the scheme is kept), user and password in a URL that has both, values that go by the
name of a password, token, secret or key (as a key of JSON, ``NAME=value`` or ``--name value``: environment variables and
command lines of users are full of them), and whatever was sent as a credential, wherever it is repeated. That something stood
there can still be seen.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from contracts.harness.recording.texts import rewritten
from contracts.harness.redacting import REDACTED, SECRET_HEADERS, redacted, secrets_in, without
from contracts.launcher.recordings import Exchange, Headers, Request, Response

_NAME: Final = (
    r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key)\w*"
)
_NAMED: Final = re.compile(_NAME, re.IGNORECASE)
_GIVEN: Final = re.compile(
    rf"""((?<![\w.-]){_NAME}["']?\s*[=:]\s*|--?{_NAME}\s+)("[^"]*"|'[^']*'|[^\s"';&|)\]}}]+)""", re.IGNORECASE
)
_USERINFO: Final = re.compile(r"""\b([a-z][a-z0-9+.-]*://)[^\s/@"'<>:]+:[^\s/@"'<>]+@""", re.IGNORECASE)
_AUTHORIZATION: Final = re.compile(r"\b(basic|bearer|digest|negotiate)\s+[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE)


class SecretsOut:
    """``sent`` are the headers with which the launcher is asked."""

    def __init__(self, sent: Sequence[tuple[str, str]]) -> None:
        self._known = secrets_in((_SECRET, value) for name, value in sent if _is_secret(name))

    def exchange(self, exchange: Exchange) -> Exchange:
        request, response = exchange.request, exchange.response
        return replace(
            exchange,
            request=Request(
                request.method, self.text("", request.path), _headers(request.headers), self._body(request.body)
            ),
            response=Response(
                response.status,
                None if response.reason is None else self.text("", response.reason),
                _headers(response.headers),
                self._body(response.body),
            ),
        )

    def text(self, key: str, text: str) -> str:
        if text and _NAMED.fullmatch(key):
            return REDACTED
        text = without(text, self._known)
        text = _USERINFO.sub(rf"\1{REDACTED}@", text)
        text = _AUTHORIZATION.sub(rf"\1 {REDACTED}", text)
        return _GIVEN.sub(rf"\1{REDACTED}", text)

    def _body(self, body: str | None) -> str | None:
        return None if body is None else rewritten(body, self.text, lambda under, key: key)


def _headers(headers: Headers) -> Headers:
    kept: dict[str, str | list[str]] = {}
    for name, value in headers.items():
        values = _redacted(name, value if isinstance(value, list) else [value])
        kept[name] = values if isinstance(value, list) else values[0]
    return kept


def _redacted(name: str, values: Iterable[str]) -> list[str]:
    as_told = name if name.lower() in SECRET_HEADERS else _SECRET if _is_secret(name) else name
    return [value for _, value in redacted((as_told, value) for value in values)]


_SECRET: Final = "x-auth-token"  # noqa: S105 - a name, no secret
"""Stands for every header that is named like a secret."""


def _is_secret(name: str) -> bool:
    return name.lower() in SECRET_HEADERS or _NAMED.fullmatch(name) is not None
