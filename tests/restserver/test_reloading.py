"""SIGHUP: settings and secrets are read anew, alike under both servers, and nobody is left unanswered."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

import pytest

from contracts.clock import pause, uptime
from restserver.assembling.running import Running, changed_settings
from restserver.serving import waitress_server
from restserver.settings import BadSetting, Settings
from tests.restserver.wsgi_client import ask

ROOT = Path(__file__).parents[2]
STORY = "/api/v2/frameworks/story~running/versions"


@contextmanager
def served(*arguments: str) -> Iterator[tuple[str, "subprocess.Popen[str]", Callable[[str], str]]]:
    """Its address, the process, and what waits for a line of its log that holds some text."""
    command = [sys.executable, "-m", "restserver", "serve", "-p", "0", "--access-log", "off", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines, log = SimpleQueue[str](), process.stderr

        def read() -> None:
            for line in log:
                lines.put(line)

        reading = Thread(target=read)
        reading.start()

        def said(text: str) -> str:
            while text not in (line := lines.get(timeout=30)):
                pass
            return line

        try:
            yield process.stdout.readline().removeprefix("listening on ").strip(), process, said
        finally:
            process.terminate()
            reading.join()


def got(connection: HTTPConnection, bearer: str) -> tuple[int, dict[str, object]]:
    connection.request("GET", STORY, headers={"Authorization": f"Bearer {bearer}"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def opened(url: str) -> "closing[HTTPConnection]":
    return closing(HTTPConnection(urlsplit(url).netloc, timeout=30))


def status_anew(url: str, bearer: str) -> int:
    with opened(url) as connection:
        return got(connection, bearer)[0]


@pytest.mark.parametrize("server", ["waitress", pytest.param("granian", marks=pytest.mark.proof)])
def test_a_hangup_reads_file_and_secrets_anew_and_refuses_what_takes_a_restart(server: str, tmp_path: Path) -> None:
    if server == "granian":
        pytest.importorskip("granian")
    token, config = tmp_path / "token", tmp_path / "restserver.toml"

    def write(now: str, more: str) -> None:
        token.write_text(now)
        config.write_text(f'read-token = "@{token}"\n{more}')

    write("first", "")
    arguments = ["--server", server, "--config", str(config), "--log-format", "text"]
    with served(*arguments) as (url, process, said), opened(url) as connection:
        assert got(connection, "first")[1].keys() == {"FrameworkVersions"}
        for wrong, told in [
            ('style = "neither"', "not reloaded: style in "),
            ("stop-delay = 1", "not reloaded: stop-delay: cannot change without a restart"),
            ("seed = 2", "not reloaded: seed: cannot change without a restart"),
        ]:
            write("second", wrong)
            process.send_signal(signal.SIGHUP)
            assert told in said("not reloaded")
            assert got(connection, "first")[0] == 200
        write("second", 'style = "portal"')
        process.send_signal(signal.SIGHUP)
        line = said("changed: ")
        assert line.endswith("changed: style, read-token\n")
        until = uptime() + 20
        while status_anew(url, "second") == 401:
            assert uptime() < until
            pause(0.02)
        if server == "waitress":  # granian ends the connections of a worker that is replaced, between two answers
            assert got(connection, "first")[0] == 401
            assert got(connection, "second")[1].keys() == {"versions"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_who_is_being_answered_is_answered_by_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what that stands on is closed only then."""
    came, go, closed, reloads = SimpleQueue[str](), SimpleQueue[str](), SimpleQueue[str](), SimpleQueue[str]()

    def application(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        came.put("a request")
        go.get(timeout=30)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"told"]

    def reload(answered: Callable[[], None]) -> None:
        reloads.put("began")
        answered()
        closed.put("the former")

    app = Stopping(application)
    listener = waitress_server.listening_socket("127.0.0.1", 0)
    answers = SimpleQueue[bytes]()

    def client() -> None:
        with opened(waitress_server.url_of(listener)) as connection:
            connection.request("GET", "/")
            answers.put(connection.getresponse().read())

    def story() -> None:
        Thread(target=client).start()
        came.get(timeout=30)
        os.kill(os.getpid(), signal.SIGHUP)
        reloads.get(timeout=30)
        pause(0.1)
        assert closed.empty()
        go.put("on")
        assert answers.get(timeout=30) == b"told"
        closed.get(timeout=30)
        os.kill(os.getpid(), signal.SIGHUP)  # a second one, with nobody asking
        closed.get(timeout=30)

    failed = SimpleQueue[BaseException | None]()

    def told() -> None:
        try:
            story()
            failed.put(None)
        except BaseException as error:
            failed.put(error)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGHUP)
    assert waitress_server.serve(app, listener, Thread(target=told).start, reload=reload) == 0
    assert failed.get(timeout=30) is None
    assert signal.getsignal(signal.SIGHUP) is before


