"""The control plane as a caller meets it: over WSGI, with a clock and a list of jobs."""

import json
from collections.abc import Iterator

import falcon
import falcon.testing
import pytest

from contracts.clock import VirtualClock, from_iso, iso
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import Answer, Ask, LauncherUnavailable
from contracts.launcher.records import ExecutionType, Framework, RetryState, Summary
from simulator.admin.control_plane import LARGEST_BODY, create_admin
from simulator.admin.job_list import JobList, JobPage, JobQuery, ListedJobs

TOKEN = "open-sesame"  # noqa: S105 - it opens nothing
HOST = "127.0.0.1:9186"
START = from_iso("2026-03-01T12:00:00Z")


def summary(
    number: int, state: FrameworkState = FrameworkState.APPLICATION_RUNNING, code: int | None = None
) -> Summary:
    return Summary(
        name=f"job-{number}",
        version=1,
        execution_type=ExecutionType.START,
        description=None,
        user_name="alice" if number % 2 else "王伟",
        queue="default",
        total_task_number=1,
        total_task_role_number=1,
        total_gpu_number=0,
        total_cpu_number=1,
        total_memory_mb=1,
        first_request_timestamp=START + number * 1000,
        last_request_timestamp=None,
        state=state,
        retries=RetryState(total=2),
        completed_timestamp=None,
        application_exit_code=code,
        application_id=None,
        application_progress=None,
    )


class Few:
    """A launcher that holds few frameworks."""

    def __init__(self, *summaries: Summary) -> None:
        self._summaries = summaries

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return iter(self._summaries)

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        raise NotImplementedError

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        raise NotImplementedError

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        raise NotImplementedError

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        raise NotImplementedError

    def ready(self, ask: Ask) -> None:
        raise NotImplementedError


