"""The log: its formats, its fields, and what never gets into it."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from restserver.assembling.application import secrets_of
from restserver.seeing.access_log import AccessLog, json_line, text_line
from restserver.seeing.logs import JsonFormatter, as_text, set_up_logging, told
from restserver.seeing.redaction import REDACTED, redacted_target, redaction
from restserver.settings import Settings
from tests.restserver.small_launcher import small
from tests.restserver.wsgi_client import ask


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in before[0]:
            handler.close()
    root.handlers[:], root.level = before


def lines_of(*targets: str, line: object = json_line, method: str = "GET", **headers: str) -> list[str]:
    written: list[str] = []
    app = AccessLog(written.append, json_line if line is json_line else text_line).around(small().app)
    for target in targets:
        ask(app, target, method, headers)
    return written


def test_every_request_is_a_line_with_its_id() -> None:
    first, second = lines_of("/api/v2/jobs/nobody?x=1", "/api/v2/jobs/a%0Ab", **{"X-Request-Id": "my-id"})
    told_first = json.loads(first)
    assert (
        told_first.items()
        >= {
            "level": "info",
            "logger": "restserver.access",
            "message": "request",
            "client": "127.0.0.1",
            "method": "GET",
            "target": "/api/v2/jobs/nobody?x=1",
            "status": 404,
            "request_id": "my-id",
        }.items()
    )
    assert told_first["ms"] >= 0
    assert told_first["time"].endswith("Z")
    assert json.loads(second)["target"] == "/api/v2/jobs/a%0Ab"
    assert first.count("\n") == second.count("\n") == 1


def test_the_id_of_the_line_is_the_one_the_client_got() -> None:
    written: list[str] = []
    response = ask(
        AccessLog(written.append, json_line).around(small().app), "/healthz", headers={"X-Request-Id": "bad id\n"}
    )
    assert json.loads(written[0])["request_id"] == response.headers["x-request-id"] != "bad id\n"


def test_for_people_a_line_is_text() -> None:
    (line,) = lines_of("/healthz", line=text_line, method="BREW")
    assert " INFO restserver.access: 127.0.0.1 BREW '/healthz' 405 " in line
    assert line.count("\n") == 1


@given(st.text(), st.text(), st.text())
def test_nothing_a_client_sends_breaks_a_line(client: str, method: str, target: str) -> None:
    for line in (json_line, text_line):
        assert (
            line(
                1_700_000_000_123, client.splitlines()[0] if client.split() else "", method, target, 200, 1.5, "id"
            ).count("\n")
            == 1
        )
    assert json.loads(json_line(1_700_000_000_123, client, method, target, 200, 1.5, "id"))["target"] == target


def test_as_json_a_message_is_an_object_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("json", "info")
    logging.getLogger("restserver.other").warning("said %s", "this", extra=told(request_id="r-1"))
    logging.getLogger("restserver.other").debug("not shown")
    (line,) = capsys.readouterr().err.splitlines()
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {"level": "warning", "logger": "restserver.other", "message": "said this", "request_id": "r-1"}


def test_as_text_a_message_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("text", "warning")
    logging.getLogger("restserver.other").info("not shown")
    logging.getLogger("restserver.other").error("first\nsecond\r", extra=told(request_id="r-1"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("ERROR restserver.other: first\\nsecond\\r request_id=r-1")


def test_without_a_wish_a_pipe_gets_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_logging(None, "info")
    logging.getLogger("x").info("y")
    assert json.loads(capsys.readouterr().err)["message"] == "y"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert (as_text(None), as_text("json"), as_text("text")) == (True, False, True)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_an_exception_is_told_without_its_secrets(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(log_format, "info", ["s3cr3t-token"])
    try:
        raise ValueError("why s3cr3t-token")
    except ValueError:
        logging.getLogger("x").exception("failed with s3cr3t-token")
    text = capsys.readouterr().err
    assert f"ValueError: why {REDACTED}" in text
    assert "s3cr3t" not in text


def test_an_error_of_a_request_tells_its_id(caplog: pytest.LogCaptureFixture) -> None:
    ask(small(error=ZeroDivisionError()).app, "/api/v2/jobs/alice~mnist", headers={"X-Request-Id": "r-2"})
    (record,) = [record for record in caplog.records if record.name == "restserver.app"]
    assert json.loads(JsonFormatter().format(record))["request_id"] == "r-2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {REDACTED}"),
        ("{'authorization': 'Basic YTpi'}", f"{{'authorization': 'Basic {REDACTED}'}}"),
        ("X-Api-Key=12345678, more", f"X-Api-Key={REDACTED}, more"),
        ("Set-Cookie: session=1; Path=/", f"Set-Cookie: {REDACTED}; Path=/"),
        ("GET /x?token=abc&version=3", f"GET /x?token={REDACTED}&version=3"),
        ("GET /x?access_token=abc", f"GET /x?access_token={REDACTED}"),
        ("the job author=me and a monkey=1", "the job author=me and a monkey=1"),
        ("a launcher said hunter22 here", f"a launcher said {REDACTED} here"),
    ],
)
def test_secrets_are_redacted_by_name_and_by_value(text: str, shown: str) -> None:
    assert redaction(["hunter22", "abc"])(text) == shown


def test_a_target_loses_only_its_secrets() -> None:
    assert redacted_target("/api/v2/jobs/a?version=3&api_key=1") == f"/api/v2/jobs/a?version=3&api_key={REDACTED}"
    assert redacted_target("/api/v2/jobs/key") == "/api/v2/jobs/key"


def test_the_credentials_of_the_settings_are_secrets() -> None:
    settings = Settings(launcher_headers=(("Authorization", "Bearer abc-123"),), admin_token="t0ken-of-admin")  # noqa: S106
    assert secrets_of(settings) == ["Bearer abc-123", "abc-123", "t0ken-of-admin"]
    assert secrets_of(Settings(history_url="postgresql://me:hush-hush@db/history")) == ["hush-hush"]
    assert secrets_of(Settings()) == []


@pytest.mark.parametrize(
    ("password", "secrets"),
    [
        ("hush[hush", {"hush[hush"}),
        ("hush/hush?#", {"hush/hush?#"}),
        ("hush%40hush", {"hush%40hush", "hush@hush"}),
    ],
)
def test_a_password_is_where_the_database_finds_it(password: str, secrets: set[str]) -> None:
    address = f"postgresql://me:{password}@db/history"
    assert make_url(address).password in secrets
    assert set(secrets_of(Settings(history_url=address))) == secrets
