"""The short way to the answer of a question that was asked before.

What a request asks for (endpoint, name, parameters) is a function of its words: target, host and scheme. Falcon works it out
once; what was meant is kept, and the next GET in the same words goes from here straight to launcher and renderer, which are
asked as ever; only where the launcher itself says that its last answer still holds (``Answer.holds``), its words are not had
repeated. No bytes are kept here but those that the renderer keeps, for as long as it does.

Two kinds of answers leave this way: a whole 200, and 304 to who has just that (a browser that polls sends the tag of what it
has by itself). Everything else is the long way's: a request with another condition, a wish or a method of its own, a fault on the
API, and an error, which goes there as it was raised, so that no launcher is asked twice.
What stands around the long way, wrapper around wrapper, is not passed through on this one: each says beforehand what it would
do to such an answer, and that is done in a row. Middleware that does not know this way closes it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, cast
from weakref import ref
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from msgspec import Struct

from contracts.clock import stopwatch
from contracts.launcher.port import always
from restserver.answers.at_once import AT_ONCE, NotAtOnce
from restserver.answers.rendering import Rendered
from restserver.seeing.arrival import arrival
from restserver.seeing.metrics import Metrics
from restserver.seeing.request_id import every_answers_headers

MOST_KEPT: Final = 4096
"""Questions; beyond that all are forgotten, and worked out anew."""
LONGEST_KEPT: Final = 1024
"""Characters of target and host."""
_ONE_TAG: Final = re.compile(r'(?:W/)?"([!#-+\--~]*)"')
"""Compared weakly, as for every GET; a list of them, or ``*``, is the long way's."""
_MEANT: Final = "restserver.meant"
_HEARD: Final = "restserver.heard"

Headers = list[tuple[str, str]]
Words = tuple[str | None, ...]
Holds = Callable[[], bool]


class Heard(Struct, frozen=True):
    rendered: Rendered
    holds: Holds | None
    """Whether asking again would give the same; ``None``: nobody can tell."""


def holding(of_all: Sequence[Holds | None]) -> Holds | None:
    """Of what was made of several answers."""
    if None in of_all:
        return None
    known = [holds for holds in of_all if holds is not None and holds is not always]
    return known[0] if len(known) == 1 else lambda: all(holds() for holds in known)


class Meant(Struct):
    """What a request asks for, worked out."""

    operation: str
    name: str
    """Of the framework."""
    ask: Callable[[WSGIEnvironment], Heard]
    """Asks launcher and renderer; raises what they raise."""
    fitting: Callable[[Rendered, WSGIEnvironment], Rendered]
    """That, or the same packed, as whoever asks takes it."""
    _last: "tuple[Holds, ref[Rendered]] | None" = None

    def again(self, environ: WSGIEnvironment) -> Rendered:
        """The answer to a request in plain words."""
        rendered, known = None, self._last  # looked at once: another thread may put None there
        if known is not None:
            holds, last = known
            rendered = last() if holds() else None
        if rendered is None:
            if AT_ONCE in environ:
                raise NotAtOnce
            said = self.ask(environ)
            rendered = said.rendered
            self._last = None if said.holds is None else (said.holds, ref(rendered))
        return self.fitting(rendered, environ) if "HTTP_ACCEPT_ENCODING" in environ else rendered


Detour = Callable[[WSGIEnvironment], bool]
"""Whether this request has to take the long way."""
Passed = Callable[[WSGIEnvironment, str, int, Headers], None]
"""An answer about that framework goes out with that status and these headers: adds its own, takes its notes."""
Noted = Callable[[WSGIEnvironment, str, int, int], object]
"""A request of that method was answered, with that status, after so many nanoseconds."""


class Station(Protocol):
    """Does for an answer of the short way what it does, as middleware or around it all, for every other."""

    @property
    def detour(self) -> Detour | None:
        """``None``: never."""

    @property
    def passed(self) -> Passed | None:
        """``None``: it has nothing to add, and takes no notes."""


class Surroundings(Struct, frozen=True):
    """What stands around an application. By default nothing does."""

    around: Callable[[WSGIApplication], WSGIApplication] = lambda application: application
    """On the long way."""
    stations: Sequence[Station] = ()
    """The same on the short way, innermost first."""
    noted: Noted | None = None
    """The log's part of it, outermost."""


class ShortWay:
    def __init__(self, metrics: Metrics, stations: Sequence[Station], noted: Noted | None = None) -> None:
        self._count = metrics.requests.took
        self._detours = [station.detour for station in stations if station.detour is not None]
        self._passed = [station.passed for station in stations if station.passed is not None]
        self._noted = noted
        self._kept: dict[Words, Meant] = {}

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """``None``: the long way is to be taken."""
        meant = self._kept.get(_words(environ))
        if meant is None or environ["REQUEST_METHOD"] != "GET":
            return None
        tag: str | None = environ.get("HTTP_IF_NONE_MATCH")
        if tag is not None:
            one = _ONE_TAG.fullmatch(tag)
            if one is None:
                return None
            tag = one[1]
        for detour in self._detours:
            if detour(environ):
                return None
        began = arrival(environ)
        try:
            rendered = meant.again(environ)
        except Exception as error:
            environ[_HEARD] = error
            return None
        headers = every_answers_headers(environ)
        if tag == rendered.etag:
            status, told = 304, "304 Not Modified"
            headers += rendered.without_body
            body = []
        else:
            status, told = 200, "200 OK"
            headers += rendered.with_body
            body = [rendered.body]
        for passed in self._passed:
            passed(environ, meant.name, status, headers)
        took = stopwatch() - began
        self._count(took, meant.operation, told[:3])
        start_response(told, headers)
        if self._noted is not None:
            self._noted(environ, "GET", status, took)
        return body

    def learn(self, environ: WSGIEnvironment) -> None:
        """After the long way: keeps what was meant, if that led to an answer."""
        meant: Meant | None = environ.get(_MEANT)
        words = _words(environ)
        if meant is not None and sum(map(len, filter(None, words))) <= LONGEST_KEPT:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[words] = meant


def short_way(metrics: Metrics, middleware: Sequence[Any], outer: Surroundings) -> ShortWay | None:
    """``None`` where one of the middleware does not know it."""
    known = all(hasattr(each, "detour") and hasattr(each, "passed") for each in middleware)
    inner = cast("Sequence[Station]", middleware)
    return ShortWay(metrics, [*inner, *outer.stations], outer.noted) if known else None


def heard(environ: WSGIEnvironment, meant: Meant) -> Rendered:
    """On the long way: what was heard already, or is heard now. Leaves word of what was meant."""
    error: Exception | None = environ.pop(_HEARD, None)
    if error is not None:
        raise error
    said = meant.ask(environ)
    environ[_MEANT] = meant
    return said.rendered


def _words(environ: Mapping[str, Any]) -> Words:
    """All that routing and parameters go by. Not every server tells the target as it came."""
    return (
        environ.get("REQUEST_URI"),
        environ["PATH_INFO"],
        environ.get("QUERY_STRING"),
        environ.get("HTTP_HOST"),
        environ["wsgi.url_scheme"],
    )