class Control:
    """Calls the control plane as one who is let in."""

    def __init__(self, jobs: JobList | None = None, token: str | None = None) -> None:
        self.clock = VirtualClock(START, frozen=True)
        self._client = falcon.testing.TestClient(
            create_admin(
                self.clock,
                jobs or ListedJobs(Few(*(summary(number) for number in range(5)))),
                {HOST},
                token,
                lambda: {"X-Simulated": f"seed=1; now={iso(self.clock.now())}"},
            )
        )

    def __call__(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> falcon.testing.Result:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        return self._client.simulate_request(
            method, "/__admin" + path, body=content, headers={"Host": HOST, **(headers or {})}
        )

    def refused(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """The status and detail of a problem document."""
        result = self(method, path, body, headers)
        assert result.headers["Content-Type"] == "application/problem+json"
        assert result.json["status"] == result.status_code
        assert set(result.json) == {"type", "title", "status", "detail"}
        return result.status_code, result.json["detail"]


def test_the_clock_is_shown() -> None:
    result = Control()("GET", "/clock")
    assert result.json == {"now": "2026-03-01T12:00:00Z", "rate": 1.0, "frozen": True}
    assert result.headers["X-Simulated"] == "seed=1; now=2026-03-01T12:00:00Z"
    assert result.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"action": "freeze"}, {"now": "2026-03-01T12:00:00Z", "rate": 1.0, "frozen": True}),
        ({"action": "resume"}, {"rate": 1.0, "frozen": False}),
        ({"action": "advance", "by": "PT3H"}, {"now": "2026-03-01T15:00:00Z"}),
        ({"action": "advance", "by": "-PT10M"}, {"now": "2026-03-01T11:50:00Z"}),
        ({"action": "advance", "by": "P1M"}, {"now": "2026-04-01T12:00:00Z"}),
        ({"action": "advance", "by": 1.5}, {"now": "2026-03-01T12:00:01.500Z"}),
        ({"action": "set", "to": "2027-01-01T00:00:00+01:00"}, {"now": "2026-12-31T23:00:00Z"}),
        ({"action": "scale", "rate": 60}, {"rate": 60}),
        ({"action": "reset"}, {"now": "2026-03-01T12:00:00Z", "rate": 1.0, "frozen": True}),
    ],
)
def test_the_clock_is_held_by_actions(body: object, shown: dict[str, object]) -> None:
    control = Control()
    result = control("PUT", "/clock", body)
    assert result.status_code == 200
    assert result.json | shown == result.json
    if result.json["frozen"]:
        assert control("GET", "/clock").json == result.json


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"\xff", "not JSON"),
        ([], "must be an object"),
        ({}, "action must be one of freeze, resume"),
        ({"action": "stop"}, "'stop'"),
        ({"action": ["freeze"]}, "action must be"),
        ({"action": "freeze", "by": 1}, "freeze does not take 'by'"),
        ({"action": "advance"}, "advance needs 'by'"),
        ({"action": "advance", "by": "3 hours"}, "by must be"),
        ({"action": "advance", "by": True}, "by must be"),
        ({"action": "advance", "by": None}, "by must be"),
        (b'{"action": "advance", "by": NaN}', "by must be"),
        (b'{"action": "advance", "by": 1e400}', "by must be"),
        ({"action": "advance", "by": "P99999999999D"}, "by must be"),
        ({"action": "advance", "by": "P99999Y"}, "by must be"),
        ({"action": "advance", "by": 1e15}, "outside the years"),
        ({"action": "set", "to": 5}, "to must be"),
        ({"action": "set", "to": "tomorrow"}, "to must be"),
        ({"action": "set", "to": "1969-12-31T23:59:59Z"}, "outside the years"),
        ({"action": "scale", "rate": "fast"}, "rate must be"),
        ({"action": "scale", "rate": 0}, "rate 0"),
        ({"action": "scale", "rate": -1}, "rate -1"),
    ],
)
def test_a_wrong_body_is_told_what_is_wrong_and_changes_nothing(body: object, named: str) -> None:
    control = Control()
    before = control("GET", "/clock").json
    status, detail = control.refused("PUT", "/clock", body)
    assert status == 400
    assert named in detail
    assert control("GET", "/clock").json == before


def test_a_huge_body_is_refused() -> None:
    assert Control().refused("PUT", "/clock", b" " * (LARGEST_BODY + 1))[0] == 413


def test_unknown_paths_and_methods_are_problems_too() -> None:
    control = Control()
    assert control.refused("GET", "/nothing")[0] == 404
    assert control.refused("DELETE", "/clock")[0] == 405
    assert control("DELETE", "/clock").headers["Allow"] == "GET, PUT, OPTIONS"


def test_health_and_version_answer() -> None:
    control = Control()
    assert control("GET", "/health").json == {"status": "healthy"}
    assert control("GET", "/version").json["version"].count(".") == 2


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:9187", ""])
def test_a_host_the_server_does_not_listen_on_is_refused(host: str) -> None:
    assert Control().refused("GET", "/clock", headers={"Host": host})[0] == 403


def test_with_a_token_nobody_comes_in_without() -> None:
    control = Control(token=TOKEN)
    for authorization in ("", "Bearer", "Bearer wrong", "Basic h"):
        assert control.refused("GET", "/jobs", headers={"Authorization": authorization})[0] == 401
    assert control("GET", "/jobs").headers["WWW-Authenticate"] == "Bearer"


