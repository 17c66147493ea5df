"""Every fault against the resource manager: the API's answers go on without figures, and what failed is counted."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contracts import registry
from contracts.clock import VirtualClock
from contracts.launcher.port import Ask
from contracts.launcher.records import Application
from restserver.app import create_app
from restserver.assembling import backends, simulated_backend
from restserver.settings import Settings
from simulator.faults.faults import FaultSet
from simulator.faults.waiting import Waiting
from simulator.simulation import Simulation
from tests.restserver.wsgi_client import ask
from tests.simulator.test_http_server import Served, open_launcher
from tests.wire_exchange import send

__all__ = ["open_launcher"]

FIGURES = ("allocatedMB", "runningContianers", "amContainerLogs")


@dataclass(frozen=True)
class Bench:
    """A simulated server as the command line puts it together, over a job that runs; nobody really waits."""

    built: backends.Built
    app: Any
    faults: FaultSet
    path: str
    application: str

    def shown(self) -> dict[str, Any]:
        """What stands in frameworkInfo."""
        response = ask(self.app, self.path)
        assert response.status == 200
        body: dict[str, Any] = json.loads(response.body)
        assert list(registry.validator("getAttempt", 200, "documented").iter_errors(body)) == []
        status: dict[str, Any] = body["frameworkInfo"]["jobStatus"]
        return status

    def failures(self) -> float:
        counted: dict[Any, float] = dict(self.built.backend.metrics.resource_manager_failures.figure().values)
        return sum(counted.values())


@pytest.fixture
def bench() -> Iterator[Bench]:
    settings = replace(Settings(), seed=3, jobs=60, at=1_795_465_000_000, frozen=True)
    built = simulated_backend.simulated_backend(settings)  # as the command puts it together
    simulation, faults = built.simulation, built.faults
    assert isinstance(simulation, Simulation)
    assert isinstance(faults, FaultSet)
    faults.waiting = Waiting(simulation.clock, pause=lambda _: simulation.clock.advance(100))
    summary = next(each for each in simulation.launcher.summaries(Ask()) if each.state.value == "APPLICATION_RUNNING")
    path = f"/api/v2/frameworks/{summary.name}/attempts/{summary.retries.total}"
    app = create_app(built.backend, settings)
    yield Bench(built, app, faults, path, str(summary.application_id))
    built.close()


FAILING = (
    {"kind": "unavailable"},
    {"kind": "throttled"},
    {"kind": "error_status", "status": 500},
    {"kind": "error_status", "status": 404},
    {"kind": "wrong_type"},
    {"kind": "malformed"},
    {"kind": "truncated"},
    {"kind": "empty"},
    {"kind": "reset"},
    {"kind": "timeout", "fixedDelayMilliseconds": 2000},
)
TELLING = (
    {"kind": "latency", "fixedDelayMilliseconds": 2000},
    {"kind": "dribble", "totalDuration": 300},
    {"kind": "stale"},
    {"kind": "contradictory"},
)


@pytest.mark.parametrize("fault", FAILING, ids=lambda fault: str(fault["kind"]))
def test_figures_that_fail_are_zeros_and_nulls_and_counted(
    bench: Bench, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    whole = bench.shown()
    assert whole["allocatedMB"] > 0
    assert whole["amContainerLogs"] is not None
    bench.faults.add({**fault, "operation": "application"})
    with caplog.at_level(logging.INFO, "restserver.launchers.missed_figures"):
        shown = bench.shown()
    assert [shown[key] for key in FIGURES] == [0, 0, None]
    assert bench.failures() == 1
    assert bench.application in caplog.text
    bench.faults.clear()
    assert bench.shown() == whole  # and nothing of it was kept


@pytest.mark.parametrize("fault", TELLING, ids=lambda fault: str(fault["kind"]))
def test_figures_that_are_late_or_wrong_are_told(bench: Bench, fault: dict[str, Any]) -> None:
    before = bench.shown()
    bench.faults.add({**fault, "operation": "application"})
    shown = bench.shown()
    assert bench.failures() == 0
    assert (shown["runningContianers"] == before["runningContianers"] + 7) == (fault["kind"] == "contradictory")


def test_every_kind_of_the_launchers_side_was_met() -> None:
    from simulator.faults.kinds import KINDS

    assert {each["kind"] for each in (*FAILING, *TELLING)} == {
        word for word, kind in KINDS.items() if kind.launcher is not None
    }


def test_a_fault_of_the_launcher_is_none_of_the_resource_manager(bench: Bench) -> None:
    whole = bench.shown()
    bench.faults.add({"kind": "unavailable", "operation": "versions"})
    bench.faults.add({"kind": "unavailable", "operation": "application", "name": "application_1_*"})
    bench.faults.add({"kind": "latency", "fixedDelayMilliseconds": 1})
    assert bench.shown()["allocatedMB"] == whole["allocatedMB"]
    assert bench.failures() == 0


def test_the_list_of_applications_fails_as_a_launcher_does(bench: Bench) -> None:
    manager = bench.built.backend.resource_manager
    assert next(manager.applications(0, Ask())).id.startswith("application_")
    bench.faults.add({"kind": "unavailable", "operation": "applications", "reason": "Nobody is at home."})
    with pytest.raises(Exception, match="Nobody is at home"):
        manager.applications(0, Ask())


# --- where it is served ---------------------------------------------------------------------------------------------

APPS = "/ws/v1/cluster/apps"


def _some_application(served: Served) -> Application:
    return next(served.simulation.resource_manager.applications(0, Ask()))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("fault", "status", "named"),
    [
        ({"kind": "unavailable"}, 503, "StandbyException"),
        ({"kind": "throttled"}, 429, "StandbyException"),
        ({"kind": "error_status", "status": 404}, 404, "NotFoundException"),
        ({"kind": "error_status", "status": 403}, 403, "ForbiddenException"),
        ({"kind": "error_status", "status": 400}, 400, "BadRequestException"),
        ({"kind": "error_status", "status": 500}, 500, "StandbyException"),
    ],
)
def test_a_served_resource_manager_fails_in_its_own_words(
    open_launcher: Served, fault: dict[str, Any], status: int, named: str
) -> None:
    path = f"{APPS}/{_some_application(open_launcher).id}"
    open_launcher.faults.add({**fault, "operation": "application"})
    sent = open_launcher.get(path)
    assert sent.status == status
    assert json.loads(sent.body)["RemoteException"]["exception"] == named
    assert open_launcher.get(APPS).status == 200  # another operation
    assert open_launcher.get("/v1/Frameworks").status == 200  # another program


def test_its_wire_breaks_as_the_launchers_does(open_launcher: Served) -> None:
    path = f"{APPS}/{_some_application(open_launcher).id}"
    open_launcher.faults.add({"kind": "malformed", "operation": "application", "ttl": 1})
    with pytest.raises(ValueError, match=r".*"):
        json.loads(open_launcher.get(path).body)
    open_launcher.clock.advance(1000)
    assert json.loads(open_launcher.get(path).body)["app"]["id"]


def test_what_is_no_document_of_its_own_is_answered_for_wrong_types(open_launcher: Served) -> None:
    open_launcher.faults.add({"kind": "wrong_type", "operation": "applications"})
    open_launcher.faults.add({"kind": "contradictory", "operation": "application"})
    assert json.loads(open_launcher.get(APPS).body) == []
    told = json.loads(open_launcher.get(f"{APPS}/{_some_application(open_launcher).id}").body)["app"]
    assert told["reservedMB"] == 1 << 20
    assert send(open_launcher.app, "GET", f"{APPS}/application_1_0001").status == 404


def test_a_fault_of_the_api_is_about_its_own_operations() -> None:
    from simulator.problems import BadInput

    faults = FaultSet(VirtualClock(0, frozen=True))
    with pytest.raises(BadInput, match="operation"):
        faults.add({"kind": "latency", "fixedDelayMilliseconds": 1, "side": "api", "operation": "application"})
