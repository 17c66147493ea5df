"""The fast extra: granian answers as waitress does, stops as it does, and says what is wrong as it does."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from contracts.clock import pause, uptime
from restserver import cli

pytest.importorskip("granian")

ROOT = Path(__file__).parents[2]
SERVERS = ("waitress", "granian")
WORLD = ("--seed", "3", "--at", "2026-03-01T12:00:00Z", "--frozen", "--public-url", "http://jobs.example")


@contextmanager
def served(server: str, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    command = [sys.executable, "-m", "restserver", "serve", "-p", "0", "--server", server, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:"), process.communicate(timeout=30)
            yield line.removeprefix("listening on ").strip(), process
        finally:
            if process.poll() is None:
                process.terminate()


def asked(url: str, method: str, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Without the headers that are each server's own, or each request's."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, target, headers=headers)
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        own = ("server", "connection", "via")
        return response.status, {name: value for name, value in told.items() if name not in own}, response.read()
    finally:
        connection.close()


def test_granian_answers_as_waitress_does() -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(served(server, *WORLD))[0] for server in SERVERS]
        name = json.loads(asked(urls[0], "GET", "/__admin/jobs?limit=1", {})[2])["jobs"][0]["name"]
        etag = asked(urls[0], "GET", f"/api/v2/jobs/{name}", {})[1]["etag"]
        questions = [
            ("GET", f"/api/v2/jobs/{name}", {}),
            ("HEAD", f"/api/v2/jobs/{name}", {}),
            ("GET", f"/api/v2/jobs/{name}", {"If-None-Match": etag}),
            ("OPTIONS", f"/api/v2/jobs/{name}", {}),
            ("POST", f"/api/v2/jobs/{name}", {}),
            ("BREW", f"/api/v2/jobs/{name}", {}),
            ("GET", f"/api/v2/frameworks/{name}/attempts/0", {}),
            ("GET", f"/api/v2/frameworks/{name}/attempts?version=x", {}),
            ("GET", f"/api/v2/frameworks/{name}/versions", {}),
            ("GET", "/api/v2/jobs/nobody", {}),
            ("GET", "/api/v2/jobs/%FF%00", {}),
            ("GET", "/api/v2/jobs/a%2Fb", {}),
            ("GET", "/api/v2/jobs/..", {}),
            ("GET", "/healthz", {}),
        ]
        for method, target, headers in questions:
            with_id = {**headers, "X-Request-Id": "the-same"}
            first, second = (asked(url, method, target, with_id) for url in urls)
            assert first == second, (method, target)


@pytest.mark.parametrize("server", SERVERS)
def test_it_is_not_ready_for_a_while_before_it_stops(server: str) -> None:
    with served(server, "--stop-delay", "1", "--backend", "recorded") as (url, process):
        assert asked(url, "GET", "/readyz", {})[0] == 200
        process.send_signal(signal.SIGTERM)
        until = uptime() + 0.8
        while (told := asked(url, "GET", "/readyz", {}))[0] == 200 and uptime() < until:
            pause(0.02)
        assert told[0] == 503
        assert json.loads(told[2])["parts"]["server"] == "stopping"
        assert asked(url, "GET", "/api/v2/jobs/nobody", {})[0] == 404
        assert process.wait(30) == 0


def test_an_interrupt_ends_granian_with_130() -> None:
    with served("granian", "--backend", "recorded") as (_, process):
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_what_a_worker_finds_wrong_ends_it_with_one_line() -> None:
    command = [sys.executable, "-m", "restserver", "serve", "-p", "0", "--server", "granian", "--profile", "none-such"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("restserver: profile: ")


def test_a_taken_port_is_found_although_workers_share_one(capsys: pytest.CaptureFixture[str]) -> None:
    with served("granian", "--backend", "recorded") as (url, _), pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--server", "granian", "--port", url.rsplit(":", 1)[1]])
    assert ended.value.code == 2
    assert "cannot listen on" in capsys.readouterr().err


def test_without_the_extra_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "granian", None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--server", "granian", "--port", "0"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("needs what is not installed: pip install 'restserver[fast]'\n")


@pytest.mark.proof
def test_a_reload_reads_the_settings_anew_and_leaves_nobody_unanswered(tmp_path: Path) -> None:
    config = tmp_path / "restserver.toml"
    config.write_text('style = "documented"\n')
    with served("granian", "--config", str(config), *WORLD) as (url, process):
        name = json.loads(asked(url, "GET", "/__admin/jobs?limit=1", {})[2])["jobs"][0]["name"]

        def keys() -> set[str]:
            status, _, body = asked(url, "GET", f"/api/v2/frameworks/{name}/versions", {})
            assert status == 200
            return set(json.loads(body))

        assert keys() == {"FrameworkVersions"}
        config.write_text('style = "neither"\n')
        process.send_signal(signal.SIGHUP)
        pause(0.5)
        config.write_text('style = "portal"\n')
        assert keys() == {"FrameworkVersions"}
        process.send_signal(signal.SIGHUP)
        until = uptime() + 20
        while keys() != {"versions"} and uptime() < until:
            pause(0.02)
        pause(5)  # the old worker is gone by now
        assert keys() == {"versions"}


@pytest.mark.proof
def test_each_worker_has_its_own_metrics_and_a_killed_one_is_replaced(tmp_path: Path) -> None:
    with ExitStack() as stack:
        launcher = stack.enter_context(simulated_launcher())
        # Two ports in a row that are free now.
        first = next(port for port in range(20_000, 30_000, 2) if free(port) and free(port + 1))
        arguments = ["--backend", "launcher", "--dialect", "open", "--launcher-url", launcher, "--workers", "2"]
        beside = ["--management-port", str(first), "--archiver", "off", "--data-dir", str(tmp_path)]
        url, process = stack.enter_context(served("granian", *arguments, *beside))

        def ready(port: int) -> bool:
            try:
                return asked(f"http://127.0.0.1:{port}", "GET", "/readyz", {})[0] == 200
            except OSError:
                return False

        wait_until(lambda: ready(first) and ready(first + 1))
        for _ in range(20):
            assert asked(url, "GET", "/api/v2/jobs/nobody", {})[0] == 404
        counted = [
            line
            for port in (first, first + 1)
            for line in asked(f"http://127.0.0.1:{port}", "GET", "/metrics", {})[2].decode().splitlines()
            if line.startswith("restserver_requests_total") and 'operation="job"' in line
        ]
        assert sum(float(line.rsplit(" ", 1)[1]) for line in counted) == 20
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        subprocess.run(["kill", "-9", children[0]], check=True)  # noqa: S607 - of the system
        wait_until(lambda: ready(first) and ready(first + 1))
        assert asked(url, "GET", "/api/v2/jobs/nobody", {})[0] == 404


def wait_until(come: object) -> None:
    assert callable(come)
    until = uptime() + 30
    while not come():
        assert uptime() < until
        pause(0.05)


def free(port: int) -> bool:
    from restserver.serving import waitress_server

    try:
        waitress_server.listening_socket("127.0.0.1", port).close()
    except waitress_server.PortTaken:
        return False
    return True


@contextmanager
def simulated_launcher() -> Iterator[str]:
    command = [sys.executable, "-m", "restserver", "simulate", "-p", "0", "--dialect", "open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()
