"""Faults put around what works: a launcher, an API, the wire of either."""

import gzip
import json
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import falcon
from msgspec.structs import replace

from contracts.launcher.port import Answer, Around, Ask, Call, Hook, Launcher
from simulator.faults.faults import Fault, FaultSet, Struck
from simulator.faults.kinds import Met
from simulator.faults.server_in_use import CannotBreak
from simulator.faults.wire_kinds import Outgoing

Proceed = Callable[[Ask], Any]
Asked = Callable[[WSGIEnvironment], tuple[str | None, str | None]]
"""Which operation about which name a request is; ``None``: none that faults are about."""


# --- a launcher -----------------------------------------------------------------------------------------------------


def faulty(launcher: Launcher, faults: FaultSet, *, over_http: bool = False) -> Launcher:
    return Around(launcher, struck_by(faults, over_http=over_http), faults.__bool__)


def struck_by(faults: FaultSet, *, over_http: bool = False) -> Hook:
    """``over_http``: it is served, so what is on the wire is made there (:class:`FaultyWire`) and not here."""

    def fits(fault: Fault) -> bool:
        return fault.on_launcher is not None and not (over_http and fault.on_wire is not None)

    def hook(call: Call, ask: Ask, proceed: Proceed) -> Any:
        going_on = proceed
        for struck in reversed(faults.striking("launcher", call.operation, call.name, fits)):
            going_on = _around(struck, call, going_on, faults)
        return going_on(ask)

    return hook


def _around(struck: Struck, call: Call, proceed: Proceed, faults: FaultSet) -> Proceed:
    fault, act = struck.fault, struck.fault.on_launcher
    assert act is not None  # noqa: S101  # only such faults get here

    def going_on(ask: Ask) -> Any:
        result = act(Met(call, ask, proceed, faults.waiting.wait, struck.dice))
        if isinstance(result, Answer) and fault.kind not in _TELL_THE_TRUTH:
            # Another edition than the true answer's, and nothing promised: nobody keeps it for longer than the fault lasts.
            return replace(result, edition=(result.edition, "fault", fault.id), until=None, holds=None)
        return result

    return going_on


_TELL_THE_TRUTH: Final = frozenset({"latency", "dribble"})


# --- the API --------------------------------------------------------------------------------------------------------


class FaultyApi:
    """Falcon middleware over an API whose routes are about frameworks."""

    def __init__(self, faults: FaultSet) -> None:
        self._faults = faults

    def detour(self, environ: WSGIEnvironment) -> bool:
        """While there is any fault, whomever it meets."""
        del environ
        return bool(self._faults)

    passed = None

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        del resource
        operation = operation_of_api_path(req.path)
        if operation is None:
            return
        name = str(params.get("name"))
        all_struck = self._faults.striking("api", operation, name, lambda fault: fault.on_api is not None)
        req.context.faults = [struck.fault.on_api for struck in all_struck]
        if all_struck:
            # What was kept on the other side is whole; a fault is to be seen.
            req.env.pop("HTTP_IF_NONE_MATCH", None)
        for struck in all_struck:
            act = struck.fault.on_api
            if act is not None and act.delay is not None:
                self._faults.waiting.wait(act.delay(struck.dice))
            if act is not None and act.refusal is not None:
                resp.status = act.refusal.status
                resp.content_type = falcon.MEDIA_JSON
                resp.data = act.refusal.body
                resp.complete = True

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        del resource, succeeded
        for act in getattr(req.context, "faults", ()):
            if act.replacement is not None:
                _unpack(resp)
                resp.data, resp.text, resp.content_type = act.replacement, None, falcon.MEDIA_HTML
                resp.delete_header("ETag")
            elif act.change is not None and resp.data:
                _unpack(resp)
                resp.data = json.dumps(act.change(json.loads(resp.data)), ensure_ascii=False).encode()
                resp.delete_header("ETag")


def _unpack(resp: falcon.Response) -> None:
    if resp.get_header("Content-Encoding") == "gzip":
        resp.data = gzip.decompress(resp.data or b"")
        resp.delete_header("Content-Encoding")


def operation_of_api_path(path: str) -> str | None:
    """``None``: a path that is not about a framework."""
    parts = path.strip("/").split("/")
    if parts[:2] != ["api", "v2"]:
        return None
    return _OPERATION_OF_PATH.get((parts[2] if len(parts) > 2 else "", len(parts), parts[4] if len(parts) > 4 else ""))


_OPERATION_OF_PATH: Final = {
    ("jobs", 4, ""): "framework",
    ("frameworks", 6, "attempts"): "attempt",
    ("frameworks", 5, "attempts"): "attempts",
    ("frameworks", 5, "versions"): "versions",
}


def asked_of_api(environ: WSGIEnvironment) -> tuple[str | None, str | None]:
    path: str = environ["PATH_INFO"]
    operation = operation_of_api_path(path)
    return operation, path.strip("/").split("/")[3] if operation is not None else None


def asked_of_launcher(environ: WSGIEnvironment) -> tuple[str | None, str | None]:
    """In either dialect, and of the resource manager beside it. Writes are about the framework, too."""
    parts = environ["PATH_INFO"].strip("/").split("/")
    if parts[0] == "ws":
        return asked_of_manager(environ)
    if parts[0] not in ("", "v1") or len(parts) == 1:
        return ("ready", None) if parts[0] in ("", "v1") else (None, None)
    if parts[1] not in ("Frameworks", "SummaryFrameworks"):
        return None, None
    if len(parts) == 2:
        return "summaries", None
    return _OPERATION_OF_DEPTH.get((len(parts), parts[3] if len(parts) > 3 else ""), "framework"), parts[2]


def asked_of_manager(environ: WSGIEnvironment) -> tuple[str | None, str | None]:
    parts = environ["PATH_INFO"].strip("/").split("/")
    if parts[:4] != ["ws", "v1", "cluster", "apps"]:
        return None, None
    return ("applications", None) if len(parts) == 4 else ("application", parts[4])


_OPERATION_OF_DEPTH: Final = {(4, "Versions"): "versions", (6, "Versions"): "attempts", (7, "Versions"): "attempt"}


# --- the wire -------------------------------------------------------------------------------------------------------


class FaultyWire:
    """A WSGI application around another: what goes wrong on the way out."""

    def __init__(self, application: WSGIApplication, faults: FaultSet, side: str, asked: Asked) -> None:
        self._application = application
        self._faults = faults
        self._side = side
        self._asked = asked

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        operation, name = self._asked(environ) if self._faults else (None, None)
        if operation is None:
            return self._application(environ, start_response)
        struck = self._faults.striking(self._side, operation, name, lambda fault: fault.on_wire is not None)
        if not struck:
            return self._application(environ, start_response)
        return self._broken(struck[0].fault, environ, start_response)

    def _broken(self, fault: Fault, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One answer can go wrong on the wire in one way: the first fault decides."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            started.append((status, headers))

        body = b"".join(self._application(environ, begin))
        status, headers = started[-1]
        act = fault.on_wire
        assert act is not None  # noqa: S101  # only such faults are met
        try:
            sent = act(Outgoing(environ, body, self._faults.waiting.wait))
        except CannotBreak as error:
            told = f"The fault {fault.kind} cannot be made: {error}.\n".encode()
            start_response("501 Not Implemented", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
            return [told]
        kept = [(key, value) for key, value in headers if key.lower() != "content-length"]
        start_response(status, kept if sent.length is None else [*kept, ("Content-Length", str(sent.length))])
        return sent.parts
