"""A served world with a state file: a kill at any time loses nothing that was answered, and a bad file stops the start."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from restserver import cli

ROOT = Path(__file__).parents[2]


@contextmanager
def served(file: Path, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    command = [sys.executable, "-m", "restserver", "serve", "--port", "0", "--state", str(file), "--access-log", "off"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
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
        with served(file, "--jobs", "5", "--frozen") as (address, process):
            assert [call(address, "GET", f"/jobs/{name}")["name"] for name in made] == made
            made += [call(address, "POST", "/jobs", {"name": f"k-{turn}-{number}"})["name"] for number in range(3)]
            clock = call(address, "PUT", "/clock", {"action": "advance", "by": "PT1H"})
            process.send_signal(signal.SIGKILL)
    with served(file) as (address, process):
        assert call(address, "GET", "/clock") == clock
        assert {entry["name"] for entry in call(address, "GET", "/state")["journal"]} == set(made)
        assert call(address, "GET", "/settings")["jobs"] == 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


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
