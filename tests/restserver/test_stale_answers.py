"""The server over a shielded launcher: deadlines that travel, and stale answers that say what they are."""

from random import Random

import pytest

from contracts.clock import VirtualClock, iso
from contracts.launcher.port import Around, LauncherUnavailable, straight
from restserver.app import Backend, create_app
from restserver.launchers.shielded import Policy, shield
from restserver.settings import Settings
from tests.restserver.small_launcher import CREATED, SmallLauncher, SmallResourceManager, framework, small, style
from tests.restserver.wsgi_client import ask

TARGETS = [
    "/api/v2/jobs/alice~mnist",
    "/api/v2/frameworks/alice~mnist/attempts/0",
    "/api/v2/frameworks/alice~mnist/attempts",
    "/api/v2/frameworks/alice~mnist/versions",
]


@pytest.mark.parametrize("target", TARGETS)
def test_a_stale_answer_is_marked_and_a_fresh_one_is_not(target: str) -> None:
    clock, inner = VirtualClock(CREATED, frozen=True), SmallLauncher()
    inner.put(framework())
    hook = shield(clock, "The launcher", Policy(ttl=1_000, stale_for=5_000), Random(1), straight).hook
    app = create_app(Backend(Around(inner, hook), SmallResourceManager(), clock), Settings())
    fresh = ask(app, target)
    assert "x-stale-since" not in fresh.headers
    inner.error = LauncherUnavailable("The launcher refused the connection.")
    clock.advance(1_500)
    stale = ask(app, target)
    assert (stale.status, stale.body) == (200, fresh.body)
    assert stale.headers["x-stale-since"] == iso(CREATED + 1_000)
    known = ask(app, target, headers={"If-None-Match": fresh.headers["etag"]})
    assert (known.status, known.headers["x-stale-since"]) == (304, iso(CREATED + 1_000))
    clock.advance(5_000)
    assert ask(app, target).status == 500
    inner.error = None
    clock.advance(60_000)
    assert "x-stale-since" not in ask(app, target).headers


@pytest.mark.parametrize("target", [*TARGETS, "/readyz"])
def test_every_call_has_a_deadline_from_the_requests_arrival_and_its_id(target: str) -> None:
    server = small(style("portal"))
    ask(server.app, target, headers={"X-Request-Id": "r-1"})
    assert {(each.deadline, each.request_id) for each in server.launcher.asks} == {(CREATED + 10_000, "r-1")}
