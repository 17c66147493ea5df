"""The line per request, and the two formats."""

import json
import logging
import sys

import pytest

from restserver.access_log import JsonFormatter, logged, set_up_logging
from tests.restserver.small_launcher import small
from tests.restserver.wsgi_client import ask


@pytest.fixture(autouse=True)
def _logging_as_before() -> object:
    root, access = logging.getLogger(), logging.getLogger("restserver.access")
    before = list(root.handlers), root.level, access.level
    yield None
    for handler in root.handlers:
        if handler not in before[0]:
            handler.close()
    root.handlers[:], root.level = before[0], before[1]
    access.setLevel(before[2])


def test_every_request_is_a_line_with_its_id(caplog: pytest.LogCaptureFixture) -> None:
    app = logged(small().app)
    with caplog.at_level(logging.INFO, "restserver.access"):
        ask(app, "/api/v2/jobs/nobody?x=1", headers={"X-Request-Id": "my-id"})
        ask(app, "/healthz", "BREW")
    lines = [record.getMessage() for record in caplog.records if record.name == "restserver.access"]
    assert lines[0].startswith("127.0.0.1 GET '/api/v2/jobs/nobody?x=1' 404 ")
    assert lines[0].endswith(" my-id")
    assert "BREW '/healthz' 405" in lines[1]


def test_as_json_a_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("json", "info", access_log=True)
    ask(logged(small().app), "/api/v2/jobs/a%0Ab")
    logging.getLogger("restserver.other").warning("said %s", "this")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["method"], first["target"], first["status"]) == ("GET", "/api/v2/jobs/a%0Ab", 404)
    assert {"time", "level", "logger", "client", "ms", "request_id"} <= set(first)
    assert (second["level"], second["message"]) == ("warning", "said this")


def test_the_access_log_can_be_off_and_the_format_text(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("text", "warning", access_log=False)
    ask(logged(small().app), "/healthz")
    logging.getLogger("restserver.other").info("not shown")
    logging.getLogger("restserver.other").error("shown")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("ERROR restserver.other: shown")


def test_without_a_format_a_pipe_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(None, "info", access_log=True)
    logging.getLogger("x").info("y")
    assert json.loads(capsys.readouterr().err)["message"] == "y"


def test_an_exception_is_told_in_its_line() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    assert "ValueError: why" in json.loads(JsonFormatter().format(record))["exception"]
