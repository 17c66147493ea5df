"""What the API was asked: written down without secrets, bounded, and found again by matchers."""

import falcon
import falcon.testing
import pytest

from contracts.clock import VirtualClock
from simulator.problems import BadInput
from simulator.request_journal import MOST_REQUESTS, RequestJournal, told
from tests.simulator.worlds import START


class _Anything:
    def on_get(self, _req: falcon.Request, resp: falcon.Response, rest: str) -> None:
        del rest
        resp.status = 418


def _asked() -> tuple[RequestJournal, falcon.testing.TestClient]:
    journal = RequestJournal(VirtualClock(START, frozen=True))
    app = falcon.App(middleware=[journal])
    app.add_route("/api/{rest}", _Anything())
    return journal, falcon.testing.TestClient(app)


def test_a_request_is_written_down_with_its_answer() -> None:
    journal, client = _asked()
    client.simulate_get("/api/x", query_string="version=1&version=2", headers={"X-Request-Id": "r1"})
    client.simulate_get("/elsewhere")
    second, first = journal.all()
    assert (second.status, second.url) == (404, "/elsewhere")
    shown = told(first)
    request = shown["request"]
    assert isinstance(request, dict)
    assert shown["response"] == {"status": 418}
    assert request["url"] == "/api/x?version=1&version=2"
    assert request["loggedDateString"] == "2026-03-01T12:00:00Z"
    assert request["headers"]["x-request-id"] == "r1"


def test_secrets_are_not_kept() -> None:
    journal, client = _asked()
    client.simulate_get("/api/x", headers={"Authorization": "Bearer hush", "Cookie": "hush", "X-Api-Key": "hush"})
    client.simulate_get("/api/x", headers={"Authorization": "hush"})
    assert "hush" not in str([told(asked) for asked in journal.all()])
    assert journal.all()[1].headers["authorization"] == "Bearer REDACTED"


def test_the_journal_is_bounded_and_can_be_emptied() -> None:
    journal, client = _asked()
    for number in range(MOST_REQUESTS + 5):
        client.simulate_get(f"/api/{number}")
    assert len(journal.all()) == MOST_REQUESTS
    assert journal.all()[0].path == f"/api/{MOST_REQUESTS + 4}"
    assert journal.clear() == MOST_REQUESTS
    assert journal.all() == []


@pytest.mark.parametrize(
    ("matcher", "count"),
    [
        ({}, 3),
        ({"method": "GET"}, 3),
        ({"method": "ANY", "urlPathPattern": "/api/.*"}, 2),
        ({"method": "POST"}, 0),
        ({"url": "/api/a?version=1"}, 1),
        ({"urlPath": "/api/a"}, 1),
        ({"urlPattern": r"/api/a\?version=\d"}, 1),
        ({"urlPattern": "/api"}, 0),
        ({"status": 404}, 1),
        ({"queryParameters": {"version": {"equalTo": "1"}}}, 1),
        ({"queryParameters": {"version": {"absent": True}}}, 2),
        ({"queryParameters": {"version": {"absent": False}}}, 1),
        ({"headers": {"X-Who": {"equalTo": "alice"}}}, 1),
        ({"headers": {"x-who": {"contains": "o"}}}, 1),
        ({"headers": {"X-WHO": {"matches": "a.*|b.*"}}}, 2),
        ({"headers": {"X-Who": {"doesNotMatch": "a.*"}}}, 2),
        ({"headers": {"X-Who": {"matches": "a.*"}}, "urlPath": "/api/b"}, 0),
    ],
)
def test_requests_are_found_by_matchers(matcher: object, count: int) -> None:
    journal, client = _asked()
    client.simulate_get("/api/a", query_string="version=1", headers={"X-Who": "alice"})
    client.simulate_get("/api/b", headers={"X-Who": "bob"})
    client.simulate_get("/elsewhere")
    assert len(journal.find(matcher)) == count


@pytest.mark.parametrize(
    "matcher",
    [
        [],
        {"path": "/x"},
        {"method": 5},
        {"status": "404"},
        {"status": True},
        {"urlPattern": "("},
        {"urlPattern": "a" * 501},
        {"headers": []},
        {"headers": {"x": "y"}},
        {"headers": {"x": {}}},
        {"headers": {"x": {"equalTo": "a", "contains": "b"}}},
        {"headers": {"x": {"like": "a"}}},
        {"headers": {"x": {"absent": "yes"}}},
        {"queryParameters": {"x": {"matches": "["}}},
    ],
)
def test_what_is_no_matcher_is_refused(matcher: object) -> None:
    journal, _ = _asked()
    with pytest.raises(BadInput):
        journal.find(matcher)
