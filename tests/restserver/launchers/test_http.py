import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import LATEST, SystemClock, VirtualClock
from contracts.launcher import open_dialect, private_dialect, wire
from contracts.launcher.port import (
    Ask,
    Launcher,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
    ResourceManager,
)
from contracts.launcher.records import Framework
from restserver.launchers.http import DIALECTS, HttpLauncher, http_backend
from restserver.launchers.target import BadTarget
from restserver.launchers.transport import Transport
from tests.stand_ins import misbehaving as bad
from tests.stand_ins import served
from tests.stand_ins.encoded import encoded_launcher, no_such
from tests.stand_ins.known import KnownApplications, KnownFrameworks, framework
from tests.stand_ins.recorded import recorded_bytes

RECORDINGS = Path(__file__).parents[3] / "fixtures" / "recordings"
ASK = Ask()
SEEN = {"open": open_dialect.seen, "private": private_dialect.seen}
SEEN_SUMMARY = {"open": open_dialect.seen_summary, "private": private_dialect.seen_summary}
PREFIX = {"open": "/v1/Frameworks", "private": "/v1/SummaryFrameworks"}


def launcher_at(url: str, dialect: str, timeout: int = 5_000) -> HttpLauncher:
    return HttpLauncher(Transport(url, clock=SystemClock(), timeout=timeout, who="The launcher"), DIALECTS[dialect])


@dataclass
class Pair:
    """A launcher over HTTP, and what stands behind it."""

    dialect: str
    launcher: HttpLauncher
    known: KnownFrameworks
    served: served.Served

    def seen(self, record: Framework) -> Framework:
        return SEEN[self.dialect](record)


def pair(dialect: str) -> Iterator[Pair]:
    known = KnownFrameworks(
        [
            framework("alice~a", version=1, retries=0),
            framework("alice~a", version=1, retries=1),
            framework("alice~a", version=3, retries=0),
            framework("alice~a", version=3, retries=1),
            framework("alice~a", version=3, retries=2),
            framework("bob~b", version=-7),
        ]
    )
    with encoded_launcher(known, KnownApplications(), dialect) as server:
        launcher = launcher_at(server.url, dialect)
        yield Pair(dialect, launcher, known, server)
        launcher.close()


@pytest.fixture(params=["open", "private"])
def either(request: pytest.FixtureRequest) -> Iterator[Pair]:
    yield from pair(request.param)


@pytest.fixture
def private() -> Iterator[Pair]:
    yield from pair("private")


@pytest.fixture
def open_() -> Iterator[Pair]:
    yield from pair("open")


# --- what both dialects tell -----------------------------------------------------------------------------------------


def test_a_framework_comes_back_as_its_dialect_sees_it(either: Pair) -> None:
    answer = either.launcher.framework("alice~a", ASK)
    assert answer.value == either.seen(either.known.records[4])
    assert answer.until is None


def test_an_edition_stays_while_the_launcher_says_the_same_and_changes_with_it(either: Pair) -> None:
    before = either.launcher.framework("alice~a", ASK).edition
    assert either.launcher.framework("alice~a", ASK).edition == before
    either.known.records.append(framework("alice~a", version=4))
    assert either.launcher.framework("alice~a", ASK).edition != before


def test_every_framework_is_listed(either: Pair) -> None:
    listed = {summary.name: summary for summary in either.launcher.summaries(ASK)}
    assert set(listed) == {"alice~a", "bob~b"}
    assert listed["alice~a"] == SEEN_SUMMARY[either.dialect](either.known.records[4].summary)


def test_a_launcher_that_answers_is_ready(either: Pair) -> None:
    either.launcher.ready(ASK)
    assert [asked.path for asked in either.served.asked] == ["/v1"]


