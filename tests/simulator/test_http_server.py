"""A simulation served as the launcher itself: the calls of its consumers, in both dialects, over a world that lives."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

import pytest

from contracts.clock import VirtualClock
from contracts.launcher import open_dialect, private_dialect
from contracts.launcher.port import Ask
from contracts.launcher.resource_manager import APPLICATIONS_PATH
from restserver.serving.waitress_server import serving
from simulator.faults.faults import FaultSet
from simulator.faults.faulty import FaultyWire, asked_of_launcher
from simulator.faults.waiting import Waiting
from simulator.http.access import Access
from simulator.http.simulation import launcher_server, yarn_server
from simulator.http.yarn_paths import PREFIX
from simulator.launcher import simulated
from simulator.simulation import Simulation
from tests.simulator import served_world
from tests.wire_exchange import Sent, send

AT = 1_795_465_000_000
JSON = {"Content-Type": "application/json"}
MINUTE = 60_000


@dataclass(frozen=True)
class Served:
    app: WSGIApplication
    simulation: Simulation
    faults: FaultSet
    clock: VirtualClock

    def get(self, path: str, **headers: str) -> Sent:
        return send(self.app, "GET", path, headers)

    def told(self, path: str) -> Any:
        sent = self.get(path)
        assert sent.status == 200, sent
        return json.loads(sent.body)

    def put(self, path: str, body: object, **headers: str) -> Sent:
        return send(self.app, "PUT", path, {**JSON, **headers}, json.dumps(body).encode())

    def delete(self, path: str) -> Sent:
        return send(self.app, "DELETE", path)


def served(dialect: str, access: Access | None = None, jobs: int = 40) -> Served:
    clock = VirtualClock(AT, frozen=True)
    simulation = Simulation(1, jobs, clock)
    faults = FaultSet(clock, Waiting(clock, pause=lambda _: clock.advance(100)))
    yarn = yarn_server(simulation, faults, lambda: {"X-Simulated": "yes"})
    app = launcher_server(simulation, dialect, faults, lambda: {"X-Simulated": "yes"}, [(PREFIX, yarn)], access=access)
    return Served(FaultyWire(app, faults, "launcher", asked_of_launcher), simulation, faults, clock)


@pytest.fixture
def open_launcher() -> Served:
    return served("open")


@pytest.fixture
def private_launcher() -> Served:
    return served("private")


def role(tasks: int = 1, **more: object) -> dict[str, object]:
    resource = {"cpuNumber": 1, "memoryMB": 256}
    service = {"version": 1, "entryPoint": "true", "sourceLocations": ["/x"], "resource": resource}
    return {"taskNumber": tasks, "taskService": service, **more}


def framework(version: int = 1, tasks: int = 1, **more: object) -> dict[str, object]:
    return {"version": version, "user": {"name": "alice"}, "taskRoles": {"w": role(tasks)}, **more}


F = "/v1/Frameworks/alice~f"


# --- the open dialect: a life ---------------------------------------------------------------------------------------


def test_a_submitted_framework_is_there_at_once_and_lives(open_launcher: Served) -> None:
    assert open_launcher.get(F).status == 404
    sent = open_launcher.put(F, framework(tasks=2), LaunchClientType="WEB_UI")
    assert (sent.status, sent.body, sent.values("Location")) == (202, b"", [f"http://127.0.0.1:9086{F}"])
    told = open_launcher.told(F)
    assert told["summarizedFrameworkInfo"]["frameworkState"] == "FRAMEWORK_WAITING"
    request = told["aggregatedFrameworkRequest"]["frameworkRequest"]
    assert (request["launchClientType"], request["launchClientHostName"]) == ("WEB_UI", "127.0.0.1")
    open_launcher.clock.advance(3 * MINUTE)
    assert open_launcher.told(f"{F}/FrameworkStatus")["applicationId"] is not None


def test_the_parts_of_a_framework_stand_at_paths_of_their_own(open_launcher: Served) -> None:
    open_launcher.put(F, framework())
    open_launcher.clock.advance(3 * MINUTE)
    whole = open_launcher.told(F)
    assert open_launcher.told(f"{F}/FrameworkStatus") == whole["aggregatedFrameworkStatus"]["frameworkStatus"]
    assert open_launcher.told(f"{F}/AggregatedFrameworkStatus") == whole["aggregatedFrameworkStatus"]
    assert open_launcher.told(f"{F}/FrameworkRequest") == whole["aggregatedFrameworkRequest"]["frameworkRequest"]
    assert open_launcher.told(f"{F}/AggregatedFrameworkRequest") == whole["aggregatedFrameworkRequest"]
    assert open_dialect.decode_framework(whole).summary.name == "alice~f"


def test_a_stop_is_carried_out_and_a_finished_framework_stays_so(open_launcher: Served) -> None:
    open_launcher.put(F, framework())
    open_launcher.clock.advance(MINUTE)
    assert open_launcher.put(f"{F}/ExecutionType", {"executionType": "STOP"}).status == 202
    assert open_launcher.told(F)["summarizedFrameworkInfo"]["executionType"] == "STOP"
    open_launcher.clock.advance(3 * MINUTE)
    status = open_launcher.told(f"{F}/FrameworkStatus")
    assert (status["frameworkState"], status["applicationExitCode"]) == ("FRAMEWORK_COMPLETED", -7351)
    assert open_launcher.put(f"{F}/ExecutionType", {"executionType": "START"}).status == 202
    open_launcher.clock.advance(3 * MINUTE)
    assert open_launcher.told(f"{F}/FrameworkStatus")["applicationExitCode"] == -7351


def test_an_upgrade_begins_anew_up_or_down(open_launcher: Served) -> None:
    open_launcher.put(F, framework(version=3))
    open_launcher.clock.advance(2 * MINUTE)
    for version in (5, -2):
        assert open_launcher.put(F, framework(version=version)).status == 202
        assert open_launcher.told(f"{F}/FrameworkStatus")["frameworkVersion"] == version


def test_a_deleted_framework_is_gone_at_once_and_deleting_nothing_is_accepted(open_launcher: Served) -> None:
    open_launcher.put(F, framework())
    assert open_launcher.delete(F).status == 202
    assert open_launcher.get(F).status == 404
    assert open_launcher.delete(F).status == 202


def test_task_number_progress_and_migration_are_asked_for(open_launcher: Served) -> None:
    open_launcher.put(F, framework())
    assert open_launcher.put(f"{F}/TaskRoles/w/TaskNumber", {"taskNumber": "4"}).status == 202
    assert open_launcher.put(f"{F}/ApplicationProgress", {"applicationProgress": 1 / 3}).status == 202
    assert open_launcher.put(f"{F}/MigrateTasks/container_1", {}).status == 202
    told = open_launcher.told(f"{F}/AggregatedFrameworkRequest")
    assert told["frameworkRequest"]["frameworkDescriptor"]["taskRoles"]["w"]["taskNumber"] == 4
    assert told["overrideApplicationProgressRequest"] == {"applicationProgress": 0.33333334}
    assert told["migrateTaskRequests"] == {"container_1": {"antiAffinityLevel": "ANY"}}
    assert open_launcher.delete(f"{F}/MigrateTasks/container_1").status == 202
    for path in ("TaskRoles/none/TaskNumber", "../nobody/ExecutionType"):
        body = {"taskNumber": 1} if "Task" in path else {"executionType": "STOP"}
        assert open_launcher.put(f"{F}/{path}".replace("alice~f/../", ""), body).status == 404


def test_a_job_of_the_world_can_be_stopped_by_its_name(open_launcher: Served) -> None:
    summaries = open_launcher.told("/v1/Frameworks")["summarizedFrameworkInfos"]
    name = next(
        each["frameworkName"]
        for each in summaries
        if each["frameworkState"] == "APPLICATION_RUNNING" and not each["frameworkName"].startswith("story~")
    )
    assert open_launcher.put(f"/v1/Frameworks/{name}/ExecutionType", {"executionType": 1}).status == 202
    open_launcher.clock.advance(3 * MINUTE)
    assert open_launcher.told(f"/v1/Frameworks/{name}/FrameworkStatus")["applicationExitCode"] == -7351


def test_the_list_is_filtered_by_user_and_by_client(open_launcher: Served) -> None:
    open_launcher.put(F, framework(), LaunchClientType="DATA_DEPLOYMENT")

    def names(query: str) -> list[str]:
        told = open_launcher.told(f"/v1/Frameworks?{query}")["summarizedFrameworkInfos"]
        return [each["frameworkName"] for each in told]

    assert names("UserName=alice") == ["alice~f"]
    assert names("LaunchClientType=DATA_DEPLOYMENT") == ["alice~f"]
    assert names("UserName=nobody") == names("UserName=alice&LaunchClientType=LIB") == []
    assert len(names("")) > 1


def test_turning_the_clock_back_shows_the_world_without_what_was_done(open_launcher: Served) -> None:
    open_launcher.put(F, framework())
    put_cluster = open_launcher.put("/v1/LauncherRequest/ClusterConfiguration", {"nodes": {"n": {"gpuType": "K80"}}})
    assert put_cluster.status == 202
    open_launcher.clock.advance(-1)
    assert open_launcher.get(F).status == 404
    assert open_launcher.told("/v1/LauncherRequest/ClusterConfiguration") == {"nodes": None}
    open_launcher.clock.advance(1)
    assert open_launcher.get(F).status == 200
    assert open_launcher.told("/v1/LauncherRequest/ClusterConfiguration") == {"nodes": {"n": {"gpuType": "K80"}}}


def test_what_the_launcher_says_of_itself_is_the_pace_it_keeps(open_launcher: Served) -> None:
    told = open_launcher.told("/v1/LauncherStatus")
    configuration = told["launcherConfiguration"]
    assert configuration["webServerStatusPullIntervalSec"] == 20
    assert (configuration["webServerAclEnable"], told["hadoopLibrarySupportsGpu"]) == (False, True)
    assert {"code": 193, "type": "TRANSIENT_NORMAL"}.items() <= told["userContainerExitSpec"]["spec"][-2].items()


def test_every_answer_says_that_it_is_simulated(open_launcher: Served) -> None:
    paths = ("/v1", F, "/v1/nowhere", "/v1/Frameworks", APPLICATIONS_PATH, "/ws/v1/nowhere")
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS", "PATCH", "PUT"):
            assert send(open_launcher.app, method, path).values("X-Simulated") == ["yes"], (method, path)


# --- parents and children -------------------------------------------------------------------------------------------


def child(of: str, **how: object) -> dict[str, object]:
    return framework(parentFramework={"parentFrameworkName": of, **how})


def execution_type(launcher: Served, name: str) -> Any:
    return launcher.told(f"/v1/Frameworks/{name}")["summarizedFrameworkInfo"]["executionType"]


def test_children_stop_with_their_parents_and_theirs_with_them(open_launcher: Served) -> None:
    open_launcher.put("/v1/Frameworks/parent", framework())
    open_launcher.put("/v1/Frameworks/child", child("parent", stopOnParentStopped=True))
    open_launcher.put("/v1/Frameworks/grandchild", child("child", stopOnParentStopped=True))
    open_launcher.put("/v1/Frameworks/independent", child("parent"))
    open_launcher.put("/v1/Frameworks/parent/ExecutionType", {"executionType": "STOP"})
    assert [execution_type(open_launcher, name) for name in ("child", "grandchild", "independent")] == [
        "STOP",
        "STOP",
        "START",
    ]
    assert open_launcher.put("/v1/Frameworks/late", child("parent", stopOnParentStopped=True)).status == 202
    assert execution_type(open_launcher, "late") == "STOP"


def test_those_that_stop_with_each_other_stop_once(open_launcher: Served) -> None:
    open_launcher.put("/v1/Frameworks/a", child("b", stopOnParentStopped=True))
    open_launcher.put("/v1/Frameworks/b", child("a", stopOnParentStopped=True))
    assert open_launcher.put("/v1/Frameworks/a/ExecutionType", {"executionType": "STOP"}).status == 202
    assert execution_type(open_launcher, "b") == "STOP"


def test_orphans_go_only_when_a_name_is_deleted_that_was_not_there(open_launcher: Served) -> None:
    open_launcher.put("/v1/Frameworks/parent", framework())
    assert open_launcher.put("/v1/Frameworks/child", child("parent", deleteOnParentDeleted=True)).status == 202
    open_launcher.delete("/v1/Frameworks/parent")
    assert open_launcher.get("/v1/Frameworks/child").status == 200
    assert open_launcher.put("/v1/Frameworks/other", child("parent", deleteOnParentDeleted=True)).status == 400
    open_launcher.delete("/v1/Frameworks/parent")
    assert open_launcher.get("/v1/Frameworks/child").status == 404


def test_one_that_is_its_own_parent_is_let_in(open_launcher: Served) -> None:
    assert open_launcher.put("/v1/Frameworks/self", child("self", deleteOnParentDeleted=True)).status == 202


# --- another profile --------------------------------------------------------------------------------------------------


def test_the_launcher_tells_the_pace_of_the_profile_that_it_has_now(open_launcher: Served) -> None:
    def told() -> tuple[int, int]:
        configuration = open_launcher.told("/v1/LauncherStatus")["launcherConfiguration"]
        return configuration["webServerStatusPullIntervalSec"], configuration["amDiagnosticsMaxBytes"]

    assert told() == (20, 327_680)
    open_launcher.simulation.populate(profile="tiny")
    assert told() == (1, 49_152)


# --- limits and access ----------------------------------------------------------------------------------------------


def test_a_world_of_many_jobs_still_lets_people_in() -> None:
    launcher = served("open", jobs=1_000_000)
    assert launcher.put(F, framework(tasks=50_000)).status == 202
    assert launcher.get(F).status == 200


def test_names_without_a_namespace_are_nobodys_where_they_are_not_ignored() -> None:
    launcher = served("open", Access(ignores_no_namespace=False))
    sent = launcher.put("/v1/Frameworks/plain", framework(), UserName="alice")
    assert sent.status == 400
    assert launcher.put(F, framework(), UserName="alice").status == 202


def test_a_body_larger_than_any_descriptor_is_refused(open_launcher: Served) -> None:
    sent = send(open_launcher.app, "PUT", F, JSON, b" " * (8 * 1024 * 1024 + 1))
    assert sent.status == 400


# --- the private dialect --------------------------------------------------------------------------------------------


def private_submission(**more: object) -> dict[str, object]:
    resource = {"Name": "r", "Element": {"CpuNumber": 2, "MemoryMB": 512}}
    service = {"Version": 1, "EntryPoint": "true", "SourceLocations": ["/x"], "Resource": resource}
    element = {
        "TaskNumber": 3,
        "TaskRetryPolicy": {"Name": "p", "Element": {"MaxRetryCount": 1, "FancyRetryPolicy": True}},
        "TaskService": {"Name": "s", "Element": service},
    }
    return {
        "Version": 1,
        "Owner": {"Name": "alice", "Element": {"Password": None}},
        "RetryPolicy": {"Name": "p", "Element": {"MaxRetryCount": 0, "FancyRetryPolicy": True}},
        "TaskRoles": [{"Name": "worker", "Element": element}],
        "PlatformSpecificParameters": {
            "Name": "p",
            "Element": {
                "Queue": "prod",
                "AMNodeLabel": None,
                "Tags": ["GID-7_x"],
                "AMResource": {"CpuNumber": 1, "MemoryMB": 9},
            },
        },
        **more,
    }


P = "/v1/Frameworks/driver_job"


def test_the_private_consumer_submits_looks_and_stops(private_launcher: Served) -> None:
    assert private_launcher.get(f"{P}/FrameworkRequest").status == 404
    sent = private_launcher.put(P, private_submission(), Accept="application/json", Authorization="Bearer x")
    assert (sent.status, sent.values("Location")) == (202, [f"http://127.0.0.1:9086{P}"])
    assert private_launcher.get(f"{P}/FrameworkRequest").status == 200
    told = private_launcher.told("/v1/SummaryFrameworks/driver_job?user.name=alice")
    record = private_dialect.decode_framework(told)
    summary = record.summary
    assert (summary.user_name, summary.queue, summary.total_task_number) == ("alice", "prod", 3)
    assert (summary.total_cpu_number, summary.total_memory_mb) == (6, 1536)
    assert summary.tags == ("GID-7_x",)
    before = private_launcher.simulation.state()
    private_launcher.simulation.restore(before)
    assert private_launcher.told("/v1/SummaryFrameworks/driver_job") == told
    assert private_launcher.put(f"{P}/ExecutionType", {"ExecutionType": "STOP"}).status == 202
    private_launcher.clock.advance(3 * MINUTE)
    told = private_launcher.told("/v1/SummaryFrameworks/driver_job")
    assert told["SummarizedFrameworkInfo"]["ApplicationExitCode"] == -170090
    assert private_launcher.delete(P).status == 202
    assert private_launcher.get("/v1/SummaryFrameworks/driver_job").status == 404


def test_the_private_dialect_tells_the_past(private_launcher: Served) -> None:
    names = [each.name for each in private_launcher.simulation.launcher.summaries(Ask())]
    assert len(private_launcher.told("/v1/SummaryFrameworks")["SummarizedFrameworkInfos"]) == len(names)
    for name in names:
        path = f"/v1/SummaryFrameworks/{name}/Versions"
        for version in private_launcher.told(path)["FrameworkVersions"]:
            attempts = private_launcher.told(f"{path}/{version}/Attempts")["FrameworkAttempts"]
            assert attempts == sorted(attempts)
            for attempt in attempts:
                told = private_launcher.told(f"{path}/{version}/Attempts/{attempt}")
                assert private_dialect.decode_framework(told).status.retries.total == attempt


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nobody/Versions", 404),
        ("nobody/Versions/1/Attempts", 404),
        ("nobody/Versions/1/Attempts/0", 404),
        ("nobody/Versions/NaN/Attempts", 400),
        ("nobody/Versions/1/Attempts/x", 400),
    ],
)
def test_what_the_private_dialect_cannot_answer(private_launcher: Served, path: str, status: int) -> None:
    sent = private_launcher.get(f"/v1/SummaryFrameworks/{path}")
    assert sent.status == status
    assert json.loads(sent.body)["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ([], 400),
        ({}, 400),
        (private_submission(TaskRoles=[{"Element": {}}]), 400),
        (private_submission(TaskRoles=[{"Name": "w", "Element": 5}]), 400),
        (private_submission(TaskRoles=[{"Name": "w", "Element": {"TaskNumber": 1, "TaskService": 5}}]), 400),
        (private_submission(TaskRoles="w"), 400),
        (private_submission(RetryPolicy=7), 400),
        (private_submission(PlatformSpecificParameters=7), 400),
        (private_submission(Version="x"), 400),
        (private_submission(Owner=None), 202),
    ],
)
def test_private_submissions_are_judged_by_the_open_rules(private_launcher: Served, body: object, status: int) -> None:
    assert private_launcher.put(P, body).status == status


def test_stopping_nothing_in_the_private_dialect(private_launcher: Served) -> None:
    for body, status in (({"ExecutionType": "STOP"}, 404), ({}, 400), (None, 400), ([], 400)):
        assert private_launcher.put(f"{P}/ExecutionType", body).status == status


# --- the resource manager -------------------------------------------------------------------------------------------


def applications(launcher: Served, query: str = "") -> list[Any]:
    told = launcher.told(f"{APPLICATIONS_PATH}?{query}")["apps"]
    return [] if told is None else list(told["app"])


def test_applications_are_listed_filtered_and_cut(open_launcher: Served) -> None:
    everything = applications(open_launcher)
    assert everything == applications(open_launcher, "applicationTypes=LAUNCHER")
    assert applications(open_launcher, "applicationTypes=SPARK") == []
    states = {each["state"] for each in everything}
    for state in states:
        found = applications(open_launcher, f"states={state}")
        assert found == [each for each in everything if each["state"] == state]
    started = sorted(each["startedTime"] for each in everything)
    middle = started[len(started) // 2]
    assert len(applications(open_launcher, f"startedTimeBegin={middle}")) == sum(each >= middle for each in started)
    assert len(applications(open_launcher, f"startedTimeEnd={middle}")) == sum(each <= middle for each in started)
    assert len(applications(open_launcher, "limit=2")) == 2
    user, queue = everything[0]["user"], everything[0]["queue"]
    assert {each["user"] for each in applications(open_launcher, f"user={user}&queue={queue}")} == {user}


@pytest.mark.parametrize("query", ["states=HAPPY", "limit=-1", "startedTimeBegin=soon"])
def test_a_query_the_resource_manager_does_not_know_is_refused_wrapped(open_launcher: Served, query: str) -> None:
    sent = open_launcher.get(f"{APPLICATIONS_PATH}?{query}")
    assert sent.status == 400
    assert set(json.loads(sent.body)["RemoteException"]) == {"exception", "message", "javaClassName"}


def test_one_application_its_state_and_its_masters(open_launcher: Served) -> None:
    everything = applications(open_launcher)
    assert {"amContainerLogs" in application for application in everything} == {True, False}
    for application in everything:
        path = f"{APPLICATIONS_PATH}/{application['id']}"
        assert open_launcher.told(path) == {"app": application}
        assert open_launcher.told(f"{path}/state") == {"state": application["state"]}
        masters = open_launcher.told(f"{path}/appattempts")["appAttempts"]
        if "amContainerLogs" in application:
            assert masters["appAttempt"][-1]["logsLink"] == application["amContainerLogs"]
            assert masters["appAttempt"][-1]["appAttemptId"].startswith("appattempt_")
        else:
            assert masters is None


def test_an_unknown_application_is_told_wrapped(open_launcher: Served) -> None:
    sent = open_launcher.get(f"{APPLICATIONS_PATH}/application_1_0001")
    error = json.loads(sent.body)["RemoteException"]
    assert sent.status == 404
    assert error["message"] == "java.lang.Exception: app with id: application_1_0001 not found"
    assert send(open_launcher.app, "HEAD", f"{APPLICATIONS_PATH}/application_1_0001").status == 404
    assert send(open_launcher.app, "POST", APPLICATIONS_PATH).status == 404


def test_an_application_is_killed_through_yarn(open_launcher: Served) -> None:
    running = applications(open_launcher, "states=RUNNING")[0]
    path = f"{APPLICATIONS_PATH}/{running['id']}/state"
    for body, status in (({"state": "PAUSED"}, 400), ([], 400), (None, 400)):
        assert open_launcher.put(path, body).status == status
    assert send(open_launcher.app, "PUT", path, JSON, b"{").status == 400
    sent = open_launcher.put(path, {"state": "KILLED"})
    assert (sent.status, json.loads(sent.body)) == (202, {"state": "KILLING"})
    open_launcher.clock.advance(MINUTE)
    assert open_launcher.told(path) == {"state": "KILLED"}
    again = open_launcher.put(path, {"state": "KILLED"})
    assert (again.status, json.loads(again.body)) == (200, {"state": "KILLED"})


# --- faults, over the wire ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "named"),
    [
        ({"kind": "unavailable"}, 503, "TransientException"),
        ({"kind": "throttled", "retryAfter": 9}, 429, "ThrottledRequestException"),
        ({"kind": "throttled", "status": 503}, 503, "TransientException"),
        ({"kind": "error_status", "status": 400}, 400, "BadRequestException"),
        ({"kind": "error_status", "status": 404}, 404, "NotFoundException"),
    ],
)
def test_a_launcher_that_fails_answers_with_its_own_error_object(
    open_launcher: Served, fault: dict[str, object], status: int, named: str
) -> None:
    open_launcher.put(F, framework())
    open_launcher.faults.add(fault)
    sent = open_launcher.get(F)
    assert (sent.status, json.loads(sent.body)["exception"]) == (status, named)
    assert sent.values("Retry-After") == ([str(fault.get("retryAfter", 20))] if fault["kind"] == "throttled" else [])


def test_wrong_types_are_wrong_over_http_too(open_launcher: Served) -> None:
    open_launcher.put(F, framework())
    open_launcher.faults.add({"kind": "wrong_type"})
    assert open_launcher.told(F) == []


def test_an_error_status_that_no_exception_maps_to_is_sent_as_it_is(open_launcher: Served) -> None:
    open_launcher.faults.add({"kind": "error_status", "status": 500})
    assert open_launcher.get("/v1/Frameworks").status == 500


@contextmanager
def connected(launcher: Served) -> Iterator[http.client.HTTPConnection]:
    with serving(launcher.app) as url:
        connection = http.client.HTTPConnection(str(urlsplit(url).hostname), int(urlsplit(url).port or 0), timeout=10)
        try:
            yield connection
        finally:
            connection.close()


def asked(connection: http.client.HTTPConnection) -> bytes:
    connection.request("GET", "/v1/Frameworks")
    return connection.getresponse().read()


def test_the_faults_of_the_wire_on_a_real_wire(open_launcher: Served) -> None:
    with connected(open_launcher) as connection:
        whole = asked(connection)

        def hears(**fault: object) -> bytes:
            made = open_launcher.faults.add(fault)
            try:
                return asked(connection)
            finally:
                open_launcher.faults.remove(made.id)
                connection.close()

        garbled = hears(kind="malformed")
        assert garbled[:100] == whole[:100]
        with pytest.raises(ValueError):  # noqa: PT011  # whichever of bad UTF-8 and bad JSON comes first
            json.loads(garbled)
        with pytest.raises(http.client.IncompleteRead):
            hears(kind="truncated")
        assert hears(kind="dribble", numberOfChunks=7, totalDuration=700) == whole
        with pytest.raises(http.client.RemoteDisconnected):
            hears(kind="empty")
        with pytest.raises(ConnectionResetError) as reset:
            hears(kind="reset")
        assert not isinstance(reset.value, http.client.RemoteDisconnected)
        with pytest.raises(http.client.RemoteDisconnected):
            hears(kind="timeout", fixedDelayMilliseconds=300)
        assert asked(connection) == whole


def test_a_connection_is_kept_from_answer_to_answer(open_launcher: Served) -> None:
    with connected(open_launcher) as connection:
        asked(connection)
        kept = connection.sock
        asked(connection)
        assert connection.sock is kept
        assert kept is not None


# --- what a launcher cannot do --------------------------------------------------------------------------------------


def test_a_change_that_cannot_be_kept_is_not_accepted(open_launcher: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.journal.MOST_ENTRIES", 0)
    sent = open_launcher.put(F, framework())
    assert (sent.status, json.loads(sent.body)["exception"]) == (503, "TransientException")
    assert "no more" in json.loads(sent.body)["message"]
    assert open_launcher.get(F).status == 404


def test_a_resource_manager_that_nobody_can_kill_through_says_so() -> None:
    clock = VirtualClock(AT, frozen=True)
    launcher, manager = simulated(seed=2, jobs=40, clock=clock)
    app = served_world.served("open", launcher, manager, clock)
    running = json.loads(send(app, "GET", f"{APPLICATIONS_PATH}?states=RUNNING").body)["apps"]["app"][0]["id"]
    sent = send(app, "PUT", f"{APPLICATIONS_PATH}/{running}/state", JSON, b'{"state": "KILLED"}')
    assert (sent.status, json.loads(sent.body)["RemoteException"]["exception"]) == (403, "ForbiddenException")


@pytest.mark.parametrize("dialect", ["open", "private"])
def test_half_of_a_surrogate_pair_in_one_framework_does_not_break_the_list_of_all(dialect: str) -> None:
    server = served(dialect)
    half = "half a pair: \ud800"
    words = {"open": framework(description=half), "private": private_submission(Description=half)}[dialect]
    assert server.put("/v1/Frameworks/eve~half", words).status == 202
    listed = {"open": "/v1/Frameworks", "private": "/v1/SummaryFrameworks"}[dialect]
    assert "half a pair: \ufffd" in json.dumps(server.told(listed), ensure_ascii=False)
    assert server.get(f"{listed}/eve~half").status == 200


def test_a_target_with_scheme_and_authority_is_the_path_in_it() -> None:
    """As a proxy is asked, and every server has to understand (RFC 9112, 3.2.2)."""
    server = served("open")
    assert server.get("http://launcher.example:9086/v1/Frameworks").body == server.get("/v1/Frameworks").body
    sent = server.put("http://launcher.example:9086/v1/Frameworks/eve~far", framework())
    assert (sent.status, sent.values("Location")) == (202, ["http://127.0.0.1:9086/v1/Frameworks/eve~far"])
