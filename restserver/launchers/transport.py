"""One GET to a launcher or resource manager: an answer of it, or an error of the port. Every failure below HTTP is translated here.

One deadline holds for a whole call: looking up the host, connecting, TLS, sending, waiting, reading. It is the asker's own or the configured
time-out, whichever comes first; :mod:`restserver.launchers.metered` keeps it. Redirects are not followed, compression is
not accepted, the environment's proxies are not used.

The pool is ours and not urllib3's: only so is it known whether a connection that failed was a kept one. A server may close
a kept connection just while it is being used again; then, and only if nothing of an answer had come, the question is asked
once more, on a new connection and within the same deadline. No other failure is asked again here; where nothing of an
answer had come, the error says so (``unheard``), and :mod:`restserver.launchers.retry` may.
"""

import errno
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Self, TypeAlias

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from contracts.clock import Clock, Instant, Milliseconds
from contracts.launcher.port import Ask, LauncherError, LauncherUnavailable, LauncherUnreadable
from restserver.launchers.addresses import Addresses
from restserver.launchers.metered import AnswerTooLong, Meter, connected, tls_context
from restserver.launchers.target import BadTarget, checked_headers, target

MOST_BYTES = 64 * 1024 * 1024
KEPT_CONNECTIONS = 32
PIECE = 256 * 1024

Connection: TypeAlias = HTTPConnection | HTTPSConnection


@dataclass(frozen=True, slots=True)
class Reply:
    """Any answer, whatever its status."""

    status: int
    body: bytes
    retry_after: str | None
    """The value of the header, where it is one (RFC 9110, 10.2.3)."""
    reason: str = field(default="", compare=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """All of them, in their order; a name that came twice is there twice. For those who write down what was said."""


_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:@/+=-]{1,128}")
_RETRY_AFTER = re.compile(r"[0-9]{1,9}|[A-Za-z]{3,9},? [A-Za-z0-9 :-]{1,40}")


