"""The resource manager over HTTP: the calls that a launcher's consumers make of it (launcher fact sheet, 8.7)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Clock, Instant
from contracts.launcher.open_error import encode_error
from contracts.launcher.port import Ask, LauncherError, LauncherRefused, LauncherUnreadable
from contracts.launcher.records import Application
from contracts.launcher.resource_manager import APPLICATIONS_PATH, encode_application, encode_applications
from simulator.http import yarn_cluster
from simulator.http.answers import Answered, headless, html_of_resource_manager, not_here, of_resource_manager
from simulator.http.routes import Request, Route, Routes, request_of
from simulator.submission import json_input
from simulator.submission.refusals import Refused

NOBODY = Ask()
PREFIX = "/ws"
PAGES = "/cluster"
"""What people see of it in a browser; one consumer reads the page of an application."""
CLUSTER_PATH = "/ws/v1/cluster"

_NOT_FOUND = "org.apache.hadoop.yarn.webapp.NotFoundException"
_BAD_REQUEST = "org.apache.hadoop.yarn.webapp.BadRequestException"
_FORBIDDEN = "org.apache.hadoop.yarn.webapp.ForbiddenException"
_STANDBY = "org.apache.hadoop.ipc.StandbyException"
_ENDED = frozenset({"FINISHED", "FAILED", "KILLED"})
_STATES = frozenset({"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", *_ENDED})


class Applications(Protocol):
    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]: ...

    def known(self, application_id: str) -> Application | None:
        """One of them, whole."""


Kill = Callable[[str], object]
"""Ends the application of that id through YARN, from now on."""


Group = Callable[[str], Iterable[str]]
"""The living applications of a job group, by id."""


class RefusedByYarn(Exception):
    """Goes out wrapped in ``RemoteException``."""

    def __init__(self, status: int, java_class: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.java_class = java_class

    def answer(self) -> Answered:
        name = self.java_class.rpartition(".")[2]
        told = encode_error(name, f"java.lang.Exception: {self}", self.java_class)
        return of_resource_manager(self.status, {"RemoteException": told})


class Cluster(Struct, frozen=True):
    """What the cluster is, and what lives in it."""

    facts: yarn_cluster.Facts
    alive: Callable[[], Iterable[yarn_cluster.Alive]]


def yarn_routes(
    manager: Applications,
    clock: Clock,
    kill: Kill | None,
    cluster: Callable[[], Cluster] | None = None,
    group: Group = lambda _: (),
) -> Routes:
    yarn = _Yarn(manager, clock, kill, group)
    one = f"{APPLICATIONS_PATH}/{{id}}"
    return Routes(
        [
            Route(APPLICATIONS_PATH, {"GET": yarn.applications}),
            Route(one, {"GET": yarn.application}),
            Route(f"{one}/state", {"GET": yarn.state, "PUT": yarn.set_state}),
            Route(f"{one}/appattempts", {"GET": yarn.attempts}),
            Route(f"{one}/resourceRequests", {"GET": yarn.resource_requests}),
            Route(f"{PAGES}/app/{{id}}", {"GET": yarn.page}),
            Route(f"{CLUSTER_PATH}/appgroups/{{group}}", {"DELETE": yarn.kill_group}),
            Route(f"{CLUSTER_PATH}/users/{{user}}/groups", {"GET": _groups_of_user}),
            Route(f"{CLUSTER_PATH}/scheduler-conf", {"PUT": _queues_stay}),
            *(() if cluster is None else _of_cluster(cluster, clock)),
        ]
    )


def _of_cluster(cluster: Callable[[], Cluster], clock: Clock) -> Iterator[Route]:
    def told(document: Callable[[Cluster], Mapping[str, object]]) -> Mapping[str, Callable[[Request], Answered]]:
        return {"GET": lambda _: of_resource_manager(200, document(cluster()))}

    info = told(lambda whole: yarn_cluster.info(whole.facts))
    yield Route(CLUSTER_PATH, info)
    yield Route(f"{CLUSTER_PATH}/info", info)
    yield Route(f"{CLUSTER_PATH}/metrics", told(lambda whole: yarn_cluster.metrics(whole.facts, list(whole.alive()))))
    yield Route(
        f"{CLUSTER_PATH}/nodes", told(lambda whole: yarn_cluster.nodes(whole.facts, whole.alive(), clock.now()))
    )
    yield Route(
        f"{CLUSTER_PATH}/scheduler", told(lambda whole: yarn_cluster.scheduler(whole.facts, list(whole.alive())))
    )
    yield Route(f"{CLUSTER_PATH}/queues/{{queue}}/access", {"GET": lambda request: _access(request, cluster())})


def _groups_of_user(request: Request) -> Answered:
    """An extension whose answer is only passed through: everybody is in a group of their own."""
    return of_resource_manager(200, {"groups": {"group": [request.segments["user"]]}})


def _queues_stay(_: Request) -> Answered:
    """A stock 2.9.0 whose queues stand in a file refuses so, too; here they stand in the profile."""
    raise RefusedByYarn(400, _BAD_REQUEST, "Configuration change only supported by MutableConfScheduler.")


def _access(request: Request, cluster: Cluster) -> Answered:
    """Everybody may do everything in a queue that there is; the answer is a text, as one consumer reads it."""
    queue, user, wanted = request.segments["queue"], request.query.get("user"), request.query.get("queue-acl-type")
    if queue not in cluster.facts.queues:
        raise RefusedByYarn(404, _NOT_FOUND, f"queue {queue} is not found")
    if not user or wanted not in ("SUBMIT_APPLICATIONS", "ADMINISTER_QUEUE"):
        raise RefusedByYarn(400, _BAD_REQUEST, "a user and a queue-acl-type are asked for")
    return of_resource_manager(200, {"allowed": "true", "user": user, "diagnostics": ""})


class YarnServer:
    """A WSGI application."""

    def __init__(self, routes: Routes, clock: Clock, headers: Callable[[], Mapping[str, str]] = dict) -> None:
        self._routes = routes
        self._clock = clock
        self._headers = headers
        self.stopping = False
        """Set by whoever serves it, once it takes no new requests."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answered = self.answer(request_of(environ)).carrying(self._headers())
        return answered.send(environ, start_response, self._clock.now())

    def answer(self, request: Request) -> Answered:
        head = request.method == "HEAD"
        found = self._routes.find(request.path)
        answer = found[0].methods.get("GET" if head else request.method) if found is not None else None
        if found is None or answer is None:
            answered = not_here(request.method, request.path)
        else:
            answered = _refusing(answer, _with_segments(request, found[1]))
        return headless(answered, request.path) if head else answered


