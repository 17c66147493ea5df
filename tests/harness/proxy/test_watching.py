"""What breaks is marked, or refused if that is wanted; a server that fails is a finding and a clear answer, never a crash."""

import gzip
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contracts.harness.findings import Exchange
from contracts.harness.lines import lines
from contracts.harness.observations import GET_JOB
from contracts.harness.proxy import gateway
from contracts.harness.proxy.bodies import LONGEST_JUDGED
from contracts.harness.proxy.laws_in_passing import LawsInPassing
from contracts.harness.proxy.marks import LONGEST
from contracts.harness.transport import Answered, Request
from tests.contracts.told_jobs import CREATED, NAME, attempt_1, detail, task
from tests.harness.proxy.proxied import get, proxied, said
from tests.harness.scripted import BORN, MINUTE, Scripted, example, scripted, whole
from tests.harness.served_app import Reply, served
from tests.stand_ins import misbehaving as bad
from tests.stand_ins.served import Reply as Answer
from tests.stand_ins.served import serving

TLS = Path(__file__).parents[3] / "fixtures" / "tls"
JOB = f"/api/v2/jobs/{NAME}"
VERSIONS = "/api/v2/frameworks/a/versions"


def asked(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        body = response.read()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def codes(headers: dict[str, str]) -> list[str]:
    return [one["code"] for one in json.loads(headers.get("sl-violations", "[]"))]


def drop_state(reply: Reply) -> None:
    if reply.is_job:
        body = reply.json
        del body["jobStatus"]["state"]
        reply.json = body


def seconds(reply: Reply) -> None:
    if reply.is_job:
        body = reply.json
        body["jobStatus"]["createdTime"] //= 1000
        reply.json = body


def html(reply: Reply) -> None:
    reply.status, reply.headers["content-type"], reply.body = 200, "text/html", b"<h1>"


def teapot(reply: Reply) -> None:
    reply.status = 418


@pytest.mark.parametrize(
    ("spoiler", "rules"),
    [
        (drop_state, ["schema: required"]),
        (seconds, ["time: milliseconds"]),
        (html, ["answer: content type", "answer: not JSON"]),
        (teapot, ["status: undocumented"]),
    ],
)
def test_an_answer_that_breaks_the_contract_is_marked_or_refused(
    spoiler: Callable[[Reply], None], rules: list[str]
) -> None:
    with served() as server:
        port = int(server.url.rpartition(":")[2])
        name = json.loads(asked(port, "/__admin/jobs?limit=1")[2])["jobs"][0]["name"]
        server.spoiler = spoiler
        direct = asked(port, f"/api/v2/jobs/{name}")
        with proxied(server.url) as marking, proxied(server.url, errors=True) as refusing:
            marked = asked(marking.port, f"/api/v2/jobs/{name}")
            refused = asked(refusing.port, f"/api/v2/jobs/{name}")
    assert (marked[0], marked[2]) == (direct[0], direct[2]), "it is passed on as it is"
    assert codes(marked[1]) == rules
    assert refused[0] == 502
    assert refused[1]["content-type"] == "application/problem+json"
    problem = json.loads(refused[2])
    assert [one["code"] for one in problem["validation"]] == rules
    assert problem["status"] == 502
    assert marking.rules() == refusing.rules() == rules


@pytest.mark.parametrize(
    ("path", "method", "documented", "refused", "code"),
    [
        ("/api/v2/nothing", "GET", 404, 404, "request: path"),
        (JOB, "DELETE", 405, 405, "request: method"),
        ("/api/v2/frameworks/a/attempts?version=x", "GET", 400, 422, "request: parameter"),
        ("/api/v2/jobs/a%20b", "GET", 404, 422, "request: parameter"),
        (f"{JOB}?x={'x' * 9000}", "GET", 414, 414, "request: length"),
    ],
)
def test_a_request_that_breaks_the_contract_is_marked_or_refused(
    path: str, method: str, documented: int, refused: int, code: str
) -> None:
    with served() as server:
        with proxied(server.url) as marking, proxied(server.url, tolerate=["bad-requests"]) as tolerant:
            status, headers, _ = asked(marking.port, path, method)
            assert (status, codes(headers)) == (documented, [code])
            assert codes(asked(tolerant.port, path, method)[1]) == []
        server.asked.clear()
        with proxied(server.url, errors=True) as refusing:
            status, headers, body = asked(refusing.port, path, method)
        assert (status, codes(headers)) == (refused, [code])
        assert json.loads(body)["status"] == refused
    assert server.asked == [], "a refused request does not reach the server"
    assert marking.rules() == refusing.rules() == [code]
    assert tolerant.rules() == []


def test_what_is_beside_the_api_is_not_judged() -> None:
    with bad.misbehaving(bad.sending(bad.answer(b"<html>"))) as server, proxied(server.url, errors=True) as proxy:
        status, headers, body = asked(proxy.port, "/favicon.ico")
    assert (status, body) == (200, b"<html>")
    assert "sl-violations" not in headers
    assert (proxy.watch.passed, proxy.watch.of_api, proxy.rules()) == (1, 0, [])


@pytest.mark.parametrize(
    ("script", "status", "rule"),
    [
        (bad.silent, 504, "answer: time-out"),
        (bad.resetting, 502, "answer: reset"),
        (bad.sending(b""), 502, "answer: reset"),
        (bad.sending(b"HTTP/1.1 200 OK\r\nContent-Len"), 502, "answer: reset"),
        (bad.sending(b"SSH-2.0-OpenSSH\r\n\r\n"), 502, "answer: malformed"),
        (
            bad.sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
            502,
            "answer: malformed",
        ),
        (bad.sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), 502, "answer: malformed"),
        (bad.sending(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), 502, "answer: malformed"),
        (bad.sending(bad.answer(b"{}", length=9)), 502, "answer: truncated"),
        (bad.sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), 502, "answer: truncated"),
        (bad.endless_header, 502, "answer: malformed"),
        (bad.endless_chunk_size, 502, "answer: malformed"),
        (bad.dribbling(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 5000), 504, "answer: time-out"),
    ],
)
def test_a_server_that_fails_is_a_finding_and_a_clear_answer(script: bad.Script, status: int, rule: str) -> None:
    with bad.misbehaving(script) as server, proxied(server.url, timeout=0.4) as proxy:
        got, headers, body = asked(proxy.port, VERSIONS)
    assert got == status
    assert "The server behind the proxy failed: " in json.loads(body)["detail"]
    assert codes(headers) == proxy.rules() == [rule]


