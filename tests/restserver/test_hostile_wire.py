"""Bytes on a connection that want to be read in two ways: smuggled requests, forged headers, odd targets, packed bodies."""

import gzip
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from restserver.serving import waitress_server
from restserver.settings import Settings
from tests.restserver.remembering import remembering
from tests.restserver.small_launcher import small

ROOT = Path(__file__).parents[2]
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
"""A request inside what one reader takes for a body."""
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
JOB = b"/api/v2/jobs/alice~mnist"
POST = b"POST " + JOB + b" HTTP/1.1\r\nHost: h\r\n"


@dataclass(frozen=True)
class Wire:
    """A served application that remembers what came through."""

    server: str
    address: tuple[str, int]
    came: Path

    def through(self) -> list[tuple[str, list[str]]]:
        """Since somebody said something last: paths, and what the launcher was asked."""
        return [tuple(json.loads(line)) for line in self.came.read_text().splitlines()]

    @property
    def answers_before_it_reads(self) -> bool:
        """Granian leaves a body to the application, which wants none, and ends the connection where it was not all read."""
        return self.server == "granian"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.through()]

    def say(self, data: bytes, later: bytes = b"") -> bytes:
        """All that comes back until the server closes the connection. ``later``: said once something came back."""
        self.came.write_text("")
        received = b""
        with socket.create_connection(self.address, timeout=30) as connection:
            connection.sendall(data)
            if later:
                received = connection.recv(65536)
                connection.sendall(later)
            try:
                while piece := connection.recv(65536):
                    received += piece
            except ConnectionResetError:  # it closed while there was more to read
                pass
        return received

    def get(self, target: bytes, *headers: bytes) -> tuple[bytes, object]:
        """Head and body of one answer."""
        lines = [b"GET " + target + b" HTTP/1.1", b"Host: h", *headers, b"Connection: close", b"", b""]
        head, _, body = self.say(b"\r\n".join(lines)).partition(b"\r\n\r\n")
        return head, json.loads(body)


@contextmanager
def serving_by(server: str, folder: Path, *tokens: str) -> Iterator[Wire]:
    came = folder / f"came-{server}"
    if server == "waitress":
        with waitress_server.serving(remembering(small(Settings(read_tokens=tokens)), came)) as url:
            yield Wire(server, address_of(url), came)
        return
    pytest.importorskip("granian")
    command = [sys.executable, "-m", "tests.restserver.remembering", str(came), *tokens]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield Wire(server, address_of(process.stdout.readline().removeprefix("listening on ").strip()), came)
        finally:
            process.terminate()


def address_of(url: str) -> tuple[str, int]:
    host, _, port = urlsplit(url).netloc.partition(":")
    return host, int(port)


@pytest.fixture(scope="module", params=["waitress", "granian"])
def wire(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with serving_by(request.param, tmp_path_factory.mktemp("wire")) as served:
        yield served


def statuses(answers: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]


LENGTH = len(HIDDEN)


@pytest.mark.parametrize(
    "ambiguous",
    [
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + LENGTH),
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % LENGTH,
        b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % LENGTH,
        b"Content-Length: 0, %d\r\n\r\n" % LENGTH,
        b"Content-Length: +%d\r\n\r\n" % LENGTH,
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 0x10\r\n\r\n",
        b"Content-Length: 1_0\r\n\r\n",
        b"Content-Length: \xb2\r\n\r\n",
        b"Content-Length: 99999999999999999999\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"Content-Length : %d\r\n\r\n" % LENGTH,
        b"Content-Length\r\n\r\n",
        b"Content-Length:\r\n %d\r\n\r\n" % LENGTH,
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: identity\r\nContent-Length: %d\r\n\r\n" % LENGTH,
        b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: \x0bchunked\r\nContent-Length: %d\r\n\r\n" % LENGTH,
        b"X: y\rTransfer-Encoding: chunked\r\n\r\n",
        b"X: \x00\r\n\r\n",
        b" X: y\r\n\r\n",
        b": y\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n",
    ],
)
def test_a_request_of_doubtful_length_is_refused_and_ends_its_connection(wire: Wire, ambiguous: bytes) -> None:
    (status,) = statuses(wire.say(POST + ambiguous + HIDDEN + LAST))
    assert status in (400, 411, 413, 501) or (status == 405 and wire.answers_before_it_reads)
    assert wire.paths == ([JOB.decode()] if status == 405 else [])
    assert status != 405 or b"chunked" not in ambiguous.lower()


