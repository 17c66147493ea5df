"""Each server breaks one thing: it is found, the rule is named, and the exit code is 1."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.served_app import Reply, Spoiled, checked, served
from tests.stand_ins import misbehaving as bad


@pytest.fixture(scope="module")
def server() -> Iterator[Spoiled]:
    with served() as application:
        yield application


def seconds_for_milliseconds(reply: Reply) -> None:
    if reply.is_job:
        body = reply.json
        body["jobStatus"]["createdTime"] //= 1000
        reply.json = body


def _with_status(reply: Reply, **changes: object) -> None:
    if reply.is_job:
        body = reply.json
        body["jobStatus"].update(changes)
        reply.json = body


def extra_key(reply: Reply) -> None:
    _with_status(reply, moduleName="x")


def missing_key(reply: Reply) -> None:
    if reply.is_job:
        body = reply.json
        del body["jobStatus"]["retryDetails"]["unknown"]
        reply.json = body


def null_where_none_may_be(reply: Reply) -> None:
    _with_status(reply, completedTime=None)


def text_for_a_number(reply: Reply) -> None:
    _with_status(reply, attemptId="0")


def word_outside_the_enumeration(reply: Reply) -> None:
    _with_status(reply, state="Running")


def number_outside_the_range(reply: Reply) -> None:
    _with_status(reply, appProgress=50)


def another_name(reply: Reply) -> None:
    _with_status(reply, name="somebody~else")


def wrong_code(reply: Reply) -> None:
    reply.body = reply.body.replace(b"NoJobError", b"JobNotFound")


def wrong_message(reply: Reply) -> None:
    reply.body = reply.body.replace(b" is not found.", b" was not found.")


def message_about_another_name(reply: Reply) -> None:
    if reply.status == 404 and reply.json["code"] == "NoJobError":
        reply.json = {"code": "NoJobError", "message": "Job x is not found."}


def swapped_codes(reply: Reply) -> None:
    codes = (b"NoJobAttemptsError", b"NoJobVersionsError")
    for code, other in (codes, codes[::-1]):
        if b'"' + code + b'"' in reply.body:
            reply.body = reply.body.replace(code, other)
            return


def html_error(reply: Reply) -> None:
    if reply.status == 404:
        reply.body, reply.headers["content-type"] = b"<html><h1>404 Not Found</h1></html>", "text/html"


def html_under_a_json_name(reply: Reply) -> None:
    if reply.status == 404:
        reply.body = b"<html><h1>404 Not Found</h1></html>"


def wrong_status(reply: Reply) -> None:
    if reply.status == 404:
        reply.status = 410


def ok_for_everything(reply: Reply) -> None:
    if reply.status == 404:
        reply.status = 200


def bad_version_is_fine(reply: Reply) -> None:
    if reply.status == 400:
        reply.status = 404
        name = reply.path.split("/")[4]
        reply.json = {"code": "NoJobAttemptsError", "message": f"No list of versions found for framework {name}."}


def attempt_off_by_one(reply: Reply) -> None:
    if reply.is_attempt:
        body = reply.json
        body["frameworkFullDetail"]["jobStatus"]["attemptId"] += 1
        reply.json = body


def unsorted_list(reply: Reply) -> None:
    if reply.is_list("attempts"):
        reply.json = {key: [*reversed(ids)] if len(ids) > 1 else [1, 0] for key, ids in reply.json.items()}


def list_names_what_cannot_be_answered(reply: Reply) -> None:
    if reply.is_list("attempts"):
        reply.json = {key: [*ids, 4711] for key, ids in reply.json.items()}


def versions_without_the_current_one(reply: Reply) -> None:
    if reply.is_list("versions"):
        reply.json = {"FrameworkVersions": [99]}


def completed_time_of_what_runs_on(reply: Reply) -> None:
    if reply.is_job and reply.json["jobStatus"]["subState"] == "ApplicationRunning":
        _with_status(reply, completedTime=reply.json["jobStatus"]["createdTime"])


def drifting_creation(server: Spoiled) -> None:
    def spoil(reply: Reply) -> None:
        if reply.is_job and reply.json["jobStatus"]["appId"]:
            _with_status(reply, createdTime=reply.json["jobStatus"]["createdTime"] - server.clock.now() % 1000 - 1)

    server.spoiler = spoil


def stack_trace(reply: Reply) -> None:
    if reply.is_job:
        reply.status = 500
        trace = "java.lang.NullPointerException\n\tat com.example.Main.run(Main.java:1)"
        reply.json = {"code": "UnknownError", "message": trace}


def empty_body(reply: Reply) -> None:
    if reply.is_job:
        reply.body = b""


def redirect(reply: Reply) -> None:
    if reply.is_job:
        reply.status, reply.body, reply.headers["location"] = 302, b"", "/login"


def wrong_charset(reply: Reply) -> None:
    reply.headers["content-type"] = "application/json; charset=iso-8859-1"


def latin_1(reply: Reply) -> None:
    if reply.is_job:
        reply.body = reply.body.replace(b'"username"', '"\u00fcsername"'.encode("latin-1"), 1)


def not_a_number(reply: Reply) -> None:
    if reply.is_job:
        reply.body = reply.body.replace(b'"attemptId":', b'"attemptId": NaN, "x":', 1)


def key_twice(reply: Reply) -> None:
    if reply.is_job:
        reply.body = reply.body.replace(b'"name":', b'"name": "x", "name":', 1)


def no_allow(reply: Reply) -> None:
    if reply.status == 405:
        reply.headers.pop("allow", None)


def one_etag_for_everything(reply: Reply) -> None:
    if reply.status == 200:
        reply.headers["etag"] = '"same"'


def never_not_modified(server: Spoiled) -> None:
    def spoil(reply: Reply) -> None:
        if reply.status == 304:
            reply.status, reply.body = 200, bodies[reply.path]
            reply.headers["content-type"] = "application/json"
        elif reply.is_job:
            bodies[reply.path] = reply.body

    bodies: dict[str, bytes] = {}
    server.spoiler = spoil


def head_is_not_allowed(reply: Reply) -> None:
    if reply.method == "HEAD":
        reply.status = 405
        reply.headers["allow"] = "GET"


SPOILERS = [
    (seconds_for_milliseconds, "time: milliseconds", "createdTime"),
    (extra_key, "schema: additionalProperties", "moduleName"),
    (missing_key, "schema: required", "unknown"),
    (null_where_none_may_be, "schema:", "completedTime"),
    (text_for_a_number, "schema: type", "attemptId"),
    (word_outside_the_enumeration, "schema: enum", "state"),
    (number_outside_the_range, "schema: maximum", "appProgress"),
    (another_name, "echo: another one", "somebody~else"),
    (wrong_code, "schema: const", "JobNotFound"),
    (wrong_message, "schema: pattern", "was not found"),
    (message_about_another_name, "echo: message", "does not repeat"),
    (swapped_codes, "schema: const", "NoJobVersionsError"),
    (html_error, "answer: content type", "text/html"),
    (html_under_a_json_name, "answer: not JSON", "<html>"),
    (wrong_status, "status: undocumented", "410"),
    (ok_for_everything, "status: unexpected", "200"),
    (bad_version_is_fine, "status: unexpected", "400"),
    (attempt_off_by_one, "echo: another one", "attemptId"),
    (unsorted_list, "list: ascending", "not ascending"),
    (no_allow, "header: missing", "Allow"),
    (stack_trace, "schema: pattern", "NullPointerException"),
    (empty_body, "answer: not JSON", "empty"),
    (redirect, "status: undocumented", "/login"),
    (wrong_charset, "answer: charset", "iso-8859-1"),
    (latin_1, "answer: charset", "not UTF-8"),
    (not_a_number, "answer: not JSON", "NaN"),
    (key_twice, "answer: not JSON", "twice"),
    (head_is_not_allowed, "status: unexpected", "405"),
]


def broken(output: str, rule: str, says: str) -> None:
    found = [line for line in output.splitlines() if f", {rule}" in line and says in line]
    assert found, output


@pytest.mark.no_cover
@pytest.mark.parametrize(("spoiler", "rule", "says"), SPOILERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_server_that_breaks_one_thing_is_caught(server: Spoiled, spoiler, rule: str, says: str) -> None:  # type: ignore[no-untyped-def]
    server.spoiler = spoiler
    code, output = checked(server.url, "-n", "150", "--phases", "coverage")
    assert code == 1, output
    broken(output, rule, says)
    assert "api.md:" in output
    assert "see it:    curl -i" in output
    assert "replay it: restserver check" in output


LAW_BREAKERS = [
    (list_names_what_cannot_be_answered, "law L8", "4711"),
    (versions_without_the_current_one, "law L9", "not in the list"),
    (completed_time_of_what_runs_on, "law L7", "completedTime"),
    (one_etag_for_everything, "header: ETag", "two different answers"),
]


@pytest.mark.no_cover
@pytest.mark.parametrize(("spoiler", "rule", "says"), LAW_BREAKERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_server_whose_answers_do_not_fit_each_other_is_caught(server: Spoiled, spoiler, rule: str, says: str) -> None:  # type: ignore[no-untyped-def]
    server.spoiler = spoiler
    code, output = checked(server.url, "-n", "1000", "--phases", "stateful")
    assert code == 1, output
    broken(output, rule, says)


@pytest.mark.parametrize(
    ("spoil", "rule", "says"),
    [(drifting_creation, "law L4", "createdTime"), (never_not_modified, "header: ETag", "304 is promised")],
)
def test_a_server_that_changes_over_time_is_caught(server: Spoiled, spoil, rule: str, says: str) -> None:  # type: ignore[no-untyped-def]
    spoil(server)
    code, output = checked(server.url, "-n", "300", "--phases", "stateful")
    assert code == 1, output
    broken(output, rule, says)


BODY = json.dumps({"code": "NoJobError", "message": "Job x is not found."}).encode()

WIRE = [
    ("time-out", bad.silent, "time-out", "nothing came"),
    ("dribble", bad.dribbling(bad.answer(BODY), 0.05), "time-out", "was not complete"),
    ("reset", bad.resetting, "reset", "closed the connection"),
    ("closed at once", bad.sending(b""), "reset", "closed the connection"),
    ("truncated", bad.sending(bad.answer(BODY, length=900)), "truncated", "more were promised"),
    ("too short a length", bad.sending(bad.answer(BODY, length=9)), "malformed", "more bytes came"),
    ("endless body", bad.endless_body, "endless", "longer than"),
    ("endless headers", bad.endless_header, "malformed", "no HTTP answer"),
    ("not HTTP at all", bad.sending(b"220 mail.example ESMTP\r\n\r\n"), "malformed", "no HTTP answer"),
]


@pytest.mark.parametrize(("script", "kind", "says"), [row[1:] for row in WIRE], ids=[row[0] for row in WIRE])
def test_an_answer_that_does_not_come_whole_is_a_finding(
    script: bad.Script, kind: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "names").write_text("alice~job\n")
    with bad.misbehaving(script) as server:
        flags = ["--names", str(tmp_path / "names"), "--phases", "examples", "-n", "40", "--timeout", "0.2"]
        code, output = checked(server.url, *flags, "--admin-url", "off")
    assert code == 1, output
    broken(output, f"answer: {kind}", says)
