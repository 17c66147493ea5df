"""What is counted, how it is told, and that its labels are bounded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from contracts.clock import SystemClock
from contracts.launcher.port import LAUNCHER_ERRORS, Around, Ask, LauncherUnavailable, NoSuchFramework
from restserver.app import OPERATION_OF_RESOURCE, Application, create_app, create_management_app
from restserver.assembling.backends import launcher_backend
from restserver.exposition import CONTENT_TYPE
from restserver.launchers.counted import OUTCOME_OF_ERROR, Counted
from restserver.launchers.protection import LAUNCHER, RESOURCE_MANAGER, Protection
from restserver.seeing.metrics import BUCKETS, Durations, Metrics
from restserver.settings import Settings
from tests.restserver.small_launcher import SmallLauncher, small
from tests.restserver.wsgi_client import ask
from tests.stand_ins import misbehaving as bad
from tests.stand_ins.encoded import encoded_launcher
from tests.stand_ins.known import KnownApplications, KnownFrameworks, framework


def scraped(app: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, by name and labels."""
    response = ask(app, "/metrics")
    assert (response.status, response.headers["content-type"]) == (200, CONTENT_TYPE)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.body.decode())
        for sample in family.samples
    }


def value(app: Any, name: str, **labels: str) -> float:
    return scraped(app)[name, frozenset(labels.items())]


def test_requests_are_counted_by_operation_and_status() -> None:
    app = small().app
    for target in (
        "/api/v2/jobs/alice~mnist",
        "/api/v2/jobs/alice~mnist",
        "/api/v2/jobs/nobody",
        "/nowhere",
        "/wp-login.php",
    ):
        ask(app, target)
    ask(app, "/api/v2/frameworks/alice~mnist/versions", "DELETE")
    assert value(app, "restserver_requests_total", operation="job", status="200") == 2
    assert value(app, "restserver_requests_total", operation="job", status="404") == 1
    assert value(app, "restserver_requests_total", operation="unknown", status="404") == 2
    assert value(app, "restserver_requests_total", operation="versions", status="405") == 1
    assert value(app, "restserver_request_duration_seconds_count", operation="job") == 3
    assert value(app, "restserver_request_duration_seconds_bucket", operation="job", le="+Inf") == 3
    assert value(app, "restserver_requests_total", operation="metrics", status="200") >= 4
    assert ask(app, "/metrics", "HEAD").body == b""


def test_labels_never_grow_with_what_clients_send() -> None:
    app = small().app
    for index in range(50):
        ask(app, f"/api/v2/jobs/job-{index}")
        ask(app, f"/{index}/x")
        ask(app, f"/api/v2/frameworks/f-{index}/attempts/{index}?version={index}", f"M{index}")
    ask(app, "/metrics")
    ours = [key for key in scraped(app) if key[0] == "restserver_requests_total"]
    assert len(ours) == 4
    assert not any("job-" in value for _, labels in ours for _, value in labels)


def test_every_resource_has_a_name_and_an_unknown_one_would_stop_the_tests() -> None:
    def resources(app: Application) -> set[type]:
        found: set[type] = set()
        rest = list(app._router._roots)
        while rest:
            node = rest.pop()
            rest += node.children
            if node.resource is not None:
                found.add(type(node.resource))
        return found

    assert resources(small().app) == set(OPERATION_OF_RESOURCE) - {type(None)}


def test_two_applications_count_apart() -> None:
    one, other = small().app, small().app
    ask(one, "/healthz")
    assert value(one, "restserver_requests_total", operation="healthz", status="200") == 1
    assert not any(name == "restserver_requests_total" for name, _ in scraped(other))


@given(st.lists(st.integers(0, 20 * 10**9), max_size=50))
def test_buckets_hold_what_took_at_most_so_long(nanoseconds: list[int]) -> None:
    durations = Durations("d", "d", "kind")
    for each in nanoseconds:
        durations.took(each, "a")
    told = durations.spread().values
    if not nanoseconds:
        assert told == {}
        return
    counts, total = told[("a",)]
    assert total == pytest.approx(sum(nanoseconds) / 1e9)
    for index, bound in enumerate(BUCKETS):
        assert sum(counts[: index + 1]) == sum(each <= bound * 1e9 for each in nanoseconds)
    assert sum(counts) == len(nanoseconds)


def test_every_error_of_the_port_has_an_outcome() -> None:
    assert set(OUTCOME_OF_ERROR) == set(LAUNCHER_ERRORS)


def test_calls_are_counted_by_what_came_of_them() -> None:
    metrics, inner = Metrics(), SmallLauncher()
    counted = Counted(metrics, "launcher")
    launcher = Around(inner, counted)
    launcher.ready(Ask())
    assert counted.last == "ok"
    with pytest.raises(NoSuchFramework):
        launcher.framework("nobody", Ask())
    assert counted.last == "ok"
    for error in (LauncherUnavailable("The launcher refused the connection."), ZeroDivisionError()):
        inner.error = error
        with pytest.raises(type(error)):
            launcher.versions("nobody", Ask())
    assert counted.last == "The launcher refused the connection."
    assert metrics.calls.figure().values == {
        ("launcher", "ready", "answered"): 1,
        ("launcher", "framework", "no such"): 1,
        ("launcher", "versions", "unavailable"): 1,
        ("launcher", "versions", "broken"): 1,
    }