@pytest.mark.parametrize(
    "said",
    [
        (POST + b"Content-Length: %d\r\n\r\n" % LENGTH).replace(b"\r\n", b"\n"),
        POST + b"X: y\nContent-Length: %d\r\n\r\n" % LENGTH,
    ],
)
def test_lines_that_do_not_end_as_they_should_hide_nothing(wire: Wire, said: bytes) -> None:
    """Granian takes a bare line feed for an end of a line, as RFC 9112, 2.2 allows: a limit that the README tells."""
    answered = statuses(wire.say(said + HIDDEN + LAST))
    assert answered == ([405, 404] if wire.server == "granian" else [400])
    assert wire.paths == ([JOB.decode(), "/last"] if wire.server == "granian" else [])


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: %d\r\n\r\n" % LENGTH + HIDDEN,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % LENGTH + HIDDEN + b"\r\n0\r\n\r\n",
        b"Transfer-Encoding: Chunked\r\n\r\n%x\r\n" % LENGTH + HIDDEN + b"\r\n0\r\n\r\n",
        b"Content-Length: %d\r\nContent_Length: 0\r\nTransfer_Encoding: chunked\r\n\r\n" % LENGTH + HIDDEN,
    ],
)
@pytest.mark.parametrize("method", [b"POST", b"GET", b"HEAD", b"OPTIONS"])
def test_a_body_is_never_taken_for_a_request(wire: Wire, framed: bytes, method: bytes) -> None:
    answers = wire.say(POST.replace(b"POST", method) + framed + LAST)
    if wire.server == "granian" and b"Transfer" in framed:  # it reads a line below for a dash
        assert statuses(answers) == [411]
    else:
        assert len(statuses(answers)) == 2
    assert "/hidden" not in wire.paths


