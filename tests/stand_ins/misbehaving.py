"""Servers that do what a server should not: each is a function that gets a connection and ruins it.

They speak raw bytes, so that nothing between corrects them. ``stop`` is set when the test is over; whoever waits, waits on
it, so that nothing here sleeps.
"""

import contextlib
import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Script: TypeAlias = Callable[[socket.socket, threading.Event], None]
"""Gets a connection on which a request has come in. Afterwards the connection is closed."""


@dataclass
class Misbehaving:
    url: str
    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released once for every connection that the server has closed."""


@contextlib.contextmanager
def misbehaving(script: Script, *, read_request: bool = True) -> Iterator[Misbehaving]:
    """Serves ``script`` on a free port; ``read_request`` off: the script has the connection from its first byte."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.settimeout(0.02)
    port = listener.getsockname()[1]
    server = Misbehaving(f"http://127.0.0.1:{port}", port)
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def ruined(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            if read_request:
                request = request_on(sock)
                if not request:
                    return
                server.requests.append(request)
            script(sock, stop)

    def one(sock: socket.socket) -> None:
        ruined(sock)
        server.closed.release()

    def accept() -> None:
        while not stop.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(None)
            server.connections += 1
            open_sockets.append(sock)
            thread = threading.Thread(target=one, args=(sock,))
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        stop.set()
        acceptor.join()
        listener.close()
        for sock in open_sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def request_on(sock: socket.socket) -> bytes:
    """The next request of a connection; empty if the client closed it."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = sock.recv(65536)
        if not piece:
            return b""
        received += piece
    return received


def port_of_nobody() -> int:
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def never_accepting() -> Iterator[str]:
    """Connections are queued by the system and never served."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sending(data: bytes) -> Script:
    """Sends that much, then closes the connection."""
    return lambda sock, stop: sock.sendall(data)


def silent(sock: socket.socket, stop: threading.Event) -> None:
    """Takes the request and says nothing."""
    stop.wait()


def resetting(sock: socket.socket, stop: threading.Event) -> None:
    """Closes so that the other side sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def dribbling(data: bytes, pause: float = 0.02) -> Script:
    """A byte at a time: never late for a time-out of a single read."""

    def script(sock: socket.socket, stop: threading.Event) -> None:
        for byte in data:
            if stop.wait(pause):
                return
            sock.sendall(bytes([byte]))

    return script


def endless_body(sock: socket.socket, stop: threading.Event) -> None:
    """Chunks without end, as fast as they are taken."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while not stop.is_set():
        sock.sendall(chunk)


def endless_header(sock: socket.socket, stop: threading.Event) -> None:
    """Headers without end, each of an allowed length."""
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stop.is_set():
        sock.sendall(b"X-More: " + b"a" * 60000 + b"\r\n")


def endless_chunk_size(sock: socket.socket, stop: threading.Event) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not stop.is_set():
        sock.sendall(b"0" * 65536)


def compressed(body: bytes) -> bytes:
    return answer(gzip.compress(body), "200 OK", "Content-Encoding: gzip")


class ClosingBetween:
    """Answers the first request of each connection and closes the connection when the second comes: a kept one gone stale."""

    def __init__(self, body: bytes, *, reset: bool) -> None:
        self._body = body
        self._reset = reset

    def __call__(self, sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(answer(self._body))
        if request_on(sock) and self._reset:
            resetting(sock, stop)
