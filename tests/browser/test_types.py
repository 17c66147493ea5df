"""The recipe of ``examples/typescript``: types made of what the server says, and a client that they check."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate.readme import ROOT
from tests.production.programs import running

pytestmark = [pytest.mark.proof, pytest.mark.needs("npm")]

RECIPE = ROOT / "examples" / "typescript"
COMMANDS = ("npm ci", "npm run types", "npm run check")


def npm(command: str, folder: Path, server: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command.split(),
        cwd=folder,
        env={**os.environ, "SERVER": server},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As its README says."""
    folder = tmp_path_factory.mktemp("types") / "typescript"
    shutil.copytree(RECIPE, folder, ignore=shutil.ignore_patterns("node_modules", "api.d.ts"))
    with running("serve", "-p", "0", "--jobs", "5", "--access-log", "off", log=folder.parent / "log") as server:
        for command in COMMANDS:
            done = npm(command, folder, server.told)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    yield folder  # noqa: PT022 - the server is stopped by then


def test_the_readme_shows_what_is_run_here() -> None:
    shown = (RECIPE / "README.md").read_text(encoding="utf-8")
    assert [line.split("#")[0].strip() for line in shown.splitlines() if line.startswith("npm ")] == list(COMMANDS)


WRONG = (
    ("jobStatus.appExitCode === null", "jobStatus.appExitCod === null", "Property 'appExitCod' does not exist"),
    ('case "FAILED":', 'case "BROKEN":', "Type '\"BROKEN\"' is not comparable"),
    ('    case "STOPPED":\n', "", "Function lacks ending return statement"),
    ("completedTime - appLaunchedTime", "jobStatus.appExitCode - appLaunchedTime", "possibly 'null'"),
)


def test_what_the_document_does_not_promise_does_not_compile(made: Path) -> None:
    client = made / "client.ts"
    text = client.read_text(encoding="utf-8")
    for right, wrong, _ in WRONG:
        assert right in text
        text = text.replace(right, wrong, 1)
    client.write_text(text, encoding="utf-8")
    done = npm("npm run check", made, "")
    assert done.returncode != 0
    assert [says for *_, says in WRONG if says not in done.stdout] == [], done.stdout
