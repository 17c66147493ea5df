"""What waits harms nobody who does not, and what does not wait is answered where it was read; on the wire both look the same."""

import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from contracts.harness.control import ControlPlane
from contracts.harness.transport import Client, target_of
from restserver.answers.at_once import AT_ONCE, NotAtOnce
from restserver.assembling.application import application, built_backend, surroundings
from restserver.assembling.simulated_backend import simulated_backend
from restserver.serving import waitress_server
from restserver.serving.at_once import GatheringChannel
from restserver.settings import Settings
from restserver.stand_ins import Stage
from simulator.faults.faults import FaultSet

GET = "GET {} HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = "GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
JOB = "/api/v2/jobs/story~out-of-memory"
LARGE = 4_000_000


class Answering:
    """Answers with its path; ``/wait/...`` only once it is let go, and ``/large/...`` with megabytes. Remembers its threads."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.by: dict[str, str] = {}
        self.put: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        self.put.append(path)
        if path.startswith("/wait"):
            if AT_ONCE in environ:
                raise NotAtOnce
            assert self.let_go.wait(30)
        if path.startswith("/broken"):
            raise ValueError(path)
        self.by[path] = threading.current_thread().name
        body = path.encode() if not path.startswith("/large") else path[-1:].encode() * LARGE
        body += environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    host, _, port = urlsplit(url).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield connection


def heard(url: str, said: str) -> bytes:
    """All that comes back until the connection ends."""
    with connected(url) as connection:
        connection.sendall(said.encode())
        return everything(connection)


def everything(connection: socket.socket) -> bytes:
    received = bytearray()
    while piece := connection.recv(1 << 20):
        received += piece
    return bytes(received)


def bodies(answers: bytes) -> list[bytes]:
    found = []
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        length = int(re.findall(rb"Content-Length: (\d+)", head)[0])
        found.append(rest[:length])
        answers = rest[length:]
    return found


@pytest.fixture
def answering() -> Iterator[Answering]:
    made = Answering()
    yield made
    made.let_go.set()


@pytest.fixture
def url(answering: Answering) -> Iterator[str]:
    with waitress_server.serving(answering, at_once=True) as served:
        yield served
        answering.let_go.set()


def test_what_does_not_wait_is_answered_by_the_thread_that_read_it(answering: Answering, url: str) -> None:
    assert bodies(heard(url, LAST.format("/a"))) == [b"/a"]
    answering.let_go.set()
    assert bodies(heard(url, LAST.format("/wait"))) == [b"/wait"]
    assert answering.by["/a"] == "serving"
    assert answering.by["/wait"].startswith("waitress-")
    assert answering.put == ["/a", "/wait", "/wait"], "once at once, and once by a thread"


def test_who_waits_keeps_nobody_else_waiting(answering: Answering, url: str) -> None:
    with ThreadPoolExecutor(waitress_server.THREADS) as pool:
        waiting = [pool.submit(heard, url, LAST.format(f"/wait/{number}")) for number in range(waitress_server.THREADS)]
        while sum(path.startswith("/wait") for path in answering.put) < 2 * waitress_server.THREADS:
            pass  # until every thread has something to wait for
        assert bodies(heard(url, LAST.format("/a"))) == [b"/a"]
        answering.let_go.set()
        assert [bodies(one.result(30)) for one in waiting] == [
            [b"/wait/%d" % number] for number in range(waitress_server.THREADS)
        ]


def test_answers_of_one_connection_come_in_the_order_of_their_questions(answering: Answering, url: str) -> None:
    paths = ["/a", "/wait/1", "/b", "/c", "/wait/2", "/wait/3", "/d"]
    with ThreadPoolExecutor(1) as pool:
        said = "".join(map(GET.format, paths)) + LAST.format("/e")
        answers = pool.submit(heard, url, said)
        while "/wait/1" not in answering.put:
            pass
        answering.let_go.set()
        assert bodies(answers.result(30)) == [path.encode() for path in [*paths, "/e"]]
    assert answering.by["/d"] == "serving"


def test_a_reader_who_is_slow_keeps_nobody_else_waiting_and_gets_it_all(url: str) -> None:
    """More than waitress keeps for a reader before it waits for him."""
    paths = [f"/large/{number}" for number in range(8)]
    with connected(url) as slow:
        slow.sendall(("".join(map(GET.format, paths[:-1])) + LAST.format(paths[-1])).encode())
        for _ in range(3):
            assert bodies(heard(url, LAST.format("/a"))) == [b"/a"]
        assert [(body[:1], len(body)) for body in bodies(everything(slow))] == [
            (b"%d" % number, LARGE) for number in range(8)
        ]


def test_head_and_body_go_out_together(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    send = GatheringChannel.send

    def noting(self: GatheringChannel, data: bytes, do_close: bool = True) -> int:
        sent.append(bytes(data))
        return send(self, data, do_close)

    monkeypatch.setattr(GatheringChannel, "send", noting)
    received = heard(url, LAST.format("/a"))
    assert sent == [received]


def test_a_body_is_waited_for_and_told_to_come(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body" + LAST.format("/b").encode())
        assert bodies(everything(connection)) == [b"/abody", b"/b"]


def test_a_body_is_told_to_come_after_the_answer_before_it(url: str) -> None:
    with connected(url) as connection:
        asks = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        connection.sendall(GET.format("/before").encode() + asks)
        connection.settimeout(30)
        received = b""
        while not received.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            received += connection.recv(1 << 16)
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        connection.sendall(b"body")
        assert bodies(everything(connection)) == [b"/abody"]


def test_what_one_turn_answers_goes_out_at_its_end(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """First all answers, then all sendings, whoever asked; but nobody's answers pile up beyond a bound."""
    happened: list[str] = []
    send, service = GatheringChannel.send_gathered, GatheringChannel.service

    def sending(self: GatheringChannel) -> None:
        happened.append(f"sent {self.gathered_bytes > 0}")
        send(self)

    def serving(self: GatheringChannel) -> None:
        happened.append("answered")
        service(self)

    monkeypatch.setattr(GatheringChannel, "send_gathered", sending)
    monkeypatch.setattr(GatheringChannel, "service", serving)
    held, both_asked = threading.Event(), threading.Event()

    def holding(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/hold":
            happened.clear()
            held.set()
            assert both_asked.wait(30)
        return answering(environ, start_response)

    with (
        waitress_server.serving(holding, at_once=True) as url,
        connected(url) as one,
        connected(url) as other,
        connected(url) as third,
    ):
        for each in (one, other):
            each.sendall(GET.format("/known").encode())
            assert each.recv(1 << 16)
        third.sendall(GET.format("/hold").encode())
        assert held.wait(30)
        one.sendall(LAST.format("/a").encode())
        other.sendall(GET.format("/b").encode() * 2 + GET.format("/large/1").encode() + LAST.format("/c").encode())
        both_asked.set()
        assert bodies(everything(one)) == [b"/a"]
        assert bodies(everything(other))[-1] == b"/c"
    assert happened[:7] == ["sent True", *["answered"] * 4, "sent True", "sent True"]
    assert happened.count("answered") == 5


def test_an_application_that_breaks_is_answered_for_and_the_server_goes_on(url: str) -> None:
    assert heard(url, GET.format("/broken")).startswith(b"HTTP/1.1 500 ")
    assert heard(url, "nonsense\r\n\r\n").startswith(b"HTTP/1.0 400 ")
    assert bodies(heard(url, LAST.format("/a"))) == [b"/a"]


def test_who_hangs_up_in_between_harms_nobody(answering: Answering, url: str) -> None:
    for path in ("/a", "/wait", "/large/1") * 5:
        with connected(url) as connection:
            connection.sendall(GET.format(path).encode() * 3)
    answering.let_go.set()
    assert bodies(heard(url, LAST.format("/b"))) == [b"/b"]


def test_a_stop_leaves_nobody_unanswered(answering: Answering) -> None:
    listener = waitress_server.listening_socket("127.0.0.1", 0)
    with waitress_server.Server(answering, listener, at_once=True) as server, ThreadPoolExecutor(1) as pool:
        thread = threading.Thread(target=server.run)
        thread.start()
        answers = pool.submit(heard, server.url, GET.format("/wait") + GET.format("/large/1") + LAST.format("/a"))
        while answering.put.count("/wait") < 2:
            pass
        server.stop()
        answering.let_go.set()
        assert [len(body) for body in bodies(answers.result(30))] == [5, LARGE, 2]
        thread.join(30)
        assert not thread.is_alive()


@contextmanager
def simulated(served: Callable[[WSGIApplication], WSGIApplication]) -> Iterator[tuple[str, FaultSet, ControlPlane]]:
    settings = Settings(jobs=5, frozen=True, access_log=False, admin=True)
    built = simulated_backend(settings)
    assert isinstance(built.faults, FaultSet)
    app = application(built, settings, surroundings(built, settings))
    with waitress_server.serving(served(app), at_once=True) as url:
        client = Client(target_of(url))
        yield url, built.faults, ControlPlane(client)
        client.close()


@pytest.mark.parametrize("dialect", ["private", "open"])
def test_a_copy_of_what_a_real_launcher_said_is_at_hand(dialect: str, tmp_path: Path) -> None:
    by: list[str] = []
    with Stage() as stage:
        launcher = stage.launcher(dialect=dialect, jobs=1)
        settings = Settings(
            backend="launcher",
            dialect=dialect,
            launcher_url=launcher.url,
            cache_ttl=60.0,
            data_dir=tmp_path,
            archiver=False,
        )
        with built_backend(settings) as built:
            served = noting_threads(application(built, settings), by)
            with waitress_server.serving(served, at_once=built.at_once) as url:
                asked = LAST.format(JOB)
                heads, told = zip(*[heard(url, asked).split(b"\r\n\r\n", 1) for _ in range(4)], strict=True)
    assert {head.partition(b"\r\n")[0] for head in heads} == {b"HTTP/1.1 200 OK"}
    assert len(set(told)) == 1
    assert [name.partition("-")[0] for name in by] == ["waitress", "waitress", "serving", "serving"]


@pytest.mark.parametrize("guarded", [False, True])
def test_that_it_lives_is_told_though_every_thread_may_wait_for_a_launcher(guarded: bool, tmp_path: Path) -> None:
    by: list[str] = []
    tokens = ("secret",) if guarded else ()
    settings = Settings(
        backend="launcher", launcher_url="http://127.0.0.1:1", dialect="private", data_dir=tmp_path, read_tokens=tokens
    )
    with built_backend(settings) as built:
        served = noting_threads(application(built, settings), by)
        with waitress_server.serving(served, at_once=built.at_once) as url:
            told = [heard(url, LAST.format(path)).split(b"\r\n")[0] for path in ("/healthz", "/healthz?x", "/readyz")]
            assert bodies(heard(url, LAST.format("/healthz"))) == [b'{"status":"ok"}']
    assert told == [b"HTTP/1.1 200 OK"] * 2 + [b"HTTP/1.1 503 Service Unavailable"]
    assert [name.partition("-")[0] for name in by] == ["serving", "serving", "waitress", "serving"]


def noting_threads(app: WSGIApplication, by: list[str]) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answered = app(environ, start_response)
        by.append(threading.current_thread().name)
        return answered

    return answer


def test_a_simulated_delay_waits_in_a_thread_and_the_control_plane_ends_it() -> None:
    """The clock stands still, so nobody would be let go if the thread that reads were to wait."""
    by: list[str] = []

    with simulated(lambda app: noting_threads(app, by)) as (url, _, control), ThreadPoolExecutor(1) as pool:
        plain = [bodies(heard(url, LAST.format(JOB))) for _ in range(3)]
        assert [name.partition("-")[0] for name in by] == ["waitress", "waitress", "serving"]  # learnt, heard, at hand
        packed = LAST.format(JOB).replace("Host", "Accept-Encoding: gzip\r\nHost")
        assert heard(url, packed).partition(b"\r\n\r\n")[2] == heard(url, packed).partition(b"\r\n\r\n")[2]
        assert [name.partition("-")[0] for name in by[3:]] == ["waitress", "serving"], "packed once, and not at once"
        with control.fault({"kind": "latency", "fixedDelayMilliseconds": 60_000}):
            delayed = pool.submit(heard, url, LAST.format(JOB))
            while not delayed.done():
                control.set_clock(action="advance", by=61)
        assert bodies(delayed.result(30))[0][:30] == plain[0][0][:30]
        by.clear()
        heard(url, LAST.format(JOB).replace("Host", "Prefer: code=404\r\nHost"))
        assert by[-1].startswith("waitress")
