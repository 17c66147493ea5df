"""What we depend on has no known weakness, and the code passes the security rules: `make proof` looks.

pip-audit exits with 0 even if its service, the package index's JSON API, told it nothing at all. Here that is said: where
nothing could be audited the test is skipped with that reason, or fails if ``AUDIT=required``; where only some could, it fails.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("contracts", "simulator", "restserver")


def verdict(report: Any) -> tuple[list[str], list[str]]:
    """Weaknesses, one line each; and what could not be audited."""
    weak = [
        f"{one['name']} {one['version']}: {weakness['id']}, fixed in {', '.join(weakness['fix_versions']) or 'no version'}"
        for one in report["dependencies"]
        for weakness in one.get("vulns", ())
    ]
    return weak, [one["name"] for one in report["dependencies"] if "skip_reason" in one]


@pytest.mark.proof
@pytest.mark.parametrize("lock", ["run", "dev"])
def test_no_locked_dependency_has_a_known_weakness(lock: str) -> None:
    command = ["-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(
        [sys.executable, *command, "-r", str(ROOT / "requirements" / f"{lock}.txt")],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if not done.stdout.strip():
        _nothing_audited(done.stderr.strip().splitlines()[-1:])
    weak, skipped = verdict(json.loads(done.stdout))
    audited = len(json.loads(done.stdout)["dependencies"]) - len(skipped)
    if audited == 0:
        _nothing_audited(skipped)
    assert not weak, "\n".join(weak)
    assert not skipped, f"not audited: {', '.join(skipped)}"


def _nothing_audited(what: list[str]) -> None:
    reason = f"NOTHING WAS AUDITED: pip-audit's service, the index's JSON API, does not answer here ({', '.join(what[:3])} ...)"
    if os.environ.get("AUDIT") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def test_a_weakness_and_what_was_left_out_are_told() -> None:
    report = {
        "dependencies": [
            {"name": "fine", "version": "1", "vulns": []},
            {
                "name": "weak",
                "version": "2",
                "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}, {"id": "X-2", "fix_versions": []}],
            },
            {"name": "unknown", "skip_reason": "Dependency not found"},
        ]
    }
    told = ["weak 2: PYSEC-1, fixed in 3", "weak 2: X-2, fixed in no version"]
    assert verdict(report) == (told, ["unknown"])


def test_the_security_rules_are_on_for_everything_that_is_shipped() -> None:
    """`ruff check` is the scan; what is left out of it is left out here too, with its reason."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        lint = tomllib.load(file)["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)]
    left_out = {
        folder: [rule for rule in rules if rule.startswith("S")]
        for folder, rules in lint["per-file-ignores"].items()
        if folder.split("/")[0] in PRODUCT
    }
    assert left_out == {"simulator/**": ["S311"]}, "dice of the simulator are no secrets; nothing else is excused"


def test_every_exception_from_a_security_rule_has_a_reason() -> None:
    lines = [
        (path.relative_to(ROOT), number, line)
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#\s*noqa:.*\bS\d{3}\b", line)
    ]
    assert lines
    without = [
        f"{path}:{number}" for path, number, line in lines if not re.search(r"noqa:[ A-Z0-9,]*(?:-|#| ) *\w+ \w+", line)
    ]
    assert without == []
