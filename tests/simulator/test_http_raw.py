"""The recorded raw exchanges again, byte by byte over a socket: what the WSGI server makes of them is part of the answer."""

import gzip
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from contracts.launcher.recordings import Exchange
from restserver.serving.waitress_server import serving
from tests.simulator.test_http_recordings import error_of, recorded, server

EXCHANGES = {e.request.path: e for e in recorded("s12e-raw-http")}

PACKED = "gzip"
"""Recorded as text, which such bytes do not survive: what is packed is compared by itself."""


@contextmanager
def connected() -> Iterator[socket.socket]:
    with serving(server("s12e-raw-http")) as url:
        parts = urlsplit(url)
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
            yield connection


def heard(connection: socket.socket, request: bytes, answers: int) -> bytes:
    """Until the server closes, or that many answers are whole."""
    connection.sendall(request)
    received = b""
    while len(parsed(received)) < answers:
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return received


def parsed(received: bytes) -> list[tuple[str, list[str], str]]:
    """Status line, content types and body of each whole answer; chunks put together."""
    found = []
    while b"\r\n\r\n" in received:
        head, _, rest = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        told = [line.partition(": ") for line in lines[1:]]
        headers = [(name.lower(), value) for name, _, value in told]
        length = next((int(value) for name, value in headers if name == "content-length"), None)
        if ("transfer-encoding", "chunked") in headers:
            body, rest = _unchunked(rest)
        elif length is not None:
            if len(rest) < length:
                break
            body, rest = rest[:length], rest[length:]
        else:
            body, rest = rest, b""
        found.append(
            (lines[0], [value for name, value in headers if name == "content-type"], body.decode("utf-8", "replace"))
        )
        received = rest
    return found


def _unchunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        piece = int(size, 16)
        body, rest = body + rest[:piece], rest[piece + 2 :]
        if not piece:
            break
    return body, rest


def was(exchange: Exchange) -> list[tuple[str, list[str], str]]:
    text = re.sub(r"<<(STILL OPEN|EOF)>>$", "", exchange.response.body or "")
    return parsed(text.encode())


def shown(answers: list[tuple[str, list[str], str]]) -> list[tuple[str, list[str], object]]:
    """Without the version of HTTP: waitress answers 1.0 with 1.0, the real one with 1.1."""
    return [
        (line.partition(" ")[2], [re.sub(r"\s*;\s*", "; ", kind) for kind in kinds], error_of(body) or body)
        for line, kinds, body in answers
    ]


@pytest.mark.parametrize("title", [title for title in EXCHANGES if title != PACKED])
def test_a_recorded_raw_request_is_answered_as_recorded(title: str) -> None:
    exchange = EXCHANGES[title]
    request = (exchange.request.body or "").encode()
    with connected() as connection:
        expected = shown(was(exchange))
        now = shown(parsed(heard(connection, request, len(expected))))
        # A request that is none is the WSGI server's to answer: it says more than the status.
        assert [each[0] for each in now] == [each[0] for each in expected]
        if not any("400 Bad Request" in each[0] for each in expected):
            assert now == expected


def test_a_success_is_packed_for_those_who_take_it() -> None:
    exchange = EXCHANGES[PACKED]
    asked = (exchange.request.body or "").encode()
    with connected() as connection:
        head, _, body = heard(connection, asked, 99).partition(b"\r\n\r\n")
    assert "Content-Encoding: gzip" in (exchange.response.body or "")
    assert b"Content-Encoding: gzip" in head
    assert json.loads(gzip.decompress(body))
    for plainly in (asked.replace(b"gzip", b"gzip;q=0"), asked.replace(b"gzip", b"br, identity")):
        with connected() as connection:
            head, _, body = heard(connection, plainly, 99).partition(b"\r\n\r\n")
        assert b"Content-Encoding" not in head
        assert json.loads(body)