def test_what_is_unknown_is_said_so_with_all_that_is_known(either: Pair) -> None:
    launcher = either.launcher
    with pytest.raises(NoSuchFramework) as no_framework:
        launcher.framework("nobody", ASK)
    assert no_framework.value == NoSuchFramework("nobody")
    with pytest.raises(NoSuchFramework):
        launcher.versions("nobody", ASK)
    for version in (None, 3):
        with pytest.raises(NoSuchVersion) as no_version:
            launcher.attempts("nobody", version, ASK)
        assert no_version.value == NoSuchVersion("nobody", version)
        with pytest.raises(NoSuchAttempt) as no_attempt:
            launcher.attempt("nobody", 0, version, ASK)
        assert no_attempt.value == NoSuchAttempt("nobody", version, 0)


def test_an_attempt_that_is_unknown_names_the_version_asked_for_or_else_the_current_one(either: Pair) -> None:
    for asked, told in ((None, 3), (3, 3), (2, 2)):
        with pytest.raises(NoSuchAttempt) as raised:
            either.launcher.attempt("alice~a", 9, asked, ASK)
        assert raised.value == NoSuchAttempt("alice~a", told, 9)


def test_a_version_that_is_unknown_is_named(either: Pair) -> None:
    with pytest.raises(NoSuchVersion) as raised:
        either.launcher.attempts("alice~a", 2, ASK)
    assert raised.value == NoSuchVersion("alice~a", 2)


@pytest.mark.parametrize("version", [None, 3])
def test_the_current_attempt_is_the_framework_itself(either: Pair, version: int | None) -> None:
    attempt = either.launcher.attempt("alice~a", 2, version, ASK)
    assert attempt.value == either.launcher.framework("alice~a", ASK).value


def test_thirty_two_threads_get_each_their_own_framework(either: Pair) -> None:
    names = [f"alice~{number}" for number in range(50)]
    either.known.records.extend(framework(name, version=number) for number, name in enumerate(names))
    asked = names * 4
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda name: either.launcher.framework(name, ASK).value, asked))
    assert [answer.summary.name for answer in answers] == asked
    assert either.served.connections <= 32


# --- the past ---------------------------------------------------------------------------------------------------------


def test_a_private_launcher_tells_versions_and_attempts(private: Pair) -> None:
    launcher = private.launcher
    assert launcher.versions("alice~a", ASK).value == (1, 3)
    assert launcher.attempts("alice~a", 1, ASK).value == (0, 1)
    assert launcher.attempts("bob~b", -7, ASK).value == (0,)
    assert launcher.attempt("alice~a", 0, 1, ASK).value == private.seen(private.known.records[0])
    assert launcher.attempt("bob~b", 0, -7, ASK).value == private.seen(private.known.records[5])


def test_a_version_left_out_is_the_one_the_private_launcher_tells_first(private: Pair) -> None:
    assert private.launcher.attempts("alice~a", None, ASK).value == (0, 1, 2)
    assert private.launcher.attempt("alice~a", 1, None, ASK).value == private.seen(private.known.records[3])
    detail = "/v1/SummaryFrameworks/alice~a"
    assert [asked.path for asked in private.served.asked] == [
        detail,
        detail + "/Versions/3/Attempts",
        detail,
        detail + "/Versions/3/Attempts/1",
    ]


def test_the_current_attempt_of_a_version_left_out_is_one_question(private: Pair) -> None:
    private.launcher.attempt("alice~a", 2, None, ASK)
    assert len(private.served.asked) == 1