class Transport:
    """Asks one server; ``who`` is its name in sentences. Thread-safe. Holds at most ``keep`` idle connections."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        timeout: Milliseconds,
        who: str,
        headers: Iterable[tuple[str, str]] = (),
        ca_file: str | None = None,
        most_bytes: int = MOST_BYTES,
        keep: int = KEPT_CONNECTIONS,
    ) -> None:
        self._target = target(url)
        self._addresses = Addresses(self._target.host, self._target.port)
        self._clock = clock
        self._timeout = timeout
        self._who = who
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "restserver",
            **dict(checked_headers(headers)),
        }
        # A wrong file stops even those who do not need it.
        secure = self._target.scheme == "https"
        trust = _trust(ca_file) if secure or ca_file is not None else None
        self._tls = trust if secure else None
        self._most_bytes = most_bytes
        self._idle = _Idle(keep)

    def within(self, ask: Ask) -> Ask:
        """The ask with the deadline that holds for one call of the port, however many questions it takes."""
        return Ask(self._deadline(ask), ask.request_id, ask.trace)

    def get(self, path: str, ask: Ask) -> Reply:
        """``path`` is sent as it is. Raises LauncherUnavailable, LauncherUnreadable."""
        meter = Meter(self._deadline(ask) - self._clock.now(), self._most_bytes)
        if meter.time <= 0:
            raise LauncherUnavailable(f"{self._who} was not asked: the time for the answer was up.")
        try:
            return self._asked(self._target.prefix + path, self._headers_of(ask), meter)
        except AnswerTooLong as error:
            raise LauncherUnreadable("$", f"more than {meter.size} bytes") from error
        except (OSError, HTTPException, HTTPError) as error:
            raise self._translated(error, meter) from error

    def close(self) -> None:
        """Closes what is idle. Calls under way go on, and later ones work."""
        self._idle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deadline(self, ask: Ask) -> Instant:
        latest = self._clock.now() + self._timeout
        return latest if ask.deadline is None else min(ask.deadline, latest)

    def _headers_of(self, ask: Ask) -> Mapping[str, str]:
        if ask.request_id is None or not _REQUEST_ID.fullmatch(ask.request_id):
            return {**self._headers, **dict(ask.trace)} if ask.trace else self._headers
        return {**self._headers, "X-Request-Id": ask.request_id, **dict(ask.trace)}

    def _asked(self, path: str, headers: Mapping[str, str], meter: Meter) -> Reply:
        kept = self._idle.take()
        if kept is not None:
            try:
                return self._exchange(kept, path, headers, meter)
            except (ConnectionError, ssl.SSLEOFError):
                if meter.received:
                    raise
        return self._exchange(self._new_connection(meter), path, headers, meter)

    def _new_connection(self, meter: Meter) -> Connection:
        host, port = self._target.host, self._target.port
        connection = HTTPConnection(host, port) if self._tls is None else HTTPSConnection(host, port)
        connection.auto_open = 0  # it never connects by itself, past the meter
        connection.sock = connected(host, self._addresses.within(meter), self._tls, meter)
        return connection

    def _exchange(self, connection: Connection, path: str, headers: Mapping[str, str], meter: Meter) -> Reply:
        sock = connection.sock
        assert sock is not None  # noqa: S101  # made connected, and given to the pool only while it is
        try:
            sock.meter = meter  # type: ignore[union-attr]  # all sockets here are metered ones
            connection.timeout = meter.left()
            connection.request("GET", path, headers=headers, preload_content=False, decode_content=False)
            connection.timeout = meter.left()
            response = connection.getresponse()
            reply = _reply(response, meter)
        except BaseException:
            # Wherever it broke off, what is still on the line belongs to nobody. A response that urllib3 could not make
            # may still hold the socket open, so the descriptor itself is closed.
            connection.close()
            if sock.fileno() != -1:
                socket.close(sock.detach())
            raise
        response.close()
        if connection.sock is not None:
            self._idle.give(connection)
        return reply

    def _translated(self, error: Exception, meter: Meter) -> LauncherError:
        """What failed, in one plain sentence that shows nothing of what was sent."""
        chain = tuple(_chain(error))
        who = self._who
        for kind, sentence in _SENTENCES:
            if any(isinstance(link, kind) for link in chain):
                return LauncherUnavailable(
                    sentence.format(who=who, lower=_lower(who), seconds=_seconds(meter.time)),
                    unheard=issubclass(kind, ConnectionError) and not meter.received,
                )
        if any(isinstance(link, OSError) and link.errno in _UNREACHABLE for link in chain):
            return LauncherUnavailable(f"{who} cannot be reached.")
        if any(isinstance(link, (HTTPException, HTTPError)) for link in chain):
            return LauncherUnreadable("$", "something that is not HTTP")
        return LauncherUnavailable(f"The connection to {_lower(who)} failed.")


class _Idle:
    """Connections waiting for their next use; the last one used is the first one taken, so that the rest may grow old."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._connections: list[Connection] = []
        self._lock = threading.Lock()

    def take(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._connections:
                    return None
                connection = self._connections.pop()
            if connection.is_connected:
                return connection
            connection.close()  # the server closed it, or said something nobody asked for

    def give(self, connection: Connection) -> None:
        with self._lock:
            if len(self._connections) < self._most:
                self._connections.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            connection.close()


def _reply(response: HTTPResponse, meter: Meter) -> Reply:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise LauncherUnreadable("$", "a compressed body, which was not asked for")
    if response.length_remaining is not None and response.length_remaining > meter.size:
        raise AnswerTooLong
    pieces = []
    while piece := response.read(PIECE):
        pieces.append(piece)
    retry_after = response.headers.get("Retry-After", "")
    return Reply(
        status=response.status,
        body=b"".join(pieces),
        retry_after=retry_after if _RETRY_AFTER.fullmatch(retry_after) else None,
        reason=response.reason or "",
        headers=tuple(response.headers.items()),
    )


def _trust(ca_file: str | None) -> ssl.SSLContext:
    try:
        return tls_context(ca_file)
    except OSError as error:
        raise BadTarget(f"{ca_file} is not a file of certificates: {error.strerror or error}") from error


def _chain(error: BaseException | None) -> Iterable[BaseException]:
    """The error and what caused it; urllib3 wraps what happens while a body is read."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _seconds(time: Milliseconds) -> str:
    """Not 0, though little may be left of a deadline for a call that had to wait for its turn."""
    return f"{max(round(time / 1000, 1), 0.1):g}"


def _lower(who: str) -> str:
    return who[:1].lower() + who[1:]


# The first kind that is in the chain of causes decides.
_SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "{who} did not answer within {seconds} s."),
    (socket.gaierror, "{who} cannot be reached: the name of its host is not known."),
    (ConnectionRefusedError, "{who} refused the connection."),
    (ssl.SSLCertVerificationError, "{who} shows a certificate that is not trusted."),
    (RemoteDisconnected, "{who} closed the connection without an answer."),
    (ConnectionError, "{who} reset the connection."),
    (IncompleteRead, "The answer of {lower} broke off in the middle."),
    (ssl.SSLError, "No secure connection to {lower} came about."),
)
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
