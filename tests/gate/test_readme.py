"""Everything the README shows is run as shown."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate.derived_readme import derived
from tests.gate.readme import ROOT, Block, differs, run, sections

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = sections(README)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server as ``make run`` starts it, on a free port."""
    command = [sys.executable, "-m", "restserver", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip().removeprefix("listening on http://")
        server.terminate()
        assert server.wait(30) == 0


@pytest.fixture(scope="session")
def curl(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A folder with a stand-in for curl, where this machine has none."""
    if shutil.which("curl"):
        return None
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "curl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("curl.py")}" "$@"\n')
    program.chmod(0o755)
    return folder


def test_the_first_two_commands_are_the_two_promised() -> None:
    commands = [line for block in SECTIONS["Two commands"] for line in block.commands.splitlines()]
    assert commands == ["make run", "make test"]


def test_the_settings_and_the_figures_are_the_newest() -> None:
    assert derived(README) == README, "run `make fmt`"


@pytest.mark.parametrize("heading", [name for name in SECTIONS if name != "Two commands"])
def test_every_command_of_a_section_does_what_is_shown(
    heading: str, address: str, curl: Path | None, tmp_path: Path
) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    blocks: list[Block] = SECTIONS[heading]
    wrong = [
        differs(block, printed, address)
        for block, printed in zip(blocks, run(blocks, address, tmp_path, curl=curl), strict=True)
    ]
    assert not any(wrong), "\n".join(text for text in wrong if text)
