"""The server that is proxied: connections to it, kept between requests, and what can be wrong with an answer of it."""

import asyncio
import os
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import h11

from contracts.harness.proxy.line import Line
from contracts.harness.proxy.passing_on import Ambiguous
from contracts.harness.transport import MALFORMED, REFUSED, RESET, TIME_OUT, TRUNCATED, Target

MOST_KEPT: Final = 64


class Failed(Exception):
    """The server gave no whole answer. ``kind`` is a word of :mod:`contracts.harness.transport`."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind, self.what = kind, what


@dataclass
class Server:
    target: Target
    timeout: float
    """Seconds, to connect and between two pieces of an answer."""
    insecure: bool = False
    reached: bool = False
    """Whether it ever took a connection."""
    _kept: deque[Line] = field(default_factory=deque)

    async def kept(self) -> Line | None:
        """A connection from before, if one is left; the server may close it at any time."""
        while self._kept:
            line = self._kept.pop()
            if await line.quiet():
                return line
            line.cut()
        return None

    async def connected(self) -> Line:
        """Raises :class:`Failed`."""
        try:
            async with asyncio.timeout(self.timeout):
                reader, writer = await asyncio.open_connection(self.target.host, self.target.port, ssl=self._tls())
        except TimeoutError as error:
            raise Failed(REFUSED, f"no connection: it was not taken within {self.timeout:g} s") from error
        except OSError as error:
            # asyncio has words of its own for what the system says better
            said = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise Failed(REFUSED, f"no connection: {said or error}") from error
        self.reached = True
        return Line(reader, writer, h11.CLIENT)

    def keep(self, line: Line) -> None:
        """If it can be used again."""
        if len(self._kept) < MOST_KEPT and not line.spare and line.again():
            self._kept.append(line)
        else:
            line.cut()

    def close(self) -> None:
        """At once: nothing is left to be said, and over TLS a farewell would have to be waited for."""
        while self._kept:
            self._kept.pop().cut()

    def failure(self, error: Exception, line: Line, status: int | None, taken: int) -> Failed:
        """What broke while an answer was awaited or read, of which ``taken`` bytes of the body had come."""
        match error:
            case Failed():
                return error
            case TimeoutError():
                got = f"after {line.received} bytes it was not complete" if line.received else "nothing came"
                return Failed(TIME_OUT, f"no answer within {self.timeout:g} s: {got}")
            case h11.RemoteProtocolError() if line.ended:
                if status is not None:
                    return Failed(TRUNCATED, f"the body ended after {taken} bytes")
                return Failed(RESET, "the server closed the connection without an answer")
            case h11.RemoteProtocolError() | Ambiguous():
                return Failed(MALFORMED, f"this is no HTTP answer: {error}")
            case OSError():
                return Failed(RESET, f"the connection broke: {error.strerror or type(error).__name__}")
        raise error

    def _tls(self) -> ssl.SSLContext | None:
        if self.target.scheme == "http":
            return None
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