def test_a_server_that_is_gone_is_news_even_beside_the_api() -> None:
    with proxied(f"http://127.0.0.1:{bad.port_of_nobody()}") as proxy:
        status, _, body = asked(proxy.port, "/healthz")
    assert status == 502
    assert "no connection" in json.loads(body)["detail"]
    assert proxy.rules() == ["answer: refused"]
    assert not proxy.gateway.server.reached


def test_an_endless_body_streams_and_is_never_kept_whole() -> None:
    with bad.misbehaving(bad.endless_body) as server, proxied(server.url) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as sock:
            sock.sendall(get(VERSIONS))
            received = len(head := sock.recv(1 << 16))
            while received < 4 * LONGEST_JUDGED:
                received += len(sock.recv(1 << 20))
        assert b"sl-not-judged: too large to judge" in head
        status, _, _ = asked(proxy.port, "/still-there", method="HEAD")
        assert status == 200


def test_a_body_too_large_to_judge_comes_whole() -> None:
    body = b'{"FrameworkVersions": [' + b" " * LONGEST_JUDGED + b"]}"
    with bad.misbehaving(bad.sending(bad.answer(body))) as server, proxied(server.url, errors=True) as proxy:
        status, headers, got = asked(proxy.port, VERSIONS)
    assert (status, got) == (200, body)
    assert headers["sl-not-judged"] == "too large to judge"
    assert (proxy.rules(), proxy.watch.not_judged) == ([], 1)


def test_of_a_body_too_large_to_judge_the_head_still_is() -> None:
    with bad.misbehaving(bad.sending(bad.answer(b" " * (LONGEST_JUDGED + 1), "418 Teapot"))) as server:
        with proxied(server.url) as marking:
            assert codes(asked(marking.port, VERSIONS)[1]) == ["status: undocumented"]
        with proxied(server.url, errors=True) as refusing:
            assert asked(refusing.port, VERSIONS)[0] == 502
    assert marking.rules() == refusing.rules() == ["status: undocumented"]


