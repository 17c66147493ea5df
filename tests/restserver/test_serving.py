"""The server around the application: its address, its stop."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from contracts.exit_codes import INTERRUPTED
from contracts.harness.control import NoControl
from restserver.serving import waitress_server
from restserver.stand_ins import Stage
from tests.restserver.small_launcher import small


def get(url: str, target: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_the_application_answers_over_http_whatever_the_target() -> None:
    with waitress_server.serving(small().app) as url:
        assert get(url, "/api/v2/jobs/alice~mnist")[0] == 200
        assert get(url, "/api/v2/jobs/..") == (404, b'{"code":"NoJobError","message":"Job .. is not found."}')
        assert b"NoJobError" in get(url, "/api/v2/jobs/%FF%00")[1]
        assert b"NoApiError" in get(url, "/api/v2/jobs/a%2Fb")[1]
        assert get(url, "/api/v2/jobs/x", "BREW")[0] == 405
        assert get(url, "/api/v2/jobs/x", "OPTIONS") == (204, b"")
        assert get(url, "/api/v2/jobs/" + "a" * 8200)[0] == 414
        assert get(url, "/api/v2/jobs/" + "a" * 50_000)[0] == 414


@pytest.mark.parametrize("at_once", [True, False])
def test_who_polls_and_gets_nothing_new_keeps_the_connection(at_once: bool) -> None:
    target = "/api/v2/jobs/alice~mnist"
    with waitress_server.serving(small().app, at_once=at_once) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        connection.connect()
        used = connection.sock
        connection.request("GET", target)
        response = connection.getresponse()
        tag, whole = response.headers["ETag"], response.read()
        for headers, status, body in [
            ({"If-None-Match": tag}, 304, b""),
            ({}, 200, whole),
            ({"If-None-Match": tag}, 304, b""),
        ]:
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
            assert (response.status, response.read(), response.headers["ETag"]) == (status, body, tag)
        connection.request("OPTIONS", target)
        assert connection.getresponse().read() == b""
        assert connection.sock is used
        connection.request("GET", target, headers={"If-None-Match": tag, "Connection": "close"})
        response = connection.getresponse()
        assert (response.status, response.headers["Connection"]) == (304, "close")
        connection.close()


def test_many_connections_at_once_are_all_answered() -> None:
    with waitress_server.serving(small().app) as url, ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: get(url, "/api/v2/jobs/alice~mnist"), range(200)))
    assert {status for status, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1


class Held:
    """Answers only once it is let go."""

    def __init__(self) -> None:
        self.stopping = False
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, /) -> Iterable[bytes]:
        self.asked.set()
        assert self.let_go.wait(30)
        start_response("200 OK", [("Content-Length", "500000")])
        return [b"x" * 500_000]


@contextmanager
def answering(held: Held) -> "Iterator[tuple[waitress_server.Server, threading.Thread, Future[tuple[int, bytes]]]]":
    """A server in the middle of an answer: itself, its thread, and what whoever asked will get."""
    listener = waitress_server.listening_socket("127.0.0.1", 0)
    with waitress_server.Server(held, listener) as server, ThreadPoolExecutor(1) as pool:
        thread = threading.Thread(target=server.run)
        thread.start()
        answer = pool.submit(get, server.url, "/")
        assert held.asked.wait(30)
        yield server, thread, answer


def test_what_was_asked_before_the_stop_is_answered_in_full() -> None:
    held = Held()
    with answering(held) as (server, thread, answer):
        server.stop()
        while not _refused(server.url):  # no new connections from now on
            pass
        held.let_go.set()
        status, body = answer.result(30)
        thread.join(30)
        assert not thread.is_alive()
    assert (status, len(body)) == (200, 500_000)


def test_a_clock_that_is_put_forward_cuts_nobody_off(monkeypatch: pytest.MonkeyPatch) -> None:
    held, hours = Held(), count(1)
    with answering(held) as (server, thread, answer):
        monkeypatch.setattr(time, "time_ns", lambda: next(hours) * 3_600 * 10**9)
        server.stop()
        thread.join(0.5)
        assert thread.is_alive()
        held.let_go.set()
        assert answer.result(30)[0] == 200
        thread.join(30)


def test_a_request_that_takes_too_long_to_arrive_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waitress_server, "LONGEST_ARRIVAL", 0)
    with waitress_server.serving(small().app) as url:
        host, _, port = urlsplit(url).netloc.partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as slow, suppress(ConnectionError):
            slow.sendall(b"GET /api/v2/jobs/alice~mnist HTTP/1.1\r\n")
            assert slow.recv(1) == b""  # it hung up
        assert get(url, "/api/v2/jobs/alice~mnist")[0] == 200


def _refused(url: str) -> bool:
    host, _, port = urlsplit(url).netloc.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionError:
        return True
    return False


def test_a_taken_port_says_so() -> None:
    with waitress_server.listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(waitress_server.PortTaken, match=rf"cannot listen on 127\.0\.0\.1:{port}: "):
            waitress_server.listening_socket("127.0.0.1", port)


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
def test_a_host_that_cannot_be_a_name_says_so(host: str) -> None:
    with pytest.raises(waitress_server.PortTaken, match=f"cannot listen on {host}:0: no name of a host"):
        waitress_server.listening_socket(host, 0)


def test_a_host_that_is_none_says_so() -> None:
    with pytest.raises(waitress_server.PortTaken, match="cannot listen on not a host:0"):
        waitress_server.listening_socket("not a host", 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_is_written_in_brackets() -> None:
    try:
        listener = waitress_server.listening_socket("::1", 0)
    except waitress_server.PortTaken:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        assert waitress_server.url_of(listener).startswith("http://[::1]:")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, INTERRUPTED)])
def test_a_signal_stops_it_and_the_handlers_are_as_before(number: int, code: int) -> None:
    app = small().app
    before = signal.getsignal(number)
    said: list[str] = []

    def announce() -> None:
        said.append("listening")
        os.kill(os.getpid(), number)

    assert waitress_server.serve(app, waitress_server.listening_socket("127.0.0.1", 0), announce) == code
    assert len(said) == 1
    assert app.stopping
    assert signal.getsignal(number) is before


def test_a_second_interrupt_does_not_wait() -> None:
    def announce() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        waitress_server.serve(small().app, waitress_server.listening_socket("127.0.0.1", 0), announce)


@pytest.fixture
def _affinity() -> Iterator[None]:
    """Gives the process its processors back."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    yield
    if before is not None:
        os.sched_setaffinity(0, before)


