"""What waitress lets pass (or stumbles over), and a proxy before it may read otherwise: refused, with 400 and an end of the
connection.

Two readers that disagree where a request ends let a client put a second one into the first (request smuggling). Waitress
reads the doubtful cases by the letter of RFC 9112, which allows to refuse them too (6.1, 5.2, 3.2); nobody sends any of
them by accident.

What a head means is a function of its bytes, and who polls sends the same bytes each time: what was read from them is kept, and
what was refused is not. That is worth a fifth more answers a second of a polled job, and more where clients send more headers.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer

from contracts.clock import stopwatch
from restserver.serving.heads import FormedTask

MOST_KEPT: Final = 256
"""Heads, over all servers of this process; beyond that all are forgotten, and read anew."""
LONGEST_KEPT: Final = 2048
"""Bytes of one head."""


class _Head(NamedTuple):
    """What a parser has of a head, once it has read it."""

    headers: Mapping[str, str]
    others: Mapping[str, object]


_kept: dict[bytes, _Head] = {}


class StrictParser(HTTPRequestParser):
    arrived: int
    """When its head was read, by the stopwatch."""

    def parse_header(self, header_plus: bytes) -> None:
        self.arrived = stopwatch()
        kept = _kept.get(header_plus)
        if kept is None:
            self._read(header_plus)
        else:
            vars(self).update(kept.others)
            self.headers = dict(kept.headers)

    def _read(self, header_plus: bytes) -> None:
        before = set(vars(self))
        self._parse(header_plus)
        if self.body_rcv is None and len(header_plus) <= LONGEST_KEPT:
            found = {name: value for name, value in vars(self).items() if name not in before}
            if len(_kept) >= MOST_KEPT:
                _kept.clear()
            _kept[header_plus] = _Head(dict(self.headers), found)

    def _parse(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except (
            ValueError
        ) as error:  # a length of thousands of digits: waitress would drop the connection, and log a trace
            raise ParsingError("Content-Length is invalid") from error
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length together with Transfer-Encoding")
        if b"\n " in header_plus or b"\n\t" in header_plus:
            raise ParsingError("Header folded over several lines")
        if "," in self.headers.get("HOST", ""):
            raise ParsingError("Several hosts")


class StrictChannel(HTTPChannel):
    parser_class = StrictParser
    task_class = FormedTask

    def send_continue(self) -> None:
        """Not to whoever has sent everything, or has nothing to send: waitress would say it, wait for a body all the same, and read
        the next request as the rest of this one, with the headers of both.
        """
        if self.request is not None and self.request.completed:
            self.request.expect_continue = False
        else:
            super().send_continue()


class StrictServer(TcpWSGIServer):
    channel_class = StrictChannel