def test_a_reload_that_fails_unforeseen_is_logged_and_the_next_one_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    asked = SimpleQueue[str]()

    def reload(answered: Callable[[], None]) -> None:
        answered()
        asked.put("reload")
        raise OSError("no more files")

    def twice_and_end() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
            asked.get(timeout=30)
        os.kill(os.getpid(), signal.SIGTERM)

    listener = waitress_server.listening_socket("127.0.0.1", 0)
    started = Thread(target=twice_and_end).start
    assert waitress_server.serve(Stopping(lambda environ, start: []), listener, started, reload=reload) == 0
    assert [record.getMessage() for record in caplog.records].count("not reloaded") == 2


class Stopping:
    def __init__(self, application: Callable[..., list[bytes]]) -> None:
        self._application = application
        self.stopping = False

    def __call__(self, environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        return self._application(environ, start_response)


LAUNCHER = Settings(backend="launcher", launcher_url="http://127.0.0.1:1", cache_ttl=0.0, dialect="private")


def test_a_launcher_is_asked_through_something_new_and_the_former_is_closed_once_all_is_answered() -> None:
    running = Running(LAUNCHER, 9186)
    former, order = running.launcher, list[object]()
    running.stopping = True
    running.reload(LAUNCHER, lambda: order.append(running.launcher))
    assert order == [running.launcher]
    assert running.launcher is not former
    told = ask(running, "/readyz").json["parts"]
    assert told["server"] == "stopping"
    running.close()


def test_a_simulated_world_goes_on() -> None:
    settings = Settings(jobs=5, frozen=True)
    running = Running(settings, 9186)
    launcher = running.launcher
    running.reload(Settings(jobs=5, frozen=True, style="portal"), never)
    assert running.launcher is launcher
    assert ask(running, STORY).json.keys() == {"versions"}
    with pytest.raises(BadSetting, match="jobs: cannot change without a restart"):
        running.reload(Settings(jobs=6, frozen=True), never)
    running.close()


def never() -> None:
    raise AssertionError("nothing is closed that would have to wait")


def test_what_cannot_be_put_together_leaves_all_as_it_was() -> None:
    running = Running(LAUNCHER, 9186)
    launcher = running.launcher
    with pytest.raises(BadSetting, match="admin: there is no control plane"):
        running.reload(Settings(**{**vars(LAUNCHER), "admin": True}), never)
    assert running.launcher is launcher
    assert ask(running, "/healthz").status == 200
    running.close()


@pytest.mark.parametrize("other", [{"host": "0.0.0.0"}, {"port": 1}, {"management_port": 1}, {"stop_delay": 1.0}])
def test_what_the_process_stands_on_takes_a_restart(other: dict[str, object]) -> None:
    with pytest.raises(BadSetting, match="cannot change without a restart"):
        changed_settings(LAUNCHER, Settings(**{**vars(LAUNCHER), **other}))
    assert changed_settings(LAUNCHER, LAUNCHER) == []
