"""The headers that say whose answer it is, so that nobody takes a simulated one for production (rulings 1.16).

Only the command line puts these around an application, and only over a simulated or recorded backend; the production
application does not contain them. They speak by the backend's own clock, the ``Date`` header included.
"""

from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from wsgiref.types import WSGIEnvironment

import falcon

from contracts.clock import Clock, Instant, iso

Headers = Callable[[str | None], Mapping[str, str]]
"""What every answer carries; it gets the framework that was asked about, if any."""


def simulated_headers(seed: Callable[[], int], clock: Clock) -> Headers:
    """``seed``: of the world as it is then; another one may take its place."""
    return lambda name: _simulated(seed(), clock.now())


def recorded_headers(recording_of: Callable[[str], str | None], folder: str, clock: Clock) -> Headers:
    """The recording that tells of the framework; ``folder`` where none does."""

    def headers(name: str | None) -> Mapping[str, str]:
        recording = (recording_of(name) if name is not None else None) or folder
        shown = "".join(letter for letter in recording if letter.isascii() and letter.isprintable())
        return {"X-Recorded": shown, "Date": _date(clock.now() // 1000)}

    return headers


# Many requests fall into one second, and under load into one millisecond; writing either anew takes longer than finding it.
@lru_cache(maxsize=16)
def _simulated(seed: int, now: Instant) -> Mapping[str, str]:
    return {"X-Simulated": f"seed={seed}; now={iso(now)}", "Date": _date(now // 1000)}


@lru_cache(maxsize=16)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


class Identity:
    """Falcon middleware that puts the headers on every answer, errors included."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        del resource, succeeded
        asked = getattr(req.context, "asked", None)
        for name, value in self._headers(asked.name if asked is not None else None).items():
            resp.set_header(name, value)

    detour = None

    def passed(self, environ: WSGIEnvironment, name: str, status: int, headers: list[tuple[str, str]]) -> None:
        del environ, status
        headers.extend(self._headers(name).items())
