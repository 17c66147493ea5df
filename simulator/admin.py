"""The control plane: what people hold a world by, under ``/__admin`` (shapes: the interface of this project).

It is a WSGI application of its own, mounted beside the API, so that a production server contains none of it. It serves
whoever can reach the server, so it refuses requests that a web page of somebody else could make in a browser: the ``Host``
must be one the server listens on (DNS rebinding), there is no CORS, and with a token every request must carry it.
"""

import hmac
import json
from collections.abc import Callable, Container, Mapping
from importlib.metadata import version
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

import falcon

from contracts.clock import VirtualClock
from simulator import problems
from simulator.clock_control import change, reading
from simulator.job_list import LARGEST_PAGE, ORDERS, STATES, USUAL_PAGE, JobList, JobQuery, listed
from simulator.problems import BadInput

PREFIX = "/__admin"
LARGEST_BODY = 64 * 1024


def create_admin(
    clock: VirtualClock,
    jobs: JobList,
    allowed_hosts: Container[str],
    token: str | None = None,
    headers: Callable[[], Mapping[str, str]] = dict,
    prefix: str = PREFIX,
) -> "falcon.App[falcon.Request, falcon.Response]":
    """``allowed_hosts``: ``host:port`` in small letters, as in a Host header; ``headers``: what every answer carries."""
    app = falcon.App(middleware=[_Guard(allowed_hosts, token, headers)], cors_enable=False)
    problems.install(app)
    app.add_route(f"{prefix}/health", _Health())
    app.add_route(f"{prefix}/version", _Version())
    app.add_route(f"{prefix}/clock", _Clock(clock))
    app.add_route(f"{prefix}/jobs", _Jobs(jobs))
    return app


class _Guard:
    def __init__(
        self, allowed_hosts: Container[str], token: str | None, headers: Callable[[], Mapping[str, str]]
    ) -> None:
        self._allowed_hosts = allowed_hosts
        self._authorization = None if token is None else f"Bearer {token}".encode()
        self._headers = headers

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        for name, value in self._headers().items():
            resp.set_header(name, value)
        resp.set_header("Cache-Control", "no-store")
        host = req.get_header("Host", default="").lower()
        if host not in self._allowed_hosts:
            raise falcon.HTTPForbidden(description=f"This server is not known as {host!r}: see the Host header.")
        if self._authorization is not None:
            given = req.get_header("Authorization", default="").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._authorization):
                raise falcon.HTTPUnauthorized(
                    description="The control plane needs its token: Authorization: Bearer TOKEN.",
                    challenges=["Bearer"],
                )


class _Health:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        _answer(resp, {"status": "healthy"})


class _Version:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        _answer(resp, {"version": version("restserver")})


class _Clock:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        _answer(resp, reading(self._clock.read()))

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        _answer(resp, reading(change(self._clock, _body(req))))


class _Jobs:
    def __init__(self, jobs: JobList) -> None:
        self._jobs = jobs

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        page = self._jobs.page(query_of(req.query_string))
        _answer(
            resp,
            {
                "jobs": [listed(job) for job in page.jobs],
                "cursor": page.cursor,
                "scanned": page.scanned,
                "total": page.total,
            },
        )


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


def _body(req: falcon.Request) -> object:
    """The JSON of the body, whatever its media type says: people type these calls by hand."""
    content = req.bounded_stream.read(LARGEST_BODY + 1)
    if len(content) > LARGEST_BODY:
        raise falcon.HTTPError(falcon.HTTP_413, description=f"The body is larger than {LARGEST_BODY} bytes.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is not JSON: {error}") from error


def _answer(resp: falcon.Response, body: Mapping[str, Any]) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps(body, ensure_ascii=False).encode()
