"""The law of the served simulator: the API over HTTP against it answers byte for byte what the API over the launcher in
process answers from what that dialect can tell (``seen``), at the same frozen instant and public URL.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
from msgspec.structs import replace

from contracts.clock import Clock, SystemClock, VirtualClock
from contracts.launcher import open_dialect, private_dialect
from contracts.launcher.port import Around, Ask, Call, Launcher, ResourceManager
from contracts.launcher.records import Framework
from restserver.app import Backend, create_app
from restserver.launchers.http import http_backend
from restserver.serving.waitress_server import serving
from restserver.settings import Settings
from simulator.launcher import simulated
from tests.restserver.wsgi_client import ask
from tests.simulator.served_world import served

AT = 1_795_465_000_000
PUBLIC_URL = "https://jobs.example"
SEEN: dict[str, Callable[[Framework], Framework]] = {"open": open_dialect.seen, "private": private_dialect.seen}
STYLES = ("documented", "portal")


def as_seen(launcher: Launcher, seen: Callable[[Framework], Framework]) -> Launcher:
    def hook(call: Call, asked: Ask, proceed: Callable[[Ask], Any]) -> Any:
        answer = proceed(asked)
        return replace(answer, value=seen(answer.value)) if call.operation in ("framework", "attempt") else answer

    return Around(launcher, hook)


def api(launcher: Launcher, manager: ResourceManager, clock: Clock, style: str) -> WSGIApplication:
    return create_app(Backend(launcher, manager, clock), Settings(style=style, public_url=PUBLIC_URL))


@contextmanager
def both(dialect: str, style: str, clock: VirtualClock) -> Iterator[tuple[WSGIApplication, WSGIApplication, list[str]]]:
    """The API over HTTP, the API in process, and the names."""
    launcher, manager = simulated(seed=7, jobs=25, clock=clock)
    names = [summary.name for summary in launcher.summaries(Ask())]
    with serving(served(dialect, launcher, manager, clock)) as url:
        far, far_manager = http_backend(
            launcher_url=url,
            rm_url=url,
            dialect=dialect,
            timeout=10_000,
            headers=(),
            ca_file=None,
            clock=SystemClock(),
        )
        try:
            yield (
                api(far, far_manager, SystemClock(), style),
                api(as_seen(launcher, SEEN[dialect]), manager, clock, style),
                names,
            )
        finally:
            far.close()
            far_manager.close()


def current_paths(app: WSGIApplication, name: str) -> list[str]:
    detail = ask(app, f"/api/v2/jobs/{name}").json["jobStatus"]
    attempt = f"/api/v2/frameworks/{name}/attempts/{detail['attemptId']}"
    return [f"/api/v2/jobs/{name}", attempt, f"{attempt}?version={detail['version']}"]


def past_paths(app: WSGIApplication, name: str) -> list[str]:
    versions = ask(app, f"/api/v2/frameworks/{name}/versions").json["FrameworkVersions"]
    lists = [f"/api/v2/frameworks/{name}/attempts?version={version}" for version in versions]
    attempts = [
        f"/api/v2/frameworks/{name}/attempts/{attempt}?version={version}"
        for version, path in zip(versions, lists, strict=True)
        for attempt in ask(app, path).json["FrameworkAttempts"]
    ]
    return [f"/api/v2/frameworks/{name}/versions", *lists, *attempts]


@pytest.mark.no_cover
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dialect", sorted(SEEN))
def test_the_api_over_http_answers_byte_for_byte_what_it_answers_in_process(dialect: str, style: str) -> None:
    clock = VirtualClock(AT, frozen=True)
    compared = 0
    with both(dialect, style, clock) as (far, near, names):
        for name in [*names, "nobody~nothing"]:
            known = name in names
            paths = current_paths(near, name) if known else [f"/api/v2/jobs/{name}"]
            if dialect == "private" and known and style == "documented":
                paths += past_paths(near, name)
            for path in paths:
                here, there = ask(near, path), ask(far, path)
                assert (there.status, there.body) == (here.status, here.body), path
                compared += 1
    assert compared > 3 * len(names)


def test_a_job_that_is_not_there_is_not_there_over_http_either() -> None:
    clock = VirtualClock(AT, frozen=True)
    for dialect in SEEN:
        with both(dialect, "documented", clock) as (far, _, _):
            for path in ("jobs/nobody~nothing", "frameworks/nobody~nothing/versions", "frameworks/a~b/attempts/0"):
                assert ask(far, f"/api/v2/{path}").status == 404
