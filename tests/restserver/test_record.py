"""``restserver record`` as a program: what it prints, writes and ends with."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.launcher.recordings import Exchange, exchanges, files_of
from restserver import cli
from tests.stand_ins.encoded import encoded_launcher
from tests.stand_ins.known import KnownApplications, KnownFrameworks, framework
from tests.stand_ins.misbehaving import port_of_nobody

ROOT = Path(__file__).parents[2]
SECRET = "hunter2hunter2"  # noqa: S105 - of nobody
KNOWN = KnownFrameworks([framework("alice~a"), framework("bob~b")])


def ran(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["record", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def told(folder: Path) -> list[Exchange]:
    return [one for path in files_of(folder) for one in exchanges(path, lambda warning: None)]


def test_a_launcher_and_its_resource_manager_are_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with encoded_launcher(KNOWN, KnownApplications(), "open") as served:
        flags = ["--launcher-url", served.url, "--rm-url", served.url, "--dialect", "open"]
        header = ["--launcher-header", f"Authorization: Bearer {SECRET}"]
        assert ran(*flags, *header, "-o", str(tmp_path), "--poll-interval", "0.1", "--for", "0.05s") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"recording {served.url} into {tmp_path}\n")
    assert "4 answers written in 1 looks; 0 questions got no answer" in out
    found = told(tmp_path)
    statuses = [(one.source, one.response.status) for one in found]
    assert statuses == [*[("launcher", 200)] * 2, ("rm", 404), ("launcher", 200)], "both are of one application"
    assert found[0].response.headers["Content-Type"] == ["text/plain; charset=utf-8", "application/json"]
    assert found[0].request.headers == {"Accept": "application/json", "Authorization": "Bearer [redacted]"}
    assert SECRET not in "".join(map(str, found))
    assert all(asked.header("Authorization") == f"Bearer {SECRET}" for asked in served.asked)


def test_pseudonyms_are_told_where_they_are_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    names = tmp_path / "names"
    names.write_text("alice~a # ours\n\n")
    with encoded_launcher(KNOWN, KnownApplications(), "open") as served:
        flags = [
            "--launcher-url",
            served.url,
            "--dialect",
            "open",
            "-o",
            str(folder),
            "--for",
            "0.05s",
            "--names",
            str(names),
        ]
        assert ran(*flags, "--anonymise") == 0
    captured = capsys.readouterr()
    assert f"the key of the pseudonyms is {folder}.key; whoever has it can undo them" in captured.err
    (found,) = told(folder)
    assert "alice" not in str(found)
    assert (
        json.loads(found.response.body or "")["summarizedFrameworkInfo"]["frameworkName"]
        == found.request.path.rpartition("/")[2]
    )


def test_a_launcher_that_never_answers_is_3_and_written_as_a_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{port_of_nobody()}"
    assert ran("--launcher-url", url, "--dialect", "open", "-o", str(tmp_path), "--for", "0.05s") == 3
    assert capsys.readouterr().err == f"restserver: {url} never answered\n"
    (found,) = told(tmp_path)
    assert (found.response.status, found.response.reason) == (None, "The launcher refused the connection.")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda flags, folder: [*flags, "--for", "soon"],
            "'soon' is no length of time: 90, 90s, 30m, 12h, 7d and PT1M30S are",
        ),
        (lambda flags, folder: [*flags, "--for", "0"], "'0' is not from 0.001 s"),
        (lambda flags, folder: flags[2:], "launcher-url"),
        (lambda flags, folder: ["--launcher-url", "ftp://x", *flags[2:]], "ftp://x"),
        (lambda flags, folder: [*flags, "--names", "README.md"], "is no name of a framework"),
        (lambda flags, folder: [*flags, "--names", f"{folder}/none.txt"], "has no name in it"),
        (lambda flags, folder: [*flags, "-o", f"{folder}/none.txt/x"], "cannot be written: Not a directory"),
        (lambda flags, folder: [*flags, "--poll-interval", "0"], "'0' is not from 0.1 s"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_2(
    change: Callable[[list[str], Path], list[str]], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.txt").write_text("# nobody\n")
    assert ran(*change(["--launcher-url", "http://127.0.0.1:1", "-o", str(tmp_path / "out")], tmp_path)) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it(number: int, code: int, tmp_path: Path) -> None:
    with encoded_launcher(KNOWN, KnownApplications(), "open") as served:
        threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
        assert ran("--launcher-url", served.url, "--dialect", "open", "-o", str(tmp_path)) == code
    assert len(told(tmp_path)) == 3


def test_a_kill_loses_nothing_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with encoded_launcher(KNOWN, KnownApplications(), "open") as served:
        flags = ["--launcher-url", served.url, "--dialect", "open", "-o", str(tmp_path)]
        command = [sys.executable, "-m", "restserver", "record", *flags]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().startswith("recording ")
                while not list(tmp_path.glob("*.jsonl")) or len(told(tmp_path)) < 3:
                    threading.Event().wait(0.01)
            finally:
                process.kill()  # whatever went wrong: leaving the block waits for its end
        assert ran(*flags, "--for", "0.05s") == 0
    assert [one.request.path for one in told(tmp_path)] == [
        "/v1/Frameworks",
        "/v1/Frameworks/alice~a",
        "/v1/Frameworks/bob~b",
    ]