def _with_segments(request: Request, segments: Mapping[str, str]) -> Request:
    return replace(request, segments=segments)


def _refusing(answer: Callable[[Request], Answered], request: Request) -> Answered:
    try:
        return answer(request)
    except RefusedByYarn as refused:
        return refused.answer()
    except Refused as refused:  # a body that cannot be read
        return RefusedByYarn(refused.status, _BAD_REQUEST, refused.first_line).answer()
    except LauncherUnreadable:
        return of_resource_manager(200, [])  # a success that is no document of the resource manager's
    except LauncherRefused as refused:
        java_class = {400: _BAD_REQUEST, 403: _FORBIDDEN, 404: _NOT_FOUND}.get(refused.status, _STANDBY)
        answered = RefusedByYarn(refused.status, java_class, str(refused)).answer()
        return answered.carrying({"Retry-After": refused.retry_after}) if refused.retry_after else answered
    except LauncherError as error:
        return RefusedByYarn(503, _STANDBY, str(error)).answer()


class _Yarn:
    def __init__(self, manager: Applications, clock: Clock, kill: Kill | None, group: Group) -> None:
        self._manager = manager
        self._clock = clock
        self._kill = kill
        self._group = group

    def applications(self, request: Request) -> Answered:
        query = request.query
        types = _words(query, "applicationTypes")
        states = {word.upper() for word in _words(query, "states") | _words(query, "state")}
        for word in states - _STATES:
            raise RefusedByYarn(400, _BAD_REQUEST, f"Invalid application-state {word}")
        since, until = _number(query, "startedTimeBegin", 0), _number(query, "startedTimeEnd", None)
        limit = _number(query, "limit", None)
        found: Sequence[Application] = []
        if not types or "launcher" in {word.lower() for word in types}:
            listed = self._manager.applications(since or 0, NOBODY)
            found = [
                application
                for application in listed
                if (not states or application.state in states)
                and (until is None or application.started_timestamp <= until)
                and query.get("user") in (None, application.user)
                and query.get("queue") in (None, application.queue)
            ]
        return of_resource_manager(200, encode_applications(found[:limit], self._clock.now()))

    def application(self, request: Request) -> Answered:
        application = self._known(request)
        return of_resource_manager(200, {"app": encode_application(application, self._clock.now())})

    def state(self, request: Request) -> Answered:
        return of_resource_manager(200, {"state": self._known(request).state})

    def set_state(self, request: Request) -> Answered:
        application = self._known(request)
        told = json_input.read(request.body())
        wanted = told.get("state") if isinstance(told, dict) else None
        if wanted != "KILLED":
            raise RefusedByYarn(400, _BAD_REQUEST, "Only 'KILLED' is allowed as a target state.")
        if application.state in _ENDED:
            return of_resource_manager(200, {"state": application.state})
        if self._kill is None:
            raise RefusedByYarn(403, _FORBIDDEN, "nothing here kills applications")
        self._kill(application.id)
        return of_resource_manager(202, {"state": "KILLING"}, request.location)

    def kill_group(self, request: Request) -> Answered:
        """An extension; 404: nothing of that group lives."""
        living = list(self._group(request.segments["group"]))
        if not living:
            raise RefusedByYarn(404, _NOT_FOUND, f"app group with id: {request.segments['group']} not found")
        if self._kill is None:
            raise RefusedByYarn(403, _FORBIDDEN, "nothing here kills applications")
        for application_id in living:
            self._kill(application_id)
        return of_resource_manager(202, {"state": "KILLING"})

    def page(self, request: Request) -> Answered:
        """No more of the page than what is read of it: the table of its masters, and where their logs are."""
        application = self._known(request)
        return html_of_resource_manager(_page(application))

    def attempts(self, request: Request) -> Answered:
        """Of the masters the last is known, by its log."""
        application = self._known(request)
        logs = application.figures.am_container_logs
        container = logs.rstrip("/").split("/")[-2] if logs else None
        told = [] if container is None else [_attempt(application, container, str(logs))]
        return of_resource_manager(200, {"appAttempts": {"appAttempt": told} if told else None})

    def resource_requests(self, request: Request) -> Answered:
        """An extension that one consumer asks for: what is outstanding, and where it could go."""
        told = [
            {**each, "capacityInfo": {"totalMatchingNodesCount": 0, "totalAvailNodesCount": 0}}
            for each in self._known(request).figures.resource_requests
        ]
        return of_resource_manager(200, {"resourceRequests": told})

    def _known(self, request: Request) -> Application:
        application_id = request.segments["id"]
        application = self._manager.known(application_id)
        if application is None:
            raise RefusedByYarn(404, _NOT_FOUND, f"app with id: {application_id} not found")
        return application


