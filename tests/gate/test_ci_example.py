"""The recipe for CI: the script does what it says, the workflow is one, and it runs that script."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

from restserver import cli
from tests.gate.readme import ROOT

FOLDER = ROOT / "examples" / "ci"
SCRIPT = FOLDER / "contract.sh"
WORKFLOW = FOLDER / "workflow.yaml"
PROGRAMS = Path(sys.executable).parent


def run(folder: Path, *arguments: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PATH": path or os.pathsep.join([str(PROGRAMS), os.environ["PATH"]])}
    command = [shutil.which("sh") or "/bin/sh", str(SCRIPT), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def failures(report: Path) -> int:
    return int(ET.parse(report).getroot().get("failures", ""))  # noqa: S314 - our own file


@pytest.mark.proof
@pytest.mark.needs("curl")
def test_the_script_checks_a_server_and_catches_the_broken_one(tmp_path: Path) -> None:
    ran = run(tmp_path, "reports")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    kept, broken = ran.stdout.split("== the server, broken on purpose")
    assert "the contract is kept" in kept
    assert re.search(r"getJob 200, schema: required: jobStatus: .*state\n +breaks api\.md:\d+", broken)
    assert "the contract is broken" in broken
    assert ran.stdout.rstrip().endswith("== it was caught")
    assert failures(tmp_path / "reports/kept/junit.xml") == 0
    assert failures(tmp_path / "reports/broken/junit.xml") > 0
    assert "The contract is broken" in (tmp_path / "reports/broken/check.html").read_text()
    gone = re.search(r"checking (http://\S+)", kept)
    assert gone is not None
    with pytest.raises(SystemExit, match="3"):
        cli.main(["check", gone[1]])


@pytest.mark.parametrize(
    ("stand_in", "exit_code", "says"),
    [
        ('case "$1" in check) exit 1;; esac; echo "listening on http://127.0.0.1:9"; exec sleep 60', 1, ""),
        (
            'case "$1" in check) exit 0;; esac; echo "listening on http://127.0.0.1:9"; exec sleep 60',
            1,
            "was not caught",
        ),
        ('echo "the port is taken" >&2; exit 2', 3, "the port is taken"),
    ],
    ids=["the server breaks the contract", "the check sees nothing", "the server does not start"],
)
def test_the_script_fails_as_it_should(tmp_path: Path, stand_in: str, exit_code: int, says: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, lines in (("restserver", stand_in), ("curl", "exit 0")):
        (programs / name).write_text(f"#!/bin/sh\n{lines}\n")
        (programs / name).chmod(0o755)
    ran = run(tmp_path, path=os.pathsep.join([str(programs), os.environ["PATH"]]))
    assert ran.returncode == exit_code, ran.stdout + ran.stderr
    assert says in ran.stderr


def test_the_workflow_is_one() -> None:
    command = [str(PROGRAMS / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_workflow_runs_the_script_and_keeps_its_reports() -> None:
    steps = YAML(typ="safe").load(WORKFLOW)["jobs"]["contract"]["steps"]
    (runs,) = [step["run"] for step in steps if "contract.sh" in step.get("run", "")]
    _, script, reports = runs.split()
    assert ROOT / script == SCRIPT
    (kept,) = [step for step in steps if "upload-artifact" in step.get("uses", "")]
    assert (kept["with"]["path"], kept["if"]) == (reports, "always()")
    extras = next(step["run"] for step in steps if "pip install" in step.get("run", ""))
    assert extras == "pip install '.[check]'"
