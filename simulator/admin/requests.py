"""The control plane's calls about what the API was asked."""

import falcon

from simulator.admin import bodies as bodies
from simulator.problems import BadInput
from simulator.request_journal import RequestJournal, told


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
