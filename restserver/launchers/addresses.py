"""The addresses of one host, within the time of whoever asks for them.

The resolver of the operating system cannot be cut short: a name server that is silent holds it for half a minute and more. So a
thread of its own waits for it, one for all who ask meanwhile, and each of them waits until its own deadline. What a look-up
finds is for those who were waiting; names are not remembered here, for that is what the system's own cache is for.
"""

import socket
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from restserver.beside import begun
from restserver.launchers.metered import Address, Meter

if TYPE_CHECKING:
    from concurrent.futures import Future


class Addresses:
    """Thread-safe."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._lock = Lock()
        self._under_way: Future[Sequence[Address]] | None = None

    def within(self, meter: Meter) -> Sequence[Address]:
        """Raises TimeoutError, and what :func:`socket.getaddrinfo` raises."""
        try:
            return self._found(socket.AI_NUMERICHOST)  # an address is its own answer, and needs no thread
        except socket.gaierror:
            return self._asked().result(meter.left())

    def _asked(self) -> "Future[Sequence[Address]]":
        with self._lock:
            if self._under_way is None or self._under_way.done():
                self._under_way = begun(self._found, "looking up a host")
            return self._under_way

    def _found(self, flags: int = 0) -> Sequence[Address]:
        return socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=flags)
