"""Two replicas, an archiver and one in waiting, a shared history on PostgreSQL, a launcher: under load, each is killed in turn.

Clients see only documented answers and lose no attempt that they were told of; the history is the truth; metrics, readiness
and log tell what happened.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from restserver.history.database import Database
from restserver.history.store import Store
from tests.production.clients import Client, load, names_of
from tests.production.programs import Program, Told, ask, pause, running
from tests.restserver.history import postgres
from tests.restserver.history.truth import World, compared_with_the_truth

pytestmark = pytest.mark.proof

WORLD = World(seed=7, jobs=60, profile="failing")
RATE = 120
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = 40.0


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    programs = postgres.programs()
    if programs is None and not os.environ.get("CI"):
        pytest.skip("not on this machine: postgresql")
    assert programs is not None, "PostgreSQL is missing"
    with postgres.running_cluster(programs) as cluster:
        yield cluster


class Scene:
    """Everything that runs. What is killed comes back on its own port, the launcher at the time that has passed meanwhile."""

    def __init__(self, stack: ExitStack, folder: Path, history: str) -> None:
        self._stack = stack
        self._folder = folder
        self._began = datetime.now(UTC)
        self.launcher = self._launched("0")
        where = ("--launcher-url", self.launcher.told, "--rm-url", self.launcher.told, "--dialect", "open")
        self.kept = (*where, "--history", history, "--log-format", "json")
        serve = ("serve", "--backend", "launcher", *self.kept, "--archiver", "off", "--launcher-timeout", "2")
        self.replicas = [self._start(*serve, "-p", "0", log=f"replica{number}") for number in range(2)]
        archive = ("archive", *self.kept, "--poll-interval", "0.5")
        self.archivers = [self._start(*archive, log=f"archiver{number}") for number in range(2)]

    def get(self, first: int, path: str) -> Told:
        """From one replica, and from the other if that one is away: as a load balancer does."""
        try:
            return ask(self.replicas[first].told + path)
        except urllib3.exceptions.HTTPError:
            return ask(self.replicas[1 - first].told + path)

    def kill_launcher(self, away: float) -> None:
        port = _port(self.launcher)
        self.launcher.kill()
        pause(away)
        self.launcher = self._launched(port)

    def kill_replica(self, number: int, away: float) -> None:
        killed = self.replicas[number]
        killed.kill()
        pause(away)
        self.replicas[number] = self._start(*killed.arguments[:-1], _port(killed), log=killed.log.name)

    def kill_archiver(self, number: int, away: float) -> None:
        killed = self.archivers[number]
        killed.kill()
        pause(away)
        self.archivers[number] = self._start(*killed.arguments, log=killed.log.name)

    def log(self, name: str) -> str:
        return (self._folder / name).read_text()

    def _start(self, *arguments: str, log: str) -> Program:
        return self._stack.enter_context(running(*arguments, log=self._folder / log))

    def _launched(self, port: str) -> Program:
        at = BEGIN + (datetime.now(UTC) - self._began) * RATE
        world = ("--seed", str(WORLD.seed), "--jobs", str(WORLD.jobs), "--profile", WORLD.profile)
        time = ("--rate", str(RATE), "--at", at.isoformat(timespec="milliseconds"))
        return self._start(
            "simulate", "--dialect", "open", *world, *time, "--access-log", "off", "-p", port, log="launcher"
        )


def _port(program: Program) -> str:
    return program.told.rpartition(":")[2]


def until(what: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE * 10)):
        if what():
            return
        pause(0.1)
    pytest.fail("it did not come about")


def readiness(scene: Scene) -> list[tuple[int, dict[str, str]]]:
    told = [ask(f"{replica.told}/readyz") for replica in scene.replicas]
    return [(one.status, one.json()["parts"]) for one in told]


def all_well(scene: Scene) -> bool:
    return all(
        status == 200 and {parts[part] for part in ("launcher", "breaker", "history")} == {"ok"}
        for status, parts in readiness(scene)
    )


def test_each_part_is_killed_under_load(cluster: postgres.Cluster, tmp_path: Path) -> None:
    with ExitStack() as stack:
        scene = Scene(stack, tmp_path, cluster.url)
        until(lambda: all_well(scene))
        names = names_of(scene.launcher.told, 60)
        clients = [Client(partial(scene.get, number % 2), names, random.Random(number)) for number in range(4)]
        with load(clients, pause=0.01):
            for number in range(2):
                scene.kill_replica(number, away=1.5)
                until(lambda: all_well(scene))
            for number in range(2):
                scene.kill_archiver(number, away=3)
            scene.kill_launcher(away=4)
            until(lambda: all_well(scene))
            cluster.stop()
            until(lambda: all(status == 200 and parts["history"] != "ok" for status, parts in readiness(scene)))
            pause(2)
            cluster.start()
            until(lambda: all_well(scene))
            pause(3)
        _clients_saw_what_is_promised(clients)
        for one in scene.archivers:
            assert one.terminate() == 0
        now = _frozen(scene)
        archive = [sys.executable, "-m", "restserver", "archive", *scene.kept, "--once", "--log-level", "error"]
        for _ in range(3):
            subprocess.run(archive, check=True)
        assert _frozen(scene) == now
        _operators_see_what_happened(scene)
        for replica in scene.replicas:
            assert replica.terminate() == 0
    database = Database(cluster.url)
    try:
        compared, gaps = compared_with_the_truth(Store(database), WORLD, now)
    finally:
        database.close()
    assert compared > 40
    assert gaps < compared / 5  # with the launcher or the database away, nobody saw what went by


def _clients_saw_what_is_promised(clients: list[Client]) -> None:
    assert [complaint for client in clients for complaint in client.complaints] == []
    assert [lost for client in clients for lost in client.lost] == []
    for operation in ("getJob", "getAttempt", "getAttempts", "getVersions"):
        met = set().union(*(client.met(operation) for client in clients))
        # 500 while the launcher was away, for the lists also while the database was; never no answer at all.
        assert {200, 500} <= met <= {200, 404, 500}, (operation, met)


def _operators_see_what_happened(scene: Scene) -> None:
    failed_calls = 0.0
    for replica in scene.replicas:
        families = list(text_string_to_metric_families(ask(f"{replica.told}/metrics").body.decode()))
        samples = {sample.name: sample for family in families for sample in family.samples}
        assert samples["restserver_requests_total"].value > 0
        failed_calls += sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "restserver_launcher_calls_total" and sample.labels["outcome"] != "answered"
        )
    assert failed_calls > 0
    for number in range(2):
        lines = [json.loads(line) for line in scene.log(f"replica{number}").splitlines() if line.startswith("{")]
        assert any("history" in line["message"] and line["level"] == "warning" for line in lines)
        assert any(line.get("status") == 500 and line.get("request_id") for line in lines)
    assert any("the last poll failed" in scene.log(f"archiver{number}") for number in range(2))
    logs = [scene.log(f"{part}{number}") for part in ("replica", "archiver") for number in range(2)]
    assert not any("Traceback" in log for log in logs)


def _frozen(scene: Scene) -> str:
    now: str = ask(f"{scene.launcher.told}/__admin/clock", "PUT", {"action": "freeze"}).json()["now"]
    return now
