"""A change of the contract since its last release has a version of its own, and an entry in CHANGES.md for clients.

The last release is kept as ``contracts/released/api.md``; to release is to copy ``contracts/api.md`` over it.
"""

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contracts import registry
from contracts.diff import diff
from contracts.diff_facts import WAYS, Change, Way
from contracts.diff_sides import side
from contracts.document import read

CONTRACT = registry.FOLDER
RELEASED = CONTRACT / "released" / "api.md"


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def least_version(released: str, changes: list[Change]) -> tuple[int, ...]:
    """By the rule at the head of CHANGES.md: clients could break, something is new, only words changed."""
    first, second, third = numbers(released)
    if any(change.breaking for change in changes):
        return (first + 1, 0, 0)
    if any(WAYS[change.what][0] is not Way.WORDS for change in changes):
        return (first, second + 1, 0)
    return (first, second, third + 1)


def wrong(released: Path, current: Path, entries: str) -> list[str]:
    """What is missing, for people who changed the document."""
    old, new, changes = compared(released.read_text(encoding="utf-8"), current.read_text(encoding="utf-8"))
    found = []
    if changes and numbers(new) < (least := least_version(old, changes)):
        found.append(
            f"api.md says version {new}; for its {len(changes)} changes since {old} it must be {least} or later"
        )
    if not changes and new != old:
        found.append(f"api.md says version {new}, but nothing changed since {old}")
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", entries, re.MULTILINE | re.DOTALL))
    if next(iter(sections), None) != new or not sections[new].strip():
        found.append(f"CHANGES.md must begin with an entry for {new}")
    if old not in sections:
        found.append(f"CHANGES.md has lost its entry for {old}")
    return found


@cache
def compared(released: str, current: str) -> tuple[str, str, list[Change]]:
    """Both versions, and what changed. The same two documents are compared once, whatever entries they are asked about with."""
    with TemporaryDirectory() as folder:
        paths = Path(folder, "released.md"), Path(folder, "current.md")
        for path, text in zip(paths, (released, current), strict=True):
            path.write_text(text, encoding="utf-8")
        old, new = (read(path).version for path in paths)
        return old, new, diff(*(side(str(path), CONTRACT) for path in paths))


ENTRIES = (CONTRACT / "CHANGES.md").read_text(encoding="utf-8")


def test_every_change_since_the_last_release_has_a_version_and_an_entry() -> None:
    assert wrong(RELEASED, CONTRACT / "api.md", ENTRIES) == []


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("old", "new", "least"),
    [
        ("  username: string  ", "  username: string | null  ", "2.0.0"),
        ("  version: int32  ", "  version: integer >= 0 ", "2.0.0"),
        ("virtualCluster: string | null ", "virtualCluster: string ", "1.1.0"),
        ("who submitted it", "whose it is", "1.0.1"),
    ],
)
def test_a_change_without_them_is_told(tmp_path: Path, old: str, new: str, least: str) -> None:
    released, current = tmp_path / "released.md", tmp_path / "api.md"
    text = RELEASED.read_text(encoding="utf-8").replace(f"*Version*: `{read(RELEASED).version}`", "*Version*: `1.0.0`")
    released.write_text(text, encoding="utf-8")
    changed = text.replace(old, new)
    current.write_text(changed, encoding="utf-8")
    first = "## 1.0.0\n\nAll of it.\n"
    assert len(wrong(released, current, first)) == 1
    current.write_text(changed.replace("`1.0.0`", f"`{least}`", 1), encoding="utf-8")
    assert wrong(released, current, first) == [f"CHANGES.md must begin with an entry for {least}"]
    assert len(wrong(released, current, f"## {least}\n\n{first}")) == 1
    assert wrong(released, current, f"## {least}\n\nMind it.\n\n{first}") == []
    assert wrong(released, current, f"## {least}\n\nMind it.\n") == ["CHANGES.md has lost its entry for 1.0.0"]


def test_a_new_version_without_a_change_is_told(tmp_path: Path) -> None:
    current = tmp_path / "api.md"
    text = RELEASED.read_text(encoding="utf-8")
    current.write_text(text.replace(f"`{read(RELEASED).version}`", "`99.0.0`", 1), encoding="utf-8")
    assert "nothing changed" in wrong(RELEASED, current, ENTRIES)[0]
