"""What goes in comes out: requests and answers pass the proxy as they are, and nothing of one connection reaches the other."""

import gzip
import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.harness.proxy.passing_on import origin_form, passed_on
from tests.harness.proxy.proxied import get, proxied, said
from tests.harness.served_app import served
from tests.stand_ins import misbehaving as bad
from tests.stand_ins.served import Reply, serving

ODD = (
    b"HTTP/1.1 203 Well, so to say\r\nx-LATER: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nDate: yesterday\r\n"
    b"Content-Type:  text/plain\r\ncontent-length: 5\r\nX-Empty:\r\nX-Latin: \xe4\r\n\r\n\x00\xff\r\n!"
)


def test_an_answer_comes_out_byte_for_byte() -> None:
    with bad.misbehaving(bad.sending(ODD)) as server, proxied(server.url) as proxy:
        answer = said(proxy.port, get("/odd"))
    head, _, body = answer.partition(b"\r\n\r\n")
    # Spaces around a value are not part of it; that this connection ends is ours to say.
    assert head.split(b"\r\n") == [
        *[
            line.replace(b":  ", b": ").replace(b"Empty:", b"Empty: ")
            for line in ODD.partition(b"\r\n\r\n")[0].split(b"\r\n")
        ],
        b"Connection: close",
    ]
    assert body == b"\x00\xff\r\n!"


def test_a_request_reaches_the_server_as_it_was_sent_but_for_its_host() -> None:
    headers = (
        "x-ODD: 1",
        "X-Odd: 2",
        "Accept:  */*",
        "TE: trailers",
        "Connection: X-Mine, close",
        "X-Mine: hop",
        "Upgrade: h2c",
    )
    with bad.misbehaving(bad.sending(bad.answer(b"{}"))) as server, proxied(server.url) as proxy:
        said(proxy.port, get("/a%2Fb/..//c?d=%20&e", *headers, close=False))
    assert server.requests[0].split(b"\r\n") == [
        b"GET /a%2Fb/..//c?d=%20&e HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}".encode(),
        b"x-ODD: 1",
        b"X-Odd: 2",
        b"Accept: */*",
        b"Via: 1.1 restserver-proxy",
        b"",
        b"",
    ]


@pytest.mark.parametrize("style", ["documented", "portal"])
def test_our_server_says_the_same_through_the_proxy(style: str) -> None:
    with served(style) as server, proxied(server.url, style=style) as proxy:
        direct, through = (
            http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2])) for url in (server.url, proxy.url)
        )
        direct.request("GET", "/__admin/jobs?limit=6")
        names = [job["name"] for job in json.loads(direct.getresponse().read())["jobs"]]
        paths = [f"/api/v2/jobs/{name}" for name in names] + [
            f"/api/v2/frameworks/{names[0]}/{rest}" for rest in ("versions", "attempts", "attempts/0")
        ]
        for method in ("GET", "HEAD"):
            for path in paths:
                answers = []
                for connection in (direct, through):
                    connection.request(method, path, headers={"X-Request-Id": "the-same"})
                    response = connection.getresponse()
                    answers.append((response.status, response.reason, response.getheaders(), response.read()))
                assert answers[0] == answers[1]
        direct.close()
        through.close()
    assert proxy.rules() == []
    assert proxy.watch.of_api == 2 * len(paths)


def test_chunks_stay_chunks_and_trailers_are_passed_on() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"
    with bad.misbehaving(bad.sending(chunked)) as server, proxied(server.url) as proxy:
        answer = said(proxy.port, get("/chunked"))
        old = said(proxy.port, b"GET /chunked HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n")
    assert b"Transfer-Encoding: chunked\r\n" in answer
    assert old.endswith(b"\r\n\r\nabcde"), "HTTP/1.0 knows no chunks"
    assert b"chunked" not in old


