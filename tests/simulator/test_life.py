"""A job's life as the console draws it: whole, in order, and equal to what was and will be shown."""

import json

import pytest

from contracts.clock import VirtualClock
from contracts.launcher.port import Ask
from contracts.states import job_state, sub_state
from simulator.admin.life import FARTHEST, MOST_TASKS, life_of
from simulator.simulation import Simulation
from tests.simulator.test_admin_control import Control

AT = 1_795_465_000_000


def told(name: str, at: int = AT) -> tuple[Simulation, VirtualClock, dict[str, object]]:
    clock = VirtualClock(AT, frozen=True)
    simulation = Simulation(1, 20, clock)
    known = simulation.world.named(name, AT)
    assert known is not None
    return simulation, clock, life_of(simulation.launcher.unfolded.timeline(known), at, known.ends)


def spans(life: dict[str, object], key: str) -> list[dict[str, object]]:
    found = life[key]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    "name", ["story~retried-until-failed", "story~several-attempts-and-versions", "story~backing-off", "story~by-hand"]
)
def test_its_states_are_what_the_launcher_tells_at_each_instant(name: str) -> None:
    simulation, clock, life = told(name)
    assert life["whole"] is True
    states = spans(life, "states")
    for state, following in zip(states, [*states[1:], None], strict=True):
        if following is not None:
            assert state["to"] == following["from"]
        begin, end = state["from"], state["to"]
        assert isinstance(begin, int)
        assert isinstance(end, int | None)
        for instant in (begin, AT + FARTHEST if end is None else end - 1):
            clock.set(instant)
            record = simulation.launcher.framework(name, Ask()).value
            assert state == {
                "from": begin,
                "to": end,
                "state": job_state(record.summary.state, record.summary.application_exit_code),
                "subState": sub_state(record.summary.state),
                "version": record.status.version,
                "attemptId": record.status.retries.total,
            }


def test_every_attempt_says_how_it_ended_though_the_end_was_never_shown() -> None:
    _, _, life = told("story~retried-until-failed")
    attempts = spans(life, "attempts")
    assert [(each["attemptId"], each["exitCode"], each["exitType"]) for each in attempts] == [
        (0, 1, "UNKNOWN"),
        (1, 1, "UNKNOWN"),
        (2, 1, "UNKNOWN"),
    ]
    (row,) = spans(life, "tasks")
    assert (row["role"], row["index"]) == ("main", 0)
    shown = row["spans"]
    assert isinstance(shown, list)
    assert [(span["state"], span["attemptId"]) for span in shown] == [
        ("RUNNING", 0),
        ("FAILED", 0),
        ("RUNNING", 1),
        ("FAILED", 1),
        ("RUNNING", 2),
        ("FAILED", 2),
    ]
    assert [each["do"] for each in spans(life, "operations")] == ["submit"]


def test_what_is_far_off_is_not_told_but_when_it_comes() -> None:
    _, _, life = told("story~backing-off")
    last = spans(life, "states")[-1]
    assert last["subState"] == "ApplicationCompleted"
    assert isinstance(last["to"], int)
    assert last["to"] == life["nextChange"]
    assert last["to"] > AT + FARTHEST


def test_a_life_with_a_gap_has_a_gap() -> None:
    control = Control()
    control("PUT", "/clock", {"action": "freeze"})
    made = control("POST", "/jobs", {"name": "me~twice", "containers": [{"run": "PT1H", "exit": {"code": 0}}]})
    assert made.status_code == 201
    control("PUT", "/clock", {"action": "advance", "by": "PT10M"})
    lived = control("GET", "/jobs/me~twice/life").json
    assert [state["state"] for state in lived["states"]][:3] == ["WAITING", "WAITING", "RUNNING"]
    assert control("DELETE", "/jobs/me~twice").status_code == 200
    assert control.refused("GET", "/jobs/me~twice/life")[0] == 404
    control("PUT", "/clock", {"action": "advance", "by": -1})
    before = control("GET", "/jobs/me~twice/life").json
    assert before["states"][-1]["to"] == before["nextChange"], "it is known to be deleted"


def test_of_many_tasks_the_first_are_told_and_all_are_counted() -> None:
    _, _, life = told("story~many-tasks")
    assert life["taskCount"] == 64
    assert len(spans(life, "tasks")) == MOST_TASKS
    assert len(json.dumps(life)) < 100_000


def test_a_life_that_goes_on_and_on_is_bounded() -> None:
    simulation, clock, _ = told("story~restarting-for-ever")
    known = simulation.world.named("story~restarting-for-ever", AT)
    assert known is not None
    timeline = simulation.launcher.unfolded.timeline(known)
    assert len(timeline.changes(AT, 10, 5)) == 15
    assert timeline.changes(AT, 10, 0)[-1] <= AT < timeline.changes(AT, 0, 1)[0]
    assert len(life_of(timeline, clock.now(), known.ends)["states"]) > 20


def test_an_answer_that_did_not_change_is_not_sent_again() -> None:
    control = Control()
    control("PUT", "/clock", {"action": "freeze"})
    name = control("GET", "/jobs?limit=1").json["jobs"][0]["name"]
    for path in ("/jobs?limit=3", f"/jobs/{name}/life", "/faults", "/scenarios", "/settings"):
        first = control("GET", path)
        again = control("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    etag = control("GET", "/faults").headers["ETag"]
    control("POST", "/faults", {"kind": "unavailable"})
    changed = control("GET", "/faults", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert {kind["kind"] for kind in changed.json["kinds"]} >= {"latency", "reset"}
    assert "ETag" not in control("GET", "/jobs/nobody/life").headers
