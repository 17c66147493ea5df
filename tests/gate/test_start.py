"""What a start may cost, told without a clock: which modules a first answer imports, and how its records are made."""

import dataclasses
import importlib
import inspect
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from contracts.clock import VirtualClock, from_iso
from simulator.launcher import simulated

ROOT = Path(__file__).resolve().parents[2]
INSTANT = "2026-03-01T12:00:00Z"
OURS = ("contracts", "simulator", "restserver")

LIBRARIES = {"cachetools", "click", "falcon", "isodate", "msgspec", "typing_extensions", "waitress"}
"""From outside the standard library. One more is 5 to 100 ms of every start: leave it until somebody asks for what it does."""

ONLY_WHEN_ASKED = (
    "contracts.derive",
    "contracts.document",
    "contracts.harness",
    "contracts.launcher.recordings",
    "importlib.metadata",
    "restserver.history",
    "restserver.launchers",
    "simulator.admin.control_plane",
    "simulator.http",
    "simulator.learning",
    "simulator.replay",
    "simulator.submission",
    "simulator.told.scenario",
    "tomllib",
)

DATACLASSES = {"restserver.settings.Settings"}
"""Each is half a millisecond and more of every start, where a ``msgspec.Struct`` is some microseconds. This one describes
its flags in the metadata of its fields."""


def imports_of(*arguments: str, asking: str | None = None) -> list[str]:
    """The modules that ``python ARGUMENTS`` imports, in order; ``asking``: until it has answered that path."""
    command = [sys.executable, "-X", "importtime", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            if asking is not None:
                assert process.stdout is not None
                url = process.stdout.readline().split()[-1]
                with urllib.request.urlopen(url + asking, timeout=30) as response:
                    assert response.status == 200
                process.terminate()
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    return [line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")]


@pytest.fixture(scope="module")
def imported() -> list[str]:
    now = from_iso(INSTANT)
    launcher, _ = simulated(1, 200, VirtualClock(now, frozen=True))
    job = launcher.source.at_place(launcher.source.places(now)[0]).name
    asked = imports_of(
        "-m", "restserver", "serve", "-p", "0", "--at", INSTANT, "--frozen", asking=f"/api/v2/jobs/{job}"
    )
    anyway = set(imports_of("-c", ""))
    return [name for name in asked if name not in anyway]


def test_a_first_answer_imports_few_libraries(imported: list[str]) -> None:
    tops = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) - set(OURS)
    there = {top for top in tops if not top.startswith("_") and find_spec(top) is not None}  # pickle tries Jython's org
    assert there == LIBRARIES


@pytest.mark.parametrize("name", ONLY_WHEN_ASKED)
def test_what_it_does_not_need_is_not_imported(imported: list[str], name: str) -> None:
    importlib.import_module(name)  # it is still called so
    assert [one for one in imported if one == name or one.startswith(f"{name}.")] == []


def test_its_records_are_quick_to_make(imported: list[str]) -> None:
    ours = [name for name in imported if name.partition(".")[0] in OURS]
    assert len(ours) > 50
    made = {
        f"{name}.{each.__qualname__}"
        for name in ours
        for _, each in inspect.getmembers(importlib.import_module(name), inspect.isclass)
        if each.__module__ == name and dataclasses.is_dataclass(each)
    }
    assert made == DATACLASSES
