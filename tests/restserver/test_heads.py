"""What goes out is what waitress would send, byte for byte, whether its form was kept or not; but a connection outlives an answer
without a body."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask

from restserver.serving import heads
from restserver.serving.heads import FormedTask


class Adjusted:
    ident = None
    url_scheme = "http"
    inbuf_overflow = 1 << 20
    max_request_header_size = max_request_body_size = 1 << 16


class Channel:
    adj = Adjusted()

    @property
    def server(self) -> "Channel":
        return self


def head(kind: type[WSGITask], request: str, status: str, headers: list[tuple[str, str]]) -> tuple[bytes, bool]:
    """And whether the connection ends with it."""
    parsed = HTTPRequestParser(Adjusted())  # type: ignore[arg-type]  # what of it is looked at
    parsed.received(f"GET / HTTP/{request}\r\n\r\n".encode())
    task: Any = kind(Channel(), parsed)  # type: ignore[arg-type]  # as above
    task.start_time = 1_772_366_400.5
    task.status = status
    task.response_headers = list(headers)
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    task.content_length = int(lengths[0]) if lengths else None
    return task.build_response_header(), task.close_on_finish


NAMES = [
    "ETag",
    "Content-Length",
    "content-length",
    "Date",
    "date",
    "Vary",
    "X-Request-Id",
    "Server",
    "Content-Type",
    "A%s",
    "B{0}",
]
REQUESTS = ["1.1", "1.1", "1.1", "1.0", "1.1\r\nConnection: close", "1.0\r\nConnection: keep-alive", "1.1\r\nHost: h"]


def value_of(name: str) -> st.SearchStrategy[tuple[str, str]]:
    values = (
        st.sampled_from(["0", "12"])
        if name.lower() == "content-length"
        else st.sampled_from(["", "{0}", "%s", "é", "a, b"])
    )
    return st.tuples(st.just(name), values)


@example("1.1", "200 OK", [("Content-Length", "0"), ("Date", "")])
@example("1.1", "200 OK", [("Content-Length", "12"), ("date", "b"), ("ETag", "{0}")])
@example("1.1", "200 OK", [("Content-Length", "12"), ("Server", "b"), ("A%s", "{0}")])
@given(
    request=st.sampled_from(REQUESTS),
    status=st.sampled_from(["200 OK", "200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "200 Fine"]),
    headers=st.lists(st.sampled_from(NAMES).flatmap(value_of), max_size=6),
)
def test_heads_are_those_of_waitress(request: str, status: str, headers: list[tuple[str, str]]) -> None:
    sent, ends = head(WSGITask, request, status, headers)
    if status[:3] in ("204", "304") and request.startswith("1.1") and "close" not in request:
        sent, ends = sent.replace(b"Connection: close\r\n", b""), False
    for _ in range(2):
        assert head(FormedTask, request, status, headers) == (sent, ends)


def test_forms_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MOST_KEPT", 3)
    monkeypatch.setattr(heads, "_forms", {})
    for number in range(10):
        head(FormedTask, "1.1", "200 OK", [("Content-Length", "1"), (f"X-{number}", "a")])
        assert 1 <= len(heads._forms) <= 3
