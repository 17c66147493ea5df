"""The first promise: on a fresh machine with Python and make, one command leads to the first real answer."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.gate.readme import ROOT

pytestmark = pytest.mark.proof


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What git knows of the project, and nothing that was ever installed or derived beside it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - git is how the checkout came here
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def running(checkout: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    command = ["make", "run", "PORT=0", f"PYTHON={Path(sys.base_prefix) / 'bin' / 'python3'}"]
    with subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        os.killpg(process.pid, 15)


def test_make_run_on_a_clean_checkout_prints_links_that_answer(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    address = ""
    links: list[str] = []
    for line in running.stdout:
        if line.startswith("listening on "):
            address = line.strip().removeprefix("listening on ")
        elif "/api/v2/jobs/" in line:
            links.append(line.split()[-1])
        if len(links) == 3:
            break
    assert address
    for link in links:
        with urlopen(link, timeout=10) as answer:
            assert answer.status == 200


def test_an_editable_install_warns_of_nothing(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By the newest pip, which repeats a build backend's warnings: who comes with a new Python has it."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--root-user-action=ignore"]
    done = subprocess.run(
        [*command, "--no-deps", "--target", str(target), "-e", str(checkout)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""
