"""A real Prometheus with the example's rules and the dashboard's questions, over a server whose launcher goes away and returns.

It is told that a minute is a second: every duration and every age in the rules is that much shorter.
"""

import json
import random
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import urllib3

from contracts.clock import real_now
from tests.production.clients import Client, load, names_of
from tests.production.programs import ask, pause, running, start

pytestmark = [pytest.mark.proof, pytest.mark.needs("prometheus", "promtool")]

OPERATIONS = Path(__file__).parents[2] / "examples" / "operations"
PATIENCE = 60_000
"""Milliseconds until an alert has to be there, or gone."""
WHEN_THE_LAUNCHER_IS_AWAY = {"RestserverAnswersErrors", "RestserverLauncherLeftAlone", "RestserverArchiverLags"}
MAY_COME_WITH_IT = {"RestserverSlow", "RestserverHistoryGaps"}
SILENT_WHEN_WELL = ("restserver_resource_manager_failures_total", "restserver_breaker_opened_total")
"""Counters that are told once there is something to count."""


def quickened(rules: str) -> str:
    hours_and_minutes = re.sub(r"\b(\d+)h\b", lambda found: f"{60 * int(found[1])}m", rules)
    seconds = re.sub(r"\b(\d+)m\b", r"\1s", hours_and_minutes)
    return re.sub(r"(_seconds\) > )(\d+)", lambda found: f"{found[1]}{int(found[2]) // 60}", seconds)


class Prometheus:
    def __init__(self, url: str) -> None:
        self._url = url

    def value(self, query: str) -> list[dict[str, Any]]:
        told = ask(f"{self._url}/api/v1/query?query={quote(query)}").json()
        assert told["status"] == "success", (query, told)
        series: list[dict[str, Any]] = told["data"]["result"]
        return series

    def alerts(self, *states: str) -> set[str]:
        found = ask(f"{self._url}/api/v1/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] in states}

    def rules(self) -> dict[str, str]:
        """By name: ``ok``, or what is wrong with its expression."""
        (group,) = ask(f"{self._url}/api/v1/rules").json()["data"]["groups"]
        return {rule["name"]: rule["health"] for rule in group["rules"]}


@contextmanager
def prometheus(folder: Path, server: str) -> Iterator[Prometheus]:
    folder.mkdir()
    (folder / "rules.yaml").write_text(quickened((OPERATIONS / "prometheus-rules.yaml").read_text()))
    target = server.removeprefix("http://")
    configuration = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "restserver", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yaml").write_text(json.dumps(configuration))  # which is YAML
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    files = ("--config.file", str(folder / "prometheus.yaml"), "--storage.tsdb.path", str(folder / "data"))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [shutil.which("prometheus") or "", *files, f"--web.listen-address={address}"], stderr=log, stdout=log
        )
        try:
            came_true(partial(_is_ready, f"http://{address}"), lambda: (folder / "log").read_text()[-2000:])
            yield Prometheus(f"http://{address}")
        finally:
            process.terminate()
            process.wait(30)


def _is_ready(url: str) -> bool:
    with suppress(urllib3.exceptions.HTTPError):
        return ask(f"{url}/-/ready").status == 200
    return False


def came_true(is_so: Callable[[], bool], found: Callable[[], object]) -> None:
    until = real_now() + PATIENCE
    while not is_so():
        assert real_now() < until, found()
        pause(0.25)


def questions() -> Sequence[str]:
    """Of the dashboard, as Grafana would put them."""
    panels = json.loads((OPERATIONS / "grafana-dashboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [expression.replace("$job", ".+").replace("$__rate_interval", "5s") for expression in asked]


def test_rules_are_what_prometheus_takes() -> None:
    checked = [shutil.which("promtool") or "", "check", "rules", str(OPERATIONS / "prometheus-rules.yaml")]
    ended = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_dashboard_and_alerts_tell_of_a_launcher_that_goes_away_and_of_nothing_else(tmp_path: Path) -> None:
    simulate = ("simulate", "--dialect", "open", "--jobs", "20", "--access-log", "off", "-p")
    launcher = start(*simulate, "0", log=tmp_path / "launcher")
    try:
        where = ("--launcher-url", launcher.told, "--rm-url", launcher.told, "--dialect", "open", "--style", "portal")
        kept = ("--data-dir", str(tmp_path), "--poll-interval", "0.5", "--launcher-timeout", "1", "--cache-ttl", "0.2")
        with (
            running("serve", "--backend", "launcher", "-p", "0", *where, *kept, log=tmp_path / "serve") as server,
            prometheus(tmp_path / "prometheus", server.told) as watching,
        ):
            names = names_of(launcher.told, 10)
            clients = [Client(lambda path: ask(server.told + path), names, random.Random(seed)) for seed in range(2)]
            with load(clients, pause=0.02):
                pause(20)  # a good while: the longest that a rule waits for
                assert watching.alerts("firing") == set()
                health = watching.rules()
                assert set(health.values()) == {"ok"}
                silent = [question for question in questions() if not watching.value(question)]
                assert [each for each in silent if not any(name in each for name in SILENT_WHEN_WELL)] == []

                launcher.kill()
                came_true(
                    lambda: watching.alerts("firing") >= WHEN_THE_LAUNCHER_IS_AWAY,
                    lambda: (watching.alerts("firing"), watching.alerts("pending")),
                )
                assert watching.alerts("firing") <= WHEN_THE_LAUNCHER_IS_AWAY | MAY_COME_WITH_IT
                assert not [
                    question for question in questions() if "breaker" in question and not watching.value(question)
                ]
                outcomes = watching.value("sum by (outcome) (increase(restserver_launcher_calls_total[10s])) > 0")
                assert "unavailable" in {one["metric"]["outcome"] for one in outcomes}

                launcher = start(*simulate, launcher.told.rpartition(":")[2], log=tmp_path / "launcher")
                came_true(lambda: not watching.alerts("firing") - MAY_COME_WITH_IT, lambda: watching.alerts("firing"))
    finally:
        launcher.kill()
