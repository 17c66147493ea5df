"""A small HTTP/1.1 server on a free port of this machine, for stand-ins: it asks a function what to answer, and remembers what it was asked."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias


@dataclass(frozen=True)
class Reply:
    """Headers go out in this order, twice if they are here twice. ``chunked``: without Content-Length, as Jetty does."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()
    chunked: bool = False
    reason: str | None = None


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    path: str
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


Answerer: TypeAlias = Callable[[Asked], Reply | None]
"""``None``: no answer at all, the connection is closed."""


@dataclass
class Served:
    url: str
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them: nothing of one test is left for the next
    request_queue_size = 128

    def __init__(self, answerer: Answerer, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answerer = answerer
        self.tls = tls
        scheme = "http" if tls is None else "https"
        self.served = Served(f"{scheme}://127.0.0.1:{self.server_address[1]}")
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def get_request(self) -> tuple[socket.socket, object]:
        sock, address = super().get_request()
        if self.tls is not None:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except BaseException:
                sock.close()
                raise
        with self._lock:
            self._open.add(sock)
            self.served.connections += 1
        return sock, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write per answer
    server: _Server

    def do_GET(self) -> None:
        asked = Asked(self.path, tuple(self.headers.items()))
        self.server.served.asked.append(asked)
        reply = self.server.answerer(asked)
        if reply is None:
            self.close_connection = True
            return
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        for piece in _chunks(reply.body) if reply.chunked else (reply.body,):
            self.wfile.write(piece)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Tests are quiet."""


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 8000):
        piece = body[start : start + 8000]
        yield b"%X\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


DOUBLED = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Type", "application/json"))
"""What every success of a real launcher carries."""
ACTIVE = Reply(200, b"Active at launcher.example: 192.0.2.2", DOUBLED)
"""A launcher's root: no JSON, whatever the header says."""


@contextlib.contextmanager
def serving(answerer: Answerer, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    with _Server(answerer, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.served
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()