@pytest.mark.parametrize("framed", [b"\r\n", b"Content-Length: 0\r\n\r\n"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("target", [JOB, b"/api/v2/jobs/nobody"])
def test_whoever_waits_to_send_nothing_is_answered_and_lends_nothing_to_the_next(
    wire: Wire, framed: bytes, method: bytes, target: bytes
) -> None:
    """The second comes after a while, by itself: read as the rest of the first it would have all its headers, and be the only one
    that is answered.
    """
    first = method + b" " + target + b" HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n" + framed
    answers = wire.say(first, LAST)
    assert [status for status in statuses(answers) if status != 100] == [200 if target == JOB else 404, 404]
    assert wire.paths == [target.decode(), "/last"]


def test_an_old_client_that_frames_by_chunks_is_let_go(wire: Wire) -> None:
    old = POST.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert "/hidden" not in wire.paths
    assert len(statuses(wire.say(old + LAST))) <= 2


@pytest.mark.parametrize("host", [b"a\r\nHost: b", b"a, b", b"a,b"])
def test_two_hosts_are_none(wire: Wire, host: bytes) -> None:
    assert statuses(wire.say(b"GET " + JOB + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n" + LAST)) == [400]


@pytest.mark.parametrize(
    "target",
    [
        b"/api/v2/jobs/x%0d%0aSet-Cookie:%20a=b",
        b"/api/v2/frameworks/alice~mnist/attempts/0?version=1%0d%0aX-Evil:%20yes",
        b"/%0d%0a%0d%0a%3Chtml%3E",
        b"/api/v2/jobs/%E5%98%8A%E5%98%8DSet-Cookie:a",
    ],
)
def test_what_a_target_holds_never_becomes_a_header(wire: Wire, target: bytes) -> None:
    head, body = wire.get(target)
    assert not re.search(rb"set-cookie|x-evil|<html", head, re.IGNORECASE)
    assert isinstance(body, dict)
    assert set(body) == {"code", "message"}


def test_markup_in_a_target_stays_out_of_the_head(wire: Wire) -> None:
    """Granian refuses a target with a sharp bracket."""
    answer = wire.say(b"GET /%0d%0a%0d%0a<html> HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert statuses(answer) == ([400] if wire.server == "granian" else [404])
    assert b"<html" not in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "sent", [b"X-Request-Id: a b", b"X-Request-Id: a\x85b", b"X-Request-Id: " + b"a" * 129, b"X-Request-Id: <i>"]
)
def test_what_a_header_holds_comes_back_only_if_it_is_decent(wire: Wire, sent: bytes) -> None:
    head, _ = wire.get(JOB, sent)
    (known_as,) = re.findall(rb"(?i)X-Request-Id: (\S+)\r\n", head + b"\r\n")
    assert re.fullmatch(rb"[0-9a-f]{32}", known_as)


@pytest.mark.parametrize(
    "host", [b"evil.example/x?", b"evil.example#", b"user@evil.example", b"a b", b"<i>", b"\xe4.example"]
)
def test_a_host_that_is_none_gets_into_no_answer(wire: Wire, host: bytes) -> None:
    lines = [
        b"GET /api/v2/frameworks/alice~mnist/attempts/0 HTTP/1.1",
        b"Host: " + host,
        b"Connection: close",
        b"",
        b"",
    ]
    answer = wire.say(b"\r\n".join(lines))
    assert b"evil" not in answer
    assert b"<i>" not in answer
    assert statuses(answer) in ([200], [400])


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (b"/api/v2/../v2/jobs/alice~mnist", "NoApiError"),
        (b"/api/v2/./jobs/alice~mnist", "NoApiError"),
        (b"/api/v2/jobs/../jobs/alice~mnist", "NoApiError"),
        (b"/api/v2/jobs/%2e%2e/alice~mnist", "NoApiError"),
        (b"/api/v2/jobs/..%2falice~mnist", "NoApiError"),
        (b"/api/v2//jobs/alice~mnist", "NoApiError"),
        (b"/api/v2\\jobs\\alice~mnist", "NoApiError"),
        (b"/api/v2/jobs/alice~mnist/", "NoApiError"),
        (b"/API/v2/jobs/alice~mnist", "NoApiError"),
        (b"/api/v2;x/jobs/alice~mnist", "NoApiError"),
        (b"/etc/passwd", "NoApiError"),
        (b"/api/v2/jobs/..", "NoJobError"),
        (b"/api/v2/jobs/%2e%2e", "NoJobError"),
        (b"/api/v2/jobs/alice~mnist%00", "NoJobError"),
        (b"/api/v2/jobs/alice~mnist;x", "NoJobError"),
        (b"/api/v2/jobs/%252e%252e", "NoJobError"),
        (b"/api/v2/jobs/%c0%ae%c0%ae", "NoJobError"),
        (b"/api/v2/jobs/alice~mnist%20", "NoJobError"),
    ],
)
def test_a_path_is_what_it_is(wire: Wire, target: bytes, code: str) -> None:
    _, body = wire.get(target)
    assert isinstance(body, dict)
    assert body["code"] == code
    assert [asked for _, asked in wire.through()] == [[]]


@pytest.mark.parametrize(
    "version", [b"9" * 4000, b"-" + b"9" * 4000, b"1e400", b"0x7fffffff", b"99999999999", b"1" + b"0" * 10]
)
def test_a_number_too_long_to_be_one_is_refused_unread(wire: Wire, version: bytes) -> None:
    for target in (
        b"/api/v2/frameworks/alice~mnist/attempts?version=" + version,
        b"/api/v2/frameworks/alice~mnist/attempts/" + version.lstrip(b"-"),
    ):
        head, body = wire.get(target)
        assert (statuses(head + b" "), isinstance(body, dict) and body["code"]) == ([400], "InvalidParametersError")


def test_a_packed_body_is_never_unpacked(wire: Wire) -> None:
    packed = gzip.compress(bytes(30_000_000))
    head = POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert statuses(wire.say(head + packed + LAST)) == ([405] if wire.answers_before_it_reads else [405, 404])


def test_a_body_nobody_wants_is_not_taken_in(wire: Wire) -> None:
    refused = 405 if wire.answers_before_it_reads else 413
    assert statuses(wire.say(POST + b"Content-Length: %d\r\n\r\n" % (waitress_server.LARGEST_BODY + 1) + LAST)) == [
        refused
    ]
    assert "/last" not in wire.paths


def test_a_head_that_is_too_long_is_refused(wire: Wire) -> None:
    too_long = (
        2 * waitress_server.LONGEST_HEAD if wire.server == "granian" else waitress_server.LONGEST_HEAD + 1
    )  # it reads by the piece
    assert statuses(wire.say(POST + b"X: " + b"y" * too_long + b"\r\n\r\n" + LAST)) == [431]
    assert wire.paths == []


@pytest.mark.parametrize("server", ["waitress", "granian"])
def test_a_token_is_asked_for_whatever_the_path_is_made_of(server: str, tmp_path: Path) -> None:
    with serving_by(server, tmp_path, "sesame") as guarded:
        for target in (
            JOB,
            b"//api/v2/jobs/alice~mnist",
            b"/docs/../api/v2/jobs/alice~mnist",
            b"/healthz/",
            b"/docs%2f",
            b"/%64ocs/x",
        ):
            head, body = guarded.get(target)
            assert (statuses(head + b" "), isinstance(body, dict) and body["code"]) == ([401], "UnauthorizedError")
