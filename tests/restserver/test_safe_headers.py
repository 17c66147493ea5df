"""Headers that keep browsers and caches from doing more with an answer than was meant."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from contracts.launcher.port import LauncherUnavailable
from restserver.app import create_management_app
from restserver.settings import Settings
from tests.restserver.small_launcher import small
from tests.restserver.wsgi_client import ask

JOB = "/api/v2/jobs/alice~mnist"
OPEN = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"]
ERRORS = ["/api/v2/jobs/nobody", "/nowhere", f"{JOB}?x={'x' * 9000}", "/api/v2/frameworks/alice~mnist/attempts/x"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("target", [JOB, *OPEN, *ERRORS])
def test_no_answer_is_taken_for_something_else(target: str, method: str) -> None:
    assert ask(small().app, target, method).headers["x-content-type-options"] == "nosniff"


def test_those_of_the_management_port_are_not_either() -> None:
    served = small()
    app = create_management_app(served.app, served.backend, Settings())
    for target in (*OPEN[:3], "/nowhere"):
        assert ask(app, target).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("target", ERRORS)
def test_an_error_is_not_kept(target: str) -> None:
    answer = ask(small().app, target)
    assert answer.status >= 400
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_an_error_of_the_launcher_is_not_kept_while_a_success_is_asked_about_each_time() -> None:
    assert ask(small(error=LauncherUnavailable("gone")).app, JOB).headers["cache-control"] == "no-store"
    assert ask(small().app, JOB).headers["cache-control"] == "no-cache"


def test_the_page_for_readers_may_show_its_own_style_and_nothing_else() -> None:
    answer = ask(small().app, "/docs")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    (style,) = re.findall(r"<style>(.*?)</style>", answer.body.decode(), re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<script|<img|<link|<iframe|\bstyle=|\bon[a-z]+=|javascript:", answer.body.decode())


def test_no_link_of_the_page_leads_away() -> None:
    body = ask(small().app, "/docs").body.decode()
    assert {target for target in re.findall(r'(?:href|src)="([^"]*)"', body) if not target.startswith("#")} == {
        "openapi.json"
    }
