"""A control plane that does not do what it should is a sentence, and the check goes on without it or says so."""

import json
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from contracts.clock import BadClockSetting, ClockReading, Instant, from_iso
from contracts.harness.cli import Unusable
from contracts.harness.control import ControlPlane, NoControl
from contracts.harness.names import gathered
from contracts.harness.transport import Answered, Client, Request, target_of
from tests.harness import served_app
from tests.harness.served_app import checked, served
from tests.stand_ins.served import Asked, Reply, serving


def with_control(answer: Callable[[Asked], Reply | None], use: Callable[[ControlPlane], object]) -> object:
    with serving(answer) as server, closing(Client(target_of(server.url), timeout=2)) as client:
        return use(ControlPlane(client))


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(404, b"{}"), "was answered 404"),
        (Reply(200, b"<html>"), "not answered in JSON"),
        (Reply(200, b"[]"), "its clock cannot be read"),
        (Reply(200, b'{"now": "soon", "rate": 1, "frozen": true}'), "its clock cannot be read"),
        (None, "GET /__admin/clock: "),
    ],
)
def test_a_clock_that_cannot_be_read(reply: Reply | None, says: str) -> None:
    with pytest.raises(NoControl, match=says):
        with_control(lambda asked: reply, ControlPlane.clock)


@pytest.mark.parametrize("body", [{"jobs": 1}, {}, [], {"jobs": [{"name": "a", "createdTime": "x"}]}])
def test_a_list_that_cannot_be_read_is_no_source_of_names(body: object) -> None:
    found = with_control(
        lambda asked: Reply(200, json.dumps(body).encode()), lambda control: gathered(control, None, None, None)
    )
    assert "none from the control plane: its list of jobs cannot be read" in str(found)


def test_pages_are_followed_until_there_are_names_enough() -> None:
    def answer(asked: Asked) -> Reply:
        jobs = [{"name": f"job-{number}"} for number in range(200)]
        return Reply(200, json.dumps({"jobs": jobs, "cursor": "a/b"}).encode())

    with serving(answer) as server, closing(Client(target_of(server.url))) as client:
        assert len(ControlPlane(client).jobs(500)) == 600
    assert [asked.path for asked in server.asked] == [
        "/__admin/jobs?limit=200",
        "/__admin/jobs?limit=200&cursor=a%2Fb",
        "/__admin/jobs?limit=100&cursor=a%2Fb",
    ]


def _only_told(asked: Asked) -> Reply:
    """A clock that shows the time and takes no PUT; everything else is nothing."""
    if asked.path == "/__admin/clock":
        return Reply(200, b'{"now": "2026-03-01T12:00:00Z", "rate": 1, "frozen": true}')
    return Reply(404, b"{}", [("X-Simulated", "seed=1; now=2026-03-01T12:00:00Z")])


def test_a_clock_that_was_asked_for_and_cannot_be_held_is_exit_2() -> None:
    with served() as application, serving(_only_told) as elsewhere, pytest.raises(Unusable, match="answered 501"):
        checked(application.url, "--admin-url", elsewhere.url)


def test_a_clock_that_was_found_by_chance_and_cannot_be_held_is_left_alone() -> None:
    with serving(_only_told) as server:
        code, output = checked(server.url, "-n", "20", "--phases", "examples")
    assert code == 1
    assert "note: time is real: PUT /__admin/clock was answered 501" in output


def test_a_clock_that_cannot_be_put_back_is_told() -> None:
    with served() as application:

        def break_the_clock(reply: served_app.Reply) -> None:
            application.spoiler = None
            application.clock.set = _refusing  # type: ignore[method-assign]  # as a server that begins to fail would

        application.spoiler = break_the_clock
        code, output = checked(application.url, "-n", "20", "--phases", "examples")
    assert code == 0
    assert "note: the clock could not be put back" in output


def _refusing(to: Instant) -> ClockReading:
    raise BadClockSetting(f"not to {to}")


def test_the_server_itself_needs_no_control_plane(tmp_path_factory: pytest.TempPathFactory) -> None:
    names = tmp_path_factory.mktemp("names") / "names"
    names.write_text("alice~job\n")
    with serving(lambda asked: Reply(404, b"{}")) as server:
        code, output = checked(server.url, "--names", str(names), "-n", "20", "--phases", "examples")
    assert code == 1
    assert "real names: 1 from" in output
    assert "--at" not in output


def test_a_held_clock_runs_on_by_what_passed_whatever_the_wall_clock_did(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []

    class Noting(Client):
        def ask(self, request: Request, timeout: float | None = None) -> Answered:
            told.append(json.loads(request.body or "{}"))
            return Answered(200, "OK", (), b'{"now": "2026-03-01T12:00:00Z", "rate": 60, "frozen": false}', 0, 0.0)

    with ControlPlane(Noting(target_of("http://localhost"))).held():
        now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: now - 3_600 * 10**9)
    _, freeze, put_back, resume = told
    assert (freeze["action"], put_back["action"], resume["action"]) == ("freeze", "set", "resume")
    assert 0 <= from_iso(str(put_back["to"])) - from_iso("2026-03-01T12:00:00Z") < 600_000
