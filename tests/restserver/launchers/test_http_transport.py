import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import SystemClock, VirtualClock, uptime
from contracts.launcher.port import Ask, LauncherUnavailable, LauncherUnreadable
from restserver.launchers.metered import AnswerTooLong, Meter
from restserver.launchers.target import BadTarget, checked_headers, target
from restserver.launchers.transport import Reply, Transport
from tests.stand_ins import misbehaving as bad
from tests.stand_ins import served

TLS = Path(__file__).parents[3] / "fixtures" / "tls"
CREDENTIALS = "Bearer tell-nobody"


def transport(url: str, **options: object) -> Transport:
    options = {"clock": SystemClock(), "timeout": 5_000, "who": "The launcher", **options}
    return Transport(url, **options)  # type: ignore[arg-type]  # the tests' options are what the constructor takes


def ok(asked: served.Asked) -> served.Reply:
    return served.Reply(200, asked.path.encode())


@pytest.fixture
def healthy() -> Iterator[served.Served]:
    with served.serving(ok) as server:
        yield server


def unavailable(url: str, **options: object) -> str:
    with transport(url, **options) as client, pytest.raises(LauncherUnavailable) as raised:
        client.get("/v1", Ask())
    return raised.value.reason


def unreadable(url: str, **options: object) -> str:
    with transport(url, **options) as client, pytest.raises(LauncherUnreadable) as raised:
        client.get("/v1", Ask())
    assert raised.value.path == "$"
    return raised.value.found


# --- what it sends ---------------------------------------------------------------------------------------------------


def test_it_asks_for_json_uncompressed_with_the_configured_headers(healthy: served.Served) -> None:
    with transport(healthy.url, headers=[("Authorization", CREDENTIALS), ("UserName", "alice")]) as client:
        assert client.get("/v1/x", Ask()) == Reply(200, b"/v1/x", None)
    (asked,) = healthy.asked
    assert asked.header("Accept") == "application/json"
    assert asked.header("Accept-Encoding") == "identity"
    assert asked.header("Authorization") == CREDENTIALS
    assert asked.header("UserName") == "alice"
    assert asked.header("Host") == healthy.url.removeprefix("http://")
    assert asked.header("X-Request-Id") is None


def test_a_well_formed_request_id_is_passed_on(healthy: served.Served) -> None:
    with transport(healthy.url) as client:
        client.get("/v1", Ask(request_id="0af7651916cd43dd-8448"))
    assert healthy.asked[0].header("X-Request-Id") == "0af7651916cd43dd-8448"


@pytest.mark.parametrize("request_id", ["", "a b", "a\r\nX-Evil: 1", "é", "a" * 129, "a\x00"])
def test_a_request_id_that_is_none_is_left_out(healthy: served.Served, request_id: str) -> None:
    with transport(healthy.url) as client:
        client.get("/v1", Ask(request_id=request_id))
    assert healthy.asked[0].header("X-Request-Id") is None
    assert healthy.asked[0].header("X-Evil") is None


@pytest.mark.parametrize(
    ("suffix", "prefix"), [("", ""), ("/", ""), ("/gateway", "/gateway"), ("/a/b/", "/a/b"), ("/a//", "/a")]
)
def test_a_base_url_may_have_a_path_and_a_slash_at_its_end(healthy: served.Served, suffix: str, prefix: str) -> None:
    with transport(healthy.url + suffix) as client:
        client.get("/v1/Frameworks/a~b", Ask())
    assert healthy.asked[0].path == prefix + "/v1/Frameworks/a~b"


