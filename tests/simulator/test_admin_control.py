"""What can be done to a world through the control plane, and that its own document says so."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import falcon.inspect
import falcon.testing
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from openapi_spec_validator import validate
from requests.structures import CaseInsensitiveDict
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from simulator.admin.bodies import LARGEST_STORY
from simulator.admin.control_plane import create_admin
from simulator.admin.openapi import PATHS, document
from simulator.admin.simulated_jobs import SimulatedJobs
from simulator.faults.faults import FaultSet
from simulator.simulation import Simulation
from simulator.told.scenario_files import SHIPPED
from tests.simulator.worlds import HOUR, names, shown, simulation, state

HOST = "127.0.0.1:9186"
YAML = {"Content-Type": "application/yaml"}


def _admin(world: Simulation) -> "falcon.App[Any, Any]":
    faults = FaultSet(world.clock)
    world.keep("faults", faults)
    return create_admin(
        world.clock,
        SimulatedJobs(world.launcher),
        {HOST},
        simulation=world,
        requests=world.requests,
        faults=faults,
        makes_wire_faults=True,
    )


class Control:
    def __init__(self, folder: Path | None = None, file: Path | None = None, *, watch: bool = False) -> None:
        self.world = simulation(folder, file=file, watch=watch)
        self._client = falcon.testing.TestClient(_admin(self.world))

    def __call__(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> falcon.testing.Result:
        content = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        return self._client.simulate_request(
            method, "/__admin" + path, query_string=query, body=content, headers={"Host": HOST, **(headers or {})}
        )

    def refused(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        result = self(method, path, body, headers)
        assert result.headers["Content-Type"] == "application/problem+json"
        assert result.json["status"] == result.status_code
        return result.status_code, result.json["detail"]

    def ahead(self, by: str) -> None:
        assert self("PUT", "/clock", {"action": "advance", "by": by}).status_code == 200


STORY = """
name: eve~mine
about: Mine.
steps:
  - {name: waits, state: APPLICATION_WAITING, progression: manual}
  - {name: runs, state: APPLICATION_RUNNING, progression: manual, ends: {exit: 3}}
  - {name: over, state: FRAMEWORK_COMPLETED}