def test_two_questions_of_one_call_have_one_deadline() -> None:
    detail = private_dialect.render(private_dialect.encode_framework(framework("a", version=2, retries=5)))

    def script(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(bad.answer(detail.encode()))
        bad.request_on(sock)
        bad.silent(sock, stop)

    with bad.misbehaving(script) as server:
        clock = SystemClock()
        launcher = launcher_at(server.url, "private", timeout=300)
        began = clock.now()
        with pytest.raises(LauncherUnavailable):
            launcher.attempt("a", 0, None, ASK)
        assert clock.now() - began < 590
        launcher.close()


def test_an_open_launcher_tells_only_what_is_current(open_: Pair) -> None:
    launcher = open_.launcher
    assert launcher.versions("alice~a", ASK).value == (3,)
    assert launcher.versions("bob~b", ASK).value == (-7,)
    assert launcher.attempts("alice~a", None, ASK).value == (2,)
    assert launcher.attempts("alice~a", 3, ASK).value == (2,)
    with pytest.raises(NoSuchAttempt) as raised:
        launcher.attempt("alice~a", 1, None, ASK)
    assert raised.value == NoSuchAttempt("alice~a", 3, 1)
    assert {asked.path for asked in open_.served.asked} == {"/v1/Frameworks/alice~a", "/v1/Frameworks/bob~b"}


def test_lists_are_ascending_and_name_nothing_twice() -> None:
    document = private_dialect.render(private_dialect.encode_versions((3, 1, 3, -2)))
    with served.serving(lambda asked: served.Reply(200, document.encode())) as server:
        launcher = launcher_at(server.url, "private")
        assert launcher.versions("a", ASK).value == (-2, 1, 3)
        launcher.close()


# --- names ------------------------------------------------------------------------------------------------------------

NASTY = [
    "", ".", "..", "a/b", "a%2Fb", "%2e%2e", "a?b", "a#b", "a;b", "a b", "a\r\nX: 1", "a\n", "é", "a" * 257, "a\x00", "a\\b",
    "../Frameworks", "http://evil.example/",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_a_name_that_cannot_exist_is_not_asked_for(either: Pair, name: str) -> None:
    launcher = either.launcher
    with pytest.raises(NoSuchFramework) as raised:
        launcher.framework(name, ASK)
    assert raised.value == NoSuchFramework(name)
    with pytest.raises(NoSuchFramework):
        launcher.versions(name, ASK)
    with pytest.raises(NoSuchVersion):
        launcher.attempts(name, 1, ASK)
    with pytest.raises(NoSuchAttempt):
        launcher.attempt(name, 0, 1, ASK)
    assert either.served.connections == 0


@pytest.mark.parametrize("name", ["...", "a" * 256, "~", "-", "_", "..a", "A.b_c~d-9"])
def test_a_name_that_can_exist_is_asked_for_in_one_segment(either: Pair, name: str) -> None:
    either.known.records.append(framework(name))
    assert either.launcher.framework(name, ASK).value.summary.name == name
    assert either.served.asked[0].path == f"{PREFIX[either.dialect]}/{name}"


@given(st.text(max_size=20) | st.sampled_from(NASTY))
def test_no_name_reaches_another_path(name: str) -> None:
    for dialect in DIALECTS.values():
        path = dialect.framework_path(name)
        assert path.startswith(dialect.frameworks_path + "/")
        rest = path.removeprefix(dialect.frameworks_path + "/")
        assert not set(rest) & set("/?#;\\ \r\n\x00")
        assert rest.isascii()


# --- what a launcher may answer ---------------------------------------------------------------------------------------

FACTS = {"exception": "ThrottledRequestException", "message": "a.b.ThrottledRequestException: too many\n\tat a.b.C(D)\n",
         "javaClassName": "a.b.ThrottledRequestException"}  # fmt: skip
LAUNCHERS_ERROR = json.dumps(FACTS).encode()
HTML = b"<html><head><title>Error</title></head></html>"


def answering(dialect: str, reply: served.Reply) -> LauncherError:
    """The error a framework call ends in."""
    with served.serving(lambda asked: reply) as server:
        launcher = launcher_at(server.url, dialect)
        with pytest.raises(LauncherError) as raised:
            launcher.framework("alice~a", ASK)
        launcher.close()
    assert isinstance(raised.value, LauncherError)
    return raised.value


@pytest.mark.parametrize("dialect", ["open", "private"])
@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_a_launchers_own_error_keeps_the_first_line_of_its_message(dialect: str, status: int) -> None:
    error = answering(dialect, served.Reply(status, LAUNCHERS_ERROR, [("Retry-After", "7")]))
    assert error == LauncherRefused(status, "a.b.ThrottledRequestException: too many", "7")


@pytest.mark.parametrize("dialect", ["open", "private"])
@pytest.mark.parametrize("status", [301, 302, 401, 405, 500, 502, 503])
@pytest.mark.parametrize("body", [b"", HTML, b"\xff\xfe", b"[]", b"null"])
def test_an_error_without_a_message_is_a_refusal_without_one(dialect: str, status: int, body: bytes) -> None:
    reply = served.Reply(status, body, [("Location", "/v1")] if status < 400 else ())
    assert answering(dialect, reply) == LauncherRefused(status, None)


def test_a_404_of_the_open_launcher_counts_only_with_its_error_object() -> None:
    assert answering("open", no_such()) == NoSuchFramework("alice~a")
    wrapped = json.dumps({"RemoteException": FACTS}).encode()
    assert answering("open", served.Reply(404, wrapped)) == NoSuchFramework("alice~a")
    assert answering("open", served.Reply(404, HTML)) == LauncherRefused(404, None)
    assert answering("open", served.Reply(404, b"")) == LauncherRefused(404, None)
    assert answering("open", served.Reply(404, b'{"error": "no route"}')) == LauncherRefused(404, None)


@pytest.mark.parametrize("body", [b"", HTML, LAUNCHERS_ERROR])
def test_any_404_of_the_private_launcher_counts(body: bytes) -> None:
    assert answering("private", served.Reply(404, body)) == NoSuchFramework("alice~a")


@pytest.mark.parametrize("dialect", ["open", "private"])
@pytest.mark.parametrize(
    "body", [b"", HTML, b"Active at here", b"{", b'{"a": 1', b"[]", b"null", b"{}", b"\xff\xfe{}", b"[" * 100_000]
)
def test_a_success_that_is_not_the_document_is_unreadable(dialect: str, body: bytes) -> None:
    assert isinstance(answering(dialect, served.Reply(200, body)), LauncherUnreadable)


@pytest.mark.parametrize("dialect", ["open", "private"])
@pytest.mark.parametrize("status", [201, 202, 204])
def test_a_success_without_a_document_is_unreadable(dialect: str, status: int) -> None:
    assert answering(dialect, served.Reply(status)) == LauncherUnreadable("$", f"nothing (status {status})")


def test_an_open_answer_about_another_framework_is_unreadable() -> None:
    document = open_dialect.encode_framework(framework("carol~c"))
    error = answering("open", served.Reply(200, open_dialect.render(document).encode()))
    assert error == LauncherUnreadable("$", "the answer about another framework")


def test_a_private_answer_about_another_framework_is_passed_on_as_deployed_servers_do() -> None:
    document = private_dialect.encode_framework(framework("carol~c"))
    with served.serving(lambda asked: served.Reply(200, json.dumps(document).encode())) as server:
        launcher = launcher_at(server.url, "private")
        assert launcher.framework("alice~a", Ask()).value.summary.name == "carol~c"
        assert launcher.attempt("alice~a", 0, 1, Ask()).value.summary.name == "carol~c"
        launcher.close()


def test_a_list_that_cannot_be_read_fails_when_it_is_asked_for(either: Pair) -> None:
    with served.serving(lambda asked: served.Reply(200, b"[]")) as server:
        launcher = launcher_at(server.url, either.dialect)
        with pytest.raises(LauncherUnreadable):
            launcher.summaries(ASK)
        launcher.close()


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_a_launcher_whose_root_answers_otherwise_is_not_ready(status: int) -> None:
    with served.serving(lambda asked: served.Reply(status, HTML)) as server:
        launcher = launcher_at(server.url, "open")
        with pytest.raises(LauncherRefused) as raised:
            launcher.ready(ASK)
        launcher.close()
    assert raised.value.status == status


def test_a_launcher_that_is_gone_is_not_ready() -> None:
    launcher = launcher_at(f"http://127.0.0.1:{bad.port_of_nobody()}", "open")
    for ask in (launcher.ready, launcher.summaries):
        with pytest.raises(LauncherUnavailable, match="refused the connection"):
            ask(ASK)


# --- a real launcher's bytes ------------------------------------------------------------------------------------------


def test_recorded_bytes_become_the_records_they_decode_to() -> None:
    name = "alice~s07a-delete-while-running-resubmit"
    with recorded_bytes(RECORDINGS / "s07a-delete-while-running-resubmit.jsonl.gz") as recorded:
        launcher = launcher_at(recorded.url, "open")
        instants = sorted({e.instant for e in recorded.exchanges if e.request.path == f"/v1/Frameworks/{name}"})
        answered = []
        for recorded.at in instants:
            newest = max(
                (e for e in recorded.exchanges if e.request.path == f"/v1/Frameworks/{name}" and e.instant <= recorded.at
                 and e.request.method == "GET"),
                key=lambda e: e.instant,
            )  # fmt: skip
            answered.append(newest.response.status)
            if newest.response.status == 404:
                with pytest.raises(NoSuchFramework):
                    launcher.framework(name, ASK)
                continue
            answer = launcher.framework(name, ASK)
            body = newest.response.body or ""
            assert answer.value == open_dialect.decode_framework(wire.parse(body.encode()))
        launcher.close()
    assert set(answered) == {200, 404}


def test_a_launcher_of_recorded_bytes_is_ready() -> None:
    with recorded_bytes(RECORDINGS / "s01a-succeed-1task.jsonl.gz") as recorded:
        launcher = launcher_at(recorded.url, "open")
        launcher.ready(ASK)
        launcher.close()


def test_an_unknown_path_of_a_real_launcher_is_no_unknown_framework() -> None:
    with recorded_bytes(RECORDINGS / "s01a-succeed-1task.jsonl.gz", LATEST) as recorded:
        launcher = launcher_at(recorded.url + "/wrong", "open")
        with pytest.raises(LauncherRefused) as raised:
            launcher.framework("alice~s01a-succeed-1task", ASK)
        launcher.close()
    assert raised.value == LauncherRefused(404, None)


def test_a_launcher_that_was_down_when_recorded_is_unavailable() -> None:
    with recorded_bytes(RECORDINGS / "s14a-launcher-restart.jsonl.gz") as recorded:
        gone = next(e for e in recorded.exchanges if e.response.status is None and e.request.method == "GET")
        recorded.at = gone.instant
        launcher = launcher_at(recorded.url, "open")
        with pytest.raises(LauncherUnavailable, match="closed the connection without an answer"):
            launcher.framework(gone.request.path.removeprefix("/v1/Frameworks/"), ASK)
        launcher.close()


# --- putting it together ----------------------------------------------------------------------------------------------


def test_the_parts_of_a_backend_are_made_from_plain_values() -> None:
    known = KnownFrameworks([framework("a")])
    with encoded_launcher(known, KnownApplications(), "private") as server:
        launcher, resource_manager = http_backend(
            launcher_url=server.url,
            rm_url=None,
            dialect="private",
            timeout=5_000,
            headers=[("Authorization", "Bearer x")],
            ca_file=None,
            clock=VirtualClock(1_000_000),
        )
        promised: tuple[Launcher, ResourceManager] = launcher, resource_manager
        assert promised[0].framework("a", Ask(request_id="r1")).value.summary.name == "a"
        assert resource_manager.application("application_1_1", ASK).value is None
        assert list(resource_manager.applications(0, ASK)) == []
        launcher.close()
        resource_manager.close()
    assert server.asked[0].header("Authorization") == "Bearer x"
    assert server.asked[0].header("X-Request-Id") == "r1"


def test_a_backend_that_cannot_be_asked_is_not_made() -> None:
    with pytest.raises(BadTarget):
        http_backend(
            launcher_url="http://a", rm_url="nonsense", dialect="open", timeout=1, headers=(), ca_file=None,
            clock=SystemClock(),
        )  # fmt: skip