def slow(body: bytes, head: bytes) -> bad.Script:
    def script(sock: socket.socket, stop: Any) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + body[:3])
        stop.wait(0.3)
        sock.sendall(body[3:])

    return script


def test_a_slow_answer_is_passed_on_as_it_comes_and_marked_in_its_trailer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LONGEST_HOLD", 0.05)
    body = b"1c\r\n" + b'{"FrameworkVersions": ["1"]}' + b"\r\n0\r\n\r\n"
    with bad.misbehaving(slow(body, b"Transfer-Encoding: chunked\r\n\r\n")) as server, proxied(server.url) as proxy:
        answer = said(proxy.port, get(VERSIONS))
    assert b"sl-not-judged: slow: see the trailer\r\nTrailer: sl-violations\r\n" in answer
    trailer = answer.partition(b"\r\n0\r\n")[2].decode()
    assert trailer.startswith('sl-violations: [{"location"')
    assert proxy.rules() == ["schema: type"]


def test_a_slow_answer_with_a_length_is_judged_for_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LONGEST_HOLD", 0.05)
    body = b'{"FrameworkVersions": ["1"]}'
    with bad.misbehaving(slow(body, b"Content-Length: 28\r\n\r\n")) as server:
        with proxied(server.url) as marking:
            _, headers, got = asked(marking.port, VERSIONS)
        with proxied(server.url, errors=True) as refusing:
            assert asked(refusing.port, VERSIONS)[0] == 502, "what must be judged is waited for"
    assert (headers["sl-not-judged"], got) == ("slow: see the report", body)
    assert marking.rules() == refusing.rules() == ["schema: type"]


def test_an_answer_that_breaks_off_on_its_way_breaks_off_for_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LONGEST_HOLD", 0.05)
    with (
        bad.misbehaving(slow(b"{}  ", b"Content-Length: 1000\r\n\r\n")) as server,
        proxied(server.url) as proxy,
        pytest.raises((http.client.IncompleteRead, ConnectionError)),
    ):
        asked(proxy.port, VERSIONS)
    assert proxy.rules() == ["answer: truncated"]


def test_a_mark_is_no_longer_than_a_header_may_be() -> None:
    body = {**example("getJob"), **{f"wrong{number}" * 20: 1 for number in range(100)}}
    body["jobStatus"] = dict.fromkeys(body["jobStatus"], "x" * 150)
    with bad.misbehaving(bad.sending(bad.answer(json.dumps(body).encode()))) as server, proxied(server.url) as proxy:
        _, headers, _ = asked(proxy.port, JOB)
    assert len(headers["sl-violations"]) <= LONGEST
    assert json.loads(headers["sl-violations"])[-1]["severity"] == "Information"


RUNNING = detail("ApplicationRunning", task())


@pytest.mark.parametrize(
    ("law", "script", "paths"),
    [
        ("L3", [(0, detail("FrameworkCompleted", task(0, "SUCCEEDED"))), (9, detail("FrameworkCompleted", task(0, "SUCCEEDED"), appExitDiagnostics="!"))], [JOB]),
        ("L4", [(0, detail()), (9, detail(createdTime=CREATED + 1))], [JOB]),
        ("L7", [(0, detail("ApplicationRunning", appExitCode=1))], [JOB]),
        ("L8", [(0, attempt_1("ApplicationRunning"))], [JOB, f"/api/v2/frameworks/{NAME}/attempts", f"/api/v2/frameworks/{NAME}/attempts/0"]),
        ("L9", [(0, RUNNING)], [JOB, f"/api/v2/frameworks/{NAME}/versions"]),
        ("", [(0, detail("FrameworkWaiting")), (9, RUNNING)], [JOB]),
    ],
)  # fmt: skip
def test_laws_hold_over_what_passes_by(law: str, script: Any, paths: list[str]) -> None:
    server = Scripted(
        script, versions=[2] if law == "L9" else [], unanswered_attempts=frozenset({0} if law == "L8" else ())
    )
    with scripted(server) as url, proxied(url) as proxy:
        for minute in (1, 10):
            server.clock.set(BORN + minute * MINUTE)
            for path in (*paths, JOB):
                assert "sl-violations" not in asked(proxy.port, path)[1]
    assert proxy.rules() == ([f"law {law}"] if law else [])


