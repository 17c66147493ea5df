"""The cluster as its resource manager tells it: the keys of the recorded one, and sums that agree with what lives."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.launcher.port import Ask
from simulator.http.simulation import yarn_server
from tests.simulator.test_http_server import Served, open_launcher
from tests.wire_exchange import send

__all__ = ["open_launcher"]

RECORDING = Path(__file__).parents[2] / "fixtures" / "recordings" / "s16a-side-channels.jsonl.gz"
CLUSTER = "/ws/v1/cluster"


def recorded(path: str) -> Any:
    with gzip.open(RECORDING) as file:
        lines = (json.loads(line) for line in file)
        body = next(line["response"]["body"] for line in lines if line["request"]["path"] == path)
    return json.loads(body)


def shape(document: object, at: str = "") -> Iterator[str]:
    """Every path, with the type of what stands there; of a list its first item."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from shape(value, f"{at}.{key}")
    elif isinstance(document, list):
        yield from shape(document[0], f"{at}[]") if document else ()
    else:
        yield f"{at}: {type(document).__name__}"


@pytest.mark.no_cover
@pytest.mark.parametrize("path", ["info", "metrics", "nodes", "scheduler"])
def test_each_document_has_the_shape_of_the_recorded_one(open_launcher: Served, path: str) -> None:
    ours, real = (
        list(shape(told)) for told in (open_launcher.told(f"{CLUSTER}/{path}"), recorded(f"{CLUSTER}/{path}"))
    )
    # A scheduler's health is about its own last runs; there is none here that runs.
    assert ours == [line for line in real if ".health." not in line]


def test_the_root_is_the_info(open_launcher: Served) -> None:
    assert open_launcher.told(CLUSTER) == open_launcher.told(f"{CLUSTER}/info")
    started = open_launcher.told(CLUSTER)["clusterInfo"]["startedOn"]
    newest = next(open_launcher.simulation.resource_manager.applications(0, Ask()))
    assert newest.id.split("_")[1] == str(started)


def test_nodes_queues_and_sums_agree(open_launcher: Served) -> None:
    nodes = open_launcher.told(f"{CLUSTER}/nodes")["nodes"]["node"]
    metrics = open_launcher.told(f"{CLUSTER}/metrics")["clusterMetrics"]
    queues = open_launcher.told(f"{CLUSTER}/scheduler")["scheduler"]["schedulerInfo"]["queues"]["queue"]
    apps = open_launcher.told(f"{CLUSTER}/apps")["apps"]["app"]
    live = sum(max(0, app["allocatedMB"]) for app in apps)
    assert live > 0
    assert sum(node["usedMemoryMB"] for node in nodes) == metrics["allocatedMB"] == live
    assert sum(queue["resourcesUsed"]["memory"] for queue in queues) == live
    assert sum(queue["numActiveApplications"] for queue in queues) == metrics["appsRunning"] > 0
    assert sum(node["numContainers"] for node in nodes) == metrics["containersAllocated"]
    assert metrics["appsSubmitted"] == len(apps)
    assert sum(queue["capacity"] for queue in queues) == pytest.approx(100)
    assert {queue["queueName"] for queue in queues} == {"default", "research", "production", "interactive"}
    assert all(node["usedMemoryMB"] + node["availMemoryMB"] == 262_144 for node in nodes if node["availMemoryMB"])


def test_a_queue_lets_everybody_in_and_says_so_as_a_text(open_launcher: Served) -> None:
    access = f"{CLUSTER}/queues/research/access"
    allowed = open_launcher.told(f"{access}?user=alice&queue-acl-type=SUBMIT_APPLICATIONS")
    assert allowed["allowed"] == "true"
    for path, status in ((f"{CLUSTER}/queues/none/access?user=a", 404), (access, 400)):
        sent = open_launcher.get(path)
        assert sent.status == status
        assert "RemoteException" in json.loads(sent.body)


def test_what_an_application_waits_for_can_be_asked_for(open_launcher: Served) -> None:
    waiting = next(app for app in open_launcher.told(f"{CLUSTER}/apps")["apps"]["app"] if app.get("resourceRequests"))
    told = open_launcher.told(f"{CLUSTER}/apps/{waiting['id']}/resourceRequests")["resourceRequests"]
    assert [each["numContainers"] for each in told] == [each["numContainers"] for each in waiting["resourceRequests"]]
    assert told[0]["capacityInfo"]


