"""One request, one answer, however badly the server behaves: bounded in time and in bytes, and never an exception.

The standard library's client is used for what it does not do: it changes no path, follows no redirect, asks again for
nothing and decodes nothing. What it lacks is a bound over the whole answer, headers included; that is made below it, where
bytes are received. Whatever goes wrong becomes an :class:`Unanswered`, which says what, in the words of a report.
"""

import http.client
import io
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from contracts.clock import Instant, real_now, uptime

LONGEST_ANSWER: Final = 16 * 1024 * 1024
"""Bytes; a job with ten thousand tasks has less."""
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    """Path and query as they go over the wire."""
    headers: Pairs = ()
    body: str = ""
    """Only the control plane is sent any."""


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    reason: str
    headers: Pairs
    body: bytes
    at: Instant
    """When it was asked for, real time."""
    seconds: float

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """``kind`` is one of the words below; ``what`` a sentence."""

    kind: str
    what: str
    at: Instant
    seconds: float
    status: int | None = None
    """If it got that far."""


REFUSED, TIME_OUT, RESET, MALFORMED, TRUNCATED, ENDLESS = (
    "refused",
    "time-out",
    "reset",
    "malformed",
    "truncated",
    "endless",
)


class BadUrl(ValueError):
    """The URL of a server that is none."""


