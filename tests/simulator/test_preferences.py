"""What one request may wish for its own answer: every wish against every endpoint, and what is ignored."""

import json
from collections.abc import Iterator

import pytest

from contracts import registry
from contracts.clock import VirtualClock
from restserver.app import Backend, create_app
from restserver.refusals import REFUSALS
from restserver.settings import Settings
from simulator.faults.faults import FaultSet
from simulator.faults.faulty import FaultyApi, faulty
from simulator.faults.kinds import KINDS
from simulator.faults.preferences import Preferred, preferences, preferring
from simulator.faults.waiting import Waiting
from simulator.simulation import Simulation
from tests.restserver.wsgi_client import Response, ask

AT = 1_795_465_000_000
JOB = "story~retried-then-succeeded"
PATHS = {
    "getJob": f"/api/v2/jobs/{JOB}",
    "getAttempt": f"/api/v2/frameworks/{JOB}/attempts/0",
    "getAttempts": f"/api/v2/frameworks/{JOB}/attempts",
    "getVersions": f"/api/v2/frameworks/{JOB}/versions",
}


class Bench:
    def __init__(self, style: str = "documented") -> None:
        self.style = style
        self.clock = VirtualClock(AT, frozen=True)
        self.simulation = Simulation(3, 20, self.clock)
        waiting = Waiting(self.clock, pause=lambda seconds: self.clock.advance(max(1, round(seconds * 1000))))
        self.faults = FaultSet(self.clock, waiting)
        launcher = preferring(faulty(self.simulation.launcher, self.faults), waiting)
        self.app = create_app(
            Backend(launcher, self.simulation.resource_manager, self.clock),
            Settings(style=style),
            middleware=[Preferred(self.clock, waiting, REFUSALS), FaultyApi(self.faults)],
        )

    def ask(self, path: str, prefer: str = "", **headers: str) -> Response:
        return ask(self.app, path, headers={**({"Prefer": prefer} if prefer else {}), **headers})


