"""The control plane's calls about what the API was asked."""

from collections.abc import Mapping

import falcon

from simulator.admin import bodies as bodies
from simulator.problems import BadInput
from simulator.request_journal import RequestJournal, told


class NotAsked(Exception):
    """Not as often as it was said."""

    def __init__(self, wanted: str, count: int) -> None:
        super().__init__(f"{wanted} was expected of such requests, and there {'is' if count == 1 else 'are'} {count}")


class Requests:
    def __init__(self, requests: RequestJournal) -> None:
        self._requests = requests

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        limit = bodies.query(req, "limit").get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and len(limit) <= 6):
            raise BadInput(f"limit must be a number, not {limit!r}")
        found = self._requests.all()
        bodies.answer(resp, {"requests": [told(asked) for asked in found[: int(limit)]], "meta": {"total": len(found)}})

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.empty(req)
        bodies.answer(resp, {"removed": self._requests.clear()})


class Find:
    def __init__(self, requests: RequestJournal) -> None:
        self._requests = requests

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.answer(resp, {"requests": [told(asked) for asked in self._requests.find(bodies.body(req))]})


class Count:
    def __init__(self, requests: RequestJournal) -> None:
        self._requests = requests

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.answer(resp, {"count": len(self._requests.find(bodies.body(req)))})


class Verify:
    """For those who want a call that fails: ``curl --fail`` does."""

    def __init__(self, requests: RequestJournal) -> None:
        self._requests = requests

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted = bodies.body(req)
        if not isinstance(wanted, Mapping) or set(wanted) - {"request", "times"}:
            raise BadInput("the body is an object with some of request (a matcher) and times")
        least, most = _times(wanted.get("times", {"atLeast": 1}))
        count = len(self._requests.find(wanted.get("request", {})))
        if not least <= count <= (count if most is None else most):
            raise NotAsked(_told(least, most), count)
        bodies.answer(resp, {"count": count})


def _times(wanted: object) -> tuple[int, int | None]:
    """Least and most."""
    if _is_count(wanted):
        return wanted, wanted  # type: ignore[return-value]  # a count is a number
    if not isinstance(wanted, Mapping) or not wanted or set(wanted) - {"atLeast", "atMost"}:
        raise BadInput("times is a number, or an object with atLeast, atMost or both")
    if not all(_is_count(value) for value in wanted.values()):
        raise BadInput("atLeast and atMost are whole numbers from 0 on")
    return wanted.get("atLeast", 0), wanted.get("atMost")


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _told(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return f"exactly {least}" if least == most else f"{least} to {most}"