def _page(application: Application) -> str:
    logs = application.figures.am_container_logs
    row = (
        "" if logs is None else f'<tr><td>{escape(application.id)}</td><td><a href="{escape(logs)}">Logs</a></td></tr>'
    )
    return (
        f"<!DOCTYPE html><html><head><title>Application {escape(application.id)}</title></head><body>"
        f"<p>{escape(application.name)}: {application.state}</p>"
        f'<table id="attempts"><thead><tr><th>Attempt ID</th><th>Logs</th></tr></thead><tbody>{row}</tbody></table>'
        "</body></html>"
    )


def _attempt(application: Application, container: str, logs: str) -> dict[str, object]:
    number = int(container.split("_")[-2])
    return {
        "id": number,
        "startTime": application.started_timestamp,
        "finishedTime": application.finished_timestamp or 0,
        "containerId": container,
        "logsLink": logs,
        "appAttemptId": application.id.replace("application", "appattempt") + f"_{number:06d}",
    }


def _words(query: Mapping[str, str], name: str) -> set[str]:
    return {word.strip() for word in query.get(name, "").split(",") if word.strip()}


def _number(query: Mapping[str, str], name: str, absent: int | None) -> int | None:
    text = query.get(name)
    if text is None:
        return absent
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise RefusedByYarn(400, _BAD_REQUEST, f"{name} value must be a number, not {text[:40]!r}")
    return int(text)
