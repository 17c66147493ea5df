"""The short way to the answer of a question that was asked before.

What a request asks for (endpoint, name, parameters) is a function of its words: target, host and scheme. Falcon works it out
once; what was meant is kept, and the next GET in the same words goes from here straight to launcher and renderer, which are
asked as ever. So nothing that was answered is kept here, only what was asked.

One kind of answer leaves this way: a whole 200. Everything else is the long way's: a request with a condition, a wish or a
method of its own, a fault on the API, and an error, which goes there as it was raised, so that no launcher is asked twice.
Middleware that does not know this way closes it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, cast
from wsgiref.types import StartResponse, WSGIEnvironment

from msgspec import Struct

from contracts.clock import stopwatch
from restserver.answers.rendering import Rendered
from restserver.seeing.metrics import Metrics
from restserver.seeing.request_id import every_answers_headers

MOST_KEPT: Final = 4096
"""Questions; beyond that all are forgotten, and worked out anew."""
LONGEST_KEPT: Final = 1024
"""Characters of target and host."""
_MEANT: Final = "restserver.meant"
_HEARD: Final = "restserver.heard"

Headers = list[tuple[str, str]]
Words = tuple[str | None, ...]


class Meant(Struct, frozen=True):
    """What a request asks for, worked out."""

    operation: str
    name: str
    """Of the framework."""
    ask: Callable[[WSGIEnvironment], Rendered]
    """Asks launcher and renderer; raises what they raise."""


class Station(Protocol):
    """Middleware that does for an answer of the short way what it does, through Falcon, for every other."""

    def detour(self, environ: WSGIEnvironment) -> bool:
        """Whether this request has to take the long way."""

    def passed(self, environ: WSGIEnvironment, name: str, headers: Headers) -> None:
        """A 200 about that framework goes out with these headers: adds its own, takes its notes."""


class ShortWay:
    def __init__(self, metrics: Metrics, stations: Sequence[Station]) -> None:
        self._metrics = metrics
        self._detours = [station.detour for station in stations]
        self._passed = [station.passed for station in stations]
        self._kept: dict[Words, Meant] = {}

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """``None``: the long way is to be taken."""
        meant = self._kept.get(_words(environ))
        if meant is None or environ["REQUEST_METHOD"] != "GET" or "HTTP_IF_NONE_MATCH" in environ:
            return None
        for detour in self._detours:
            if detour(environ):
                return None
        began = stopwatch()
        try:
            rendered = meant.ask(environ)
        except Exception as error:
            environ[_HEARD] = error
            return None
        headers = every_answers_headers(environ) + rendered.headers()
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(rendered.body)))]
        if rendered.encoding is not None:
            headers.append(("Content-Encoding", rendered.encoding))
        for passed in self._passed:
            passed(environ, meant.name, headers)
        self._metrics.answered(meant.operation, "200", stopwatch() - began)
        start_response("200 OK", headers)
        return [rendered.body]

    def learn(self, environ: WSGIEnvironment) -> None:
        """After the long way: keeps what was meant, if that led to an answer."""
        meant: Meant | None = environ.get(_MEANT)
        words = _words(environ)
        if meant is not None and sum(map(len, filter(None, words))) <= LONGEST_KEPT:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[words] = meant


def short_way(metrics: Metrics, middleware: Sequence[Any]) -> ShortWay | None:
    """``None`` where one of the middleware does not know it."""
    known = all(hasattr(each, "detour") and hasattr(each, "passed") for each in middleware)
    return ShortWay(metrics, cast("Sequence[Station]", middleware)) if known else None


def heard(environ: WSGIEnvironment, meant: Meant) -> Rendered:
    """On the long way: what was heard already, or is heard now. Leaves word of what was meant."""
    error: Exception | None = environ.pop(_HEARD, None)
    if error is not None:
        raise error
    rendered = meant.ask(environ)
    environ[_MEANT] = meant
    return rendered


def _words(environ: Mapping[str, Any]) -> Words:
    """All that routing and parameters go by. Not every server tells the target as it came."""
    return (
        environ.get("REQUEST_URI"),
        environ["PATH_INFO"],
        environ.get("QUERY_STRING"),
        environ.get("HTTP_HOST"),
        environ["wsgi.url_scheme"],
    )
