"""One line per request, whatever answered it.

It is written past the logging library, which would take longer over it than the application over its answer: a line is made
by one formatting, and written with one call. It has the shape of the other lines of the log (:mod:`restserver.seeing.logs`).
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from contracts.clock import iso, real_now, stopwatch
from restserver.seeing.arrival import arrival
from restserver.seeing.redaction import redacted_target
from restserver.seeing.request_id import request_id

LOGGER: Final = "restserver.access"

Line: TypeAlias = Callable[[int, str, str, str, int, float, str], str]
"""From now, client, method, target, status, milliseconds and request id."""


def json_line(now: int, client: str, method: str, target: str, status: int, ms: float, known_as: str) -> str:
    return (
        f'{{"time": "{_second(now // 1000)}.{now % 1000:03d}Z", "level": "info", "logger": "{LOGGER}", "message": "request", '
        f'"client": {_quoted(client)}, "method": {_quoted(method)}, "target": {_quoted(target)}, '
        f'"status": {status}, "ms": {ms:.3f}, "request_id": {_quoted(known_as)}}}\n'
    )


def text_line(now: int, client: str, method: str, target: str, status: int, ms: float, known_as: str) -> str:
    time = f"{_local_second(now // 1000)},{now % 1000:03d}"
    return f"{time} INFO {LOGGER}: {client} {_quoted(method)[1:-1]} {target!r} {status} {ms:.1f} ms {known_as}\n"


def _target(environ: WSGIEnvironment) -> str:
    """Put together again, where the server does not tell it as it came."""
    query: str = environ.get("QUERY_STRING", "")
    return f"{environ['PATH_INFO']}?{query}" if query else environ["PATH_INFO"]


_quoted: Final = json.encoder.encode_basestring_ascii


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return iso(second * 1000).removesuffix("Z")


@lru_cache(maxsize=4)
def _local_second(second: int) -> str:
    return datetime.fromtimestamp(second).astimezone().strftime("%Y-%m-%d %H:%M:%S")


class AccessLog:
    """Writes the line when the answer is known; the milliseconds are those until then."""

    def __init__(self, write: Callable[[str], object], line: Line) -> None:
        self._write = write
        self._line = line

    def note(self, environ: WSGIEnvironment, method: str, status: int, nanoseconds: int) -> None:
        target: str = environ.get("REQUEST_URI") or _target(environ)
        client: str = environ.get("REMOTE_ADDR", "-")
        ms = nanoseconds / 1e6
        self._write(self._line(real_now(), client, method, redacted_target(target), status, ms, request_id(environ)))

    def around(self, application: WSGIApplication) -> WSGIApplication:
        def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            began = arrival(environ)
            method: str = environ["REQUEST_METHOD"]
            status = "0"

            def start(given: str, headers: list[tuple[str, str]], *more: object) -> object:
                nonlocal status
                status = given
                return start_response(given, headers, *more)  # type: ignore[arg-type]  # exc_info, passed on as it is

            body = application(environ, start)  # type: ignore[arg-type]  # as above
            self.note(environ, method, int(status[:3]), stopwatch() - began)
            return body

        return answering
