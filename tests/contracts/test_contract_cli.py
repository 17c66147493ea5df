"""``restserver contract``: what people see, and the exit codes."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contracts import registry
from contracts.cli import contract

RECEIVED = Path(__file__).parents[2] / "fixtures/original/rest-server.md"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(contract, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "api.md").write_bytes((registry.FOLDER / "api.md").read_bytes())
    return tmp_path


def test_the_committed_files_are_fresh() -> None:
    result = run("derive", "--check")
    assert (result.exit_code, result.output) == (0, "everything is as the document says\n")


def test_check_names_what_is_wrong_and_changes_nothing(folder: Path) -> None:
    result = run("derive", "--check", "--folder", folder)
    assert result.exit_code == 1
    assert "missing: openapi.portal.json\n" in result.output
    assert "missing: schemas/documented/getJob.200.json\n" in result.output
    assert sorted(path.name for path in folder.iterdir()) == ["api.md"]


@pytest.mark.no_cover
def test_derive_writes_what_check_misses(folder: Path) -> None:
    assert "written: openapi.portal.json\n" in run("derive", "--folder", folder).output
    assert run("derive", "--check", "--folder", folder).exit_code == 0
    assert (folder / "openapi.portal.json").read_bytes() == registry.openapi_text("portal")
    (folder / "schemas/portal/getJob.499.json").write_text("{}")
    assert run("derive", "--check", "--folder", folder).output.startswith("extra: schemas/portal/getJob.499.json\n")
    assert run("derive", "--folder", folder).output == "removed: schemas/portal/getJob.499.json\n"


def test_a_changed_document_makes_its_files_stale(folder: Path) -> None:
    run("derive", "--folder", folder)
    path = folder / "api.md"
    path.write_text(path.read_text(encoding="utf-8").replace("who submitted it", "whose it is"), encoding="utf-8")
    result = run("derive", "--check", "--folder", folder)
    assert result.exit_code == 1
    assert "stale: schemas/documented/getJob.200.json\n" in result.output
    assert "getVersions" not in result.output


@pytest.mark.parametrize(
    ("old", "new"),
    [("username: string ", "username: strin "), ('who submitted it; e.g. "alice"', "who submitted it; e.g. 1")],
)
def test_a_document_that_cannot_be_read_is_one_line_and_exit_2(folder: Path, old: str, new: str) -> None:
    path = folder / "api.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    result = run("derive", "--folder", folder)
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: api.md:{text.count(chr(10), 0, text.index(old)) + 1}: ")
    assert result.output.count("\n") == 1


def test_a_folder_without_a_document_is_exit_2(tmp_path: Path) -> None:
    assert run("derive", "--folder", tmp_path).exit_code == 2


@pytest.mark.parametrize("style", registry.STYLES)
@pytest.mark.parametrize("operation", [*registry.OPERATIONS, registry.ANY_PATH])
def test_every_schema_is_shown_with_every_key(operation: str, style: str) -> None:
    for status in registry.statuses(operation):
        result = run("show", operation, str(status), "--style", style)
        assert result.exit_code == 0
        assert result.output.startswith(f"{operation} {status} ({style})\n")
        for path in registry.field_paths(operation, style, status):
            key = path.rpartition(".")[2].removesuffix("[]")
            assert key == "*" or f"{key}: " in result.output


def test_a_schema_is_shown_in_the_words_of_the_document() -> None:
    shown = run("show", "getJob", "200").output
    for words in (
        "version: int32",
        "appProgress: number 0..1 | null",
        "completedTime: milliseconds | 0",
        'user: integer >= 0 | "N/A"',
        "taskStatuses: [ TaskStatus ]",
        "  integer -2147483648..2147483647",
        "[any key]: TaskRole",
        "WAITING | RUNNING | SUCCEEDED",
        "} | null",
        "appId: string | null                            YARN application of this attempt; null until there is one",
    ):
        assert words in shown
    assert r"message: string /^Job (?:[\s\S]*) is not found\.$/" in run("show", "getJob", "404").output


def test_a_status_that_is_not_promised_is_exit_2_and_told() -> None:
    result = run("show", "getJob", "400")
    assert result.exit_code == 2
    assert "getJob promises no answer 400, but 200, 401, 404, 405, 414, 429, 500" in result.output
    assert run("show", "getJobs", "200").exit_code == 2


def test_coverage_of_the_document_as_received_is_complete() -> None:
    result = run("coverage", RECEIVED)
    assert result.exit_code == 0
    assert "  found    status    404  (line 103)\n" in result.output
    assert "-> taskRoles.* (ruling 2: " in result.output
    assert result.output.endswith("0 missing: 100 % covered\n")


def test_coverage_is_exit_1_where_ours_lacks_something(tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text(RECEIVED.read_text(encoding="utf-8").replace("appTag", "appTags"), encoding="utf-8")
    result = run("coverage", other)
    assert result.exit_code == 1
    assert "  missing  field     200 frameworkInfo.jobStatus.appTags" in result.output
    assert "1 missing: 99 % covered" in result.output


def test_coverage_of_what_is_no_api_document_is_exit_2(tmp_path: Path) -> None:
    poem, noise = tmp_path / "poem.md", tmp_path / "noise.md"
    poem.write_text("Roses are red.")
    noise.write_bytes(b"\xff\xfe\x00")
    assert run("coverage", poem).output == "Error: poem.md:1: no endpoint is described here\n"
    assert run("coverage", noise).exit_code == 2
    assert run("coverage", tmp_path / "none.md").exit_code == 2
