"""Reads the README as a script: each ``sh`` block is run, and the block of output after it, if any, must be what came out.

Blocks of one section run in one shell, so that a variable set in one is there in the next. In expected output ``...``
stands for anything, as in doctest. ``localhost:9186`` becomes the address of the server the test started.
"""

import doctest
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED_ADDRESS = "localhost:9186"
OUTPUT_LANGUAGES = {"json", "text"}
_END = "---- end of block ----"


@dataclass(frozen=True)
class Block:
    line: int
    commands: str
    expected: str | None


def sections(text: str) -> dict[str, list[Block]]:
    """Headings of the second level, and the executable blocks below each."""
    found: dict[str, list[Block]] = {}
    heading = ""
    tokens = MarkdownIt().parse(text)
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            heading = tokens[index + 1].content
        elif token.type == "fence" and token.info == "sh":
            after = tokens[index + 1] if index + 1 < len(tokens) else None
            is_output = after is not None and after.type == "fence" and after.info in OUTPUT_LANGUAGES
            expected = after.content if after is not None and is_output else None
            line = token.map[0] + 1 if token.map else 0
            found.setdefault(heading, []).append(Block(line, token.content, expected))
    return found


def run(blocks: list[Block], address: str, folder: Path, *, curl: Path | None) -> list[str]:
    """What each block printed. Raises if a command failed."""
    script = ["set -eu"]
    for block in blocks:
        script += [block.commands.replace(DOCUMENTED_ADDRESS, address), f"echo {shlex.quote(_END)}"]
    path = [str(Path(sys.executable).parent), *([str(curl)] if curl else []), os.environ["PATH"]]
    finished = subprocess.run(
        [shutil.which("sh") or "/bin/sh", "-c", "\n".join(script)],
        cwd=folder,
        env={**_environment(), "PATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    outputs = [part.strip("\n") for part in finished.stdout.split(_END)]
    if finished.returncode:
        block = blocks[min(len(outputs) - 1, len(blocks) - 1)]
        raise AssertionError(
            f"README line {block.line}: exit {finished.returncode}\n{block.commands}\n{finished.stdout}\n{finished.stderr}"
        )
    return outputs[: len(blocks)]


def _environment() -> dict[str, str]:
    """Ours, but for what is about this very run of pytest; and its plugin is found in a checkout installed before there was one."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    return {**inherited, "PYTEST_PLUGINS": "restserver.pytest_plugin"}


def differs(block: Block, printed: str, address: str) -> str | None:
    """What is wrong with the output of a block, ``None`` if it is as shown."""
    if block.expected is None:
        return None
    wanted = block.expected.replace(DOCUMENTED_ADDRESS, address).strip("\n") + "\n"
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if checker.check_output(wanted, printed + "\n", flags):
        return None
    return f"README line {block.line}: {block.commands}\nshown:\n{wanted}\nprinted:\n{printed}"
