"""The simulated launcher as an HTTP server: one WSGI application, in either dialect, with its resource manager beside it.

Here stands what is decided before and after a row of a table: methods, media types, what an error looks like, and the
headers that every answer carries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from msgspec.structs import replace

from contracts.clock import Clock
from contracts.launcher.port import (
    Launcher,
    LauncherError,
    LauncherRefused,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from simulator.http.answers import (
    JSON,
    XML,
    Answered,
    bad_content_type,
    document,
    error_object,
    headless,
    method_not_allowed,
    not_here,
    options,
    page,
)
from simulator.http.open_paths import Web, open_routes
from simulator.http.private_paths import private_routes
from simulator.http.routes import Request, Route, Routes, accepts, media_type_of, request_of, require_json
from simulator.http.writes import Writes
from simulator.journal import JournalFull
from simulator.launcher_state import TooMuchTold
from simulator.state_file import StateNotSaved
from simulator.submission.refusals import LAUNCHER, Refused, not_found, unfit_request

_NO_WRITER = (
    "com.sun.jersey.api.MessageException: A message body writer for Java class "
    "org.apache.hadoop.yarn.webapp.RemoteExceptionData, and Java type class "
    "org.apache.hadoop.yarn.webapp.RemoteExceptionData, and MIME media type application/octet-stream was not found"
)


DIALECTS: Mapping[str, Callable[[Launcher, Writes, Web], Routes]] = {"open": open_routes, "private": private_routes}


class LauncherServer:
    """A WSGI application. ``mounts``: others by path prefix, such as the control plane and the resource manager."""

    def __init__(
        self,
        routes: Routes,
        clock: Clock,
        headers: Callable[[], Mapping[str, str]] = dict,
        mounts: Sequence[tuple[str, WSGIApplication]] = (),
    ) -> None:
        self._routes = routes
        self._clock = clock
        self._headers = headers
        self._mounts = tuple(mounts)
        self.stopping = False
        """Set by whoever serves it, once it takes no new requests."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        for prefix, mounted in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                return mounted(environ, start_response)
        if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and "HTTP_HOST" not in environ:
            answered = Answered(400)
        else:
            answered = self.answer(request_of(environ))
        return answered.carrying(self._headers()).send(environ, start_response, self._clock.now())

    def answer(self, request: Request) -> Answered:
        found = self._routes.find(request.path)
        if found is None:
            answered = not_here(request.method, request.path)
            return headless(answered, request.path) if request.method == "HEAD" else answered
        route, segments = found
        request = replace(request, segments=segments)
        if request.method == "HEAD":
            return headless(_of_route(route, replace(request, method="GET")), request.path)
        return _of_route(route, request)


def _of_route(route: Route, request: Request) -> Answered:
    try:
        return _checked(route, request)
    except Refused as refused:
        return _told(refused, request)
    except (JournalFull, TooMuchTold, StateNotSaved) as error:
        return _told(Refused(503, _TRANSIENT, str(error)), request)
    except LauncherError as error:
        return _failed(error, request)


def _checked(route: Route, request: Request) -> Answered:
    answer = route.methods.get(request.method)
    if answer is None:
        if request.method == "OPTIONS":
            return options(request.path, route.allowed, request.base)
        raise unfit_request()
    if request.method == "GET" and not accepts(request, JSON):
        raise unfit_request()
    if request.method == "PUT":
        media_type = media_type_of(request)
        if media_type is None:
            return bad_content_type(request.headers["content-type"])
        require_json(media_type, route.java_class)
    return answer(request)


def _told(refused: Refused, request: Request) -> Answered:
    """JSON wherever it is accepted. One who takes only XML gets that; but a 404 in XML is not found even by the container."""
    if accepts(request, JSON):
        return error_object(refused.status, refused.error_object())
    if not accepts(request, XML):
        return page(500, request.path, _NO_WRITER)
    if refused.status == 404 and request.method == "PUT":
        return method_not_allowed()
    return error_object(refused.status, refused.error_object(), as_xml=True)


# --- a launcher that was made to fail -------------------------------------------------------------------------------


def _failed(error: LauncherError, request: Request) -> Answered:
    """What stands around the launcher raises the errors of the port: they go out as the real one would have sent them."""
    if isinstance(error, NoSuchFramework | NoSuchVersion | NoSuchAttempt):
        return _told(not_found(), request)
    if isinstance(error, LauncherUnreadable):
        return document([])  # a success that is no document of either dialect
    status = error.status if isinstance(error, LauncherRefused) else 503
    retry_after: str | None = getattr(error, "retry_after", None)
    java_class = _CLASS_OF_STATUS.get(status, _TRANSIENT)
    answered = _told(Refused(status, java_class, str(error)), request)
    return answered.carrying({"Retry-After": retry_after}) if retry_after else answered


_TRANSIENT = f"{LAUNCHER}.exceptions.TransientException"
_CLASS_OF_STATUS = {
    400: f"{LAUNCHER}.exceptions.BadRequestException",
    401: "java.lang.SecurityException",
    403: f"{LAUNCHER}.exceptions.AuthorizationException",
    404: f"{LAUNCHER}.exceptions.NotFoundException",
    429: f"{LAUNCHER}.exceptions.ThrottledRequestException",
}
