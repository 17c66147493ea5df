"""An answer as somebody else's HTTP client holds it, and what of it a judge needs.

Nothing of theirs is imported: an answer is known by its attributes. Those of requests, httpx, urllib (an ``HTTPError`` is an
answer, too), urllib3, aiohttp, werkzeug's and Flask's test client, falcon.testing and Playwright are understood. What is read with
``await`` has to be read by the test, which then gives the body along.
"""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from contracts.clock import real_now
from contracts.harness.transport import Answered, Request

_TOLD_BY_THE_REQUEST: Final = frozenset({"if-none-match"})
"""Headers of a request that decide how its answer is judged."""


_AWAIT_IT: Final = "the body of {!r} is read with await: check(response, body=await response.{}())"


class NoAnswer(TypeError):
    """What was given is no answer of an HTTP client, or does not say what was asked."""


def taken(
    response: object, url: str | None, method: str | None, base: str, body: bytes | str | None = None
) -> tuple[Request, Answered]:
    """What was asked, from ``base`` on, and what was answered. A body that can be read once is read, unless it is given.
    Raises :class:`NoAnswer`."""
    if inspect.isawaitable(response):
        _never_mind(response)
        raise NoAnswer("what was given is still to be awaited: check(await client.get(...))")
    status = _status(response)
    asked = _first(response, "request")
    where = url or _url(response, asked)
    if where is None:
        kind = type(response).__name__
        raise NoAnswer(f"a {kind} does not say what was asked: check(response, url={f'{base}/jobs/NAME'!r})")
    parts = urlsplit(where)
    # Whatever stands before the base is a gateway's, and nothing of the contract.
    path = parts.path[parts.path.rfind(f"{base}/") :] if f"{base}/" in parts.path else parts.path
    target = f"{path}?{parts.query}" if parts.query else path
    known = tuple((name, value) for name, value in _headers(asked) if name.lower() in _TOLD_BY_THE_REQUEST)
    request = Request((method or _method(response, asked)).upper(), target, known)
    content = _body(response) if body is None else body.encode() if isinstance(body, str) else bytes(body)
    return request, Answered(status, "", tuple(_headers(response)), content, real_now(), 0.0)


def _status(response: object) -> int:
    for name in ("status_code", "status", "code"):
        found = _first(response, name)
        if type(found) is int:
            return found
    raise NoAnswer(f"{response!r} is no answer of an HTTP client: it has no status")


def _body(response: object) -> bytes:
    for name in ("content", "data", "body", "read"):
        found = _first(response, name)
        try:
            found = found() if callable(found) else found
        except RuntimeError as error:  # httpx, of an answer that is streamed to a coroutine
            raise NoAnswer(_AWAIT_IT.format(response, "aread")) from error
        if inspect.isawaitable(found):
            _never_mind(found)
            raise NoAnswer(_AWAIT_IT.format(response, name))
        if isinstance(found, bytes | bytearray):
            return bytes(found)
    raise NoAnswer(f"the body of {response!r} cannot be read: it has no bytes")


def _never_mind(awaitable: object) -> None:
    """Nobody will await it, and Python need not warn of that."""
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()


def _headers(holder: object) -> Iterator[tuple[str, str]]:
    found = _first(holder, "headers")
    items: Iterable[tuple[object, object]] = getattr(found, "multi_items", getattr(found, "items", tuple))()
    yield from ((str(name), str(value)) for name, value in items)


def _url(response: object, asked: object) -> str | None:
    for holder in (asked, response):
        found = _first(holder, "url")
        if found is not None and str(found):
            return str(found)
    return None


def _method(response: object, asked: object) -> str:
    found = _first(asked, "method") or _first(response, "_method")  # the second is where urllib keeps it
    return found if isinstance(found, str) else "GET"


def _first(holder: object, name: str) -> Any:
    """An attribute; ``None`` where there is none, or asking for it fails."""
    try:
        return getattr(holder, name, None)
    except (RuntimeError, ValueError):  # httpx raises one for an answer that was made without a request
        return None