@pytest.mark.usefixtures("_affinity")
def test_settling_pins_this_process_to_one_of_its_processors() -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("a process cannot be pinned here")
    before = os.sched_getaffinity(0)
    waitress_server.settle_process()
    assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) <= before


SETTLE = """
import os, sys
if sys.argv[1] == "without":
    for name in ("sched_setaffinity", "sched_getaffinity"):
        if hasattr(os, name):
            delattr(os, name)
from contracts.harness.control import NoControl
from restserver.serving import waitress_server
from restserver.stand_ins import Stage
waitress_server.settle_process()
print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "-", sys.getswitchinterval())
"""


@pytest.mark.parametrize("affinity", ["with", "without"])
def test_the_process_settles_with_and_without_affinity(affinity: str) -> None:
    command = [sys.executable, "-c", SETTLE, affinity]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    if affinity == "without" or not hasattr(os, "sched_getaffinity"):
        assert said[0] == "-"
        assert float(said[1]) == pytest.approx(waitress_server.SWITCH_SECONDS)
    else:
        assert said == ["1", str(sys.getswitchinterval())]


def test_a_saved_world_of_any_size_can_be_put_back() -> None:
    """The control plane takes more than an API that reads no bodies, and says itself what is too much."""
    about = "x" * 4000
    with Stage() as stage:
        control = stage.server(jobs=1).control
        for number in range(40):
            story = {"name": f"me~job-{number}", "about": about, "containers": [{"run": "PT10M", "exit": {"code": 1}}]}
            control.asked("POST", "/jobs", story)
        saved = control.asked("GET", "/state")
        assert len(str(saved)) > 2 * waitress_server.LARGEST_BODY
        assert control.asked("PUT", "/state", saved) == saved
        with pytest.raises(NoControl, match="larger than 65536 bytes"):
            control.asked("PUT", "/clock", {"action": "freeze", "why": "x" * waitress_server.LARGEST_BODY})
