"""The four endpoints: one class per path. Each asks, names what its answer depends on, and leaves the rest to its style."""

from collections.abc import Callable
from functools import partial
from typing import Final
from wsgiref.types import WSGIEnvironment

import falcon
from msgspec import Struct

from contracts.launcher.port import Answer, Ask, Launcher, ResourceManager
from restserver import parameters
from restserver.answers.base_url import BaseUrl
from restserver.answers.presenters import Body, Site
from restserver.answers.rendering import Rendered, Renderer
from restserver.answers.short_way import Heard, Meant, heard, holding
from restserver.answers.styles import NO_FIGURES, Style, asked_figures
from restserver.errors import Asked

READ_METHODS: Final = "GET, HEAD, OPTIONS"


class ReadOnly:
    """What every path has besides its ``on_get`` and ``on_head``, which are one."""

    def on_options(self, req: falcon.Request, resp: falcon.Response, **segments: str) -> None:
        del req, segments
        resp.status = falcon.HTTP_204
        resp.set_header("Allow", READ_METHODS)


class Desk(Struct, frozen=True):
    """What the endpoints share."""

    launcher: Launcher
    resource_manager: ResourceManager
    style: Style
    site: Site
    base_url: BaseUrl
    renderer: Renderer
    asked: Callable[[WSGIEnvironment], Ask]
    """What travels with the calls of a request: its deadline, counted from now, and its id."""

    def answer(
        self, req: falcon.Request, resp: falcon.Response, operation: str, rendered: Callable[[Ask], Heard]
    ) -> None:
        """What ``rendered`` gives for this request, and for the next one in the same words."""

        def ask(environ: WSGIEnvironment) -> Heard:
            return rendered(self.asked(environ))

        said = heard(req.env, Meant(operation, req.context.asked.name, ask, self.renderer.fitting))
        send(req, resp, self.renderer.fitting(said, req.env))


class Job(Struct, ReadOnly, frozen=True):
    """``/jobs/{jobName}``"""

    desk: Desk

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        _ask_about(req, Asked("framework", name))
        self.desk.answer(req, resp, "job", partial(self.rendered, name))

    on_head = on_get

    def rendered(self, name: str, ask: Ask) -> Heard:
        desk = self.desk
        framework = desk.launcher.framework(name, ask)
        figures = desk.style.job_figures(desk.resource_manager, framework.value, ask)

        def present() -> Body:
            return desk.style.job_detail(framework.value, figures.value or NO_FIGURES, desk.site)

        rendered = desk.renderer.rendered(("job", name), (framework.edition, figures.edition), present)
        return heard_of(rendered, framework, figures)


class Attempt(Struct, ReadOnly, frozen=True):
    """``/frameworks/{frameworkName}/attempts/{frameworkAttemptId}``"""

    desk: Desk

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str, attempt: str) -> None:
        _ask_about(req, Asked("attempt", name, parameters.asked_version(req), parameters.asked_attempt(attempt)))
        attempt_id = parameters.attempt_id(attempt)
        version, base_url = parameters.version(req), self.desk.base_url.of(req)
        self.desk.answer(req, resp, "attempt", partial(self.rendered, name, attempt_id, version, base_url))

    on_head = on_get

    def rendered(self, name: str, attempt: int, version: int | None, base_url: str, ask: Ask) -> Heard:
        desk = self.desk
        framework = desk.launcher.attempt(name, attempt, version, ask)
        figures = asked_figures(desk.resource_manager, framework.value, ask)

        def present() -> Body:
            known = figures.value or NO_FIGURES
            return {
                "frameworkFullDetail": desk.style.full_detail(framework.value, desk.site),
                "frameworkInfo": desk.style.framework_info(framework.value, known, desk.site, base_url),
            }

        key = ("attempt", name, attempt, version, base_url)
        rendered = desk.renderer.rendered(key, (framework.edition, figures.edition), present)
        return heard_of(rendered, framework, figures)


class Attempts(Struct, ReadOnly, frozen=True):
    """``/frameworks/{frameworkName}/attempts``"""

    desk: Desk

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        _ask_about(req, Asked("attempts", name, parameters.asked_version(req)))
        self.desk.answer(req, resp, "attempts", partial(self.rendered, name, parameters.version(req)))

    on_head = on_get

    def rendered(self, name: str, version: int | None, ask: Ask) -> Heard:
        attempts = self.desk.launcher.attempts(name, version, ask)
        body: Body = {self.desk.style.attempts_key: list(attempts.value)}
        rendered = self.desk.renderer.rendered(("attempts", name, version), attempts.edition, lambda: body)
        return heard_of(rendered, attempts)


class Versions(Struct, ReadOnly, frozen=True):
    """``/frameworks/{frameworkName}/versions``"""

    desk: Desk

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        _ask_about(req, Asked("versions", name))
        self.desk.answer(req, resp, "versions", partial(self.rendered, name))

    on_head = on_get

    def rendered(self, name: str, ask: Ask) -> Heard:
        versions = self.desk.launcher.versions(name, ask)
        body: Body = {self.desk.style.versions_key: list(versions.value)}
        rendered = self.desk.renderer.rendered(("versions", name), versions.edition, lambda: body)
        return heard_of(rendered, versions)


def heard_of(rendered: Rendered, answer: Answer[object], figures: Answer[object] | None = None) -> Heard:
    """``answer`` and ``figures``: all that it was rendered from."""
    answers = [answer] if figures is None else [answer, figures]
    return Heard(rendered.marked(answer.stale_since), holding([each.holds for each in answers]))


def send(req: falcon.Request, resp: falcon.Response, rendered: Rendered) -> None:
    """The body, or 304 to a client that has it."""
    for name, value in rendered.headers():
        resp.set_header(name, value)
    if _has_it(req, rendered.etag):
        resp.status = falcon.HTTP_304
    else:
        resp.data = rendered.body
        if rendered.encoding is not None:
            resp.set_header("Content-Encoding", rendered.encoding)


def _has_it(req: falcon.Request, etag: str) -> bool:
    """Weak comparison, as for every GET: proxies that compress weaken a tag."""
    offered = req.if_none_match
    return offered is not None and any(tag in ("*", etag) for tag in offered)


def _ask_about(req: falcon.Request, asked: Asked) -> None:
    """The name is judged first, then the parameters; the error handlers read what was asked."""
    req.context.asked = asked
    parameters.require_name(asked.name)