def settings_for(url: str, rm_url: str | None = None, **more: Any) -> Settings:
    return Settings(backend="launcher", launcher_url=url, rm_url=rm_url, dialect="private", **more)


def test_the_shield_of_a_real_launcher_is_seen() -> None:
    with encoded_launcher(KnownFrameworks([framework("alice~a")]), KnownApplications(), "private") as served:
        built = launcher_backend(settings_for(served.url, served.url, style="portal", cache_ttl=60.0))
        app = create_app(built.backend, settings_for(served.url))
        for _ in range(5):
            assert ask(app, "/api/v2/jobs/alice~a").status == 200
            assert ask(app, "/api/v2/jobs/nobody").status == 404
        assert ask(app, "/readyz").json["parts"] == {
            "server": "ok",
            "launcher": "ok",
            "breaker": "ok",
            "resourceManager": "not asked yet",
            "resourceManagerBreaker": "ok",
        }
        assert (
            value(app, "restserver_launcher_calls_total", side=LAUNCHER, operation="framework", outcome="answered") == 1
        )
        assert (
            value(app, "restserver_launcher_calls_total", side=LAUNCHER, operation="framework", outcome="no such") == 1
        )
        assert value(app, "restserver_cache_questions_total", side=LAUNCHER, result="hit") == 8
        assert value(app, "restserver_cache_entries", side=LAUNCHER) == 3
        assert value(app, "restserver_cache_bytes", side=LAUNCHER) > 1_000
        assert value(app, "restserver_breaker_state", side=LAUNCHER, state="closed") == 1
        assert value(app, "restserver_breaker_state", side=RESOURCE_MANAGER, state="open") == 0
        assert value(app, "restserver_calls_in_flight", side=LAUNCHER) == 0
        assert len([asked for asked in served.asked if "alice" in asked.path]) == 1
        built.close()


def test_failures_of_launcher_and_resource_manager_are_seen() -> None:
    nobody = f"http://127.0.0.1:{bad.port_of_nobody()}"
    with encoded_launcher(KnownFrameworks([framework("alice~a")]), KnownApplications(), "private") as served:
        settings = settings_for(served.url, nobody, style="portal", cache_ttl=0.0)
        built = launcher_backend(settings)
        app = create_app(built.backend, settings)
        for _ in range(6):
            assert ask(app, "/api/v2/jobs/alice~a").status == 200
        parts = ask(app, "/readyz")
        assert parts.status == 200
        assert parts.json["parts"]["resourceManager"] == "The resource manager refused the connection."
        assert parts.json["parts"]["resourceManagerBreaker"].startswith("open")
        assert value(app, "restserver_resource_manager_failures_total", reason="unavailable") == 15
        assert value(app, "restserver_breaker_opened_total", side=RESOURCE_MANAGER) == 1
        assert value(app, "restserver_breaker_refused_total", side=RESOURCE_MANAGER) >= 1
        assert value(app, "restserver_call_retries_total", side=RESOURCE_MANAGER) >= 3
        assert not any(name.startswith("restserver_cache") for name, _ in scraped(app))
        built.close()


def test_an_open_breaker_is_an_answer_that_says_when_to_come_again() -> None:
    nobody = f"http://127.0.0.1:{bad.port_of_nobody()}"
    settings = settings_for(nobody)
    built = launcher_backend(settings)
    app = create_app(built.backend, settings)
    answers = [ask(app, f"/api/v2/jobs/job-{index}") for index in range(6)]
    assert [answer.status for answer in answers] == [500] * 6
    assert answers[0].json["message"] == "The launcher refused the connection."
    assert answers[-1].json["message"].startswith("The launcher failed too often, and is not asked for another ")
    assert answers[-1].headers["retry-after"] == "1"
    ready = ask(app, "/readyz")
    assert (ready.status, ready.json["parts"]["breaker"]) == (503, "open: calls are refused for a while")
    assert ready.json["parts"]["resourceManager"] == "not configured"
    built.close()


def test_without_a_breaker_readiness_says_so() -> None:
    informed = Protection(SystemClock(), Metrics(), 1.0, 0.0, breaker=False).informed(resource_manager=False)
    assert informed["breaker"]() == "off"


def test_with_a_management_port_the_paths_move_there() -> None:
    server = small(Settings(management_port=0))
    backend_app = server.app
    assert [ask(backend_app, target).status for target in ("/healthz", "/readyz", "/metrics")] == [404, 404, 404]
    management = create_management_app(backend_app, server.backend, Settings(management_port=0))
    assert [ask(management, target).status for target in ("/healthz", "/readyz", "/metrics")] == [200, 200, 200]
    assert value(management, "restserver_requests_total", operation="unknown", status="404") == 3
    assert ask(management, "/api/v2/jobs/alice~mnist").json["code"] == "NoApiError"
    backend_app.stopping = True
    assert ask(management, "/readyz").status == 503
