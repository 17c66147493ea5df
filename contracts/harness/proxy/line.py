"""One HTTP/1.1 connection, to a client or to the server: h11 says what the bytes mean, asyncio moves them."""

import asyncio
import contextlib
from typing import Final

import h11

PIECE: Final = 64 * 1024
LONGEST_HEAD: Final = 64 * 1024
"""Bytes of a request line or status line and its headers."""
SLOWEST_READER: Final = 120.0
"""Seconds for the other side to take what was sent."""


class Line:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: type[h11.CLIENT | h11.SERVER]
    ) -> None:
        self._reader, self._writer = reader, writer
        self.http = h11.Connection(role, max_incomplete_event_size=LONGEST_HEAD)
        self.received = 0
        """Bytes, since :meth:`again`."""
        self.ended = False
        """Whether the other side has said everything it ever will."""

    async def next(self, within: float | None) -> h11.Event:
        """The next part of a message. Raises ``TimeoutError`` after so many seconds without a byte, ``h11.RemoteProtocolError``, ``OSError``."""
        while not isinstance(event := self.http.next_event(), h11.Event):
            async with asyncio.timeout(within):
                data = await self._reader.read(PIECE)
            self.received += len(data)
            self.ended = not data
            self.http.receive_data(data)
        return event

    async def send(self, *events: h11.Event) -> None:
        """Raises ``h11.LocalProtocolError``, ``TimeoutError``, ``OSError``."""
        data = b"".join(piece for event in events for piece in self.http.send_with_data_passthrough(event) or ())
        self._writer.write(data)
        async with asyncio.timeout(SLOWEST_READER):
            await self._writer.drain()

    def again(self) -> bool:
        """Whether the line can take another message; if so it is ready for it."""
        self.received = 0
        if self.http.our_state is h11.DONE and self.http.their_state is h11.DONE:
            self.http.start_next_cycle()
            return True
        return False

    @property
    def spare(self) -> bool:
        """Whether more came than the message had."""
        return bool(self.http.trailing_data[0])

    async def quiet(self) -> bool:
        """Whether nothing came since the last message: neither an end nor something that nobody asked for."""
        try:
            async with asyncio.timeout(0):
                await self._reader.read(1)
        except TimeoutError:
            return not self._writer.is_closing()
        except OSError:
            pass
        return False

    def close(self) -> None:
        """What was sent still arrives."""
        with contextlib.suppress(OSError):
            self._writer.close()

    def cut(self) -> None:
        """Ends it so that the other side sees that something is missing."""
        self._writer.transport.abort()
