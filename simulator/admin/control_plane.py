"""The control plane: what people hold a world by, under ``/__admin`` (shapes: the interface of this project).

It is a WSGI application of its own, mounted beside the API, so that a production server contains none of it. It serves
whoever can reach the server, so it refuses requests that a web page of somebody else could make in a browser: the ``Host``
must be one the server listens on (DNS rebinding), an ``Origin`` must be the server's own or one that was named, and with a
token every request must carry it.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, cast
from urllib.parse import parse_qsl

import falcon

from contracts.clock import VirtualClock
from contracts.launcher.port import NoSuchFramework
from simulator import problems
from simulator.admin.bodies import LARGEST_BODY, answer, body
from simulator.admin.clock import change, reading
from simulator.admin.faults import Faults, OneFault
from simulator.admin.job_list import LARGEST_PAGE, ORDERS, STATES, USUAL_PAGE, JobList, JobQuery, listed
from simulator.admin.jobs import Deed, OneJob, make
from simulator.admin.life import Life
from simulator.admin.prefix import PREFIX
from simulator.admin.requests import Count, Find, NotAsked, Requests, Verify
from simulator.admin.scenarios import AllScenarios, ScenarioState
from simulator.admin.state import Reset, Settings, State
from simulator.faults.faults import FaultSet
from simulator.journal import JournalFull, NameTaken, NoStep
from simulator.problems import BadInput
from simulator.request_journal import RequestJournal
from simulator.simulation import Simulation
from simulator.state_file import StateNotSaved

__all__ = ["LARGEST_BODY", "create_admin", "query_of"]


def create_admin(
    clock: VirtualClock,
    jobs: JobList,
    allowed_hosts: Container[str],
    token: str | None = None,
    headers: Callable[[], Mapping[str, str]] = dict,
    prefix: str = PREFIX,
    *,
    simulation: Simulation | None = None,
    requests: RequestJournal | None = None,
    faults: FaultSet | None = None,
    makes_wire_faults: bool = False,
    origins: Container[str] = (),
) -> "falcon.App[falcon.Request, falcon.Response]":
    """``allowed_hosts``: ``host:port`` in small letters, as in a Host header; ``headers``: what every answer carries;
    ``origins``: whose pages may call, besides the server's own.

    Without a simulation there are its clock and its jobs, and nothing to be done to them.
    """
    app = falcon.App(middleware=[_Guard(allowed_hosts, token, headers, origins)], cors_enable=False)
    problems.install(app, STATUS_OF_ERROR)
    app.add_route(f"{prefix}/health", _Health())
    app.add_route(f"{prefix}/version", _Version())
    app.add_route(f"{prefix}/clock", _Clock(clock, nullcontext if simulation is None else simulation.changing))
    app.add_route(f"{prefix}/jobs", _Jobs(jobs) if simulation is None else _JobsAndMore(jobs, simulation, prefix))
    if simulation is not None:
        journal = simulation.journal
        app.add_route(f"{prefix}/jobs/{{name}}", OneJob(simulation))
        app.add_route(f"{prefix}/jobs/{{name}}/life", Life(simulation))
        app.add_route(f"{prefix}/jobs/{{name}}/stop", Deed(journal.stop))
        app.add_route(f"{prefix}/jobs/{{name}}/start", Deed(journal.start))
        app.add_route(f"{prefix}/jobs/{{name}}/advance", Deed(journal.advance))
        app.add_route(f"{prefix}/scenarios", AllScenarios(simulation))
        app.add_route(f"{prefix}/scenarios/{{name}}/state", ScenarioState(simulation))
        app.add_route(f"{prefix}/state", State(simulation))
        app.add_route(f"{prefix}/settings", Settings(simulation))
        app.add_route(f"{prefix}/reset", Reset(simulation, requests))
        app.add_route(f"{prefix}/openapi.json", OpenApi(prefix))
    if requests is not None:
        app.add_route(f"{prefix}/requests", Requests(requests))
        app.add_route(f"{prefix}/requests/find", Find(requests))
        app.add_route(f"{prefix}/requests/count", Count(requests))
        app.add_route(f"{prefix}/requests/verify", Verify(requests))
    if faults is not None:
        changing = nullcontext if simulation is None else simulation.changing
        app.add_route(f"{prefix}/faults", Faults(faults, changing, makes_wire_faults=makes_wire_faults))
        app.add_route(f"{prefix}/faults/{{fault_id}}", OneFault(faults, changing))
    return app


STATUS_OF_ERROR: Mapping[type[Exception], int] = {
    NoSuchFramework: 404,
    NameTaken: 409,
    NoStep: 409,
    JournalFull: 507,
    StateNotSaved: 507,
    NotAsked: 406,
}


class _Guard:
    def __init__(
        self,
        allowed_hosts: Container[str],
        token: str | None,
        headers: Callable[[], Mapping[str, str]],
        origins: Container[str],
    ) -> None:
        self._allowed_hosts = allowed_hosts
        self._origins = origins
        self._authorization = None if token is None else f"Bearer {token}".encode()
        self._headers = headers

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        for name, value in self._headers().items():
            resp.set_header(name, value)
        resp.set_header("Cache-Control", "no-store")
        resp.set_header("X-Content-Type-Options", "nosniff")
        host = req.get_header("Host", default="").lower()
        if host not in self._allowed_hosts:
            raise falcon.HTTPForbidden(description=f"This server is not known as {host!r}: see the Host header.")
        origin = req.get_header("Origin")
        if origin is not None and origin not in self._origins and origin.lower().partition("://")[2] != host:
            # A page can have a browser send much without asking first; who reads the answer does not matter then.
            raise falcon.HTTPForbidden(description=f"Pages of {origin} may not use this: see --cors-origin.")
        # A preflight never carries a token, and does nothing.
        if self._authorization is not None and req.method != "OPTIONS":
            given = req.get_header("Authorization", default="").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._authorization):
                raise falcon.HTTPUnauthorized(
                    description="The control plane needs its token: Authorization: Bearer TOKEN.",
                    challenges=["Bearer"],
                )

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        """Who has an answer already is not sent it again: pages ask often, and little changes."""
        del resource
        if not (succeeded and req.method == "GET" and resp.data):
            return
        etag = hashlib.blake2b(resp.data, digest_size=12).hexdigest()
        resp.set_header("ETag", f'"{etag}"')
        if any(tag in ("*", etag) for tag in req.if_none_match or ()):
            resp.status, resp.data = falcon.HTTP_304, None
            resp.delete_header("Content-Type")


class _Health:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        answer(resp, {"status": "healthy"})


class _Version:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        from importlib.metadata import version  # five milliseconds of a start that may never be asked

        answer(resp, {"version": version("restserver")})


class _Clock:
    def __init__(self, clock: VirtualClock, changing: Callable[[], AbstractContextManager[None]]) -> None:
        """``changing``: within it the clock may change; what keeps the clock does so then."""
        self._clock = clock
        self._changing = changing

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        answer(resp, reading(self._clock.read()))

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted = body(req)
        with self._changing():
            changed = change(self._clock, wanted)
        answer(resp, reading(changed))


class _Jobs:
    def __init__(self, jobs: JobList) -> None:
        self._jobs = jobs

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        page = self._jobs.page(query_of(req.query_string))
        answer(
            resp,
            {
                "jobs": [listed(job) for job in page.jobs],
                "cursor": page.cursor,
                "scanned": page.scanned,
                "total": page.total,
            },
        )


class _JobsAndMore(_Jobs):
    def __init__(self, jobs: JobList, simulation: Simulation, prefix: str) -> None:
        super().__init__(jobs)
        self._simulation = simulation
        self._prefix = prefix

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        make(self._simulation, self._prefix, req, resp)


def query_of(text: str) -> JobQuery:
    """The query of ``GET /jobs``. Raises BadInput, naming the parameter."""
    values: dict[str, str] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        if key not in _PARAMETERS:
            raise BadInput(f"there is no parameter {key!r}; there are {', '.join(_PARAMETERS)}")
        if key in values:
            raise BadInput(f"{key} is given twice")
        values[key] = value
    query = JobQuery(
        limit=_number(values, "limit", 1, LARGEST_PAGE) or USUAL_PAGE,
        offset=_number(values, "offset", 0, 10**12),
        cursor=values.get("cursor"),
        order=cast("Literal['newest', 'oldest']", _word(values, "order", ORDERS) or "newest"),
        state=_word(values, "state", STATES),
        user=values.get("user"),
        name=values.get("name"),
    )
    if query.offset is not None and (query.filtered or query.cursor is not None):
        raise BadInput("offset goes with neither a filter nor a cursor: go on with the cursor of the page before")
    return query


_PARAMETERS = ("limit", "offset", "cursor", "order", "state", "user", "name")


def _number(values: Mapping[str, str], key: str, low: int, high: int) -> int | None:
    text = values.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and low <= int(text) <= high):
        raise BadInput(f"{key} must be a number from {low} to {high}, not {text!r}")
    return int(text)


def _word(values: Mapping[str, str], key: str, words: tuple[str, ...]) -> str | None:
    text = values.get(key)
    if text is not None and text not in words:
        raise BadInput(f"{key} must be one of {', '.join(words)}, not {text!r}")
    return text


class OpenApi:
    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        from simulator.admin.openapi import document  # a large table that a start does without

        resp.content_type = falcon.MEDIA_JSON
        resp.data = json.dumps(document(self._prefix), ensure_ascii=False).encode()
