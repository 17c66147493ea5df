"""Whose answer it is (rulings 1.16)."""

from contracts.clock import VirtualClock
from restserver.answers.identity import Identity, recorded_headers, simulated_headers
from restserver.app import Backend, create_app
from restserver.settings import Settings
from tests.restserver.small_launcher import SmallLauncher, SmallResourceManager, framework, small
from tests.restserver.wsgi_client import ask

AT = 1_772_366_400_000
EVERYWHERE = ["/api/v2/jobs/alice~mnist", "/api/v2/jobs/nobody", "/nowhere", "/healthz", "/api/v2/jobs/" + "a" * 9000]


def test_every_simulated_answer_says_so_by_its_own_clock() -> None:
    clock = VirtualClock(AT, frozen=True)
    launcher = SmallLauncher()
    launcher.put(framework())
    backend = Backend(launcher, SmallResourceManager(), clock)
    app = create_app(backend, Settings(), middleware=[Identity(simulated_headers(lambda: 7, clock))])
    for target in EVERYWHERE:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "BREW"):
            headers = ask(app, target, method).headers
            assert headers["x-simulated"] == "seed=7; now=2026-03-01T12:00:00Z"
            assert headers["date"] == "Sun, 01 Mar 2026 12:00:00 GMT"
    clock.advance(1_500)
    assert ask(app, "/healthz").headers["x-simulated"] == "seed=7; now=2026-03-01T12:00:01.500Z"


def test_a_recorded_answer_names_the_recording_of_its_framework() -> None:
    clock = VirtualClock(AT, frozen=True)
    headers = recorded_headers({"alice~mnist": "s01 \u00e9\n"}.get, "folder", clock)
    backend = Backend(SmallLauncher(), SmallResourceManager(), clock)
    app = create_app(backend, Settings(), middleware=[Identity(headers)])
    names = [ask(app, target).headers["x-recorded"] for target in EVERYWHERE]
    assert names == ["s01 ", "folder", "folder", "folder", "folder"]


def test_no_other_answer_carries_such_a_header() -> None:
    for target in EVERYWHERE:
        assert not {"x-simulated", "x-recorded", "date"} & set(ask(small().app, target).headers)
