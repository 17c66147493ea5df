"""Which pages of other origins may read the answers in a browser (CORS, as the Fetch standard has it).

A page may if its origin is one of those named for the path. Nothing is ever allowed with credentials: there are no cookies
here. A preflight is answered by the path itself, with the methods it allows; whatever headers a page wants to send, it may.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOCAL: Final = ("http://localhost:*", "http://127.0.0.1:*")
"""Where people develop pages."""
ANY: Final = "*"
READABLE: Final = (
    "Allow, Date, ETag, Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Recorded, X-Request-Id, "
    "X-Simulated, X-Stale-Since"
)
"""What a page may read of an answer besides its body and the few headers that every page may."""
KEPT_SECONDS: Final = 600
"""For how long a browser need not ask again before it sends what needs a preflight."""

_VARY: Final = ("Vary", "Origin")
_HEADER_NAMES: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z, ]{1,1000}")


class Origins:
    """Contains the origins that some patterns mean: ``https://portal.example``, ``http://localhost:*``, ``*``."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = frozenset(patterns)
        self._any_port = frozenset(p.removesuffix(":*") for p in self._patterns if p.endswith(":*"))

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def __contains__(self, origin: object) -> bool:
        text = str(origin)
        return ANY in self._patterns or text in self._patterns or _without_port(text) in self._any_port

    def named(self) -> "Origins":
        """Without the one that means all: those that somebody thought of."""
        return Origins(self._patterns - {ANY})


def _without_port(origin: str) -> str:
    host, colon, port = origin.rpartition(":")
    return host if colon and port.isascii() and port.isdigit() else origin


class ReadableFrom:
    """Around an application, and beside its short way. ``origins_of``: by the path of a request."""

    detour = None

    def __init__(self, origins_of: Callable[[str], Origins]) -> None:
        self._origins_of = origins_of

    def around(self, application: WSGIApplication) -> WSGIApplication:
        def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            origins = self._origins_of(environ["PATH_INFO"])
            if not origins:
                return application(environ, start_response)

            def start(status: str, headers: list[tuple[str, str]], *more: object) -> object:
                told = [*headers, *_told(environ, headers, origins)]
                return start_response(status, told, *more)  # type: ignore[arg-type]  # as it was given

            return application(environ, start)  # type: ignore[arg-type]  # the same protocol, spelt without its overloads

        return answering

    def passed(self, environ: WSGIEnvironment, name: str, status: int, headers: list[tuple[str, str]]) -> None:
        """Of the API, whose paths some origin may read, or this would not be here."""
        del name, status
        if "HTTP_ORIGIN" in environ:
            headers += _told(environ, headers, self._origins_of(environ["PATH_INFO"]))
        else:
            headers.append(_VARY)


def _told(environ: WSGIEnvironment, headers: list[tuple[str, str]], origins: Origins) -> Sequence[tuple[str, str]]:
    """Besides the headers that the answer has."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is None or origin not in origins:
        return (_VARY,)
    allowed = [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", READABLE)]
    return [_VARY, *allowed, *_preflight(environ, headers)]


def _preflight(environ: WSGIEnvironment, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if environ["REQUEST_METHOD"] != "OPTIONS" or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
        return []
    methods = next((value for name, value in headers if name.lower() == "allow"), "")
    told = [("Access-Control-Allow-Methods", methods), ("Access-Control-Max-Age", str(KEPT_SECONDS))]
    wanted = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    return [*told, ("Access-Control-Allow-Headers", wanted)] if _HEADER_NAMES.fullmatch(wanted) else told
