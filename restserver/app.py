"""The application: what stands below is the table of contents of the API.

``create_app`` is pure: no environment, no connections, no clock but the one it is given. What only some backends have (the
control plane, the headers that say an answer is simulated) comes in as ``middleware`` and ``mounts``, so that the
production application contains none of it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import falcon
from falcon.constants import HTTP_METHODS
from msgspec import Struct, field

from contracts.clock import Clock, stopwatch
from contracts.launcher.port import Ask, Launcher, LauncherBusy, LauncherError, ResourceManager
from restserver import parameters
from restserver.answers.at_once import AT_ONCE, NotAtOnce
from restserver.answers.base_url import BaseUrl
from restserver.answers.presenters import Site
from restserver.answers.rendering import Renderer, json_bytes
from restserver.answers.short_way import ShortWay, Surroundings, short_way
from restserver.answers.styles import STYLES
from restserver.errors import (
    UNFORESEEN,
    UNKNOWN_ERROR,
    ApiError,
    ErrorAnswer,
    MethodNotAllowed,
    NoSuchApi,
    NotFound,
    UriTooLong,
    answer_of,
)
from restserver.exposition import Exposition
from restserver.health import Docs, Live, OpenApi, Ready
from restserver.resources import Attempt, Attempts, Desk, Job, Versions
from restserver.seeing.arrival import arrival
from restserver.seeing.logs import told
from restserver.seeing.metrics import Metrics
from restserver.seeing.request_id import every_answers_headers, request_id
from restserver.settings import Settings

if TYPE_CHECKING:
    from restserver.guarding.guards import Guard

logger = logging.getLogger(__name__)

LONGEST_TARGET: Final = 8 * 1024
BASE: Final = "/api/v2"
NOTHING_AROUND: Final = Surroundings()


class Backend(Struct, frozen=True):
    """Where records come from, and the clock they live by."""

    launcher: Launcher
    resource_manager: ResourceManager
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    """What is counted; the backend hangs in the figures of its own."""
    informed: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    """What ``/readyz`` tells besides: by part, ``ok`` or what is wrong. It does not decide."""
    required: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    """The same, of what must be in order."""


LIVES: Final = "/healthz"


def create_app(
    backend: Backend,
    settings: Settings,
    middleware: Sequence[Any] = (),
    mounts: Sequence[tuple[str, WSGIApplication]] = (),
    outer: Surroundings = NOTHING_AROUND,
) -> "Application":
    """``middleware``: Falcon's, whose parts are found by name; ``mounts``: other WSGI applications by path prefix, for example
    ``("/__admin", admin)``; ``outer``: what stands around them all.
    """
    style = STYLES[settings.style]
    renderer = Renderer()
    base_url = BaseUrl(settings.public_url, f"http://{settings.host}:{settings.port}")
    site = Site(settings.exit_spec, settings.data_center, settings.sub_cluster, settings.webportal_url)
    asked = Asking(backend.clock, settings.launcher_timeout)
    desk = Desk(backend.launcher, backend.resource_manager, style, site, base_url, renderer, asked)

    middleware = [*_guards(settings, backend.clock), *middleware]
    short = short_way(backend.metrics, middleware, outer)
    real = settings.backend == "launcher"  # others may be told to wait, and have the wire broken
    app = Application(mounts, [EveryRequest(backend.metrics), *middleware], short, outer.around, lives_at_once=real)
    app.add_route(f"{BASE}/jobs/{{name:segment}}", Job(desk))
    app.add_route(f"{BASE}/frameworks/{{name:segment}}/attempts/{{attempt:segment}}", Attempt(desk))
    app.add_route(f"{BASE}/frameworks/{{name:segment}}/attempts", Attempts(desk))
    app.add_route(f"{BASE}/frameworks/{{name:segment}}/versions", Versions(desk))
    app.add_route("/openapi.json", OpenApi(style.name, renderer))
    app.add_route("/docs", Docs(style.name, renderer))
    if settings.management_port is None:
        add_management(app, app, backend, asked)
    ErrorAnswers(style.not_found).handle_errors_of(app)
    return app


def create_management_app(app: "Application", backend: Backend, settings: Settings) -> "Application":
    """The paths that look after ``app``, for a port of their own."""
    management = Application((), [EveryRequest(backend.metrics)])
    add_management(management, app, backend, Asking(backend.clock, settings.launcher_timeout))
    ErrorAnswers(STYLES[settings.style].not_found).handle_errors_of(management)
    return management


def _guards(settings: Settings, clock: Clock) -> "Sequence[Guard]":
    if settings.rate_limit is None and not settings.read_tokens:
        return ()
    from restserver.guarding.guards import guards  # most servers have none, and start without

    return guards(settings, clock)


def add_management(to: "Application", of: "Application", backend: Backend, asked: "Asking") -> None:
    to.add_route(LIVES, Live())
    to.add_route("/readyz", Ready(backend.launcher, lambda: of.stopping, asked, backend.informed, backend.required))
    to.add_route("/metrics", Exposition(backend.metrics))


class Application(falcon.App[falcon.Request, falcon.Response]):
    """Falcon's application, with other WSGI applications mounted beside it."""

    def __init__(
        self,
        mounts: Sequence[tuple[str, WSGIApplication]],
        middleware: Sequence[Any],
        short: ShortWay | None = None,
        around: Callable[[WSGIApplication], WSGIApplication] = NOTHING_AROUND.around,
        lives_at_once: bool = False,
    ) -> None:
        """``lives_at_once``: nothing on the way to ``/healthz`` waits, so it needs no thread. Whoever asks wants to know whether the
        process lives, not whether all its threads wait for a launcher that says nothing.
        """
        super().__init__(middleware=middleware)
        self.router_options.converters["segment"] = parameters.Segment
        self._mounts = tuple(mounts)
        self._short = short
        self._around_long = around(self._long)
        self._lives_at_once = lives_at_once
        self.stopping = False
        """Set by whoever serves it, once it takes no new requests: ``/readyz`` says so."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answered = None if self._short is None else self._short.answer(environ, start_response)
        if answered is not None:
            return answered
        if AT_ONCE in environ and not (self._lives_at_once and environ["PATH_INFO"] == LIVES):
            raise NotAtOnce  # it may be one to a mounted application, wish for a delay, or have to be rendered
        answered = self._around_long(environ, start_response)
        if self._short is not None:
            self._short.learn(environ)
        return answered

    def _long(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        for prefix, mounted in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                return mounted(environ, start_response)
        if environ["REQUEST_METHOD"] not in _ROUTED_METHODS:
            # Falcon refuses words it does not know before it routes. To the API every method but its own is the same.
            environ[_METHOD_KEY] = environ["REQUEST_METHOD"]
            environ["REQUEST_METHOD"] = "POST"
        return super().__call__(environ, start_response)


_METHOD_KEY: Final = "restserver.method"
_ROUTED_METHODS: Final = frozenset(HTTP_METHODS)


OPERATION_OF_RESOURCE: Final[Mapping[type, str]] = {
    Job: "job",
    Attempt: "attempt",
    Attempts: "attempts",
    Versions: "versions",
    OpenApi: "openapi",
    Docs: "docs",
    Live: "healthz",
    Ready: "readyz",
    Exposition: "metrics",
    type(None): "unknown",
}
"""What the metrics call them; every path that is none of ours is the last."""


class EveryRequest:
    """What is done for every request, whatever its path."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.began = arrival(req.env)
        for name, value in every_answers_headers(req.env):
            resp.set_header(name, value)
        target: str = req.env.get("REQUEST_URI") or req.relative_uri
        if len(target) > LONGEST_TARGET:
            raise UriTooLong(LONGEST_TARGET)

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        del succeeded
        operation = OPERATION_OF_RESOURCE[type(resource)]
        self._metrics.answered(operation, str(resp.status_code), stopwatch() - req.context.began)