"""


def test_a_job_is_made_from_a_story_and_led_by_hand() -> None:
    control = Control()
    made = control("POST", "/jobs", STORY, YAML)
    assert made.status_code == 201
    assert made.headers["Location"] == "/__admin/jobs/eve~mine"
    assert made.json == {"name": "eve~mine", "dropped": 0, "job": "/api/v2/jobs/eve~mine"}
    assert control.refused("POST", "/jobs", STORY, YAML)[0] == 409
    control.ahead("PT5M")
    seen = control("GET", "/jobs/eve~mine").json
    assert (seen["state"], seen["step"], seen["about"], seen["done"]) == ("WAITING", "waits", "Mine.", [])
    assert control("POST", "/jobs/eve~mine/advance").json == {"name": "eve~mine", "dropped": 0}
    control.ahead("PT5M")
    assert control("GET", "/jobs/eve~mine").json["step"] == "runs"
    assert control("POST", "/jobs/eve~mine/advance", {}).status_code == 200
    control.ahead("PT5M")
    seen = control("GET", "/jobs/eve~mine").json
    assert (seen["state"], seen["appExitCode"], [done["do"] for done in seen["done"]]) == ("FAILED", 3, ["advance"] * 2)
    assert control.refused("POST", "/jobs/eve~mine/advance")[0] == 409
    control.ahead("-PT7M")
    assert control("POST", "/jobs/eve~mine/stop").json["dropped"] == 1
    assert control("POST", "/jobs/eve~mine/start").status_code == 200
    assert control("DELETE", "/jobs/eve~mine").status_code == 200
    assert control.refused("GET", "/jobs/eve~mine") == (404, "framework eve~mine is not known")
    for method, path in (("DELETE", ""), ("POST", "/stop"), ("POST", "/start"), ("POST", "/advance")):
        assert control.refused(method, f"/jobs/eve~mine{path}")[0] == 404


def test_a_job_is_made_from_json_and_from_a_submit_body() -> None:
    control = Control()
    assert control("POST", "/jobs", {"name": "eve~a"}).status_code == 201
    assert control("POST", "/jobs?name=eve~b", {"containers": [{"run": 5}]}).json["name"] == "eve~b"
    assert control("POST", "/jobs?name=eve~y", "about: x", YAML).status_code == 201
    service = {
        "version": 1,
        "entryPoint": "true",
        "sourceLocations": ["/x"],
        "resource": {"cpuNumber": 1, "memoryMB": 1},
    }
    roles = {"w": {"taskNumber": 1, "taskService": service}}
    assert control("POST", "/jobs?name=eve~c", {"version": 1, "taskRoles": roles}).status_code == 201
    assert control("POST", "/jobs", {"name": "eve~c", "version": 2, "taskRoles": roles}).status_code == 200
    assert {"eve~a", "eve~b", "eve~c", "eve~y"} <= set(names(control.world))
    assert control("GET", "/jobs/eve~c").json["version"] == 2


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "named"),
    [
        ("/jobs", "name: [", YAML, 400, "not YAML"),
        ("/jobs", "{", {}, 400, "not JSON"),
        ("/jobs", "[]", {}, 400, "an object"),
        ("/jobs", "5", YAML, 400, "an object"),
        ("/jobs", {"about": "x"}, {}, 400, "this has neither"),
        ("/jobs", {"taskRoles": {}, "version": 1}, {}, 400, "a name has"),
        ("/jobs?name=a%20b", {"taskRoles": {}, "version": 1}, {}, 400, "a name has"),
        ("/jobs?name=a", {"taskRoles": {}}, {}, 400, "version: may not be null"),
        ("/jobs?name=a", {"taskRoles": {}, "version": 1}, {}, 400, "taskRoles: may not be empty"),
        ("/jobs?name=a", {"taskRoles": {}, "version": "x"}, {}, 400, "the launcher would not take this"),
        ("/jobs?nome=a", {"taskRoles": {}}, {}, 400, "no parameter 'nome'"),
        ("/jobs?name=a&name=b", {"taskRoles": {}}, {}, 400, "given twice"),
        ("/jobs", {"name": "a", "starts": "PT1S"}, {}, 400, "begins now"),
        ("/jobs", {"jobs": [{"name": "a"}]}, {}, 400, "one story is told at a time"),
        ("/jobs", {"jobs": [{"name": "a"}, {"name": "b"}]}, {}, 400, "one story"),
        (
            "/jobs",
            "name: x\nsteps:\n  - state: FRAMEWORK_COMPLETED\n  - state: APPLICATION_RUNNING",
            YAML,
            400,
            "line 4: steps.1: step 2",
        ),
        ("/jobs", "#" * (LARGEST_STORY + 1), YAML, 413, "larger"),
        ("/jobs/a%20b/stop", None, {}, 400, "a name has"),
        ("/jobs/a/stop", {"x": 1}, {}, 400, "takes no body"),
    ],
)
def test_what_cannot_be_made_is_told_why(
    path: str, body: object, headers: dict[str, str], status: int, named: str
) -> None:
    control = Control()
    before = control.world.state()
    found, detail = control.refused("POST", path, body, headers)
    assert found == status
    assert named in detail
    assert control.world.state() == before


def test_scenarios_are_shown_and_moved(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(STORY)
    (tmp_path / "two.yaml").write_text(
        "jobs:\n- name: a\n- name: b\n  steps: [{state: APPLICATION_WAITING, progression: manual}, {name: runs, state: APPLICATION_RUNNING}]"
    )
    control = Control(tmp_path, watch=True)
    control.ahead("PT5M")
    mine, two = control("GET", "/scenarios").json["scenarios"]
    assert (mine["name"], mine["state"], mine["problem"]) == ("mine", "waits", None)
    assert [job["state"] for job in two["jobs"]] == [None, "application-waiting"]
    assert mine["jobs"][0]["steps"][0] == {"name": "waits", "manual": True}
    moved = control("PUT", "/scenarios/mine/state", {"state": "runs"})
    assert (moved.status_code, moved.json["dropped"]) == (200, 0)
    assert control.refused("PUT", "/scenarios/mine/state", {"state": "runs"})[0] == 409
    assert control("PUT", "/scenarios/two/state", {"state": "runs", "job": "b"}).status_code == 200
    control.ahead("PT5M")
    assert [each["state"] for each in control("GET", "/scenarios").json["scenarios"]] == ["runs", "runs"]
    assert control.refused("PUT", "/scenarios/none/state", {"state": "runs"})[0] == 404
    body: object
    for body in ([], {}, {"state": 5}, {"state": "runs", "x": 1}, {"state": "flies"}, {"state": "runs", "job": "a"}):
        assert control.refused("PUT", "/scenarios/two/state", body)[0] == 400
    (tmp_path / "mine.yaml").write_text("name: [")
    assert "not YAML" in control("GET", "/scenarios").json["scenarios"][0]["problem"]
    control("PUT", "/clock", {"action": "reset"})
    control.ahead("-PT1H")
    assert control("GET", "/scenarios").json["scenarios"][0]["state"] is None


def test_the_state_goes_out_and_comes_back(tmp_path: Path) -> None:
    control = Control(file=tmp_path / "world.json")
    control("POST", "/jobs", STORY, YAML)
    control("POST", "/faults", {"kind": "unavailable", "side": "launcher"})
    control.ahead("PT5M")
    saved = control("GET", "/state").json
    assert json.loads((tmp_path / "world.json").read_bytes()) == saved
    control("POST", "/reset")
    assert control("GET", "/state").json["journal"] == []
    assert shown(control.world, "eve~mine") is None
    assert control("PUT", "/state", saved).json == saved
    assert state(control.world, "eve~mine") == "APPLICATION_WAITING"
    assert control("GET", "/faults").json["faults"][0]["kind"] == "unavailable"
    status, detail = control.refused("PUT", "/state", {**saved, "version": 7})
    assert (status, "version 7" in detail) == (400, True)


def test_what_cannot_be_saved_is_a_problem_and_has_not_happened(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    control = Control(file=tmp_path / "there" / "world.json")
    (tmp_path / "there").rmdir()
    before = control.world.state()
    for method, path, body in (
        ("POST", "/jobs", {"name": "x"}),
        ("PUT", "/clock", {"action": "advance", "by": 5}),
        ("POST", "/faults", {"kind": "unavailable", "side": "launcher"}),
        ("PATCH", "/settings", {"seed": 5}),
        ("POST", "/reset", None),
    ):
        status, detail = control.refused(method, path, body)
        assert (status, "could not be saved" in detail) == (507, True)
        assert control.world.state() == before


def test_settings_are_changed_while_it_runs() -> None:
    control = Control()
    assert control("GET", "/settings").json == {
        "seed": 7,
        "jobs": 20,
        "profile": "tiny",
        "profileProblem": None,
        "watch": False,
        "started": "2026-03-01T12:00:00Z",
    }
    control("POST", "/jobs", {"name": "x"})
    changed = control("PATCH", "/settings", {"seed": 8, "profile": "calm", "watch": True})
    assert changed.json == {
        "seed": 8,
        "jobs": 20,
        "profile": "calm",
        "profileProblem": None,
        "watch": True,
        "started": "2026-03-01T12:00:00Z",
        "dropped": 1,
    }
    assert control("PATCH", "/settings", {}).json["dropped"] == 0
    body: object
    for body in ([], {"x": 1}, {"seed": -1}, {"seed": True}, {"jobs": 0}, {"profile": "/etc/passwd"}, {"watch": 1}):
        assert control.refused("PATCH", "/settings", body)[0] == 400


def test_faults_come_and_go() -> None:
    control = Control()
    made = control("POST", "/faults", {"kind": "unavailable", "side": "launcher"})
    assert made.status_code == 201
    assert made.headers["Location"] == f"/__admin/faults/{made.json['id']}"
    assert control("GET", "/faults").json["faults"] == [made.json]
    assert control("DELETE", f"/faults/{made.json['id']}").json == {"removed": 1}
    assert control.refused("DELETE", f"/faults/{made.json['id']}")[0] == 404
    assert control.refused("POST", "/faults", {"kind": "none-such"})[0] == 400
    control("POST", "/faults", {"kind": "unavailable", "side": "launcher"})
    assert control("DELETE", "/faults").json == {"removed": 1}


def test_requests_are_found_and_counted() -> None:
    control = Control()
    app = falcon.App(middleware=[control.world.requests])
    client = falcon.testing.TestClient(app)
    client.simulate_get("/api/v2/jobs/x")
    client.simulate_get("/api/v2/jobs/y")
    assert control("GET", "/requests").json["meta"] == {"total": 2}
    assert len(control("GET", "/requests?limit=1").json["requests"]) == 1
    assert control("POST", "/requests/count", {"urlPathPattern": ".*x"}).json == {"count": 1}
    assert len(control("POST", "/requests/find", {}).json["requests"]) == 2
    assert control.refused("POST", "/requests/find", {"a": 1})[0] == 400
    for times in (2, {"atLeast": 2}, {"atMost": 2}, {"atLeast": 1, "atMost": 3}):
        assert control("POST", "/requests/verify", {"times": times}).json == {"count": 2}
    assert control("POST", "/requests/verify", {}).json == {"count": 2}
    for times, told in ((1, "exactly 1"), ({"atLeast": 3}, "at least 3"), ({"atMost": 1}, "0 to 1")):
        status, detail = control.refused("POST", "/requests/verify", {"times": times})
        assert (status, detail) == (406, f"{told} was expected of such requests, and there are 2")
    one = {"request": {"urlPathPattern": ".*x"}, "times": 0}
    assert control.refused("POST", "/requests/verify", one) == (
        406,
        "exactly 0 was expected of such requests, and there is 1",
    )
    wrongs: tuple[object, ...] = (
        [],
        {"a": 1},
        {"times": True},
        {"times": {}},
        {"times": {"atLeast": -1}},
        {"times": {"most": 1}},
    )
    for wrong in wrongs:
        assert control.refused("POST", "/requests/verify", wrong)[0] == 400
    assert control.refused("GET", "/requests?limit=x")[0] == 400
    assert control("DELETE", "/requests").json == {"removed": 2}
    client.simulate_get("/api/v2/jobs/x")
    control("POST", "/reset")
    assert control("GET", "/requests").json["requests"] == []


def test_the_document_names_every_path_and_method_there_is() -> None:
    told = document("/__admin")
    validate(told)
    control = Control()
    assert control("GET", "/openapi.json").json == json.loads(json.dumps(told))
    routes = {
        (route.path.removeprefix("/__admin"), method.method.lower())
        for route in falcon.inspect.inspect_routes(_admin(simulation()))
        for method in route.methods
        if not method.internal
    }
    assert routes == {(path, method) for path, item in PATHS.items() for method in item if method != "parameters"}


# --- whatever is sent -----------------------------------------------------------------------------------------------


CHECKS = [status_code_conformance, response_schema_conformance, content_type_conformance]
"""Server errors among them: the document promises none but 507."""


@cache
def _world() -> Simulation:
    world = simulation(SHIPPED, jobs=10)
    world.journal.tell("eve~mine", {"name": "eve~mine"})
    world.clock.advance(HOUR)
    return world


@cache
def _application() -> "falcon.App[Any, Any]":
    return _admin(_world())


@cache
def _operations() -> Mapping[tuple[str, str], APIOperation[Any, Any, Any, Any]]:
    """By path and method."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document("/__admin"))))
    schema.app = _application()
    found: dict[tuple[str, str], APIOperation[Any, Any, Any, Any]] = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        found[operation.path, operation.method] = operation
    return found


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, item in PATHS.items() for method in item if method != "parameters"]
)
def test_every_answer_is_one_the_document_promises(path: str, method: str) -> None:
    operation = _operations()[f"/__admin{path}", method]

    @given(case=operation.as_strategy(), real=st.booleans())
    @hypothesis.settings(
        max_examples=25,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: "schemathesis.Case[Any]", real: bool) -> None:
        if real and "name" in (case.path_parameters or {}):
            case.path_parameters = {"name": "by-hand" if "scenarios" in path else "eve~mine"}
        case.headers = CaseInsensitiveDict({**dict(case.headers or {}), "Host": HOST})
        case.validate_response(case.call(), checks=CHECKS)

    holds()


