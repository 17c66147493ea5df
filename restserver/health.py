"""The paths besides the API that say how this server is, and what it promises."""

from collections.abc import Callable, Mapping
from wsgiref.types import WSGIEnvironment

import falcon
from msgspec import Struct, field

from contracts.launcher.port import Ask, Launcher, LauncherError
from contracts.registry import openapi_text
from restserver.answers.rendering import Renderer, json_bytes
from restserver.resources import ReadOnly, send

OK = "ok"


class Live(ReadOnly):
    """``/healthz``: the process lives."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        del req
        resp.set_header("Cache-Control", "no-store")
        resp.data = b'{"status":"ok"}'

    on_head = on_get


class Ready(Struct, ReadOnly, frozen=True):
    """``/readyz``: per part ``ok`` or the reason; 503 while requests cannot be answered as they should.

    ``?exclude=launcher`` leaves parts out, as Kubernetes' own servers have it: a balancer that took every replica out because
    the one launcher behind them is down would keep the documented answers from clients.
    """

    launcher: Launcher
    stopping: Callable[[], bool]
    asked: Callable[[WSGIEnvironment], Ask]
    informed: Mapping[str, Callable[[], str]]
    """Parts that are told, but do not decide: requests go on without them."""
    required: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    """Parts that must be in order."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        decisive = {"server": self._server, "launcher": lambda: self._launcher(req), **self.required}
        left_out = req.get_param_as_list("exclude", default=[])
        parts = {name: told() for name, told in decisive.items() if name not in left_out}
        ready = all(part == OK for part in parts.values())
        # A part may stand in both: what it cannot do without decides, what is wrong with it is told.
        parts |= {name: told() for name, told in self.informed.items() if name not in left_out}
        resp.status = falcon.HTTP_200 if ready else falcon.HTTP_503
        resp.set_header("Cache-Control", "no-store")
        resp.data = json_bytes({"status": OK if ready else "not ready", "parts": parts})

    on_head = on_get

    def _server(self) -> str:
        return "stopping" if self.stopping() else OK

    def _launcher(self, req: falcon.Request) -> str:
        try:
            self.launcher.ready(self.asked(req.env))
        except LauncherError as error:
            return str(error)
        return OK


class OpenApi(Struct, ReadOnly, frozen=True):
    """``/openapi.json``: the committed document of the running style."""

    style: str
    renderer: Renderer

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        rendered = self.renderer.rendered_bytes("openapi", None, lambda: openapi_text(self.style))
        send(req, resp, self.renderer.fitting(rendered, req.env))

    on_head = on_get


class Docs(Struct, ReadOnly, frozen=True):
    """``/docs``: a page to read it; needs no internet."""

    style: str
    renderer: Renderer

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        from contracts.docs_page import POLICY  # imported when the first reader asks, to keep the start quick

        resp.content_type = falcon.MEDIA_HTML
        resp.set_header("Content-Security-Policy", POLICY)
        resp.set_header("Referrer-Policy", "no-referrer")
        send(req, resp, self.renderer.fitting(self.renderer.rendered_bytes("docs", None, self._page), req.env))

    on_head = on_get

    def _page(self) -> bytes:
        from contracts.docs_page import docs_page

        return docs_page(self.style).encode()