class Asking(Struct, frozen=True):
    """Makes of a request what travels with its calls: a deadline counted from its arrival, and its id."""

    clock: Clock
    seconds: float

    def __call__(self, environ: WSGIEnvironment) -> Ask:
        arrived = arrival(environ)
        waited = (stopwatch() - arrived) // 1_000_000
        return Ask(self.clock.now() - waited + round(self.seconds * 1000), request_id(environ))


class ErrorAnswers:
    """Falcon's own error bodies never show: every error becomes the promised one."""

    def __init__(self, texts: Mapping[str, NotFound]) -> None:
        self._texts = texts

    def handle_errors_of(self, app: Application) -> None:
        app.add_error_handler(Exception, self.unforeseen)
        app.add_error_handler(falcon.HTTPError, self.of_falcon)
        app.add_error_handler(ApiError, self.of_api)
        app.add_error_handler(LauncherError, self.of_launcher)

    def of_launcher(self, req: falcon.Request, resp: falcon.Response, error: Exception, params: object) -> None:
        del params
        assert isinstance(error, LauncherError)  # noqa: S101 - Falcon gives a handler what it is registered for
        answer = answer_of(error, req.context.asked, self._texts)
        if answer.status >= 500:
            # Who is not asked any more was reported when it failed, and its breaker is seen in the metrics: no line for each.
            level = logging.DEBUG if isinstance(error, LauncherBusy) else logging.WARNING
            logger.log(level, "%s %s: %s", req.method, req.path, error, extra=told(request_id=request_id(req.env)))
        send_error(resp, answer)

    def of_api(self, req: falcon.Request, resp: falcon.Response, error: Exception, params: object) -> None:
        del req, params
        assert isinstance(error, ApiError)  # noqa: S101 - as above
        send_error(resp, error.answer)

    def of_falcon(self, req: falcon.Request, resp: falcon.Response, error: Exception, params: object) -> None:
        """Routing is Falcon's: it knows which paths there are and which methods each allows."""
        if isinstance(error, falcon.HTTPRouteNotFound):
            send_error(resp, NoSuchApi(req.path).answer)
        elif isinstance(error, falcon.HTTPMethodNotAllowed):
            method: str = req.env.get(_METHOD_KEY, req.method)
            allow = dict(error.headers or {})["Allow"]
            send_error(resp, MethodNotAllowed(method, req.path, allow).answer)
        else:
            self.unforeseen(req, resp, error, params)

    def unforeseen(self, req: falcon.Request, resp: falcon.Response, error: Exception, params: object) -> None:
        del params
        id_told = told(request_id=request_id(req.env))
        logger.error("%s %s failed", req.method, req.path, exc_info=error, extra=id_told)
        send_error(resp, ErrorAnswer(500, UNKNOWN_ERROR, UNFORESEEN))


def send_error(resp: falcon.Response, answer: ErrorAnswer) -> None:
    resp.status = answer.status
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json_bytes({"code": answer.code, "message": answer.message})
    resp.text = None
    resp.delete_header("ETag")
    resp.set_header("Cache-Control", "no-store")  # caches may keep a 404 on their own accord, and jobs come into being
    for name, value in answer.headers.items():
        resp.set_header(name, value)