def test_proxies_of_the_environment_are_not_used(healthy: served.Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{bad.port_of_nobody()}")
    with transport(healthy.url) as client:
        assert client.get("/v1", Ask()).status == 200


# --- connections -----------------------------------------------------------------------------------------------------


def test_a_connection_is_kept_and_used_again(healthy: served.Served) -> None:
    with transport(healthy.url) as client:
        for _ in range(5):
            client.get("/v1", Ask())
    assert healthy.connections == 1


def test_a_chunked_answer_keeps_the_connection_too() -> None:
    body = b"x" * 20_000
    with served.serving(lambda asked: served.Reply(200, body, chunked=True)) as server, transport(server.url) as client:
        assert client.get("/v1", Ask()).body == body
        assert client.get("/v1", Ask()).body == body
    assert server.connections == 1


def test_no_more_idle_connections_are_kept_than_allowed() -> None:
    together = threading.Barrier(3)

    def at_once(asked: served.Asked) -> served.Reply:
        together.wait()
        return served.Reply(200)

    with served.serving(at_once) as server, transport(server.url, keep=1) as client, ThreadPoolExecutor(3) as threads:
        for _ in range(2):
            list(threads.map(lambda _: client.get("/v1", Ask()), range(3)))
    assert server.connections == 5  # three, of which one was kept, then two more


def test_thirty_two_threads_share_one_pool_and_never_get_anothers_answer(healthy: served.Served) -> None:
    with transport(healthy.url) as client, ThreadPoolExecutor(32) as threads:
        paths = [f"/v1/{number}" for number in range(1_000)]
        replies = list(threads.map(lambda path: client.get(path, Ask()), paths))
    assert [reply.body.decode() for reply in replies] == paths
    assert healthy.connections <= 32


def test_a_connection_that_failed_is_not_used_again() -> None:
    turns = iter([bad.answer(b"{}", length=100), bad.answer(b"fine")])

    def script(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(next(turns))

    with bad.misbehaving(script) as server, transport(server.url) as client:
        with pytest.raises(LauncherUnavailable):
            client.get("/v1", Ask())
        assert client.get("/v1", Ask()).body == b"fine"
    assert server.connections == 2


@pytest.mark.parametrize("reset", [False, True])
def test_a_kept_connection_gone_stale_is_replaced_without_notice(reset: bool) -> None:
    with bad.misbehaving(bad.ClosingBetween(b"{}", reset=reset)) as server, transport(server.url) as client:
        for _ in range(3):
            assert client.get("/v1", Ask()).body == b"{}"
    assert server.connections == 3


def test_a_kept_connection_that_was_closed_meanwhile_is_not_even_tried() -> None:
    with bad.misbehaving(bad.sending(bad.answer(b"{}"))) as server, transport(server.url) as client:
        for _ in range(3):
            assert client.get("/v1", Ask()).body == b"{}"
            server.closed.acquire()
    assert len(server.requests) == server.connections == 3


def test_a_new_connection_that_fails_is_not_asked_again() -> None:
    with bad.misbehaving(bad.resetting) as server:
        assert unavailable(server.url) == "The launcher reset the connection."
    assert server.connections == 1


def test_a_kept_connection_that_fails_after_the_answer_began_is_not_asked_again() -> None:
    def script(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(bad.answer(b"{}"))
        bad.request_on(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12")

    with bad.misbehaving(script) as server, transport(server.url) as client:
        client.get("/v1", Ask())
        with pytest.raises(LauncherUnavailable, match="broke off in the middle"):
            client.get("/v1", Ask())
    assert server.connections == 1


def test_a_kept_connection_reset_after_the_answer_began_is_not_asked_again() -> None:
    def script(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(bad.answer(b"{}"))
        bad.request_on(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-Half: ")
        stop.wait(0.1)
        bad.resetting(sock, stop)

    with bad.misbehaving(script) as server, transport(server.url) as client:
        client.get("/v1", Ask())
        with pytest.raises(LauncherUnavailable, match="reset the connection"):
            client.get("/v1", Ask())
    assert server.connections == 1


def test_what_a_server_says_unasked_is_never_taken_for_an_answer() -> None:
    said = threading.Event()

    def script(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(bad.answer(b"first") + bad.answer(b"of nobody"))
        said.set()
        bad.request_on(sock)

    with bad.misbehaving(script) as server, transport(server.url) as client:
        assert client.get("/v1", Ask()).body == b"first"
        said.wait()
        assert client.get("/v1", Ask()).body == b"first"


def test_after_closing_it_connects_anew(healthy: served.Served) -> None:
    with transport(healthy.url) as client:
        client.get("/v1", Ask())
        client.close()
        client.get("/v1", Ask())
    assert healthy.connections == 2


# --- one deadline ----------------------------------------------------------------------------------------------------

HELLO = bad.answer(b'{"frameworkName": "' + b"a" * 2000 + b'"}')


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(bad.silent, id="silence"),
        pytest.param(bad.dribbling(HELLO), id="dribbled headers"),
        pytest.param(
            lambda sock, stop: (sock.sendall(HELLO[:90]), bad.dribbling(HELLO[90:])(sock, stop)), id="dribbled body"
        ),
        pytest.param(
            bad.dribbling(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000),
            id="dribbled chunk size",
        ),
        pytest.param(bad.dribbling(b"HTTP/1.1 100 Continue\r\n\r\n" * 200), id="endless interim answers"),
    ],
)
def test_a_server_that_takes_its_time_is_cut_off_at_the_deadline(script: bad.Script) -> None:
    with bad.misbehaving(script) as server:
        clock = SystemClock()
        began = clock.now()
        assert unavailable(server.url, timeout=300) == "The launcher did not answer within 0.3 s."
        assert 290 <= clock.now() - began < 2_000


def test_a_name_server_that_is_silent_holds_nobody_beyond_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is asked once for all who wait meanwhile."""
    speak, asked = threading.Event(), list[object]()

    def silent(host: object, *_: object, flags: int = 0, **__: object) -> list[object]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        asked.append(host)
        assert speak.wait(30)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with transport("http://launcher.example", timeout=200) as client:
        for _ in range(3):
            with pytest.raises(LauncherUnavailable, match=r"did not answer within 0\.2 s"):
                client.get("/v1", Ask())
        assert asked == ["launcher.example"]
        speak.set()
        until = uptime() + 30
        while len(asked) == 1 and uptime() < until:  # the look-up has ended, and the next one is another
            with pytest.raises(LauncherUnavailable):
                client.get("/v1", Ask())
        assert len(asked) == 2


def test_a_connection_nobody_accepts_ends_at_the_deadline() -> None:
    with bad.never_accepting() as url:
        assert unavailable(url, timeout=200) == "The launcher did not answer within 0.2 s."


def test_a_tls_handshake_nobody_answers_ends_at_the_deadline() -> None:
    with bad.misbehaving(bad.silent, read_request=False) as server:
        reason = unavailable(server.url.replace("http:", "https:"), timeout=200)
    assert reason == "The launcher did not answer within 0.2 s."


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (200, r"did not answer within 0\.2 s"),
        (
            20,
            r"did not answer within 0\.1 s|the time for the answer was up",
        ),  # what little it is, it is not told as nothing
    ],
)
def test_the_askers_deadline_holds_if_it_is_earlier(left: int, told: str) -> None:
    clock = SystemClock()
    with (
        bad.misbehaving(bad.silent) as server,
        transport(server.url, timeout=60_000) as client,
        pytest.raises(LauncherUnavailable, match=told),
    ):
        client.get("/v1", Ask(deadline=clock.now() + left))


def test_after_the_deadline_nobody_is_asked(healthy: served.Served) -> None:
    clock = VirtualClock(1_000_000, frozen=True)
    with (
        transport(healthy.url, clock=clock) as client,
        pytest.raises(LauncherUnavailable, match="was not asked: the time for the answer was up"),
    ):
        client.get("/v1", Ask(deadline=1_000_000))
    assert healthy.connections == 0


def test_a_frozen_clock_does_not_stop_the_deadline() -> None:
    with bad.misbehaving(bad.silent) as server:
        reason = unavailable(server.url, timeout=200, clock=VirtualClock(1_000_000, frozen=True))
    assert reason == "The launcher did not answer within 0.2 s."


def test_a_meter_that_has_run_out_gives_no_time_and_takes_no_bytes() -> None:
    with pytest.raises(TimeoutError):
        Meter(0, 10).left()
    meter = Meter(1_000, 10)
    assert meter.count(10) == 10
    with pytest.raises(AnswerTooLong):
        meter.count(1)


def test_a_host_with_several_addresses_is_asked_at_one_that_answers(
    healthy: served.Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [bad.port_of_nobody(), int(healthy.url.rpartition(":")[2])]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with transport("http://launcher.example") as client:
        assert client.get("/v1", Ask()).status == 200


def test_an_address_of_a_family_that_is_not_here_leaves_the_others(
    healthy: served.Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of IPv6 where the kernel has none: there no socket can be made."""
    port = int(healthy.url.rpartition(":")[2])
    found = [(family, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for family in (9_999, socket.AF_INET)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with transport("http://launcher.example") as client:
        assert client.get("/v1", Ask()).status == 200


def test_a_host_without_an_address_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    assert unavailable("http://launcher.example") == "The connection to the launcher failed."


# --- a limit on what comes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [bad.endless_body, bad.endless_header, bad.endless_chunk_size])
def test_an_endless_answer_is_unreadable(script: bad.Script) -> None:
    with bad.misbehaving(script) as server:
        assert unreadable(server.url, most_bytes=1_000_000) in (
            "more than 1000000 bytes",
            "something that is not HTTP",  # http.client has limits of its own for headers and chunk sizes
        )


def test_a_body_announced_as_too_long_is_not_read() -> None:
    with bad.misbehaving(bad.sending(bad.answer(b"", length=10**12))) as server:
        assert unreadable(server.url) == "more than 67108864 bytes"


def test_a_compressed_body_is_not_unpacked() -> None:
    with bad.misbehaving(bad.sending(bad.compressed(b"{}"))) as server:
        assert unreadable(server.url) == "a compressed body, which was not asked for"


# --- every failure has its sentence ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (bad.sending(b""), "The launcher closed the connection without an answer."),
        (bad.resetting, "The launcher reset the connection."),
        (
            bad.sending(bad.answer(b'{"a": ', length=100)),
            "The answer of the launcher broke off in the middle.",
        ),
        (
            bad.sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "The answer of the launcher broke off in the middle.",
        ),
        (
            bad.sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12"),
            "The answer of the launcher broke off in the middle.",
        ),
    ],
)
def test_a_lost_connection_is_told_in_one_sentence(script: bad.Script, reason: str) -> None:
    with bad.misbehaving(script) as server:
        assert unavailable(server.url) == reason


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 500 + b"\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_unreadable(said: bytes) -> None:
    with bad.misbehaving(bad.sending(said)) as server:
        assert unreadable(server.url) == "something that is not HTTP"


def test_a_refused_connection_is_told_in_one_sentence() -> None:
    reason = unavailable(f"http://127.0.0.1:{bad.port_of_nobody()}", who="The resource manager")
    assert reason == "The resource manager refused the connection."


def test_an_unknown_host_is_told_in_one_sentence() -> None:
    reason = unavailable("http://launcher.invalid:9086")
    assert reason == "The launcher cannot be reached: the name of its host is not known."


def test_an_address_without_a_way_to_it_is_told_in_one_sentence() -> None:
    # A multicast address: TCP has no way to it on any machine.
    reason = unavailable("http://224.0.0.1:9086", timeout=500)
    assert reason in ("The launcher cannot be reached.", "The launcher did not answer within 0.5 s.")


@pytest.mark.parametrize("script", [bad.silent, bad.resetting, bad.sending(b"x\r\n"), bad.endless_body])
def test_no_error_shows_what_was_sent(script: bad.Script) -> None:
    with (
        bad.misbehaving(script) as server,
        transport(server.url, headers=[("Authorization", CREDENTIALS)], timeout=200, most_bytes=100_000) as client,
        pytest.raises((LauncherUnavailable, LauncherUnreadable)) as raised,
    ):
        client.get("/v1", Ask())
    assert CREDENTIALS.encode() in server.requests[0]
    assert CREDENTIALS not in str(raised.value) + repr(raised.value) + repr(raised.value.__cause__)


# --- statuses are for others to judge --------------------------------------------------------------------------------


def test_a_redirect_is_not_followed() -> None:
    def elsewhere(asked: served.Asked) -> served.Reply:
        return served.Reply(302, b"", [("Location", "/elsewhere")])

    with served.serving(elsewhere) as server, transport(server.url) as client:
        assert client.get("/v1", Ask()) == Reply(302, b"", None)
    assert [asked.path for asked in server.asked] == ["/v1"]


@pytest.mark.parametrize("value", ["120", "Fri, 31 Dec 2027 23:59:59 GMT"])
def test_a_retry_after_is_kept(value: str) -> None:
    said = bad.answer(b"", "503 Busy", f"Retry-After: {value}")
    with bad.misbehaving(bad.sending(said)) as server, transport(server.url) as client:
        assert client.get("/v1", Ask()).retry_after == value


@pytest.mark.parametrize("value", ["", "-1", "soon!", "1\r\n 2", "9" * 40])
def test_a_retry_after_that_is_none_is_left_out(value: str) -> None:
    said = bad.answer(b"", "503 Busy", f"Retry-After: {value}")
    with bad.misbehaving(bad.sending(said)) as server, transport(server.url) as client:
        assert client.get("/v1", Ask()) == Reply(503, b"", None)


# --- trust -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def secure() -> Iterator[served.Served]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    with served.serving(ok, context) as server:
        yield server


def test_a_certificate_of_the_given_file_is_trusted_and_the_connection_kept(secure: served.Served) -> None:
    with transport(secure.url, ca_file=str(TLS / "localhost.pem")) as client:
        for _ in range(3):
            assert client.get("/v1", Ask()).status == 200
    assert secure.connections <= 2  # a session ticket that comes late makes a kept connection look used
    assert secure.asked[0].header("Host") == secure.url.removeprefix("https://")


def test_an_unknown_certificate_is_not_trusted(secure: served.Served) -> None:
    assert unavailable(secure.url) == "The launcher shows a certificate that is not trusted."


def test_a_certificate_of_another_host_is_not_trusted(secure: served.Served) -> None:
    reason = unavailable(secure.url.replace("127.0.0.1", "127.0.0.2"), ca_file=str(TLS / "localhost.pem"))
    assert reason in ("The launcher shows a certificate that is not trusted.", "The launcher refused the connection.")


def test_a_server_that_speaks_no_tls_is_told_in_one_sentence() -> None:
    with bad.misbehaving(bad.sending(b"HTTP/1.1 400 Bad Request\r\n\r\n"), read_request=False) as server:
        reason = unavailable(server.url.replace("http:", "https:"))
    assert reason == "No secure connection to the launcher came about."


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"])
def test_a_file_that_holds_no_certificates_stops_at_once(tmp_path: Path, content: str | None, scheme: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadTarget, match="is not a file of certificates"):
        transport(f"{scheme}://127.0.0.1", ca_file=str(path))


# --- what cannot be asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:9086",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:70000",
        "http://ho st",
        "http://[::1",
        "http://host/a/../b",
        "http://host/.",
        "http://host/a b",
        "http://host/a?b",
        "http://host/#b",
        "http://host/a\r\nb: c",
        f"http://{'a' * 70}.example",
        "http://a..b",
    ],
)
def test_a_url_that_cannot_be_asked_stops_at_once(url: str) -> None:
    with pytest.raises(BadTarget):
        target(url)


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(BadTarget, match="give credentials as a header") as raised:
        target("http://alice:tell-nobody@host")
    assert "tell-nobody" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "port"), [("http://host", 80), ("https://host", 443), ("http://[::1]:9086/", 9086), ("http://HOST:0", 0)]
)
def test_a_port_left_out_is_the_schemes(url: str, port: int) -> None:
    assert target(url).port == port


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "v"),
        ("A B", "v"),
        ("A:", "v"),
        ("A\r\n", "v"),
        ("X-Token", "tell-nobody\r\nX-Evil: 1"),
        ("X-Token", "tell-nobody\n"),
        ("X-Token", "tell-nobody\x00"),
        ("X-Token", "tell-nobody\u20ac"),
        ("Host", "tell-nobody"),
        ("accept-encoding", "gzip"),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
    ],
)
def test_a_header_that_cannot_be_sent_stops_at_once_and_its_value_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(BadTarget) as raised:
        checked_headers([(name, value)])
    assert "tell-nobody" not in str(raised.value)


def test_a_header_given_twice_stops_at_once() -> None:
    with pytest.raises(BadTarget, match="the header authorization is given more than once"):
        checked_headers([("authorization", "a"), ("Authorization", "b")])


@given(st.lists(st.tuples(st.text(max_size=10), st.text(max_size=10)), max_size=3))
def test_headers_that_pass_hold_no_control_characters(headers: list[tuple[str, str]]) -> None:
    try:
        kept = checked_headers(headers)
    except BadTarget:
        return
    for name, value in kept:
        assert name.isprintable()
        assert name.isascii()
        assert not set(value) & {chr(code) for code in range(32) if code != 9}
        value.encode("latin-1")
