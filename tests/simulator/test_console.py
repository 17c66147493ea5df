"""The console as a browser gets it: files, headers, and nothing that its own policy would refuse."""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from simulator.console.page import FOLDER, PREFIX, files, with_console
from tests.restserver.wsgi_client import Response, ask


def beside(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [])
    return [b"beside"]


APPLICATION = with_console(beside, lambda: {"X-Simulated": "seed=1"})


def get(path: str, method: str = "GET", **headers: str) -> Response:
    return ask(APPLICATION, path, method, headers)


def test_the_page_is_served_with_its_policy_and_says_that_it_is_simulated() -> None:
    page = get("/")
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-simulated"] == "seed=1"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.body == (FOLDER / "index.html").read_bytes()


@pytest.mark.parametrize("path", files())
def test_every_file_is_revalidated_and_sent_once(path: str) -> None:
    whole = get(path)
    assert whole.status == 200
    assert len(whole.body) == int(whole.headers["content-length"])
    again = get(path, **{"If-None-Match": whole.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    head = get(path, "HEAD")
    assert (head.status, head.body, head.headers) == (200, b"", whole.headers)


@pytest.mark.parametrize(
    ("path", "method"),
    [("/api/v2/jobs/x", "GET"), ("/", "POST"), ("/console/page.py", "GET"), ("/console/../page.py", "GET")],
)
def test_everything_else_is_as_if_it_were_not_there(path: str, method: str) -> None:
    assert get(path, method).body == b"beside"


def test_the_page_needs_nothing_that_is_not_served_here_and_that_its_policy_refuses() -> None:
    markup = (FOLDER / "index.html").read_text(encoding="utf-8")
    used = re.findall(r'(?:src|href)="([^"#]+)"', markup)
    assert {each for each in used if each.startswith(PREFIX)} <= set(files())
    assert not [each for each in used if "://" in each]
    assert not re.search(r"\sstyle=|\son[a-z]+=|<script>|<style", markup), "its policy would not let them"
    for path in FOLDER.glob("*.js"):
        code = path.read_text(encoding="utf-8")
        assert set(re.findall(r'from "\./([^"]+)"', code)) <= {each.name for each in FOLDER.iterdir()}
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", code), (
            path
        )
        assert "https://" not in code


def test_it_is_small() -> None:
    assert sum(len(file.content) for file in files().values()) < 100_000