@dataclass(frozen=True)
class Target:
    """Where a server is. ``prefix`` is what stands before every path, for a server behind a gateway."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}{'' if self.port == usual else f':{self.port}'}{self.prefix}"


def target_of(url: str) -> Target:
    """Raises :class:`BadUrl`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrl(f"{url!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUrl(f"{url!r} is no URL of a server: http://HOST:PORT is")
    if parts.username is not None or parts.query or parts.fragment:
        raise BadUrl(f"{url!r} may have no credentials, query or fragment: a header carries credentials")
    return Target(
        parts.scheme, parts.hostname, port or {"http": 80, "https": 443}[parts.scheme], parts.path.rstrip("/")
    )


@dataclass
class Client:
    """Asks one server; each thread has a connection of its own, kept between requests."""

    target: Target
    timeout: float = 10.0
    """Seconds for one whole answer."""
    headers: Pairs = ()
    """Sent with every request."""
    insecure: bool = False
    longest: int = LONGEST_ANSWER
    _local: threading.local = field(default_factory=threading.local, repr=False)
    _open: list[http.client.HTTPConnection] = field(default_factory=list, repr=False)

    def ask(self, request: Request, timeout: float | None = None) -> Answered | Unanswered:
        at, started = real_now(), uptime()
        deadline = started + min(self.timeout, timeout or self.timeout)
        kept = getattr(self._local, "kept", None) is not None
        outcome = self._once(request, deadline)
        if kept and isinstance(outcome, _Stale):
            # The server may close a kept connection at any time; that says nothing about this request.
            outcome = self._once(request, deadline)
        seconds = uptime() - started
        if isinstance(outcome, _Stale):
            outcome = _Failed(RESET, "the server closed the connection without an answer")
        if isinstance(outcome, _Failed):
            return Unanswered(outcome.kind, outcome.what, at, seconds, outcome.status)
        status, reason, headers, body = outcome
        return Answered(status, reason, headers, body, at, seconds)

    def close(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._local = threading.local()

    def sent_headers(self, request: Request) -> Pairs:
        """What goes over the wire besides Host."""
        own = {name.lower() for name, _ in request.headers}
        return (*((name, value) for name, value in self.headers if name.lower() not in own), *request.headers)

    def _once(self, request: Request, deadline: float) -> "_Whole | _Failed | _Stale":
        bounds = _Bounds(deadline, self.longest)
        status: list[int] = []
        try:
            return self._exchange(request, bounds, status)
        except (http.client.HTTPException, ValueError, OSError, _TooLong) as error:
            self._drop()
            if not bounds.taken and isinstance(error, ConnectionError) and not isinstance(error, _NoConnection):
                return _Stale()
            return _failure(error, bounds, self.timeout, status[0] if status else None)

    def _exchange(self, request: Request, bounds: "_Bounds", status: list[int]) -> "_Whole | _Failed":
        connection = self._connection(bounds)
        connection.putrequest(request.method, self.target.prefix + request.target, skip_accept_encoding=True)
        for name, value in self.sent_headers(request):
            connection.putheader(name, value.encode("latin-1", "replace"))
        if request.body:
            connection.putheader("Content-Length", str(len(request.body.encode())))
        connection.endheaders(request.body.encode() or None)
        response = connection.getresponse()
        status.append(response.status)
        body = response.read()
        if response.will_close or request.method == "HEAD":
            self._drop()  # a body that HEAD should not have would be taken for the next answer
        elif bounds.left_over():
            self._drop()
            return _Failed(MALFORMED, "more bytes came than Content-Length says", response.status)
        return response.status, response.reason, tuple(response.getheaders()), body

    def _connection(self, bounds: "_Bounds") -> http.client.HTTPConnection:
        kept: _Kept | None = getattr(self._local, "kept", None)
        if kept is None:
            kept = self._connected(max(0.001, bounds.deadline - uptime()))
            self._local.kept = kept
            self._open.append(kept.connection)
        kept.sock.bounds = bounds
        return kept.connection

    def _connected(self, left: float) -> "_Kept":
        connection: http.client.HTTPConnection
        if self.target.scheme == "https":
            context = ssl.create_default_context()
            if self.insecure:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(self.target.host, self.target.port, timeout=left, context=context)
        else:
            connection = http.client.HTTPConnection(self.target.host, self.target.port, timeout=left)
        try:
            connection.connect()
        except TimeoutError as error:
            raise _NoConnection(f"it was not taken within {self.timeout:g} s") from error
        except OSError as error:
            raise _NoConnection(error.strerror or str(error)) from error
        bounded = _BoundedSocket(connection.sock)
        connection.sock = bounded  # all that http.client uses of a socket, and the bounds
        return _Kept(connection, bounded)

    def _drop(self) -> None:
        kept: _Kept | None = getattr(self._local, "kept", None)
        if kept is not None:
            kept.connection.close()
            kept.sock.hang_up()
            self._local.kept = None
            self._open.remove(kept.connection)


_Whole = tuple[int, str, Pairs, bytes]


def _failure(error: Exception, bounds: "_Bounds", timeout: float, status: int | None) -> "_Failed":
    match error:
        case _TooLong():
            return _Failed(ENDLESS, f"the answer is longer than {bounds.longest} bytes, and went on", status)
        case TimeoutError():
            return _Failed(TIME_OUT, bounds.late(timeout), status)
        case _NoConnection():
            return _Failed(REFUSED, f"no connection: {error}", status)
        case http.client.IncompleteRead():
            missing = "" if error.expected is None else f", {error.expected} more were promised"
            return _Failed(TRUNCATED, f"the body ended after {len(error.partial)} bytes{missing}", status)
        case OSError():
            return _Failed(RESET, f"the connection broke: {error.strerror or type(error).__name__}", status)
        case _:
            told = " ".join(str(error).split())[:200]
            return _Failed(MALFORMED, f"this is no HTTP answer: {type(error).__name__} {told}", status)


@dataclass(frozen=True)
class _Failed:
    kind: str
    what: str
    status: int | None = None


@dataclass(frozen=True)
class _Stale:
    """Closed before a byte of the answer came."""


class _TooLong(Exception):
    pass


class _NoConnection(ConnectionError):
    pass


@dataclass(frozen=True)
class _Kept:
    connection: http.client.HTTPConnection
    sock: "_BoundedSocket"


@dataclass
class _Bounds:
    """Of one answer."""

    deadline: float
    longest: int
    taken: int = 0
    reader: "_Reader | None" = None

    def receive(self, sock: socket.socket, buffer: memoryview) -> int:
        left = self.deadline - uptime()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)
        count = sock.recv_into(buffer)
        self.taken += count
        if self.taken > self.longest:
            raise _TooLong
        return count

    def late(self, timeout: float) -> str:
        got = f"after {self.taken} bytes it was not complete" if self.taken else "nothing came"
        return f"no answer within {timeout:g} s: {got}"

    def left_over(self) -> bool:
        return self.reader is not None and self.reader.left > 0


class _BoundedSocket:
    """A socket as http.client uses one: closed while an answer is still read from it, it stays open until that is read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._readers = 0
        self._closed = False
        self.bounds: _Bounds | None = None

    def makefile(self, mode: str) -> "_Reader":
        assert mode == "rb"  # noqa: S101 - nothing else is asked for
        assert self.bounds is not None  # noqa: S101 - set before every request
        reader = _Reader(_Raw(self._sock, self.bounds, self._read))
        self._readers += 1
        self.bounds.reader = reader
        return reader

    def sendall(self, data: bytes) -> None:
        assert self.bounds is not None  # noqa: S101 - as above
        self._sock.settimeout(max(0.001, self.bounds.deadline - uptime()))
        self._sock.sendall(data)

    def close(self) -> None:
        self._closed = True
        if not self._readers:
            self._sock.close()

    def hang_up(self) -> None:
        """Whatever is still to be read."""
        self._sock.close()

    def _read(self) -> None:
        self._readers -= 1
        if self._closed:
            self.close()


class _Raw(io.RawIOBase):
    def __init__(self, sock: socket.socket, bounds: _Bounds, done: Callable[[], None]) -> None:
        self._sock, self._bounds, self._done = sock, bounds, done
        self.ended = False

    def close(self) -> None:
        if not self.closed:
            self._done()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer would do; it is always this
        return 0 if self.ended else self._bounds.receive(self._sock, buffer)


class _Reader(io.BufferedReader):
    """Notices, when closed, what was received and never asked for."""

    left = 0

    def __init__(self, raw: _Raw) -> None:
        super().__init__(raw, 65536)
        self._ended = raw

    def close(self) -> None:
        if not self.closed:
            self._ended.ended = True
            self.left = len(self.peek())
        super().close()