def test_with_its_token_one_comes_in() -> None:
    assert Control(token=TOKEN)("GET", "/jobs", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_jobs_are_listed_newest_first_in_the_words_of_the_api() -> None:
    result = Control()("GET", "/jobs").json
    assert [job["name"] for job in result["jobs"]] == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert (result["cursor"], result["scanned"], result["total"]) == (None, 5, 5)
    job = result["jobs"][0]
    assert job["username"] == "王伟"
    assert (job["state"], job["subState"], job["attemptId"]) == ("RUNNING", "ApplicationRunning", 2)
    assert job["createdTime"] == START + 4000


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7])
def test_cursors_lead_through_all_jobs_once(order: str, limit: int) -> None:
    control = Control()
    names: list[str] = []
    cursor = ""
    while True:
        page = control("GET", f"/jobs?order={order}&limit={limit}{cursor}").json
        names += [job["name"] for job in page["jobs"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    expected = [f"job-{number}" for number in range(5)]
    assert names == (expected if order == "oldest" else expected[::-1])


def test_an_offset_skips() -> None:
    control = Control()
    assert [job["name"] for job in control("GET", "/jobs?offset=3").json["jobs"]] == ["job-1", "job-0"]
    assert control("GET", "/jobs?offset=99").json["jobs"] == []


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ("user=alice", ["job-3", "job-1"]),
        ("user=%E7%8E%8B%E4%BC%9F", ["job-4", "job-2", "job-0"]),
        ("name=job-2", ["job-2"]),
        ("state=RUNNING&user=alice", ["job-3", "job-1"]),
        ("state=FAILED", []),
    ],
)
def test_filters_pick_jobs_and_give_up_the_total(filters: str, names: list[str]) -> None:
    page = Control()("GET", f"/jobs?{filters}").json
    assert [job["name"] for job in page["jobs"]] == names
    assert page["total"] is None
    assert page["scanned"] == 5


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=", "limit"),
        ("limit=٣", "limit"),
        ("limit=9999999999999999999", "limit"),
        ("offset=-1", "offset"),
        ("order=random", "newest, oldest"),
        ("state=running", "WAITING"),
        ("page=2", "'page'"),
        ("limit=1&limit=2", "twice"),
        ("offset=1&user=alice", "offset"),
        ("offset=1&cursor=5.a", "offset"),
        ("cursor=yesterday", "yesterday"),
        ("cursor=.x", "cursor"),
        (f"cursor={'1' * 5000}.x", "cursor"),
    ],
)
def test_a_wrong_query_is_told_what_is_wrong(query: str, named: str) -> None:
    status, detail = Control().refused("GET", f"/jobs?{query}")
    assert status == 400
    assert named in detail


@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [
        (FrameworkState.FRAMEWORK_WAITING, None, "WAITING"),
        (FrameworkState.APPLICATION_COMPLETED, 0, "WAITING"),
        (FrameworkState.APPLICATION_RUNNING, None, "RUNNING"),
        (FrameworkState.FRAMEWORK_COMPLETED, 0, "SUCCEEDED"),
        (FrameworkState.FRAMEWORK_COMPLETED, -7351, "STOPPED"),
        (FrameworkState.FRAMEWORK_COMPLETED, -170090, "STOPPED"),
        (FrameworkState.FRAMEWORK_COMPLETED, 1, "FAILED"),
        (FrameworkState.FRAMEWORK_COMPLETED, None, "FAILED"),
        (FrameworkState.UNKNOWN, None, "UNKNOWN"),
    ],
)
def test_states_are_those_of_the_api(state: FrameworkState, code: int | None, shown: str) -> None:
    control = Control(ListedJobs(Few(summary(1, state, code))))
    (job,) = control("GET", f"/jobs?state={shown}").json["jobs"]
    assert job["state"] == shown


class Failing:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def page(self, query: JobQuery) -> JobPage:
        raise self._error


def test_a_launcher_that_cannot_be_asked_is_503() -> None:
    control = Control(Failing(LauncherUnavailable("nobody there")))
    assert control.refused("GET", "/jobs") == (503, "nobody there")


def test_a_surprise_is_a_500_without_details(caplog: pytest.LogCaptureFixture) -> None:
    status, detail = Control(Failing(ZeroDivisionError("secret"))).refused("GET", "/jobs")
    assert status == 500
    assert "secret" not in detail
    assert "secret" in caplog.text
