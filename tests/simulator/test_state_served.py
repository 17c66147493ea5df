"""A served world with a state file: a kill at any time loses nothing that was answered, and a bad file stops the start."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from restserver import cli

ROOT = Path(__file__).parents[2]
_JSON = {"Content-Type": "application/json"}


@contextmanager
def served(file: Path, *arguments: str, command: str = "serve") -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    command_line = [sys.executable, "-m", "restserver", command, "--port", "0", "--state", str(file)]
    with subprocess.Popen([*command_line, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip(), process
        finally:
            process.kill()


def call(address: str, method: str, path: str, body: object = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/__admin{path}", content, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    made: list[str] = []
    for turn in range(2):
        with served(file, "--jobs", "5", "--frozen", "--access-log", "off") as (address, process):
            assert [call(address, "GET", f"/jobs/{name}")["name"] for name in made] == made
            made += [call(address, "POST", "/jobs", {"name": f"k-{turn}-{number}"})["name"] for number in range(3)]
            clock = call(address, "PUT", "/clock", {"action": "advance", "by": "PT1H"})
            process.send_signal(signal.SIGKILL)
    with served(file, "--access-log", "off") as (address, process):
        assert call(address, "GET", "/clock") == clock
        assert {entry["name"] for entry in call(address, "GET", "/state")["journal"]} == set(made)
        assert call(address, "GET", "/settings")["jobs"] == 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_killed_launcher_knows_what_it_was_told(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    acl = {"namespaceAcls": {"alice": {"users": [{"name": "bob"}]}}, "normalAdminUsers": []}
    path = "/v1/LauncherRequest/AclConfiguration"
    dialect = ("--dialect", "open", "--jobs", "5")
    with served(file, *dialect, command="simulate") as (address, process):
        told = urllib.request.Request(f"{address}{path}", json.dumps(acl).encode(), _JSON, method="PUT")
        with urllib.request.urlopen(told, timeout=30) as response:
            assert response.status == 200
        process.send_signal(signal.SIGKILL)
    with served(file, *dialect, command="simulate") as (address, _), urllib.request.urlopen(address + path) as response:
        assert json.load(response) == acl


@pytest.mark.proof
@pytest.mark.parametrize("after", [1, 20, 90])
def test_a_kill_under_load_loses_nothing_that_was_answered(after: int, tmp_path: Path) -> None:
    """Four at once are creating jobs when the process is killed, after so many answers."""
    file = tmp_path / "world.json"
    answered: list[str] = []
    enough = threading.Event()

    def create(address: str, who: int) -> None:
        with suppress(OSError, http.client.HTTPException):
            for number in range(10_000):
                call(address, "POST", "/jobs", {"name": f"k-{who}-{number}"})
                answered.append(f"k-{who}-{number}")
                if len(answered) >= after:
                    enough.set()

    with served(file, "--jobs", "5", "--frozen", "--access-log", "off") as (address, process):
        writers = [threading.Thread(target=create, args=(address, who)) for who in range(4)]
        for writer in writers:
            writer.start()
        assert enough.wait(60)
        process.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join()
    with served(file, "--access-log", "off") as (address, _):
        kept = {entry["name"] for entry in call(address, "GET", "/state")["journal"]}
    assert set(answered) <= kept
    assert len(kept) <= len(answered) + 4  # one of each writer may have been done, though nobody was told


@pytest.mark.parametrize(
    ("flag", "content", "named"),
    [
        ("--state", "garbage", "not JSON"),
        ("--state", '{"version": 9}', "version 9"),
        ("--scenarios", "name: [", "not YAML"),
    ],
)
def test_a_bad_file_stops_the_start(
    flag: str, content: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(content)
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--port", "0", flag, str(tmp_path if flag == "--scenarios" else file)])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert named in captured.err
    assert "bad.yaml" in captured.err
