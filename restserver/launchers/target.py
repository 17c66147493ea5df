"""Whom a call can be made to, and with which headers; judged once, at start, so that a bad word in a setting stops the program."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard
from urllib.parse import urlsplit


class BadTarget(ValueError):
    """A URL, header or file that no call can be made with. The message names it, but never shows a header's value."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: ``http`` or ``https``, host, port, and a path prefix without a slash at its end."""

    scheme: str
    host: str
    port: int
    prefix: str


def target(url: str) -> Target:
    """``http://host:9086/prefix/`` taken apart. Raises BadTarget."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadTarget(f"{url!r} is not a URL: {error}") from None
    if "@" in parts.netloc:
        raise BadTarget("a launcher's URL holds no user or password: give credentials as a header")
    if parts.scheme not in _DEFAULT_PORT or not _is_host(parts.hostname):
        raise BadTarget(f"{url!r} is not an http:// or https:// URL of a host")
    if parts.query or parts.fragment or not _PREFIX.fullmatch(parts.path):
        raise BadTarget(f"{url!r} is more than scheme, host, port and a plain path")
    port = _DEFAULT_PORT[parts.scheme] if port is None else port
    return Target(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


def _is_host(host: str | None) -> TypeGuard[str]:
    try:
        return bool(host and _HOST.fullmatch(host) and host.encode("idna"))
    except UnicodeError:  # a label that is empty or too long
        return False


_DEFAULT_PORT = {"http": 80, "https": 443}
_HOST = re.compile(r"[^\x00-\x20\x7f<>\"\\^`{|}/?#@]+")
# Segments without "." and "..", and nothing that would have to be encoded: what is configured is sent as it is.
_PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~%!$&'()*+,=:@-]*)*")


def checked_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers to send with every call. Raises BadTarget for a name or value HTTP does not allow, and for those that are ours."""
    kept = tuple(headers)
    names = [name.lower() for name, _ in kept]
    for name, value in kept:
        if not _TOKEN.fullmatch(name):
            raise BadTarget(f"{name!r} is not the name of a header")
        if name.lower() in _OURS:
            raise BadTarget(f"the header {name} cannot be set: it is part of how the call is made")
        if names.count(name.lower()) > 1:
            raise BadTarget(f"the header {name} is given more than once")
        if not _HEADER_VALUE.fullmatch(value):
            raise BadTarget(f"the value of the header {name} holds a character that HTTP does not allow in one")
    return kept


_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff\t]*")  # no CR, LF or other control character
_OURS = {
    *("accept", "accept-encoding", "host", "user-agent", "x-request-id"),
    *("connection", "content-length", "expect", "te", "transfer-encoding", "upgrade"),
}
