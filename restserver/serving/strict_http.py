"""What waitress lets pass (or stumbles over), and a proxy before it may read otherwise: refused, with 400 and an end of the
connection.

Two readers that disagree where a request ends let a client put a second one into the first (request smuggling). Waitress
reads the doubtful cases by the letter of RFC 9112, which allows to refuse them too (6.1, 5.2, 3.2); nobody sends any of
them by accident.
"""

from waitress.channel import HTTPChannel
from waitress.parser import ParsingError
from waitress.server import TcpWSGIServer

from restserver.serving.heads import FormedTask
from restserver.serving.kept_heads import RememberingParser


class StrictParser(RememberingParser):
    def read_head(self, header_plus: bytes) -> None:
        try:
            super().read_head(header_plus)
        except ValueError as error:
            # A length of thousands of digits: waitress would drop the connection, and log a trace.
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
