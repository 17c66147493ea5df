"""Which headers go on to the other side, by the book (RFC 9110, 7.6.1): all but those that are about one connection.

Headers are pairs of bytes in the order and spelling of the wire; a name that comes twice is there twice.
"""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

Raw: TypeAlias = list[tuple[bytes, bytes]]

OF_ONE_CONNECTION: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"}
)
_NEVER_NAMED: Final = frozenset({b"content-length", b"host", b"cache-control"})
"""What a ``Connection`` header cannot take away: framing is ours, and a request needs its host."""
VIA: Final = (b"Via", b"1.1 restserver-proxy")
_ABSOLUTE: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


class Ambiguous(Exception):
    """A message of which two readers could disagree where it ends."""


def is_chunked(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Raises :class:`Ambiguous`."""
    names = {name.lower() for name, _ in headers}
    if {b"transfer-encoding", b"content-length"} <= names:
        raise Ambiguous("it has both Content-Length and Transfer-Encoding")
    return b"transfer-encoding" in names


def passed_on(headers: Raw) -> Raw:
    named = {
        word.strip().lower() for name, value in headers if name.lower() == b"connection" for word in value.split(b",")
    }
    dropped = OF_ONE_CONNECTION | (named - _NEVER_NAMED)
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def to_server(headers: Raw, host: bytes) -> Raw:
    """Of a request; raises :class:`Ambiguous`."""
    chunked = is_chunked(headers)
    passed = [(name, host if name.lower() == b"host" else value) for name, value in passed_on(headers)]
    if not any(name.lower() == b"host" for name, _ in passed):  # HTTP/1.0 needs none; 1.1, which is spoken here, does
        passed.insert(0, (b"Host", host))
    framing = [(b"Transfer-Encoding", b"chunked")] if chunked else []
    return [*passed, *framing, VIA]


def to_client(headers: Raw) -> Raw:
    """Of an answer; raises :class:`Ambiguous`. h11 frames it as the client can take it."""
    framing = [(b"Transfer-Encoding", b"chunked")] if is_chunked(headers) else []
    return [*passed_on(headers), *framing]


def has_body(headers: Raw) -> bool:
    """Of a request."""
    return any(
        name.lower() == b"transfer-encoding" or (name.lower() == b"content-length" and value != b"0")
        for name, value in headers
    )


def origin_form(target: bytes) -> bytes:
    """The target without scheme and authority, which every server has to understand and few do."""
    found = _ABSOLUTE.match(target)
    if found is None:
        return target
    rest = target[found.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest
