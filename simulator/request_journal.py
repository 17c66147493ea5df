"""Which requests the API was asked lately, for tests of clients: a bounded list, looked through by WireMock-like matchers.

What could be a secret is not kept: values of credential headers are replaced where the request comes in, the scheme of an
authorization left standing. Instants are the simulated clock's.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import falcon
from msgspec import Struct

from contracts.clock import Clock, Instant, iso
from simulator.problems import BadInput

MOST_REQUESTS = 1000
LONGEST_PATTERN = 500
SECRET = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"}
)
HIDDEN = "REDACTED"


class Asked(Struct, frozen=True):
    id: int
    at: Instant
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By names in small letters."""
    status: int

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


class RequestJournal:
    """What was asked of an API (it is Falcon middleware) or of any other application (:meth:`of`). Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: deque[_Noted] = deque(maxlen=MOST_REQUESTS)
        self._ids = count(1)
        self._lock = threading.Lock()

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        del resource, succeeded
        self._note(req.method, req.path, req.query_string or "", req.env, falcon.http_status_to_code(resp.status))

    detour = None

    def passed(self, environ: WSGIEnvironment, name: str, status: int, headers: list[tuple[str, str]]) -> None:
        del name, headers
        self._note("GET", environ["PATH_INFO"], environ.get("QUERY_STRING") or "", environ, status)

    def of(self, application: WSGIApplication, besides: str) -> WSGIApplication:
        """That application, and its requests are written down, but for those to paths that begin with ``besides``."""

        def noted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            method, path, query = environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", "")

            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
                self._note(method, path, query, environ, int(status[:3]))
                return start_response(status, headers, *more)

            return application(environ, start)

        return lambda environ, start_response: (
            application(environ, start_response)
            if environ["PATH_INFO"].startswith(besides)
            else noted(environ, start_response)
        )

    def _note(self, method: str, path: str, query: str, environ: WSGIEnvironment, status: int) -> None:
        """Every request is noted, and hardly any is looked at: what makes it readable is left to whoever looks."""
        headers, secrets = _headers_among(tuple(environ))
        values = tuple(map(environ.__getitem__, headers))
        if secrets:
            told = zip(headers, values, strict=True)
            values = tuple(_hidden(_name_of(key), value) if key in secrets else value for key, value in told)
        with self._lock:
            self._noted.append((next(self._ids), self._clock.now(), method, path, query, headers, values, status))

    def all(self) -> list[Asked]:
        """Newest first."""
        with self._lock:
            noted = list(reversed(self._noted))
        return [_readable(*each) for each in noted]

    def clear(self) -> int:
        with self._lock:
            gone = len(self._noted)
            self._noted.clear()
            return gone

    def find(self, matcher: object) -> list[Asked]:
        """Newest first. Raises BadInput for what is no matcher."""
        tests = list(_tests(matcher))
        return [asked for asked in self.all() if all(test(asked) for test in tests)]


def told(asked: Asked) -> dict[str, object]:
    return {
        "id": str(asked.id),
        "request": {
            "method": asked.method,
            "url": asked.url,
            "headers": dict(asked.headers),
            "loggedDate": asked.at,
            "loggedDateString": iso(asked.at),
        },
        "response": {"status": asked.status},
    }


_Noted = tuple[int, Instant, str, str, str, tuple[str, ...], tuple[str, ...], int]
"""An :class:`Asked` before it is one: its headers go by the names WSGI gives them, which most requests share."""
_NO_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
_SECRET_KEYS = frozenset(f"HTTP_{name.upper().replace('-', '_')}" for name in SECRET)


@lru_cache(maxsize=32)
def _headers_among(keys: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that are headers, and of these the secret ones. Clients send the same headers again and again, each other values."""
    headers = tuple(key for key in keys if key.startswith("HTTP_") or key in _NO_PREFIX)
    return headers, tuple(key for key in headers if key in _SECRET_KEYS)


def _readable(
    number: int,
    at: Instant,
    method: str,
    path: str,
    query: str,
    headers: tuple[str, ...],
    values: tuple[str, ...],
    status: int,
) -> Asked:
    told = zip(headers, values, strict=True)
    named = {_name_of(key): value for key, value in told if value or key not in _NO_PREFIX}
    return Asked(number, at, method, path, query, named, status)


def _name_of(key: str) -> str:
    return key.removeprefix("HTTP_").replace("_", "-").lower()


def _hidden(name: str, value: str) -> str:
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {HIDDEN}" if space and name.endswith("authorization") else HIDDEN


# --- matchers -------------------------------------------------------------------------------------------------------

_Test = Callable[[Asked], bool]


def _tests(matcher: object) -> Iterator[_Test]:
    if not isinstance(matcher, Mapping):
        raise BadInput(f"a matcher is an object with some of {', '.join(_TESTS)}")
    for key, wanted in matcher.items():
        if key not in _TESTS:
            raise BadInput(f"a matcher has no {key!r}; it has {', '.join(_TESTS)}")
        yield from _TESTS[key](key, wanted)


def _method(key: str, wanted: object) -> Iterator[_Test]:
    word = _text(key, wanted)
    yield lambda asked: word in ("ANY", asked.method)


def _status(key: str, wanted: object) -> Iterator[_Test]:
    if type(wanted) is not int:
        raise BadInput(f"{key} is a number, not {wanted!r}")
    yield lambda asked: asked.status == wanted


def _equal(part: Callable[[Asked], str]) -> Callable[[str, object], Iterator[_Test]]:
    def tests(key: str, wanted: object) -> Iterator[_Test]:
        text = _text(key, wanted)
        yield lambda asked: part(asked) == text

    return tests


def _like(part: Callable[[Asked], str]) -> Callable[[str, object], Iterator[_Test]]:
    def tests(key: str, wanted: object) -> Iterator[_Test]:
        pattern = _pattern(key, wanted)
        yield lambda asked: pattern.fullmatch(part(asked)) is not None

    return tests


def _headers(key: str, wanted: object) -> Iterator[_Test]:
    return _each(key, wanted, lambda asked, name: _listed(asked.headers.get(name.lower())))


def _parameters(key: str, wanted: object) -> Iterator[_Test]:
    return _each(key, wanted, lambda asked, name: parse_qs(asked.query, True).get(name, []))


def _each(key: str, wanted: object, read: Callable[[Asked, str], list[str]]) -> Iterator[_Test]:
    if not isinstance(wanted, Mapping):
        raise BadInput(f"{key} is an object of matchers by name")
    for name, matcher in wanted.items():
        yield _fitting(str(name), _value(f"{key}.{name}", matcher), read)


def _fitting(name: str, fits: Callable[[list[str]], bool], read: Callable[[Asked, str], list[str]]) -> _Test:
    return lambda asked: fits(read(asked, name))


def _value(key: str, matcher: object) -> Callable[[list[str]], bool]:
    words = ("equalTo", "contains", "matches", "doesNotMatch", "absent")
    if not isinstance(matcher, Mapping) or len(matcher) != 1 or next(iter(matcher)) not in words:
        raise BadInput(f"{key} is an object with one of {', '.join(words)}")
    word, wanted = next(iter(matcher.items()))
    if word == "absent":
        if type(wanted) is not bool:
            raise BadInput(f"{key}.absent is true or false")
        return lambda values: (not values) is wanted
    text = _text(f"{key}.{word}", wanted)
    if word == "equalTo":
        return lambda values: text in values
    if word == "contains":
        return lambda values: any(text in value for value in values)
    pattern = _pattern(key, text)
    if word == "matches":
        return lambda values: any(pattern.fullmatch(value) for value in values)
    return lambda values: not any(pattern.fullmatch(value) for value in values)


_TESTS: Mapping[str, Callable[[str, Any], Iterator[_Test]]] = {
    "method": _method,
    "status": _status,
    "url": _equal(lambda asked: asked.url),
    "urlPath": _equal(lambda asked: asked.path),
    "urlPattern": _like(lambda asked: asked.url),
    "urlPathPattern": _like(lambda asked: asked.path),
    "headers": _headers,
    "queryParameters": _parameters,
}


def _listed(value: str | None) -> list[str]:
    return [] if value is None else [value]


def _text(key: str, wanted: object) -> str:
    if not isinstance(wanted, str):
        raise BadInput(f"{key} is a text, not {wanted!r}")
    return wanted


def _pattern(key: str, wanted: object) -> re.Pattern[str]:
    text = _text(key, wanted)
    if len(text) > LONGEST_PATTERN:
        raise BadInput(f"{key} is a pattern of at most {LONGEST_PATTERN} characters")
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadInput(f"{key} is no regular expression: {error}") from error
