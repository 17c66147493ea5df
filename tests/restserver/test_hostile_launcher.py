"""A launcher that sends bombs, giants and things for browsers: a client sees one documented sentence, and nothing of it."""

import gzip
import json
import re
import zlib

import pytest

from contracts import registry
from contracts.launcher import private_dialect
from restserver.app import create_app
from restserver.assembling.backends import launcher_backend
from restserver.settings import Settings
from tests.restserver.small_launcher import framework
from tests.restserver.wsgi_client import Response, ask
from tests.stand_ins import served

NAME = "alice~mnist"
WHOLE = json.dumps(private_dialect.encode_framework(framework(NAME)))
ZEROS = bytes(64 * 1024 * 1024)
TRACE = "java.lang.IllegalStateException: no ZooKeeper\n\tat com.example.Store.get(Store.java:7)\n\tat com.example.Main.run(Main.java:1)\nCaused by: java.io.IOException: secret-host\n\t... 3 more"


def answered(reply: served.Reply) -> Response:
    """What a client gets when the launcher says that."""
    with served.serving(lambda asked: reply) as launcher:
        settings = Settings(backend="launcher", launcher_url=launcher.url, dialect="private", cache_ttl=0.0)
        built = launcher_backend(settings)
        try:
            return ask(create_app(built.backend, settings), f"/api/v2/jobs/{NAME}")
        finally:
            built.close()


def refused(reply: served.Reply) -> str:
    """The sentence."""
    answer = answered(reply)
    assert answer.status == 500
    registry.validator("getJob", 500, "documented").validate(answer.json)
    return str(answer.json["message"])


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(ZEROS, 1), "gzip"),
        (zlib.compress(ZEROS, 1), "deflate"),
        (b"anything", "br"),
        (b"x", "gzip, gzip"),
        (b"x", "x-gzip"),
    ],
    ids=["gzip", "deflate", "br", "twice", "x-gzip"],
)
def test_a_bomb_is_not_unpacked(packed: bytes, encoding: str) -> None:
    message = refused(served.Reply(200, packed, [("Content-Encoding", encoding)]))
    assert "compressed" in message


@pytest.mark.parametrize(
    "number",
    [
        "9" * 19,
        "-" + "9" * 400,
        "9" * 200_000,
        "1e309",
        "-1e999",
        "1" + "0" * 300 + ".5",
        "NaN",
        "Infinity",
        "1E400000000",
    ],
)
def test_a_number_beyond_all_bounds_is_no_number(number: str) -> None:
    text = WHOLE.replace('"FrameworkVersion": 3', f'"FrameworkVersion": {number}')
    assert number in text
    message = refused(served.Reply(200, text.encode()))
    assert len(message) < 300
    assert "9999999999" not in message


@pytest.mark.parametrize(
    ("told", "lie", "found"),
    [
        ('"FrameworkVersion": 3', '"FrameworkVersion": 2147483648', "beyond 32 bits at $.SummarizedFrameworkInfo"),
        ('"TotalRetriedCount": 0', '"TotalRetriedCount": -1', "below 0 at $.SummarizedFrameworkInfo"),
        ('"TotalTaskNumber": ', '"TotalTaskNumber": -1', "below 0 at $.SummarizedFrameworkInfo.TotalTaskNumber"),
        ('"ApplicationProgress": ', '"ApplicationProgress": 7', "not from 0 to 1 at $."),
        ('"ApplicationProgress": ', '"ApplicationProgress": -7', "not from 0 to 1 at $."),
    ],
)
def test_a_number_that_no_answer_may_hold_is_unreadable(told: str, lie: str, found: str) -> None:
    assert told in WHOLE
    assert found in refused(served.Reply(200, WHOLE.replace(told, lie).encode()))


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b'"' + b"\\ud800" * 50_000]
)
def test_a_document_too_deep_or_broken_is_no_document(body: bytes) -> None:
    assert len(refused(served.Reply(200, body))) < 300


@pytest.mark.parametrize("status", [400, 500, 503])
def test_nothing_of_a_stack_trace_is_shown(status: int) -> None:
    body = json.dumps({"exception": "IllegalStateException", "javaClassName": "a.B", "message": TRACE}).encode()
    assert refused(served.Reply(status, body)) == "java.lang.IllegalStateException: no ZooKeeper"


@pytest.mark.parametrize("status", [200, 404, 500, 502])
def test_nothing_of_a_page_is_shown(status: int) -> None:
    page = f"<html><script>alert(1)</script><pre>{TRACE}</pre></html>".encode()
    answer = answered(served.Reply(status, page, [("Content-Type", "text/html")]))
    assert answer.headers["content-type"] == "application/json"
    assert not re.search(rb"script|at com\.|secret-host|Store\.java", answer.body)


def test_no_header_of_the_launcher_gets_through() -> None:
    evil = [
        ("Set-Cookie", "a=b"),
        ("Location", "http://evil.example/"),
        ("Access-Control-Allow-Origin", "*"),
        ("Retry-After", "7; Set-Cookie: c=d"),
        ("X-Request-Id", "evil"),
        ("X-Simulated", "seed=1"),
        ("WWW-Authenticate", "Basic"),
        ("Refresh", "0; url=http://evil.example/"),
    ]
    for status in (200, 302, 401, 429, 503):
        answer = answered(served.Reply(status, b"evil", evil))
        assert answer.status == 500
        assert "evil" not in json.dumps(dict(answer.headers))
        assert not answer.headers.keys() & {
            "set-cookie",
            "location",
            "retry-after",
            "x-simulated",
            "www-authenticate",
            "refresh",
        }
        assert "access-control-allow-origin" not in answer.headers