def recorded_applications() -> Iterator[dict[str, Any]]:
    for file in sorted(RECORDING.parent.glob("s0*.jsonl.gz")):
        with gzip.open(file, "rt") as lines:
            for line in lines:
                if '"/ws/v1/cluster/apps/application' in line and '"GET"' in line:
                    body = json.loads(json.loads(line)["response"]["body"])
                    if "app" in body:
                        yield body["app"]


@pytest.mark.no_cover
def test_each_application_has_the_keys_of_the_recorded_ones_in_its_state(open_launcher: Served) -> None:
    kinds: dict[tuple[str, bool], set[tuple[str, ...]]] = {}
    for app in recorded_applications():
        kinds.setdefault((app["state"], app["allocatedMB"] > 0), set()).add(tuple(app))
    met = set()
    for app in open_launcher.told(f"{CLUSTER}/apps")["apps"]["app"]:
        kind = app["state"], app["allocatedMB"] > 0
        if kind in kinds:
            met.add(kind)
            assert tuple(app) in kinds[kind], app["id"]
    assert {("RUNNING", True), ("ACCEPTED", False), ("FINISHED", False)} <= met


USED = {
    "name": "me~used",
    "descriptor": {"user": "me", "roles": {"w": {"tasks": 2, "memory_mb": 1000, "cpu": 3}}},
    "containers": [{"run": "PT10M"}],
}


@pytest.mark.no_cover
def test_what_an_application_used_grows_as_recorded(open_launcher: Served) -> None:
    """Stepwise while it runs, and by what its containers held: the master's and the tasks'."""
    open_launcher.simulation.journal.tell("me~used", USED)
    open_launcher.clock.advance(60_000)
    identity = open_launcher.told("/v1/Frameworks/me~used/FrameworkStatus")["applicationId"]
    seen: list[tuple[int, int, dict[str, Any]]] = []
    for _ in range(700):
        open_launcher.clock.advance(1000)
        application = open_launcher.told(f"{CLUSTER}/apps/{identity}")["app"]
        seen.append((application["memorySeconds"], application["vcoreSeconds"], application))
    memory = [each for each, _, _ in seen]
    assert memory == sorted(memory)
    running = [app for _, _, app in seen if app["runningContainers"] == 3]
    assert len(running) > 500
    grown = running[-1]["memorySeconds"] - running[0]["memorySeconds"]
    master = running[0]["resourceInfo"]["resourceUsagesByPartition"][0]["amUsed"]["memory"]
    assert grown == pytest.approx((master + 2000) * (len(running) - 1), rel=0.01)
    assert len({app["memorySeconds"] for app in running}) == pytest.approx(len(running) / 3, rel=0.05)
    assert running[0]["resourceInfo"]["resourceUsagesByPartition"][0]["used"] == {
        "memory": master + 2000,
        "vCores": running[0]["allocatedVCores"],
    }
    over = seen[-1][2]
    assert over["allocatedMB"] == -1
    assert "resourceInfo" not in over
    assert over["vcoreSeconds"] == seen[-30][1] > 3 * 2 * 600


def test_a_job_group_is_killed_as_a_whole(open_launcher: Served) -> None:
    def living() -> list[tuple[str, str]]:
        return [
            (tag[4:].partition("_")[0], summary.application_id)
            for summary in open_launcher.simulation.launcher.summaries(Ask())
            for tag in summary.tags
            if tag.startswith("GID-") and summary.application_id and summary.completed_timestamp is None
        ]

    group, application_id = living()[0]
    assert send(open_launcher.app, "DELETE", f"{CLUSTER}/appgroups/{group}").status == 202
    assert open_launcher.told(f"{CLUSTER}/apps/{application_id}")["app"]["state"] == "KILLED"
    assert send(open_launcher.app, "DELETE", f"{CLUSTER}/appgroups/none").status == 404


def test_the_rest_of_what_a_consumer_asks_is_answered(open_launcher: Served) -> None:
    assert open_launcher.told(f"{CLUSTER}/users/alice/groups") == {"groups": {"group": ["alice"]}}
    refused = open_launcher.put(f"{CLUSTER}/scheduler-conf", {})
    assert (refused.status, list(json.loads(refused.body))) == (400, ["RemoteException"])
    running = open_launcher.told(f"{CLUSTER}/apps?states=RUNNING")["apps"]["app"][0]
    routes = yarn_server(open_launcher.simulation, open_launcher.faults)
    page = send(routes, "GET", f"/cluster/app/{running['id']}")
    assert page.values("Content-Type") == ["text/html; charset=utf-8"]
    assert f'<a href="{running["amContainerLogs"]}">Logs</a>'.encode() in page.body
    assert send(routes, "GET", "/cluster/app/application_1_0001").status == 404
