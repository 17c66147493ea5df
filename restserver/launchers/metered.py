"""Sockets that keep two promises for a whole exchange: it ends by its deadline, and it brings no more than so many bytes.

A socket time-out is about one operation, so a server that sends a byte a second is never late. Here each receive gets only
the time that is left and takes what came from what may still come. Status line, headers, chunk sizes and body all pass
through ``recv_into``, so nothing above this module can wait, or fill the memory, for longer. Connecting (all addresses of
the host together), the TLS handshake and sending run against the same meter. No thread, no signal; where a host's name has to be
looked up first, :mod:`.addresses` keeps the same time.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from contracts.clock import EARLIEST, Milliseconds, VirtualClock

Address: TypeAlias = tuple[int, int, int, str, Any]
"""As :func:`socket.getaddrinfo` tells it: family, kind, protocol, name, and what :meth:`socket.socket.connect` takes."""


class AnswerTooLong(Exception):
    """More bytes came than one exchange may bring. Not an ``OSError``: nobody on the way takes it for a lost connection."""


class Meter:
    """What is left of one exchange. ``left`` raises TimeoutError once there is no time, ``count`` AnswerTooLong."""

    def __init__(self, time: Milliseconds, size: int) -> None:
        # A virtual clock that nobody holds is a stopwatch: it follows the monotonic time, whatever happens to the date.
        self._watch = VirtualClock(EARLIEST)
        self.time = time
        self.size = size
        self.received = 0

    def left(self) -> float:
        """Seconds, as sockets want them; above 0, for 0 would mean "do not wait at all" to them."""
        left = self.time - self._watch.now()
        if left <= 0:
            raise TimeoutError
        return left / 1000

    def count(self, received: int) -> int:
        self.received += received
        if self.received > self.size:
            raise AnswerTooLong
        return received


class MeteredSocket(socket.socket):
    meter: Meter

    def recv_into(self, buffer: bytearray, nbytes: int = 0, flags: int = 0) -> int:  # type: ignore[override]  # typeshed wants any writable buffer; the one caller is the reader of http.client
        return _metered(self, self.meter, lambda: socket.socket.recv_into(self, buffer, nbytes, flags))


class MeteredTlsSocket(ssl.SSLSocket):
    meter: Meter

    def recv_into(self, buffer: bytearray, nbytes: int | None = None, flags: int = 0) -> int:  # type: ignore[override]  # as above
        return _metered(self, self.meter, lambda: ssl.SSLSocket.recv_into(self, buffer, nbytes, flags))


def _metered(sock: socket.socket, meter: Meter, receive: Callable[[], int]) -> int:
    sock.settimeout(meter.left())
    return meter.count(receive())


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Host names are checked, always. ``ca_file`` replaces the system's trust. Raises OSError for a file that is no use."""
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = MeteredTlsSocket
    return context


def connected(
    host: str, addresses: Sequence[Address], tls: ssl.SSLContext | None, meter: Meter
) -> MeteredSocket | MeteredTlsSocket:
    """A connection within the meter's time. Raises OSError: the last address's, where a host has several."""
    plain = _dialled(addresses, meter)
    if tls is None:
        return plain
    try:
        plain.settimeout(meter.left())
        secure = tls.wrap_socket(plain, server_hostname=host)  # the handshake as a whole has the socket's time-out
    except BaseException:
        plain.close()
        raise
    assert isinstance(secure, MeteredTlsSocket)  # noqa: S101  # what sslsocket_class is for
    secure.meter = meter
    return secure


def _dialled(addresses: Sequence[Address], meter: Meter) -> MeteredSocket:
    failure: OSError | None = None
    for untried, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            sock = MeteredSocket(family, kind, protocol)
        except OSError as error:  # a family that this machine does not speak
            failure = error
            continue
        sock.meter = meter
        try:
            # An address that swallows everything leaves the others their share of the time.
            sock.settimeout(meter.left() / untried)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure or OSError("the host has no address")