def test_a_clock_that_goes_back_or_a_change_from_outside_begins_a_new_age() -> None:
    server = Scripted([(0, detail()), (9, detail(createdTime=CREATED + 1))])
    with scripted(server) as url, proxied(url) as proxy:
        for minute in (10, 1):
            server.clock.set(BORN + minute * MINUTE)
            asked(proxy.port, JOB)
        asked(proxy.port, "/__admin/reset", "POST")
        server.clock.set(BORN + 11 * MINUTE)
        asked(proxy.port, JOB)
    assert proxy.rules() == []


def test_what_is_kept_for_the_laws_is_judged_and_let_go_when_it_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.harness.proxy.laws_in_passing.MOST_KEPT", 6000)
    server = Scripted(
        [(minute, detail(appProgress=minute / 100)) for minute in range(8)] + [(8, detail(createdTime=CREATED + 1))]
    )
    with scripted(server) as url, proxied(url) as proxy:
        seen = []
        for minute in range(9):
            server.clock.set(BORN + minute * MINUTE + 1)
            seen += codes(asked(proxy.port, JOB)[1])
    assert proxy.rules() == ["law L4"], "the last word before it was let go is remembered"
    assert set(seen) <= {"law L4"}


def test_what_is_kept_for_reports_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.harness.proxy.watching.MOST_EXCHANGES", 3)
    with bad.misbehaving(bad.sending(bad.answer(b"{}"))) as server, proxied(server.url) as proxy:
        for number in range(5):
            asked(proxy.port, f"/{number}")
    assert [one.request.target for one in proxy.watch.exchanges] == ["/2", "/3", "/4"]
    assert proxy.watch.forgotten == 2


@pytest.mark.parametrize(
    ("coding", "body", "why"),
    [
        ("br", b"\x00", "encoded as br"),
        ("gzip", b"not so", "said to be gzip, and is not"),
        ("gzip", gzip.compress(b" " * (LONGEST_JUDGED + 1)), "too large to judge"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_passed_on_unjudged(coding: str, body: bytes, why: str) -> None:
    answer = bad.answer(body, "200 OK", f"Content-Encoding: {coding}")
    with bad.misbehaving(bad.sending(answer)) as server, proxied(server.url) as proxy:
        _, headers, got = asked(proxy.port, VERSIONS)
    assert (headers["sl-not-judged"], got, proxy.rules()) == (why, body, [])


def test_a_server_behind_tls_is_spoken_to() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    with serving(lambda asked: Answer(200, b"{}"), context) as server, proxied(server.url) as proxy:
        assert asked(proxy.port, "/x")[2] == b"{}"


def test_a_client_that_leaves_amid_its_request_is_no_fault_of_the_server() -> None:
    received: list[bytes] = []
    left = threading.Event()

    def reading(sock: socket.socket, stop: threading.Event) -> None:
        while piece := sock.recv(1 << 16):
            received.append(piece)
        left.set()

    with bad.misbehaving(reading) as server, proxied(server.url) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as sock:
            sock.sendall(get("/x", "Content-Length: 100", method="POST") + b"half of it")
            while not server.requests:
                pass
        assert left.wait(5), "the server must not wait for the rest"
    assert proxy.rules() == []


def test_of_answers_that_overlap_only_the_first_is_compared() -> None:
    laws = LawsInPassing(lines("documented"))
    older, newer = whole(detail(createdTime=CREATED)), whole(detail(createdTime=CREATED + 1))
    looks = [(older, 0.0, 5.0), (newer, 4.0, 6.0), (older, 6.0, 7.0)]
    for body, sent, complete in looks:
        answer = Answered(200, "", (), json.dumps(body).encode(), BORN, 0.0)
        exchange = Exchange(1, "proxy", GET_JOB, Request("GET", JOB), answer)
        assert list(laws.add((GET_JOB, NAME, None, None), exchange, body, sent, complete)) == []
    assert list(laws.judged()) == []
    assert list(laws.add((GET_JOB, NAME, None, None), exchange, newer, 8.0, 9.0)) == []
    assert [finding.rule for finding in laws.judged()] == ["law L4"]