@pytest.fixture(scope="module", params=registry.STYLES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    return Bench(request.param)  # type: ignore[return-value]  # a fixture may return


@pytest.fixture(scope="module")
def still() -> Iterator[Bench]:
    """Nothing is done to it."""
    return Bench()  # type: ignore[return-value]  # as above


EVERY_STATUS = [(operation, status) for operation in PATHS for status in registry.statuses(operation)]


@pytest.mark.parametrize(("operation", "status"), EVERY_STATUS)
def test_every_promised_status_can_be_asked_for_and_is_as_promised(bench: Bench, operation: str, status: int) -> None:
    answer = bench.ask(PATHS[operation], f"code={status}")
    assert answer.status == status
    assert answer.headers["preference-applied"] == f"code={status}"
    registry.validator(operation, status, bench.style).validate(answer.json)
    plain = bench.ask(PATHS[operation])
    assert plain.status == 200, "nobody else is met"
    assert "preference-applied" not in plain.headers


@pytest.mark.parametrize("operation", PATHS)
@pytest.mark.parametrize(
    "prefer",
    ["code=418", "code=304", "code=503", "code=x", "code", "code=404", "respond-async", "dynamic=false", '"=;,', "a b"],
)
def test_what_is_not_promised_or_not_understood_is_ignored(still: Bench, operation: str, prefer: str) -> None:
    bench = still
    if prefer == "code=404":
        assert bench.ask("/healthz", prefer).status == 200
        assert bench.ask(PATHS[operation], "code=200").headers["preference-applied"] == "code=200"
        return
    plain, wished = bench.ask(PATHS[operation]), bench.ask(PATHS[operation], prefer)
    assert (wished.status, wished.body) == (plain.status, plain.body)
    assert "preference-applied" not in wished.headers


def test_a_status_that_only_another_endpoint_promises_is_ignored(still: Bench) -> None:
    assert 400 not in registry.statuses("getJob")
    assert still.ask(PATHS["getJob"], "code=400").status == 200


def test_a_success_is_not_made_up(still: Bench) -> None:
    answer = still.ask("/api/v2/jobs/nobody", "code=200")
    assert answer.status == 404
    assert "preference-applied" not in answer.headers


ONE_OFF = sorted(kind for kind in KINDS if KINDS[kind].launcher and kind not in ("latency", "stale", "contradictory"))


@pytest.mark.parametrize("kind", ONE_OFF)
@pytest.mark.parametrize("operation", PATHS)
def test_a_fault_for_one_answer_stays_within_the_schemas(still: Bench, kind: str, operation: str) -> None:
    bench = still
    answer = bench.ask(PATHS[operation], f"fault={kind}")
    assert answer.status == (200 if kind == "dribble" else 500)
    assert answer.headers["preference-applied"] == f"fault={kind}"
    assert ("retry-after" in answer.headers) == (kind == "throttled")
    registry.validator(operation, answer.status, "documented").validate(answer.json)
    assert bench.ask(PATHS[operation]).status == 200


@pytest.mark.parametrize("kind", ["contradictory", "stale", "latency", "wrong_body", "nonsense"])
def test_a_fault_outside_the_contract_is_the_control_planes(still: Bench, kind: str) -> None:
    answer = still.ask(PATHS["getJob"], f"fault={kind}")
    assert answer.status == 200
    assert "preference-applied" not in answer.headers


def test_faults_have_the_names_that_people_know_elsewhere(still: Bench) -> None:
    assert still.ask(PATHS["getJob"], "fault=CONNECTION_RESET_BY_PEER").json["message"].endswith("connection.")


@pytest.mark.parametrize(
    ("prefer", "later", "applied"),
    [
        ("delay=2", 2000, "delay=2"),
        ("delay=0.5", 500, "delay=0.5"),
        ("delay=PT3S", 3000, "delay=3"),
        ("delay=61", 0, None),
        ("delay=-1", 0, None),
        ("delay=soon", 0, None),
        ("delay=P1M", 0, None),
    ],
)
def test_an_answer_can_come_later(prefer: str, later: int, applied: str | None) -> None:
    bench = Bench()
    answer = bench.ask(PATHS["getVersions"], prefer)
    assert answer.status == 200
    assert bench.clock.now() - AT == later
    assert answer.headers.get("preference-applied") == applied


def test_several_wishes_go_together_and_the_first_of_a_kind_counts() -> None:
    bench = Bench()
    answer = bench.ask(PATHS["getJob"], 'dynamic=true, Delay="1"; why=slow, code=404, code=500, x="a, b"')
    assert answer.status == 404
    assert answer.headers["preference-applied"] == "delay=1, code=404, dynamic=true"
    assert "Prefer" in answer.headers["vary"]


@pytest.mark.parametrize("example", ["out-of-memory", "story~out-of-memory"])
def test_an_example_is_told_under_the_name_that_was_asked_for(example: str) -> None:
    bench = Bench()
    for operation, path in PATHS.items():
        real = bench.ask(path.replace(JOB, "story~out-of-memory"))
        wished = bench.ask(path.replace(JOB, "alice~mine"), f"example={example}")
        assert wished.status == 200
        assert wished.headers["preference-applied"] == f"example={example}"
        registry.validator(operation, 200, "documented").validate(wished.json)
        assert wished.body == real.body.replace(b"story~out-of-memory", b"alice~mine")
        assert bench.ask(path.replace(JOB, "alice~mine")).status == 404
    assert bench.ask(PATHS["getAttempt"].replace("/0", "/99"), f"example={example}").status == 404


def test_an_example_of_a_job_that_exists_hides_it_only_for_that_answer() -> None:
    bench = Bench()
    before = bench.ask(PATHS["getJob"])
    wished = bench.ask(PATHS["getJob"], "example=running", **{"If-None-Match": before.headers["etag"]})
    assert wished.json["jobStatus"]["state"] == "RUNNING"
    assert bench.ask(PATHS["getJob"]).body == before.body
    assert bench.ask(PATHS["getJob"], "example=nothing-like-that").body == before.body


def test_a_fault_of_everybody_is_met_by_those_who_wish_too() -> None:
    bench = Bench()
    bench.faults.add({"kind": "unavailable", "side": "launcher"})
    answer = bench.ask(PATHS["getJob"], "example=running, code=200")
    assert answer.status == 500
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("code=404", {"code": "404"}),
        ("Code = 404 ;q=1; r , b", {"code": "404", "b": ""}),
        (r'a="x\"y, z", b=""', {"a": 'x"y, z', "b": ""}),
        ("a=1 b=2", {}),
        ("ok=1, a=1 b=2, c=3", {"ok": "1"}),
        ("", {}),
    ],
)
def test_the_header_is_read_as_the_rfc_writes_it(header: str, read: dict[str, str]) -> None:
    assert preferences(header) == read


def test_a_header_made_to_be_slow_is_not() -> None:
    assert preferences("a" + " ; ;" * 20_000 + '"') == {}
    assert preferences('a="' + '\\"' * 20_000) == {}


def test_other_methods_and_a_production_application_know_nothing_of_it() -> None:
    bench = Bench()
    assert ask(bench.app, PATHS["getJob"], "DELETE", {"Prefer": "code=404"}).status == 405
    production = create_app(
        Backend(bench.simulation.launcher, bench.simulation.resource_manager, bench.clock), Settings()
    )
    answer = ask(production, PATHS["getJob"], headers={"Prefer": "code=404"})
    assert answer.status == 200
    assert json.loads(answer.body)["jobStatus"]["name"] == JOB
