"""The addresses of one host, within the time of whoever asks for them.

The resolver of the operating system cannot be cut short: a name server that is silent holds it for half a minute and more. So a
thread of its own waits for it, one for all who ask meanwhile, and each of them waits until its own deadline. What a look-up
finds is for those who were waiting; names are not remembered here, for that is what the system's own cache is for.
"""

import socket
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Lock, Thread
from typing import TypeAlias

from restserver.launchers.metered import Address, Meter

Looking: TypeAlias = "Future[Sequence[Address]]"


class Addresses:
    """Thread-safe."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._lock = Lock()
        self._under_way: Looking | None = None

    def within(self, meter: Meter) -> Sequence[Address]:
        """Raises TimeoutError, and what :func:`socket.getaddrinfo` raises."""
        try:
            return self._found(socket.AI_NUMERICHOST)  # an address is its own answer, and needs no thread
        except socket.gaierror:
            return self._asked().result(meter.left())

    def _asked(self) -> Looking:
        with self._lock:
            if self._under_way is None:
                self._under_way = Future()
                Thread(target=self._look_up, args=(self._under_way,), name="looking up a host", daemon=True).start()
            return self._under_way

    def _look_up(self, looking: Looking) -> None:
        try:
            found = self._found()
        except BaseException as error:  # of those who wait, as all else
            self._end()
            looking.set_exception(error)
        else:
            self._end()
            looking.set_result(found)

    def _end(self) -> None:
        """Whoever asks from now on asks anew."""
        with self._lock:
            self._under_way = None

    def _found(self, flags: int = 0) -> Sequence[Address]:
        return socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM, flags=flags)
