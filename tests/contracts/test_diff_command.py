"""``restserver contract diff``: what people and programs see, and the exit codes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contracts import registry
from contracts.cli import contract

OURS = registry.FOLDER / "api.md"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(contract, ["diff", *(str(argument) for argument in arguments)])


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    text = OURS.read_text(encoding="utf-8").replace("  username: string  ", "  username: string | null  ")
    path = tmp_path / "api.md"
    path.write_text(text.replace("| `STOP` | to stop it |\n", ""), encoding="utf-8")
    return path


def test_nothing_changed_is_said_and_fine() -> None:
    result = run(OURS, OURS, "--fail-on", "any")
    assert (result.exit_code, result.output) == (0, "nothing changed\n")


def test_changes_are_told_once_breaking_first_with_places_and_reasons(changed: Path) -> None:
    lines = run(OURS, changed).output.splitlines()
    assert lines[:5] == [
        "BREAKING null added: string, now null or string",
        "           getJob 200 jobStatus.username (documented, portal)",
        "           getAttempt 200 frameworkFullDetail.jobStatus.username (documented, portal)",
        "           getAttempt 200 frameworkInfo.jobStatus.username (documented, portal)",
        "         because readers counted on a value",
    ]
    assert lines[5] == "fine     value removed: 'STOP'"
    assert lines[-1] == "2 changes, breaking: 1"


def test_many_places_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "api.md"
    path.write_text(OURS.read_text(encoding="utf-8").replace("| `FAILED` | ended any other way |\n", ""), "utf-8")
    assert "           and 4 more places" in run(OURS, path).output.splitlines()


@pytest.mark.no_cover
@pytest.mark.parametrize(("options", "code"), [((), 0), (("--fail-on", "breaking"), 1), (("--fail-on", "any"), 1)])
def test_fail_on_decides_the_exit_code(changed: Path, options: tuple[str, ...], code: int) -> None:
    assert run(OURS, changed, *options).exit_code == code


def test_what_is_fine_fails_only_on_any(changed: Path, tmp_path: Path) -> None:
    fine = tmp_path / "fine.md"
    fine.write_text(OURS.read_text(encoding="utf-8").replace("who submitted it", "whose it is"), encoding="utf-8")
    assert run(OURS, fine, "--fail-on", "breaking").exit_code == 0
    assert run(OURS, fine, "--fail-on", "any").exit_code == 1


def test_programs_get_json(changed: Path) -> None:
    found = json.loads(run(OURS, changed, "--json").output)
    assert found["breaking"] is True
    assert found["changes"][0]["what"] == "null added"
    assert {"operation": "getJob", "status": 200, "style": "portal", "path": "jobStatus.username"} in found["changes"][
        0
    ]["where"]


def test_an_openapi_document_is_compared_in_its_style(changed: Path) -> None:
    result = run(registry.FOLDER / "openapi.portal.json", changed)
    assert "getJob 200 jobStatus.username (portal)" in result.output


@pytest.mark.needs("git")
def test_a_revision_is_a_side(tmp_path: Path, changed: Path) -> None:
    program = shutil.which("git")
    assert program

    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        subprocess.run([program, *who, "-C", str(tmp_path), *words], check=True, capture_output=True)

    (tmp_path / "api.md").write_bytes(OURS.read_bytes())
    git("init", "-q")
    git("add", "api.md")
    git("commit", "-qm", "one")
    git("tag", "v0.1")
    (tmp_path / "api.md").write_text(OURS.read_text("utf-8").replace("whose", "of whom"), "utf-8")
    assert run("v0.1", OURS, "--folder", tmp_path).output == "nothing changed\n"
    assert run("HEAD~7", OURS, "--folder", tmp_path).exit_code == 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", "{", "no JSON"),
        ("a.json", "[]", "no OpenAPI document"),
        ("a.json", '{"openapi": "3.1.0", "paths": {"/a": {"get": 3}}}', "no OpenAPI document: $.paths"),
        ("a.md", "# nothing", "there is no endpoint"),
        ("b.md", "\xff", "utf-8"),
    ],
)
def test_a_side_that_cannot_be_read_is_one_line_and_exit_2(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    result = run(tmp_path / name, OURS)
    assert result.exit_code == 2
    assert says in result.output
    assert result.output.count("\n") == 1


def test_without_git_a_revision_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = run("v0.1", OURS)
    assert (result.exit_code, "no git" in result.output) == (2, True)
