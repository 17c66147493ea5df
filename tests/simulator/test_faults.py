"""Every fault against every endpoint: what the API answers, what its code is, and whether the schemas allow it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
from jsonschema import Draft202012Validator

from contracts import registry
from contracts.clock import LATEST, VirtualClock
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import Ask, Launcher
from restserver.app import Backend, create_app
from restserver.settings import Settings
from simulator.admin.fault_schemas import fault_wanted
from simulator.faults.faults import WIREMOCKS_WORDS, FaultSet, NoSuchFault
from simulator.faults.faulty import FaultyApi, FaultyWire, asked_of_api, asked_of_launcher, faulty
from simulator.faults.kinds import KINDS
from simulator.faults.waiting import Waiting
from simulator.launcher import SimulatedLauncher, simulated
from simulator.problems import BadInput
from tests.restserver.wsgi_client import Response, ask

AT = 1_795_465_000_000
STYLE = "documented"


@dataclass(frozen=True)
class Endpoint:
    operation: str
    operation_id: str
    path: str


@dataclass(frozen=True)
class Bench:
    """An API over a faulty simulated launcher; nobody really waits."""

    app: WSGIApplication
    faults: FaultSet
    launcher: Launcher
    clock: VirtualClock
    waited: list[float]
    endpoints: tuple[Endpoint, ...]


@contextmanager
def at_once(clock: VirtualClock, waited: list[float]) -> Iterator[Waiting]:
    """Waiting that advances the clock instead of letting time pass."""

    def pause(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(max(1, round(seconds * 1000)))

    yield Waiting(clock, pause=pause)


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = VirtualClock(AT, frozen=True)
    inner, manager = simulated(seed=3, jobs=60, clock=clock)
    waited: list[float] = []
    with at_once(clock, waited) as waiting:
        faults = FaultSet(clock, waiting)
        launcher = faulty(inner, faults)
        app = create_app(Backend(launcher, manager, clock), Settings(style=STYLE), middleware=[FaultyApi(faults)])
        yield Bench(FaultyWire(app, faults, "api", asked_of_api), faults, launcher, clock, waited, endpoints(inner))


def endpoints(launcher: SimulatedLauncher) -> tuple[Endpoint, ...]:
    summary = next(each for each in launcher.summaries(Ask()) if each.state is not FrameworkState.FRAMEWORK_COMPLETED)
    frameworks = f"/api/v2/frameworks/{summary.name}"
    paths = {
        "framework": f"/api/v2/jobs/{summary.name}",
        "attempt": f"{frameworks}/attempts/{summary.retries.total}",
        "attempts": f"{frameworks}/attempts",
        "versions": f"{frameworks}/versions",
    }
    return tuple(Endpoint(operation, OPERATION_ID[operation], path) for operation, path in paths.items())


def _operation_ids() -> dict[str, str]:
    found = {}
    for path, item in registry.openapi(STYLE)["paths"].items():
        parts = path.removeprefix("/api/v2").strip("/").split("/")
        kind = {
            ("jobs", 2): "framework",
            ("frameworks", 4): "attempt",
            ("frameworks", 3): {"attempts": "attempts", "versions": "versions"}.get(parts[-1]),
        }
        operation = kind.get((parts[0], len(parts)))
        if operation:
            found[str(operation)] = item["get"]["operationId"]
    return found


OPERATION_ID = _operation_ids()
OPERATIONS = ("framework", "attempt", "attempts", "versions")


def is_promised(endpoint: Endpoint, response: Response) -> bool:
    """Whether the schemas allow this answer."""
    try:
        body = json.loads(response.body)
    except ValueError:
        return False
    try:
        validator = registry.validator(endpoint.operation_id, response.status, STYLE)
    except KeyError:
        return False
    return not list(validator.iter_errors(body))


# --- the table ------------------------------------------------------------------------------------------------------

NOT_FOUND = {
    "framework": "NoJobError",
    "attempt": "NoJobAttemptError",
    "attempts": "NoJobAttemptsError",
    "versions": "NoJobVersionsError",
}


@dataclass(frozen=True)
class Row:
    fault: dict[str, Any]
    status: int
    code: str | None = None
    """``None``: a success."""


OF_THE_LAUNCHER = (
    Row({"kind": "latency", "fixedDelayMilliseconds": 3000}, 200),
    Row({"kind": "latency", "delayDistribution": {"type": "uniform", "lower": 10, "upper": 20}}, 200),
    Row(
        {"kind": "latency", "delayDistribution": {"type": "lognormal", "median": 90, "sigma": 0.4, "maxValue": 500}},
        200,
    ),
    Row({"kind": "unavailable"}, 500, "UnknownError"),
    Row({"kind": "throttled"}, 500, "UnknownError"),
    Row({"kind": "throttled", "status": 503, "retryAfter": 7}, 500, "UnknownError"),
    Row({"kind": "error_status", "status": 400}, 500, "UnknownError"),
    Row({"kind": "error_status", "status": 401}, 500, "UnknownError"),
    Row({"kind": "error_status", "status": 403}, 500, "UnknownError"),
    Row({"kind": "error_status", "status": 404}, 404, "no such"),
    Row({"kind": "error_status", "status": 500}, 500, "UnknownError"),
    Row({"kind": "error_status", "message": "the disk is full"}, 500, "UnknownError"),
    Row({"kind": "error_status", "message": "java.io.IOException: full\n\tat a.B.c(B.java:1)"}, 500, "UnknownError"),
    Row({"kind": "wrong_type", "path": "$.summarizedFrameworkInfo", "found": "a number"}, 500, "UnknownError"),
    Row({"kind": "stale"}, 200),
    Row({"kind": "contradictory"}, 200),
    Row({"kind": "malformed"}, 500, "UnknownError"),
    Row({"kind": "truncated"}, 500, "UnknownError"),
    Row({"kind": "dribble", "numberOfChunks": 3, "totalDuration": 300}, 200),
    Row({"kind": "empty"}, 500, "UnknownError"),
    Row({"kind": "reset"}, 500, "UnknownError"),
    Row({"kind": "timeout", "fixedDelayMilliseconds": 2000}, 500, "UnknownError"),
)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("row", OF_THE_LAUNCHER, ids=lambda row: json.dumps(row.fault))
def test_what_the_api_makes_of_each_fault_of_its_launcher(bench: Bench, row: Row, operation: str) -> None:
    endpoint = next(each for each in bench.endpoints if each.operation == operation)
    fault = bench.faults.add({"side": "launcher", **row.fault})
    response = ask(bench.app, endpoint.path)
    assert response.status == row.status, response.body
    if row.code is not None:
        assert response.json["code"] == (NOT_FOUND[operation] if row.code == "no such" else row.code)
    assert fault.contract == ("outside" if fault.kind == "contradictory" else "within")
    # A record that contradicts itself breaks laws, but even it fits the schemas.
    assert is_promised(endpoint, response)


OF_THE_API = (
    Row({"kind": "latency", "fixedDelayMilliseconds": 1500}, 200),
    Row({"kind": "error_status"}, 500, "UnknownError"),
    Row({"kind": "error_status", "status": 418, "code": "Teapot", "message": "short and stout"}, 418, "Teapot"),
    Row({"kind": "wrong_body"}, 200),
    Row({"kind": "missing_key"}, 200),
    Row({"kind": "extra_key"}, 200),
    Row({"kind": "wrong_type"}, 200),
    Row({"kind": "malformed"}, 200),
    Row({"kind": "truncated"}, 200),
    Row({"kind": "dribble", "numberOfChunks": 4, "totalDuration": 400}, 200),
    Row({"kind": "empty"}, 501),
    Row({"kind": "reset"}, 501),
    Row({"kind": "timeout", "fixedDelayMilliseconds": 100}, 501),
)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("row", OF_THE_API, ids=lambda row: json.dumps(row.fault))
def test_what_a_client_of_the_api_gets_of_each_fault_of_its_side(bench: Bench, row: Row, operation: str) -> None:
    endpoint = next(each for each in bench.endpoints if each.operation == operation)
    fault = bench.faults.add({"side": "api", **row.fault})
    response = ask(bench.app, endpoint.path)
    assert response.status == row.status, response.body
    if row.code is not None:
        assert response.json["code"] == row.code
    assert (fault.contract == "within") == is_promised(endpoint, response)


def test_the_tables_hold_every_kind_on_every_side_it_has() -> None:
    tried = {("launcher", row.fault["kind"]) for row in OF_THE_LAUNCHER}
    tried |= {("api", row.fault["kind"]) for row in OF_THE_API}
    assert tried == {(side, name) for name, kind in KINDS.items() for side in kind.sides}


# --- whom a fault meets ---------------------------------------------------------------------------------------------


def test_a_fault_meets_only_its_operation(bench: Bench) -> None:
    bench.faults.add({"kind": "unavailable", "operation": "versions"})
    statuses = {endpoint.operation: ask(bench.app, endpoint.path).status for endpoint in bench.endpoints}
    assert statuses == {"framework": 200, "attempt": 200, "attempts": 200, "versions": 500}


def test_a_fault_meets_only_names_of_its_pattern(bench: Bench) -> None:
    path = bench.endpoints[0].path
    name = path.rpartition("/")[2]
    fault = bench.faults.add({"kind": "unavailable", "name": "nobody~*"})
    assert ask(bench.app, path).status == 200
    bench.faults.remove(fault.id)
    bench.faults.add({"kind": "unavailable", "name": f"{name[:3]}*"})
    assert ask(bench.app, path).status == 500


def test_a_fault_heals_when_its_time_is_up_on_the_virtual_clock(bench: Bench) -> None:
    path = bench.endpoints[0].path
    before = ask(bench.app, path).status
    bench.faults.add({"kind": "unavailable", "ttl": "PT30S"})
    assert ask(bench.app, path).status == 500
    bench.clock.advance(29_999)
    assert ask(bench.app, path).status == 500
    bench.clock.advance(1)
    assert ask(bench.app, path).status == before
    assert bench.faults.all() == []


def test_the_same_seed_gives_the_same_luck(bench: Bench) -> None:
    path = bench.endpoints[0].path

    def luck(seed: int) -> list[int]:
        fault = bench.faults.add({"kind": "unavailable", "probability": 0.5, "seed": seed})
        statuses = [ask(bench.app, path).status for _ in range(24)]
        bench.faults.remove(fault.id)
        return statuses

    assert luck(5) == luck(5)
    assert luck(5) != luck(6)
    assert set(luck(5)) == {200, 500}


def test_faults_stack_and_the_first_one_made_stands_outside(bench: Bench) -> None:
    path = bench.endpoints[0].path
    bench.faults.add({"kind": "latency", "fixedDelayMilliseconds": 500})
    bench.faults.add({"kind": "unavailable", "reason": "Nobody is at home."})
    begun = bench.clock.now()
    assert ask(bench.app, path).json["message"] == "Nobody is at home."
    assert bench.clock.now() - begun >= 500


def test_a_throttled_launcher_says_when_to_come_back(bench: Bench) -> None:
    bench.faults.add({"kind": "throttled", "status": 429, "retryAfter": 42})
    assert ask(bench.app, bench.endpoints[0].path).headers["retry-after"] == "42"


# --- what is kept and what is shown ---------------------------------------------------------------------------------


def test_neither_a_fault_nor_its_end_is_hidden_by_kept_bytes(bench: Bench) -> None:
    path = bench.endpoints[0].path
    true = ask(bench.app, path)
    fault = bench.faults.add({"kind": "contradictory"})
    false = ask(bench.app, path, headers={"If-None-Match": true.headers["etag"]})
    assert (false.status, false.body != true.body) == (200, True)
    bench.faults.remove(fault.id)
    healed = ask(bench.app, path, headers={"If-None-Match": false.headers["etag"]})
    assert (healed.status, healed.body) == (200, true.body)


def test_a_fault_of_the_api_shows_although_the_client_has_the_answer(bench: Bench) -> None:
    path = bench.endpoints[0].path
    tag = ask(bench.app, path).headers["etag"]
    bench.faults.add({"kind": "missing_key", "side": "api", "path": "jobStatus.state"})
    response = ask(bench.app, path, headers={"If-None-Match": tag})
    assert response.status == 200
    assert "state" not in response.json["jobStatus"]
    assert "etag" not in response.headers


@pytest.mark.parametrize(
    "fault",
    [{"kind": "missing_key", "path": "frameworkInfo"}, {"kind": "wrong_body"}],
    ids=lambda fault: fault["kind"],
)
def test_a_fault_of_the_api_reaches_who_takes_packed_answers(bench: Bench, fault: dict[str, str]) -> None:
    path, takes = bench.endpoints[1].path, {"Accept-Encoding": "gzip"}
    assert ask(bench.app, path, headers=takes).headers["content-encoding"] == "gzip"
    bench.faults.add({"side": "api", **fault})
    broken = ask(bench.app, path, headers=takes)
    assert "content-encoding" not in broken.headers
    assert broken.body == ask(bench.app, path).body
    assert int(broken.headers["content-length"]) == len(broken.body)


def test_stale_answers_stay_as_they_were_first_heard(bench: Bench) -> None:
    path = bench.endpoints[0].path
    bench.faults.add({"kind": "stale"})
    first = ask(bench.app, path)
    bench.clock.advance(6 * 3600 * 1000)
    assert ask(bench.app, path).body == first.body
    bench.faults.clear()
    assert ask(bench.app, path).body != first.body


def test_what_was_not_there_stays_away_from_one_who_hears_stale_answers(bench: Bench) -> None:
    bench.faults.add({"kind": "stale"})
    for _ in range(2):
        assert ask(bench.app, "/api/v2/jobs/nobody~nothing").status == 404


def test_a_changed_body_is_changed_where_it_was_told(bench: Bench) -> None:
    path = bench.endpoints[0].path
    true = ask(bench.app, path).json
    bench.faults.add({"kind": "wrong_type", "side": "api", "path": "jobStatus.name"})
    bench.faults.add({"kind": "extra_key", "side": "api", "path": "jobStatus.retryDetails"})
    bench.faults.add({"kind": "missing_key", "side": "api", "path": "no.such.path"})
    false = ask(bench.app, path).json
    assert false["jobStatus"]["name"] == []
    assert false["jobStatus"]["retryDetails"]["injectedByAFault"] is True
    false["jobStatus"]["name"] = true["jobStatus"]["name"]
    del false["jobStatus"]["retryDetails"]["injectedByAFault"]
    assert false == true


def test_paths_that_are_not_about_frameworks_meet_no_fault(bench: Bench) -> None:
    bench.faults.add({"kind": "error_status", "side": "api"})
    bench.faults.add({"kind": "malformed", "side": "api"})
    assert ask(bench.app, "/healthz").status == 200
    assert ask(bench.app, "/api/v2/jobs").json["code"] == "NoApiError"


def test_the_list_of_a_launcher_can_fail_and_so_can_its_readiness(bench: Bench) -> None:
    bench.faults.add({"kind": "unavailable", "operation": "ready"})
    assert ask(bench.app, "/readyz").status == 503
    assert list(bench.launcher.summaries(Ask()))
    bench.faults.add({"kind": "stale", "operation": "summaries"})
    assert list(bench.launcher.summaries(Ask()))


# --- the set --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ([], "object"),
        ({}, "kind"),
        ({"kind": "gremlins"}, "kind"),
        ({"kind": "stale", "side": "api"}, "side"),
        ({"kind": "stale", "side": "wire"}, "side"),
        ({"kind": "wrong_body", "side": "launcher"}, "side"),
        ({"kind": "stale", "reason": "why"}, "reason"),
        ({"kind": "stale", "operation": "delete"}, "operation"),
        ({"kind": "stale", "name": ""}, "name"),
        ({"kind": "stale", "probability": 1.5}, "probability"),
        ({"kind": "stale", "probability": True}, "probability"),
        ({"kind": "stale", "probability": 10**400}, "probability"),
        ({"kind": "stale", "probability": float("nan")}, "probability"),
        ({"kind": "stale", "seed": -1}, "seed"),
        ({"kind": "stale", "ttl": "soon"}, "ttl"),
        ({"kind": "stale", "ttl": 0}, "ttl"),
        ({"kind": "stale", "ttl": -3}, "ttl"),
        ({"kind": "stale", "ttl": LATEST / 1000}, "ttl"),
        ({"kind": "stale", "ttl": "P3000000D"}, "ttl"),
        ({"kind": "latency"}, "fixedDelayMilliseconds"),
        ({"kind": "latency", "fixedDelayMilliseconds": -1}, "fixedDelayMilliseconds"),
        ({"kind": "latency", "fixedDelayMilliseconds": 1, "delayDistribution": {}}, "both"),
        ({"kind": "latency", "delayDistribution": 5}, "delayDistribution"),
        ({"kind": "latency", "delayDistribution": {"type": "normal"}}, "type"),
        ({"kind": "latency", "delayDistribution": {"type": "uniform", "lower": 9, "upper": 3}}, "upper"),
        ({"kind": "latency", "delayDistribution": {"type": "uniform", "lower": 1, "upper": 3, "x": 1}}, "x"),
        ({"kind": "throttled", "status": 450}, "status"),
        ({"kind": "error_status", "status": 418}, "status"),
        ({"kind": "error_status", "side": "api", "status": 200}, "status"),
        ({"kind": "dribble", "numberOfChunks": 0}, "numberOfChunks"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_and_named(bench: Bench, told: object, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        bench.faults.add(told)
    assert bench.faults.all() == []


@pytest.mark.parametrize(
    ("word", "kind"),
    [("EMPTY_RESPONSE", "empty"), ("MALFORMED_RESPONSE_CHUNK", "malformed"), ("CONNECTION_RESET_BY_PEER", "reset")],
)
def test_the_names_of_wiremock_are_understood(bench: Bench, word: str, kind: str) -> None:
    assert bench.faults.add({"kind": word}).kind == kind


def test_a_server_that_cannot_break_a_connection_says_so_when_asked_for_it(bench: Bench) -> None:
    for kind in ("empty", "reset", "timeout"):
        with pytest.raises(BadInput, match=f"cannot make the fault {kind}"):
            bench.faults.add({"kind": kind, "side": "api"}, makes_wire_faults=False)
    assert bench.faults.add({"kind": "truncated", "side": "api"}, makes_wire_faults=False).contract == "outside"


def test_a_server_that_cannot_break_a_connection_says_so_when_it_has_to(bench: Bench) -> None:
    bench.faults.add({"kind": "reset", "side": "api"})
    response = ask(bench.app, bench.endpoints[0].path)
    assert response.status == 501
    assert b"reset cannot be made" in response.body


def test_faults_are_listed_in_order_and_removed_by_id(bench: Bench) -> None:
    first = bench.faults.add({"kind": "stale", "ttl": 60})
    second = bench.faults.add({"kind": "unavailable", "name": "a*", "operation": "framework"})
    assert [fault.document()["id"] for fault in bench.faults.all()] == [first.id, second.id]
    assert first.document()["until"] is not None
    bench.faults.remove(first.id)
    with pytest.raises(NoSuchFault):
        bench.faults.remove(first.id)
    assert bench.faults.clear() == 1
    assert bench.faults.add({"kind": "stale"}).id not in (first.id, second.id)


def test_there_is_an_end_to_how_many_faults_there_are(bench: Bench) -> None:
    for _ in range(100):
        bench.faults.add({"kind": "stale"})
    with pytest.raises(BadInput, match="100 faults"):
        bench.faults.add({"kind": "stale"})


def test_faults_are_restored_with_their_luck_their_time_and_their_ids(bench: Bench) -> None:
    path = bench.endpoints[0].path
    bench.faults.add({"kind": "unavailable", "probability": 0.5, "seed": 9, "ttl": 600, "reason": "Gone."})
    for _ in range(5):
        ask(bench.app, path)
    state = json.loads(json.dumps(bench.faults.state()))
    shown = [fault.document() for fault in bench.faults.all()]
    then = [ask(bench.app, path).status for _ in range(12)]
    bench.faults.reset()
    bench.faults.restore(state)
    assert [fault.document() for fault in bench.faults.all()] == shown
    assert [ask(bench.app, path).status for _ in range(12)] == then


@pytest.mark.parametrize("state", [{}, [5], [{"kind": "stale", "id": "x"}], [{"kind": "gremlins", "id": "1"}]])
def test_a_state_that_is_none_changes_nothing(bench: Bench, state: object) -> None:
    kept = bench.faults.add({"kind": "stale"})
    with pytest.raises(BadInput):
        bench.faults.restore(state)
    assert bench.faults.all() == [kept]


# --- which call a request is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/", ("ready", None)),
        ("/v1", ("ready", None)),
        ("/v1/Frameworks", ("summaries", None)),
        ("/v1/Frameworks/a~b", ("framework", "a~b")),
        ("/v1/Frameworks/a~b/FrameworkStatus", ("framework", "a~b")),
        ("/v1/SummaryFrameworks", ("summaries", None)),
        ("/v1/SummaryFrameworks/a~b", ("framework", "a~b")),
        ("/v1/SummaryFrameworks/a~b/Versions", ("versions", "a~b")),
        ("/v1/SummaryFrameworks/a~b/Versions/1/Attempts", ("attempts", "a~b")),
        ("/v1/SummaryFrameworks/a~b/Versions/1/Attempts/0", ("attempt", "a~b")),
        ("/v1/LauncherStatus", (None, None)),
        ("/ws/v1/cluster/apps", ("applications", None)),
        ("/ws/v1/cluster/apps/application_1_0001/state", ("application", "application_1_0001")),
        ("/ws/v1/cluster/nodes", (None, None)),
        ("/__admin/clock", (None, None)),
    ],
)
def test_a_request_to_a_launcher_is_known_for_the_call_it_is(path: str, asked: tuple[str | None, str | None]) -> None:
    assert asked_of_launcher({"PATH_INFO": path}) == asked


def test_a_request_to_the_api_is_known_for_the_operation_it_is(bench: Bench) -> None:
    for endpoint in bench.endpoints:
        operation, name = asked_of_api({"PATH_INFO": endpoint.path})
        assert operation == endpoint.operation
        assert name is not None
        assert name in endpoint.path
    assert asked_of_api({"PATH_INFO": "/openapi.json"}) == (None, None)


def test_the_schema_of_a_fault_takes_what_can_be_made_and_nothing_else() -> None:
    """Every row of the tables above is one of its variants, and exactly one; every key that is wrong is refused by both."""
    validator = Draft202012Validator(fault_wanted())
    made = [{"side": "launcher", **row.fault} for row in OF_THE_LAUNCHER]
    made += [{"side": "api", **row.fault} for row in OF_THE_API]
    made += [{"kind": word} for word in WIREMOCKS_WORDS]
    for told in made:
        assert list(validator.iter_errors(told)) == [], told
        FaultSet(VirtualClock(AT)).add(told)
    for told in (
        {"kind": "none"},
        {"kind": "latency"},
        {"kind": "latency", "fixedDelayMilliseconds": 1, "delayDistribution": {}},
        {"kind": "throttled", "status": 404},
        {"kind": "error_status", "status": 402},
        {"kind": "unavailable", "side": "api"},
        {"kind": "stale", "path": "x"},
        {"kind": "stale", "operation": "delete"},
        {"kind": "stale", "probability": 2},
        {"kind": "extra_key", "side": "api", "operation": "ready"},
    ):
        assert list(validator.iter_errors(told)), told
        with pytest.raises(BadInput):
            FaultSet(VirtualClock(AT)).add(told)
