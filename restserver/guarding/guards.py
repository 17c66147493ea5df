"""Who may ask, and how often: two doors before the API, each there only where the server is configured so.

A door that is not wanted is not there at all, so it costs nothing. Both look at a request before its path is routed: whoever
is turned away learns nothing. The paths that say how the server is, and what it promises, have neither door: they tell nothing
of any job, an orchestrator has no token, and a browser cannot send one with the address of a page.
"""

import hmac
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final, Protocol
from wsgiref.types import WSGIEnvironment

import falcon

from contracts.clock import Clock
from restserver.errors import TooManyRequests, Unauthorized
from restserver.guarding.rate_limit import RateLimit, client_of
from restserver.settings import Settings

WITHOUT_TOKEN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"})
NOT_COUNTED: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Guard(Protocol):
    """Falcon middleware that may turn a request away."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None: ...


def guards(settings: Settings, clock: Clock) -> Sequence[Guard]:
    """The limit comes first, so that it also slows down whoever guesses tokens."""
    limits: list[Guard] = [] if settings.rate_limit is None else [Limited(RateLimit(settings.rate_limit, clock))]
    return [*limits, Tokens(settings.read_tokens)] if settings.read_tokens else limits


class Limited:
    """429 for a client that asks too often. Every request counts, whatever becomes of it.

    There is no short way past it: a question put there may be put again to a thread, and would count twice.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The client is the peer; behind a trusted proxy the HTTP server has already put the client's address there."""
        del resp
        if req.path in NOT_COUNTED:
            return
        wait = self._limit.wait(client_of(req.env.get("REMOTE_ADDR", "")))
        if wait:
            raise TooManyRequests(str(self._limit.allowance), -(-wait // 1000))


class Tokens:
    """401 without one of the tokens. ``OPTIONS`` needs none: browsers ask it before they send any."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._known = tuple(_digest(token.encode()) for token in tokens)

    passed = None

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        del resp
        if req.method == "OPTIONS" or req.path in WITHOUT_TOKEN:
            return
        given = _bearer(req.env)
        if given is None or not self._knows(given):
            raise Unauthorized(offered=given is not None)

    def detour(self, environ: WSGIEnvironment) -> bool:
        """Who is to be turned away is told so on the long way."""
        given = _bearer(environ)
        return given is None or not self._knows(given)

    def _knows(self, token: str) -> bool:
        given = _digest(token.encode("latin-1"))
        # Digests of one length, all of them compared to the end: the time taken tells nothing of any token.
        return bool(sum([hmac.compare_digest(given, known) for known in self._known]))


def _bearer(environ: WSGIEnvironment) -> str | None:
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _digest(token: bytes) -> bytes:
    return blake2b(token).digest()
