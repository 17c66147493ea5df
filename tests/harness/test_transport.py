"""One request, one answer: whole, or a word for what went wrong; never late, never too much, never an exception."""

import ssl
from pathlib import Path

import pytest

from contracts.harness.transport import REFUSED, Answered, BadUrl, Client, Request, Target, Unanswered, target_of
from tests.stand_ins import misbehaving as bad
from tests.stand_ins.served import Asked, Reply, serving

TLS = Path(__file__).parents[2] / "fixtures" / "tls"
GET = Request("GET", "/api/v2/jobs/..%2Fx?a=%20")


def ask(url: str, request: Request = GET, **settings: object) -> Answered | Unanswered:
    client = Client(target_of(url), **{"timeout": 0.3, **settings})  # type: ignore[arg-type]  # a test's own settings
    try:
        return client.ask(request)
    finally:
        client.close()


def test_the_path_goes_over_the_wire_as_it_is() -> None:
    with serving(lambda asked: Reply(200, asked.path.encode())) as served:
        answer = ask(f"{served.url}/behind/", headers=(("X-Mine", "1"),))
    assert isinstance(answer, Answered)
    assert answer.body == b"/behind/api/v2/jobs/..%2Fx?a=%20"
    assert served.asked[0].header("X-Mine") == "1"
    assert served.asked[0].header("Accept-Encoding") is None


def test_a_redirect_is_not_followed_and_a_connection_is_kept() -> None:
    with serving(lambda asked: Reply(302, b"", [("Location", "/login")])) as served:
        client = Client(target_of(served.url))
        answers = [client.ask(GET), client.ask(GET)]
        client.close()
    assert [answer.status for answer in answers] == [302, 302]
    assert served.connections == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"HTTP/1.0 404 Nothing\r\nContent-Type: text/plain\r\n\r\nnothing here", b"nothing here"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    ],
    ids=["HTTP 1.0", "Connection: close"],
)
def test_an_answer_that_ends_its_connection_is_read_to_its_end(data: bytes, body: bytes, method: str) -> None:
    with bad.misbehaving(bad.dribbling(data, 0.001)) as server:
        answer = ask(server.url, Request(method, "/x"), timeout=5)
    assert isinstance(answer, Answered), answer
    assert answer.body == (b"" if method == "HEAD" else body)


@pytest.mark.parametrize("reset", [True, False])
def test_a_kept_connection_gone_stale_says_nothing_about_the_request(reset: bool) -> None:
    with bad.misbehaving(bad.ClosingBetween(b"{}", reset=reset)) as server:
        client = Client(target_of(server.url), timeout=2)
        answers = [client.ask(GET) for _ in range(3)]
        client.close()
    assert [answer.status for answer in answers] == [200, 200, 200]


def test_nobody_there_is_told_apart_from_somebody_silent() -> None:
    refused = ask(f"http://127.0.0.1:{bad.port_of_nobody()}")
    unknown = ask("http://nobody.invalid")
    with bad.never_accepting() as url:
        silent = ask(url)
    kinds = [answer.kind for answer in (refused, unknown, silent) if isinstance(answer, Unanswered)]
    assert kinds == [REFUSED, REFUSED, "time-out"]


def test_a_certificate_is_judged_unless_it_is_not_to_be() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    with serving(lambda asked: Reply(200, b"{}"), context) as served:
        judged = ask(served.url, timeout=5)
        trusted = ask(served.url, timeout=5, insecure=True)
    assert isinstance(judged, Unanswered)
    assert (judged.kind, "certificate" in judged.what) == (REFUSED, True)
    assert trusted.status == 200


def test_a_time_out_is_of_the_whole_answer() -> None:
    with bad.misbehaving(bad.dribbling(bad.answer(b"{}" * 500), 0.02)) as server:
        answer = ask(server.url)
    assert isinstance(answer, Unanswered)
    assert answer.kind == "time-out"
    assert answer.seconds < 2


def test_an_answer_is_no_longer_than_it_may_be() -> None:
    with bad.misbehaving(bad.sending(bad.answer(b"x" * 5000))) as server:
        answer = ask(server.url, longest=1000)
    assert isinstance(answer, Unanswered)
    assert answer.what == "the answer is longer than 1000 bytes, and went on"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", Target("http", "a.example", 80)),
        ("https://a.example/x/", Target("https", "a.example", 443, "/x")),
        ("http://[::1]:8080", Target("http", "::1", 8080)),
    ],
)
def test_urls_of_servers(url: str, target: Target) -> None:
    assert target_of(url) == target
    assert target.url == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["", "a.example", "ftp://a", "http://", "http://u@a", "http://a?x", "http://a:b", "http://[a"]
)
def test_what_is_no_url_of_a_server_says_so(url: str) -> None:
    with pytest.raises(BadUrl):
        target_of(url)


def test_header_values_that_cannot_be_sent_as_they_are_are_sent_nearly_so() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(200, (asked.header("X-Name") or "").encode())

    with serving(answer) as served:
        reply = ask(served.url, Request("GET", "/", (("X-Name", "a\u4e2db"),)))
    assert isinstance(reply, Answered)
    assert reply.body == b"a?b"
