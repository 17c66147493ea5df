"""The command line as people use it: one clear line and the exit code of the interface for whatever is wrong."""

import json
import logging
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from restserver import cli
from restserver.assembling import application, backends, control_plane
from restserver.assembling.backends import Built
from restserver.guarding.hosts import is_loopback
from restserver.settings import BadSetting, Settings
from tests.restserver.small_launcher import small
from tests.stand_ins.served import Asked, Reply, serving

ROOT = Path(__file__).parents[2]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The server in a process of its own: its address, and the process."""
    command = [sys.executable, "-m", "restserver", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:"), process.communicate(timeout=30)
            yield line.removeprefix("listening on ").strip(), process
        finally:
            process.kill()


def get(url: str) -> tuple[dict[str, str], object]:
    with urllib.request.urlopen(url, timeout=30) as response:
        return {name.lower(): value for name, value in response.headers.items()}, json.load(response)


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the one line on standard error."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert isinstance(ended.value.code, int)
    return ended.value.code, captured.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "--port", "99999"], "--port: '99999'"),
        (["serve", "--backend", "real"], "--backend: 'real'"),
        (["serve", "--backend", "launcher"], "launcher-url"),
        (["serve", "--backend", "launcher", "--launcher-url", "http://u:p@l:1"], "launcher-url"),
        (
            ["serve", "--backend", "launcher", "--launcher-url", "http://l:1", "--launcher-ca", "/nowhere"],
            "--launcher-ca",
        ),
        (["serve", "--backend", "recorded", "--recordings", "/nowhere"], "--recordings: '/nowhere'"),
        (["serve", "--exit-spec", "/nowhere"], "--exit-spec: '/nowhere'"),
        (["serve", "--config", "/nowhere"], "--config: '/nowhere'"),
        (["serve", "--profile", "nobody-wrote-it", "--port", "0"], "profile"),
        (["serve", "--at", "soon"], "--at: 'soon'"),
        (["serve", "extra"], "extra"),
        (["frobnicate"], "frobnicate"),
        (["serve", "--launcher-header", "secret"], "--launcher-header: its value"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], says: str
) -> None:
    code, line = failure(capsys, *arguments)
    assert code == 2
    assert line.startswith("restserver: ")
    assert says in line


def test_a_taken_port_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = failure(capsys, "serve", "--port", str(port))
    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in line


def test_recordings_that_hold_nothing_are_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, line = failure(capsys, "serve", "--backend", "recorded", "--recordings", str(tmp_path), "--port", "0")
    assert (code, "recordings" in line) == (2, True)


def test_there_is_no_control_plane_over_a_real_launcher(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--backend", "launcher", "--launcher-url", "http://127.0.0.1:1", "--admin", "on", "--port", "0"]
    code, line = failure(capsys, "serve", *arguments)
    assert (code, "control plane" in line) == (2, True)


def test_help_tells_every_command_and_flag() -> None:
    group = CliRunner().invoke(cli.restserver, ["--help"])
    assert group.exit_code == 0
    assert all(command in group.output for command in cli.COMMANDS)
    serve = CliRunner().invoke(cli.restserver, ["serve", "--help"])
    assert serve.exit_code == 0
    assert "LAUNCHER_WEBSERVICE_URI" in serve.output
    assert CliRunner().invoke(cli.restserver, ["--version"]).exit_code == 0


def test_every_command_of_the_table_exists() -> None:
    context = cli.restserver.make_context("restserver", ["serve"])
    assert all(cli.restserver.get_command(context, name) is not None for name in cli.COMMANDS)
    assert cli.restserver.get_command(context, "nothing") is None


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("restserver.commands.serve.from_process", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve"])
    assert ended.value.code == 130


def test_the_start_imports_nothing_heavy() -> None:
    watched = [
        "schemathesis",
        "hypothesis",
        "jsonschema",
        "lark",
        "markdown_it",
        "faker",
        "prometheus_client",
        "urllib3",
        "contracts.derive",
    ]
    program = (
        "import sys; import restserver.cli, restserver.app, restserver.assembling.backends, restserver.serving.waitress_server;"
        f"print([name for name in {watched!r} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout.strip() == "[]"


def test_the_simulated_server_answers_what_it_links_to_and_ends_with_0() -> None:
    with running("--links", "--seed", "5", "--at", "2026-03-01T12:00:00Z", "--frozen") as (url, process):
        assert process.stdout is not None
        assert process.stdout.readline().split() == ["the", "console", f"{url}/"]
        for _ in range(3):
            headers, body = get(process.stdout.readline().split()[-1])
            assert isinstance(body, dict)
            assert set(body) == {"jobStatus", "taskRoles"}
            assert headers["x-simulated"] == "seed=5; now=2026-03-01T12:00:00Z"
            assert headers["date"] == "Sun, 01 Mar 2026 12:00:00 GMT"
        headers, body = get(f"{url}/__admin/clock")
        assert body == {"now": "2026-03-01T12:00:00Z", "rate": 1.0, "frozen": True}
        assert headers["x-simulated"] == "seed=5; now=2026-03-01T12:00:00Z"
        _, page = get(f"{url}/__admin/jobs?limit=3")
        assert isinstance(page, dict)
        assert len(page["jobs"]) == 3
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert all(json.loads(line)["logger"] == "restserver.access" for line in err.splitlines())


def test_the_recorded_server_stands_still_at_its_end_and_an_interrupt_is_130() -> None:
    with running("--backend", "recorded") as (url, process):
        _, clock = get(f"{url}/__admin/clock")
        assert isinstance(clock, dict)
        assert clock["frozen"] is True
        _, page = get(f"{url}/__admin/jobs")
        assert isinstance(page, dict)
        headers, _ = get(f"{url}/api/v2/jobs/{page['jobs'][0]['name']}")
        assert headers["x-recorded"]
        assert "x-simulated" not in headers
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_an_unreachable_launcher_is_a_server_that_is_not_ready() -> None:
    with running("--backend", "launcher", "--launcher-url", "http://127.0.0.1:1", "--access-log", "off") as (url, _):
        for target, status in (("/readyz", 503), ("/api/v2/jobs/x", 500), ("/__admin/clock", 404)):
            with pytest.raises(urllib.error.HTTPError) as caught:
                get(url + target)
            with caught.value as error:
                assert error.code == status
                assert "X-Simulated" not in error.headers
        assert get(f"{url}/healthz")[1] == {"status": "ok"}


def test_what_looks_after_the_server_moves_to_a_port_of_its_own() -> None:
    with running("--management-port", "0", "--access-log", "off") as (url, process):
        assert process.stderr is not None
        management = process.stderr.readline().removeprefix("management on ").strip()
        assert get(f"{management}/healthz")[1] == {"status": "ok"}
        for address in (f"{url}/healthz", f"{url}/metrics", f"{management}/api/v2/jobs/x"):
            with pytest.raises(urllib.error.HTTPError, match="404") as caught:
                get(address)
            caught.value.close()
        with urllib.request.urlopen(f"{management}/metrics", timeout=30) as response:
            assert b'restserver_requests_total{operation="unknown",status="404"} 3.0' in response.read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_the_management_port_answers_as_long_as_the_server_runs(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(management_port=0)
    looking_after = application.assembled(Built(small(settings).backend), settings).looking_after
    with application.managed(looking_after, settings):
        address = capsys.readouterr().err.removeprefix("management on ").strip()
        assert get(f"{address}/healthz")[1] == {"status": "ok"}
    with pytest.raises(urllib.error.URLError, match="refused"):
        get(f"{address}/healthz")
    with application.managed(application.assembled(Built(small().backend), Settings()).looking_after, Settings()):
        assert capsys.readouterr().err == ""


def test_a_taken_management_port_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, line = failure(capsys, "serve", "--port", "0", "--management-port", port)
    assert code == 2
    assert "management-port: cannot listen on" in line


def test_a_launcher_that_answers_is_what_is_served() -> None:
    def answer(asked: Asked) -> Reply:
        case = json.loads((ROOT / "fixtures/cases/private-00/launcher.json").read_text())
        told = case["launcher"].get(asked.path) or case["rm"].get(asked.path)
        return Reply(404) if told is None else Reply(told["status"], json.dumps(told["body"]).encode())

    case = ROOT / "fixtures/cases/private-00"
    asked, expected = (json.loads((case / file).read_text()) for file in ("launcher.json", "answer.json"))
    site = asked["site"]
    with serving(answer) as launcher:
        flags = ["--backend", "launcher", "--launcher-url", launcher.url, "--rm-url", launcher.url, "--style", "portal"]
        flags += ["--data-center", site["data_center"], "--sub-cluster", site["sub_cluster"]]
        with running(*flags) as (url, _):
            assert get(url + asked["path"])[1] == expected["body"]


@pytest.fixture
def _process_as_before() -> Iterator[None]:
    """``serve`` in this process takes hold of it: logging, and the processors."""
    root, access = logging.getLogger(), logging.getLogger("restserver.access")
    logs = list(root.handlers), root.level, access.level
    processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    yield
    root.handlers[:], root.level = logs[0], logs[1]
    access.setLevel(logs[2])
    if processors is not None:
        os.sched_setaffinity(0, processors)


@pytest.mark.usefixtures("_process_as_before")
@pytest.mark.parametrize("more", [[], ["--links"], ["--access-log", "off"]])
def test_serve_serves_until_it_is_told_to_stop(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answers: list[tuple[dict[str, str], object]] = []

    def ask_and_stop() -> None:
        url = f"http://127.0.0.1:{port}"
        while not answers:
            with suppress(ConnectionError, urllib.error.URLError):
                answers.append(get(f"{url}/healthz"))
        os.kill(os.getpid(), signal.SIGTERM)

    asking = threading.Thread(target=ask_and_stop)
    asking.start()
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--port", str(port), "--backend", "recorded", *more])
    asking.join()
    assert ended.value.code == 0
    captured = capsys.readouterr()
    first, *links = captured.out.splitlines()
    assert first == f"listening on http://127.0.0.1:{port}"
    assert bool(links) == ("--links" in more)
    assert ("/healthz" in captured.err) == ("off" not in more)
    assert answers[0][1] == {"status": "ok"}


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["restserver", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "restserver" / "__main__.py"), run_name="__main__")
    assert ended.value.code == 0
    assert "version" in capsys.readouterr().out


# --- the control plane ----------------------------------------------------------------------------------------------


def test_the_control_plane_is_on_by_default_only_on_loopback(capsys: pytest.CaptureFixture[str]) -> None:
    def mounted(**more: object) -> bool:
        settings = Settings(**more)  # type: ignore[arg-type]  # names and values of settings
        built = backends.BACKENDS["simulated"](settings)
        return bool(control_plane.mounts(built, settings))

    assert is_loopback(Settings().host)
    assert mounted()
    assert not mounted(admin=False)
    assert not mounted(host="0.0.0.0")
    assert capsys.readouterr().err == ""
    assert mounted(host="0.0.0.0", admin=True)
    made_up = capsys.readouterr().err.split()[-1]
    assert len(made_up) >= 32
    assert mounted(host="0.0.0.0", admin=True, admin_token="mine")  # noqa: S106 - protects nothing
    assert capsys.readouterr().err == ""


def test_a_control_plane_over_a_launcher_is_refused() -> None:
    settings = Settings(backend="launcher", launcher_url="http://127.0.0.1:1", admin=True)
    built = backends.BACKENDS["launcher"](settings)
    with pytest.raises(BadSetting, match="control plane"):
        control_plane.mounts(built, settings)
    built.close()


@pytest.mark.parametrize("at", [None, 1_795_466_050_740])
def test_the_recorded_clock_stands_at_the_end_or_starts_where_told(at: int | None) -> None:
    built = backends.BACKENDS["recorded"](Settings(backend="recorded", at=at))
    assert built.clock is not None
    shown = built.clock.read()
    assert shown.frozen == (at is None)
    assert at is None or at <= shown.now < at + 60_000
    built.close()
