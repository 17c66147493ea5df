"""The reports: readable by the programs they are for, complete, and without a secret."""

import json
import shlex
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from contracts.harness.cli import Unusable
from tests.harness.served_app import Reply, Spoiled, checked, served

SECRET = "s3cr3t-t0ken"  # noqa: S105 - of nobody


@pytest.fixture(scope="module")
def server() -> Iterator[Spoiled]:
    def spoil(reply: Reply) -> None:
        reply.headers["x-echo"] = SECRET
        reply.headers["set-cookie"] = "session=abcdef"
        if reply.is_job:
            body = reply.json
            body["jobStatus"]["state"] = f"<b>{SECRET}\x07"
            reply.json = body

    with served() as application:
        application.spoiler = spoil
        yield application


@pytest.fixture(scope="module")
def reports(server: Spoiled, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("reports")
    flags = ["--report", "junit,har,ndjson,html", "--report-dir", str(folder), "-n", "200"]
    code, output = checked(server.url, *flags, "--header", f"Authorization: Bearer {SECRET}")
    assert code == 1
    return folder, output


def lines(folder: Path, event: str) -> list[dict[str, object]]:
    told = [json.loads(line) for line in (folder / "check.ndjson").read_text().splitlines()]
    return [one for one in told if one["event"] == event]


def test_no_report_holds_a_secret(reports: tuple[Path, str]) -> None:
    folder, output = reports
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["check.html", "check.ndjson", "junit.xml", "requests.har"]
    for text in [output, *((folder / name).read_text() for name in files)]:
        assert SECRET not in text
    har = (folder / "requests.har").read_text()
    assert "Bearer [redacted]" in har
    assert "abcdef" not in har
    assert "Authorization: Bearer [redacted]" in output


@pytest.mark.no_cover
def test_junit_has_a_suite_per_operation_and_a_failure_per_finding(reports: tuple[Path, str]) -> None:
    root = ET.parse(reports[0] / "junit.xml").getroot()  # noqa: S314 - our own file
    failures = root.findall("testsuite/testcase/failure")
    assert [suite.get("name") for suite in root] == ["getJob", "getAttempt", "getAttempts", "getVersions", "anyPath"]
    assert len(failures) == int(root.get("failures", "")) == len(lines(reports[0], "finding"))
    assert any("breaks api.md:" in (failure.text or "") for failure in failures)
    assert root.find("testsuite[@name='getVersions']/testcase[@name='200 is as documented']") is not None


def test_the_har_holds_every_request(reports: tuple[Path, str]) -> None:
    log = json.loads((reports[0] / "requests.har").read_text())["log"]
    (end,) = lines(reports[0], "end")
    assert len(log["entries"]) == end["requests"] == len(lines(reports[0], "request"))
    entry = log["entries"][0]
    assert entry["request"]["url"].startswith("http://127.0.0.1:")
    assert json.loads(entry["response"]["content"]["text"])
    assert entry["startedDateTime"].endswith("Z")


def test_the_page_is_whole_in_itself(reports: tuple[Path, str]) -> None:
    text = (reports[0] / "check.html").read_text()
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert not {name for name, _ in attrs} & {"src", "href"}

    Reader().feed(text)
    assert "script" not in tags
    assert tags.count("article") == len(lines(reports[0], "finding"))
    assert "<b>" not in text
    assert "schema: enum" in text
    assert "state: State // state of the job" in text
    grid = text[text.index('class="grid"') : text.index("What broke")]
    of_job = grid[grid.index("<th>getJob</th>") : grid.index("<th>getAttempt</th>")]
    assert 'class="broken">broken' in of_job
    assert 'class="kept">kept' in of_job
    assert "only with --read-token" in of_job


def test_what_was_met_is_told(reports: tuple[Path, str]) -> None:
    (met,) = lines(reports[0], "met")
    assert met["operations"] == {"met": 4, "of": 4}
    missed = met["missed"]
    assert isinstance(missed, list)
    assert any("getJob 200" in item for item in missed)


def test_the_line_that_replays_finds_the_same(reports: tuple[Path, str], server: Spoiled) -> None:
    folder, output = reports
    server.clock.advance(3_600_000)
    found = next(one for one in lines(folder, "finding") if one["rule"] == "schema: enum")
    command = shlex.split(str(found["replay"]))
    assert command[:2] == ["restserver", "check"]
    code, again = checked(*command[2:])
    server.clock.reset()
    assert code == 1
    assert str(found["fingerprint"]) in again
    assert f"--path-as-is -H 'Authorization: [redacted]' {str(found['curl']).split()[-1]}\n" in again
    assert "its world: restserver serve --seed 1 --at 2026-03-01T12:00:00Z --frozen" in output


def test_what_api_md_says_stands_beside_what_broke(reports: tuple[Path, str]) -> None:
    folder, output = reports
    said = "it says:   state: State // state of the job; final only once no retry can follow"
    assert said in output
    assert "it says: state: State // state of the job" in (folder / "junit.xml").read_text()


def test_a_disk_that_is_full_at_the_end_is_one_line(server: Spoiled, tmp_path: Path) -> None:
    (tmp_path / "check.html").symlink_to("/dev/full")
    with pytest.raises(Unusable, match="cannot be written: No space left on device"):
        checked(server.url, "-n", "20", "--phases", "examples", "--report", "html", "--report-dir", str(tmp_path))