DESCRIPTOR = {
    "version": 1,
    "description": "half a pair: \ud800",
    "taskRoles": {
        "w": {
            "taskNumber": 1,
            "taskService": {
                "version": 1,
                "entryPoint": "true",
                "sourceLocations": ["/x"],
                "resource": {"cpuNumber": 1, "memoryMB": 1},
            },
        }
    },
}


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/faults", {"kind": "unavailable", "name": "eve~*", "reason": "half \ud800"}, {}),
        ("/jobs", {"name": "eve~half", "about": "half \ud800"}, {}),
        ("/jobs?name=eve~half", DESCRIPTOR, {}),
        ("/jobs?name=eve~half", json.dumps(DESCRIPTOR), YAML),
    ],
)
def test_half_of_a_surrogate_pair_breaks_nothing_that_is_told_afterwards(
    tmp_path: Path, path: str, body: object, headers: dict[str, str]
) -> None:
    control = Control(file=tmp_path / "state.json")
    assert control("POST", path, body, headers).status_code == 201
    told = [control("GET", path) for path in ("/state", "/faults", "/jobs")]
    assert [one.status_code for one in told] == [200, 200, 200]
    assert "\ufffd" in told[0].text, "what was told is kept, as well as it can be"


def test_a_story_in_yaml_holds_no_half_of_a_surrogate_pair() -> None:
    control = Control()
    status, why = control.refused("POST", "/jobs", 'name: eve~half\nabout: "\\ud800"\n', YAML)
    assert status == 400
    assert "surrogates" in why
    assert control.refused("POST", "/faults", {"kind": "stale", "\ud800": 1})[0] == 400


@pytest.mark.parametrize(
    "change",
    [{"action": "advance", "by": 10**400}, {"action": "advance", "by": 1e308}, {"action": "scale", "rate": 10**400}],
)
def test_a_number_beyond_all_bounds_is_refused(change: dict[str, object]) -> None:
    assert Control().refused("PUT", "/clock", change)[0] == 400
