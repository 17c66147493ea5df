"""``restserver proxy`` as a program: what it prints, writes and ends with."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from restserver import cli
from tests.harness.served_app import Reply, served
from tests.stand_ins import misbehaving as bad

ROOT = Path(__file__).parents[3]
SECRET = "s3cr3t-t0ken"  # noqa: S105 - of nobody


def ran(
    capsys: pytest.CaptureFixture[str], url: str, drive: Callable[[str], None], *flags: str
) -> tuple[int, str, str]:
    """The proxy in this process until ``drive`` has asked it what it wants: exit code, output and errors."""
    port = bad.port_of_nobody()

    def drives() -> None:
        with suppress(TimeoutError):
            drive(came_up(port))
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=drives)
    thread.start()
    with pytest.raises(SystemExit) as ended:
        cli.main(["proxy", url, "-p", str(port), *flags])
    thread.join()
    assert isinstance(ended.value.code, int)
    captured = capsys.readouterr()
    assert captured.out.startswith(f"listening on http://127.0.0.1:{port}\n")
    return ended.value.code, captured.out, captured.err


def came_up(port: int) -> str:
    while True:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=10):
            return f"http://127.0.0.1:{port}"


def ask(url: str) -> None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {SECRET}"})
    with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=10) as response:
        response.read()


def spoil(reply: Reply) -> None:
    reply.headers["x-echo"] = SECRET
    if reply.is_job:
        body = reply.json
        body["jobStatus"]["state"] = f"<b>{SECRET}"
        reply.json = body


def test_a_kept_contract_ends_with_0_and_what_was_met() -> None:
    with served() as server:
        command = [sys.executable, "-m", "restserver", "proxy", f"{server.url}/api/v2/", "-p", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            ask(f"{url}/api/v2/jobs/nobody")
            ask(f"{url}/healthz")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "1 requests passed by in " in out
    assert ", and 1 beside the API" in out
    assert "met of the contract: operations 1/4" in out
    assert out.endswith("the contract is kept\n")


def test_a_broken_contract_ends_with_1_and_reports_without_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def drive(url: str) -> None:
        listed = json.loads(urllib.request.urlopen(f"{url}/__admin/jobs?limit=1", timeout=10).read())
        ask(f"{url}/api/v2/jobs/{listed['jobs'][0]['name']}")

    with served() as server:
        server.spoiler = spoil
        reports = ("--report", "junit,ndjson,har,html", "--report-dir", str(tmp_path))
        code, out, _ = ran(capsys, server.url, drive, *reports)
    assert code == 1
    assert "getJob 200, schema: enum: jobStatus.state" in out
    assert "the server breaks the contract in one way" in out
    assert "replay it" not in out
    assert "see it:    curl -i --path-as-is -H 'Accept-Encoding: identity' -H 'User-Agent: Python-urllib" in out
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["junit.xml", "proxy.html", "proxy.ndjson", "requests.har"]
    for text in (out, *((tmp_path / name).read_text() for name in files)):
        assert SECRET not in text
    assert ET.parse(tmp_path / "junit.xml").getroot().get("failures") == "1"  # noqa: S314 - our own file
    events = [json.loads(line) for line in (tmp_path / "proxy.ndjson").read_text().splitlines()]
    assert [event["event"] for event in events] == ["proxy", "request", "request", "finding", "met", "end"]
    assert "Bearer [redacted]" in (tmp_path / "requests.har").read_text()


def test_clients_that_break_it_are_told_apart_from_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    with served() as server:
        code, out, _ = ran(capsys, server.url, lambda url: ask(f"{url}/api/v2/nothing"))
    assert code == 1
    assert "the server keeps the contract; its clients do not (--tolerate bad-requests lets them)" in out


@pytest.mark.parametrize("asks", [True, False])
def test_a_server_that_was_never_reached_ends_with_3(asks: bool, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = f"http://127.0.0.1:{bad.port_of_nobody()}"
    code, out, err = ran(capsys, nobody, lambda url: ask(f"{url}/api/v2/jobs/a") if asks else None)
    assert code == 3
    assert "does not answer yet: no connection" in err
    assert err.endswith("could never be reached\n")
    assert ("answer: refused" in out) is asks


def test_where_nothing_passed_by_nothing_is_proved(capsys: pytest.CaptureFixture[str]) -> None:
    with served() as server:
        code, out, _ = ran(capsys, server.url, lambda url: None)
    assert code == 0
    assert "\n0 requests passed by in " in out
    assert out.endswith("nothing passed by, so nothing is proved\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ftp://x"], "'ftp://x' is no URL of a server"),
        (["http://x/a b"], "its path is not percent-encoded"),
        (["http://x", "--contract", str(ROOT / "README.md")], "--contract: "),
        (["http://x", "--report", "pdf"], "'pdf' is not some of junit, har, ndjson, html"),
        (["http://x", "-H", "no.such.host.invalid"], "cannot listen on no.such.host.invalid:9187"),
        (["http://x", "--timeout", "0"], "0.0 is not in the range x>0"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["proxy", *arguments])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_taken_port_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    with bad.never_accepting() as taken, pytest.raises(SystemExit) as exit_:
        cli.main(["proxy", "http://127.0.0.1:1", "-p", taken.rpartition(":")[2]])
    assert exit_.value.code == 2
    assert "cannot listen on 127.0.0.1:" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with served() as server:
        code, _, err = ran(
            capsys, server.url, lambda url: None, "--report", "junit", "--report-dir", f"{tmp_path}/file/x"
        )
    assert code == 2
    assert "--report-dir: " in err


def test_without_its_extra_it_says_which(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as exit_:
        cli.main(["proxy", "http://x"])
    assert exit_.value.code == 2
    assert "pip install 'restserver[check]'" in capsys.readouterr().err
