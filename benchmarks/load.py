"""A load generator of one thread: many keep-alive connections, one request under way on each.

Only ever pointed at a port of this machine, bounded in time; it reads whole answers and counts every one that is not 200.
"""

import re
import selectors
import socket
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What came of one run. Latencies are milliseconds."""

    requests: int
    failures: int
    seconds: float
    median_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class _Connection:
    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._received = b""
        self.sent_at = 0.0

    def send(self) -> None:
        self._received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(self._request)

    def receive(self) -> int | None:
        """The status once the answer is whole, ``None`` before, 0 if the server hung up."""
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            return 0
        whole = self._received = self._received + chunk if self._received else chunk
        end = whole.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = _LENGTH.search(whole, 0, end)
        if length is None:
            if b"chunked" not in whole[:end]:
                raise ValueError("an answer of unknown length")
            return int(whole[9:12]) if whole.endswith(b"\r\n0\r\n\r\n") else None  # JSON never ends so
        return int(whole[9:12]) if len(whole) >= end + 4 + int(length[1]) else None


_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


def load(port: int, path: str, *, connections: int, seconds: float, headers: str = "") -> Load:
    """Asks ``path`` as fast as the server answers, for that long."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n".encode()
    latencies: list[float] = []
    failures = 0
    with selectors.DefaultSelector() as selector:
        open_connections = [_Connection(port, request) for _ in range(connections)]
        for connection in open_connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        started = time.perf_counter()
        ends = started + seconds
        while (now := time.perf_counter()) < ends:
            for key, _ in selector.select(ends - now):
                connection = key.data
                status = connection.receive()
                if status is None:
                    continue
                latencies.append(time.perf_counter() - connection.sent_at)
                failures += status != 200
                if status == 0:
                    selector.unregister(connection.socket)
                else:
                    connection.send()
        took = time.perf_counter() - started
        for connection in open_connections:
            connection.socket.close()
    latencies.sort()
    return Load(
        requests=len(latencies),
        failures=failures,
        seconds=took,
        median_ms=statistics.median(latencies) * 1000 if latencies else 0.0,
        p99_ms=latencies[int(len(latencies) * 0.99)] * 1000 if latencies else 0.0,
    )
