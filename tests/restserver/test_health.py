"""The paths besides the API."""

import json

import pytest

from contracts.launcher.port import LauncherUnavailable
from restserver.answers.styles import STYLES
from tests.restserver.small_launcher import small, style
from tests.restserver.wsgi_client import ask


def test_a_process_that_answers_lives() -> None:
    assert ask(small(error=LauncherUnavailable("gone")).app, "/healthz").json == {"status": "ok"}


def test_it_is_ready_while_the_launcher_can_be_asked() -> None:
    response = ask(small().app, "/readyz")
    assert (response.status, response.json["parts"]) == (200, {"server": "ok", "launcher": "ok"})


def test_it_is_not_ready_while_the_launcher_cannot_be_asked() -> None:
    response = ask(small(error=LauncherUnavailable("The launcher refused the connection.")).app, "/readyz")
    assert response.status == 503
    assert response.json["parts"] == {"server": "ok", "launcher": "The launcher refused the connection."}


def test_a_part_can_be_left_out_and_is_not_even_asked() -> None:
    served = small(error=LauncherUnavailable("gone"))
    response = ask(served.app, "/readyz?exclude=launcher")
    assert (response.status, response.json["parts"]) == (200, {"server": "ok"})
    assert served.launcher.asked == []
    served.app.stopping = True
    assert ask(served.app, "/readyz?exclude=launcher&exclude=history").status == 503
    assert ask(served.app, "/readyz?exclude=server&exclude=launcher").json["parts"] == {}


def test_it_is_not_ready_once_it_is_stopping() -> None:
    server = small()
    server.app.stopping = True
    response = ask(server.app, "/readyz")
    assert (response.status, response.json["parts"]["server"]) == (503, "stopping")
    assert ask(server.app, "/healthz").status == 200


@pytest.mark.parametrize("name", list(STYLES))
def test_the_contract_of_the_running_style_is_served(name: str) -> None:
    app = small(style(name)).app
    keys = {"documented": "FrameworkVersions", "portal": "versions"}
    document = ask(app, "/openapi.json")
    assert document.json["openapi"].startswith("3.1")
    assert json.dumps(keys[name]) in document.body.decode()
    page = ask(app, "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert b"<html" in page.body
