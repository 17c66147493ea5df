"""What was kept of a head is what reading it anew would find, and nobody's request becomes another's."""

from collections.abc import Mapping

import pytest
from waitress.adjustments import Adjustments
from waitress.parser import ParsingError

from restserver.serving import kept_heads
from restserver.serving.kept_heads import LONGEST_KEPT, MOST_KEPT
from restserver.serving.strict_http import StrictParser

PLAIN = b"GET /jobs?a=1#b HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nX-One: 2\r\n\r\n"
HEADS = [
    PLAIN,
    PLAIN.replace(b"1.1", b"1.0"),
    PLAIN.replace(b"X-One: 1", b"Connection: close"),
    PLAIN.replace(b"X-One: 1", b"Expect: 100-continue"),
    PLAIN.replace(b"/jobs", b"http://elsewhere/jobs"),
    PLAIN.replace(b"GET", b"HEAD"),
    PLAIN.replace(b"X-One: 1", b"Content-Length: 0"),
]
WITH_BODY = [
    PLAIN.replace(b"GET", b"POST").replace(b"X-One: 1", b"Content-Length: 4") + b"body",
    PLAIN.replace(b"GET", b"POST").replace(b"X-One: 1", b"Transfer-Encoding: chunked") + b"4\r\nbody\r\n0\r\n\r\n",
]
REFUSED = [
    PLAIN.replace(b"Host: h", b"Host: h, i"),
    PLAIN.replace(b"X-One: 1", b" folded"),
    PLAIN.replace(b"X-One: 1", b"Content-Length: x"),
    PLAIN.replace(b"X-One: 1", b"Transfer-Encoding: gzip"),
]


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, object]:
    nothing: dict[bytes, object] = {}
    monkeypatch.setattr(kept_heads, "_kept", nothing)
    return nothing


def parsed(data: bytes, *, in_pieces: bool = False) -> StrictParser:
    parser = StrictParser(Adjustments())
    for piece in [data[:9], data[9:]] if in_pieces else [data]:
        while piece and not parser.completed:
            piece = piece[parser.received(piece) :]
    assert parser.completed
    return parser


def told(parser: StrictParser) -> Mapping[str, object]:
    told = {
        name: value
        for name, value in vars(parser).items()
        if name not in ("adj", "arrived", "body_rcv", "error", "header_plus")
    }
    body = None if parser.body_rcv is None else parser.get_body_stream().read()
    return {**told, "error": parser.error and parser.error.body, "body": body}


@pytest.mark.parametrize("head", [*HEADS, *WITH_BODY, *REFUSED])
def test_a_head_reads_the_second_time_as_it_did_the_first(head: bytes) -> None:
    first = told(parsed(head))
    assert told(parsed(head)) == first
    assert told(parsed(head, in_pieces=True)) == first


def test_what_has_a_body_or_is_refused_is_read_anew(kept: dict[bytes, object]) -> None:
    for head in [*WITH_BODY, *REFUSED]:
        parsed(head)
    assert not kept
    parsed(PLAIN)
    assert list(kept) == [PLAIN]


def test_two_requests_of_one_head_share_nothing_that_changes() -> None:
    for parser in (parsed(PLAIN), parsed(PLAIN)):
        assert parser.headers == {"HOST": "h", "X_ONE": "1, 2"}
        vars(parser)["headers"]["MINE"] = "mine"


def test_heads_are_kept_within_bounds(kept: dict[bytes, object]) -> None:
    parsed(PLAIN.replace(b"/jobs", b"/" + b"j" * LONGEST_KEPT))
    assert not kept
    for number in range(MOST_KEPT + 3):
        parsed(PLAIN.replace(b"/jobs", b"/%d" % number))
    assert len(kept) == 3


def test_a_head_of_thousands_of_digits_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ParsingError):
            StrictParser(Adjustments()).parse_header(PLAIN.replace(b"X-One: 1", b"Content-Length: " + b"1" * 9999))
