"""The plugin in a pytest run of its own, as in somebody else's project."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from restserver import pytest_plugin
from restserver.pytest_plugin import _address

HEAVY = (
    "falcon",
    "waitress",
    "contracts",
    "simulator",
    "restserver.cli",
    "restserver.assembling",
    "jsonschema",
    "faker",
    "urllib3",
    "click",
)
TESTS = """
from urllib.request import urlopen

import pytest


@pytest.mark.parametrize("number", range(4))
def test_a_server(simulated_server, contract, number):
    name = simulated_server.tell({"name": f"me~job-{number}", "about": "x", "descriptor": {}, "containers": [{"run": "PT10M"}]})
    assert len(simulated_server.jobs(name="me~")) == 1
    contract.check(urlopen(simulated_server.url_for(f"/api/v2/jobs/{name}")))
    with open(f"port-{number}", "w") as file:
        file.write(simulated_server.url.rpartition(":")[2])
"""


def run(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    # Other people's plugins of this environment take seconds to import.
    others = ("schemathesis", "hypothesispytest", "pytest_cov", "randomly")
    command = [sys.executable, "-m", "pytest", "-q", *(f"-pno:{name}" for name in others), *arguments]
    return subprocess.run(
        command, cwd=folder, env={**inherited, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def test_pytest_finds_it() -> None:
    (found,) = entry_points(group="pytest11", name="restserver.pytest_plugin")
    assert found.load() is pytest_plugin


@pytest.mark.proof
def test_pytest_finds_it_by_itself_and_each_worker_has_a_server_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    ran = run(tmp_path, "-n", "2")
    assert "4 passed" in ran.stdout, ran.stdout + ran.stderr
    assert len({path.read_text() for path in tmp_path.glob("port-*")}) == 2


def test_nothing_is_imported_before_a_fixture_is_asked_for() -> None:
    told = f"import sys, restserver.pytest_plugin; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_where_it_listens_is_said_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _address("PYTEST_X") == {}
    monkeypatch.setenv("PYTEST_X_HOST", "0.0.0.0")
    monkeypatch.setenv("PYTEST_X_PORT", "8000")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw3")
    assert _address("PYTEST_X") == {"host": "0.0.0.0", "port": 8003}
    monkeypatch.setenv("PYTEST_X_PORT", "0")
    assert _address("PYTEST_X")["port"] == 0
    monkeypatch.setenv("PYTEST_X_PORT", "http")
    with pytest.raises(pytest.UsageError, match="PYTEST_X_PORT: 'http' is no port"):
        _address("PYTEST_X")