def test_an_answer_that_ends_with_its_connection_is_framed_for_the_client() -> None:
    with bad.misbehaving(bad.sending(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")) as server, proxied(server.url) as proxy:
        answer = said(proxy.port, get("/old"))
    assert answer.endswith(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n"),
        ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 700\r\n\r\n'),
        ("OPTIONS", b"HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n"),
    ],
)
def test_an_answer_without_a_body_has_none(method: str, answer: bytes) -> None:
    with bad.misbehaving(bad.sending(answer)) as server, proxied(server.url) as proxy:
        got = said(proxy.port, get("/api/v2/jobs/a", 'If-None-Match: "x"', method=method))
    assert got == answer[:-2] + b"Connection: close\r\n\r\n"
    assert proxy.rules() == []


def test_a_body_is_sent_on_as_it_comes_and_only_when_it_is_asked_for() -> None:
    heard: list[bytes] = []

    def asking_for_more(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        received = b""
        while b"\r\n0\r\n\r\n" not in received:
            received += sock.recv(1 << 16)
        heard.append(received)
        sock.sendall(bad.answer(str(len(received)).encode()))

    with (
        bad.misbehaving(asking_for_more) as server,
        proxied(server.url) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as sock,
    ):
        sock.sendall(get("/x", "Expect: 100-continue", "Transfer-Encoding: chunked", method="PUT"))
        assert sock.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for _ in range(64):
            sock.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        sock.sendall(b"0\r\n\r\n")
        answer = sock.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert heard[0].count(b"x") == 64 * 0x8000
    assert b"Expect: 100-continue" in server.requests[0]


def test_many_clients_are_served_at_once_each_with_its_own_answer() -> None:
    with serving(lambda asked: Reply(200, asked.path.encode())) as server, proxied(server.url) as proxy:

        def asks(number: int) -> list[bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
            answers = []
            for turn in range(20):
                connection.request("GET", f"/{number}/{turn}")
                answers.append(connection.getresponse().read())
            connection.close()
            return answers

        with ThreadPoolExecutor(16) as pool:
            for number, answers in enumerate(pool.map(asks, range(16))):
                assert answers == [f"/{number}/{turn}".encode() for turn in range(20)]
        assert server.connections <= 16, "connections to the server are kept"


def test_requests_in_a_row_are_answered_in_a_row() -> None:
    with serving(lambda asked: Reply(200, asked.path.encode())) as server, proxied(server.url) as proxy:
        answers = said(proxy.port, get("/1", close=False) + get("/2", close=False) + get("/3"))
    assert [answers.find(b"\r\n\r\n/%d" % number) > 0 for number in (1, 2, 3)] == [True, True, True]


@pytest.mark.parametrize("reset", [True, False])
def test_a_kept_connection_gone_stale_is_nothing_a_client_hears_of(reset: bool) -> None:
    with bad.misbehaving(bad.ClosingBetween(b"{}", reset=reset)) as server, proxied(server.url) as proxy:
        answers = [said(proxy.port, get("/x"))[:12] for _ in range(3)]
    assert answers == [b"HTTP/1.1 200"] * 3
    assert proxy.rules() == []


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /x HTTP/1.1\r\nHost: p\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: p\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: p\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /x HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: p\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: p\r\nContent-Length: +5\r\n\r\nabcde",
        b"GET /x HTTP/1.1\r\nHost: p\r\nHost: q\r\n\r\n",
        b"GET /x y HTTP/1.1\r\nHost: p\r\n\r\n",
        b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: p\r\n\r\n",
        b"\x16\x03\x01 hello\r\n\r\n",
    ],
)
def test_a_request_that_could_be_read_in_two_ways_reaches_nobody(request_: bytes) -> None:
    with bad.misbehaving(bad.sending(bad.answer(b"{}"))) as server, proxied(server.url) as proxy:
        answer = said(proxy.port, request_)
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 501")
    assert b"application/problem+json" in answer
    assert answer.count(b"\r\n\r\n") == 1, "and is answered once"
    assert server.requests == []


def test_what_a_server_says_unasked_is_nobodys_answer() -> None:
    surplus = bad.answer(b"{}") + bad.answer(b"not for you")

    with bad.misbehaving(bad.sending(surplus)) as server, proxied(server.url) as proxy:
        first, second = (said(proxy.port, get("/api/v2/jobs/a")) for _ in range(2))
    assert b"not for you" not in first + second
    assert "answer: malformed" in proxy.rules()


def test_what_a_connection_header_may_not_take_away_stays() -> None:
    headers = [(b"Host", b"p"), (b"Connection", b"host, content-length, x"), (b"Content-Length", b"1"), (b"X", b"y")]
    assert passed_on(headers) == [(b"Host", b"p"), (b"Content-Length", b"1")]


@pytest.mark.parametrize(
    ("target", "origin"),
    [(b"/a?b", b"/a?b"), (b"http://x:1/a", b"/a"), (b"HTTPS://x", b"/"), (b"http://x?q", b"/?q"), (b"*", b"*")],
)
def test_a_target_may_name_its_server(target: bytes, origin: bytes) -> None:
    assert origin_form(target) == origin


def test_a_packed_body_is_passed_on_packed_and_judged_unpacked() -> None:
    body = b'{"FrameworkVersions": ["1"]}'
    with bad.misbehaving(bad.sending(bad.compressed(body))) as server, proxied(server.url) as proxy:
        answer = said(proxy.port, get("/api/v2/frameworks/a/versions"))
    assert gzip.decompress(answer.partition(b"\r\n\r\n")[2]) == body
    assert proxy.rules() == ["schema: type"]
