"""Told stories: what a file may say, what it is told when it is wrong, and files that change while somebody looks."""

import os
from pathlib import Path

import pytest

from contracts.clock import VirtualClock
from simulator.simulation import Simulation
from simulator.told.scenario_files import BadScenario, Scenarios, jobs_in
from simulator.yaml_text import LARGEST_FILE
from tests.simulator.worlds import ASK, HOUR, MINUTE, START, Ticking, shown, simulation, state, submission


def _told(text: str) -> str:
    """What the complaint says."""
    with pytest.raises(BadScenario) as caught:
        jobs_in(text.encode(), "mine.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: [", "mine.yaml, line 1: not YAML"),
        ("a: b: c", "mine.yaml, line 1: not YAML"),
        ("\x00", "mine.yaml: not YAML"),
        ("5", "mine.yaml, line 1: the whole: 5 is not of type"),
        ("about: x", "line 1: the whole: 'name' is a required property"),
        ("name: x\nfoo: 1", "'foo' was unexpected"),
        ("name: a b", "line 1: name: 'a b' does not match"),
        ("name: x\nstarts: soon", "line 2: starts: 'soon' is neither"),
        ("name: x\nstarts: 2026-13-01", "mine.yaml: not YAML: month"),
        ("name: x\nstarts: 2026-1", "line 2: starts"),
        ("name: x\nstarts: P1M", "line 2: starts"),
        ("name: x\ncontainers:\n  - run: PT5M\n    exit: 700", "line 4: containers.0.exit"),
        ("name: x\ncontainers:\n  - start: soon", "line 3: containers.0.start: 'soon' is no length"),
        ("name: x\nintervals: {like: fast, gang_timeout: -PT1S}", "line 2: intervals.gang_timeout"),
        ("name: x\nintervals: slow", "line 2: intervals"),
        ("name: x\noperations:\n  - {at: PT1S, do: dance}", "line 3: operations.0"),
        ("name: x\ndescriptor: {taskRoles: {a: 5}}", "line 2: descriptor: "),
        (
            "name: x\noperations:\n  - {at: 1, do: submit, descriptor: {taskRoles: {a: {}}}}",
            "line 3: operations.0.descriptor: nothing at $.version",
        ),
        ("name: x\nabout: !!binary aaaa", "line 1: the whole: a value in it has no place in JSON"),
        ("jobs:\n  - name: x\n  - name: x", "line 3: jobs.1.name: a story before has that name"),
        (
            "jobs:\n  - name: x\n    steps:\n      - state: RUNNING",
            "line 4: jobs.0.steps.0.state: 'RUNNING' is not one of",
        ),
    ],
)
def test_a_wrong_file_is_told_with_file_line_and_key(text: str, complaint: str) -> None:
    assert complaint in _told(text)


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ("[{state: FRAMEWORK_COMPLETED}, {state: APPLICATION_RUNNING}]", "step 2 (application-running): no way leads"),
        (
            "[{state: FRAMEWORK_COMPLETED}, {name: b, attempt: 1, state: FRAMEWORK_COMPLETED}]",
            "step 2 (b): what is completed is not tried again",
        ),
        (
            "[{state: APPLICATION_RUNNING}, {name: b, state: APPLICATION_RUNNING}]",
            "step 2 (b): APPLICATION_RUNNING stands",
        ),
        (
            "[{attempt: 2, state: APPLICATION_RUNNING}, {attempt: 1, state: FRAMEWORK_COMPLETED}]",
            "step 2 (framework-completed): attempt 1 comes before attempt 2",
        ),
        ("[{state: APPLICATION_LAUNCHED, lasts: 5}]", "how long APPLICATION_LAUNCHED lasts is up to the launcher"),
        ("[{state: FRAMEWORK_COMPLETED, progression: manual}]", "is not left by a hand"),
        ("[{state: APPLICATION_WAITING, ends: {exit: 1}}]", "no container runs in APPLICATION_WAITING"),
        ("[{state: APPLICATION_RUNNING, ends: refused}]", "is refused in APPLICATION_CREATED"),
        ("[{state: FRAMEWORK_COMPLETED, ends: killed}]", "an application is killed in"),
        ("[{state: APPLICATION_RUNNING, progression: manual, ends: lost}]", "nobody's hand"),
        ("[{state: APPLICATION_RUNNING, ends: stopped}]", "who stops it is a hand"),
        ("[{state: APPLICATION_RUNNING, progression: time}]", "'lasts' is a required property"),
        ("[{state: APPLICATION_RUNNING, progression: manual, lasts: 5}]", "steps.0"),
        ("[{state: APPLICATION_WAITING}, {name: application-waiting, state: APPLICATION_RUNNING}]", "an earlier step"),
        # The machine itself says so.
        (
            "[{state: APPLICATION_RUNNING, ends: {exit: 1}}, {name: b, attempt: 1, state: APPLICATION_RUNNING}]",
            "step 2 (b): the launcher does not come to APPLICATION_RUNNING; it stays in FRAMEWORK_COMPLETED",
        ),
        (
            "[{state: APPLICATION_RUNNING, progression: manual}, {name: b, attempt: 1, state: APPLICATION_RUNNING}]",
            "step 2 (b): the launcher does not come",
        ),
    ],
)
def test_a_story_the_launcher_cannot_live_is_refused_with_its_step(steps: str, complaint: str) -> None:
    told = _told(f"name: x\nsteps: {steps}")
    assert complaint in told
    assert told.startswith("mine.yaml, line 2: steps")


def test_what_is_too_large_is_not_read() -> None:
    assert "larger than" in _told("#" * (LARGEST_FILE + 1))


STORY = """
name: bob~mine
starts: {starts}
steps:
  - {{name: waits, state: APPLICATION_WAITING, lasts: PT5M}}
  - {{name: runs, state: APPLICATION_RUNNING, lasts: PT10M, ends: {{exit: {code}}}}}
  - {{name: over, state: FRAMEWORK_COMPLETED}}
"""


def _write(folder: Path, code: int = 3, starts: str = "PT10M", name: str = "mine.yaml") -> Path:
    file = folder / name
    file.write_text(STORY.format(code=code, starts=starts))
    return file


@pytest.mark.parametrize("starts", ["PT10M", "2026-03-01T12:10:00Z"])
def test_a_story_begins_when_it_says(tmp_path: Path, starts: str) -> None:
    _write(tmp_path, starts=starts)
    world = simulation(tmp_path)
    world.clock.advance(10 * MINUTE - 1)
    assert shown(world, "bob~mine") is None
    world.clock.advance(1)
    assert state(world, "bob~mine") == "FRAMEWORK_WAITING"
    world.clock.advance(8 * MINUTE)
    assert state(world, "bob~mine") == "APPLICATION_RUNNING"
    world.clock.advance(HOUR)
    record = shown(world, "bob~mine")
    assert record is not None
    assert record.status.application_exit_code == 3


def test_every_way_to_end_a_step_is_lived(tmp_path: Path) -> None:
    ends = {"killed": -7303, "lost": -7350, "crashed": -7353}
    for word, code in ends.items():
        for number, state_name in enumerate(("APPLICATION_WAITING", "APPLICATION_RUNNING")):
            (tmp_path / f"{word}{number}.yaml").write_text(
                f"name: {word}{number}\nsteps: [{{state: {state_name}, lasts: PT9M, ends: {word}}}, {{state: FRAMEWORK_COMPLETED}}]"
            )
        assert code < 0
    (tmp_path / "refused.yaml").write_text(
        "name: refused\nsteps: [{state: APPLICATION_CREATED, lasts: PT9M, ends: refused}, {state: FRAMEWORK_COMPLETED}]"
    )
    (tmp_path / "one.yaml").write_text(
        "name: one\ndescriptor: {roles: {a: {tasks: 2}, b: }}\n"
        "steps: [{state: APPLICATION_RUNNING, lasts: PT9M, ends: {exit: {code: 5}, role: a, index: 1}}, {state: FRAMEWORK_COMPLETED}]"
    )
    (tmp_path / "diagnosed.yaml").write_text(
        "name: diagnosed\nsteps: [{state: APPLICATION_RUNNING, lasts: PT9M}, "
        "{state: APPLICATION_RETRIEVING_DIAGNOSTICS, lasts: PT2M}, {state: FRAMEWORK_COMPLETED}]"
    )
    world = simulation(tmp_path)
    world.clock.advance(12 * HOUR)
    for job in world.scenarios.jobs():
        record = shown(world, job.name)
        assert record is not None
        wanted = ends.get(job.name[:-1], {"refused": -7300, "one": 5, "diagnosed": 0}.get(job.name))
        assert record.status.application_exit_code == wanted, job.name
        assert (record.status.application_exit_trigger_task_index == 1) is (job.name == "one")


def test_the_world_s_own_doings_are_told_too(tmp_path: Path) -> None:
    (tmp_path / "doings.yml").write_text(
        """
name: doings
descriptor: {version: 2, roles: {main: {retry: 1, ports: {ssh: 1}}}}
containers:
  - {allocation: never, ports: "ssh:22;", gpus: 1, host: 2}
operations:
  - {at: PT10M, do: make_room}
  - {at: PT20M, do: end_containers, exit: 7}
  - {at: PT30M, do: migrate}
  - {at: PT50M, do: kill}
  - {at: PT40M, do: set_progress, progress: 0.5}
"""
    )
    world = simulation(tmp_path)
    seen: list[object] = []
    for _ in range(4):
        world.clock.advance(9 * MINUTE)
        record = shown(world, "doings")
        assert record is not None
        task = record.task_roles["main"].tasks[0]
        seen.append((record.status.state.value, task.state.value, task.container_ports))
        world.clock.advance(MINUTE)
    assert seen == [
        ("APPLICATION_WAITING", "CONTAINER_REQUESTED", None),
        ("APPLICATION_RUNNING", "CONTAINER_RUNNING", "ssh:22;"),
        ("APPLICATION_RUNNING", "CONTAINER_RUNNING", "ssh:22;"),
        ("FRAMEWORK_COMPLETED", "TASK_COMPLETED", "ssh:22;"),
    ]


def _touch(file: Path, seconds: int) -> None:
    os.utime(file, (seconds, seconds))


def test_a_watched_file_is_told_anew_without_losing_the_clock(tmp_path: Path) -> None:
    file = _write(tmp_path)
    _touch(file, 1)
    world = simulation(tmp_path, watch=True)
    world.clock.advance(HOUR)
    before = world.launcher.framework("bob~mine", ASK).edition
    _write(tmp_path, code=4)
    _write(tmp_path / ".", code=5, name="new.yaml").write_text("name: bob~new\nstarts: -PT1H")
    _touch(file, 2)
    record = shown(world, "bob~mine")
    assert record is not None
    assert record.status.application_exit_code == 4
    assert world.launcher.framework("bob~mine", ASK).edition != before
    assert shown(world, "bob~new") is not None
    file.unlink()
    assert shown(world, "bob~mine") is None
    assert world.clock.now() == START + HOUR


def test_a_broken_file_keeps_what_it_said_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = _write(tmp_path)
    _touch(file, 1)
    world = simulation(tmp_path, watch=True)
    world.clock.advance(HOUR)
    file.write_text("name: [")
    broken = tmp_path / "other.yaml"
    broken.write_text("name: [")
    clash = _write(tmp_path, name="clash.yaml")
    assert clash.exists()
    record = shown(world, "bob~mine")
    assert record is not None
    assert record.status.application_exit_code == 3
    problems = {scenario.name: scenario.problem for scenario in world.scenarios.all()}
    assert "line 1: not YAML" in str(problems["mine"])
    assert "line 1: not YAML" in str(problems["other"])
    clashes = {scenario.name: scenario.clash for scenario in world.scenarios.all()}
    assert "tells of bob~mine too" in str(clashes["clash"])
    assert "a scenario keeps what it said before" in caplog.text
    broken.unlink()
    _write(tmp_path)
    _touch(file, 3)
    problems = {scenario.name: scenario.problem for scenario in world.scenarios.all()}
    assert problems == {"clash": None, "mine": None}
    clash.unlink()
    assert [(scenario.problem, scenario.clash) for scenario in world.scenarios.all()] == [(None, None)]


def test_a_step_that_a_file_does_not_tell_of_any_more_was_not_left(tmp_path: Path) -> None:
    file = tmp_path / "hand.yaml"
    file.write_text(
        "name: hand\nsteps: [{name: a, state: APPLICATION_WAITING, progression: manual}, {state: APPLICATION_RUNNING}]"
    )
    _touch(file, 1)
    world = simulation(tmp_path, watch=True)
    world.clock.advance(HOUR)
    world.journal.advance("hand")
    world.clock.advance(HOUR)
    assert state(world, "hand") == "APPLICATION_RUNNING"
    file.write_text(
        "name: hand\nsteps: [{name: b, state: APPLICATION_WAITING, progression: manual}, {state: APPLICATION_RUNNING}]"
    )
    _touch(file, 2)
    assert state(world, "hand") == "APPLICATION_WAITING"
    world.journal.stop("hand")
    file.unlink()
    assert shown(world, "hand") is None


def test_a_wrong_folder_stops_the_start(tmp_path: Path) -> None:
    _write(tmp_path)
    _write(tmp_path, name="second.yaml")
    with pytest.raises(BadScenario, match="tells of bob~mine too"):
        Scenarios(tmp_path)
    (tmp_path / "second.yaml").write_text("name: [")
    with pytest.raises(BadScenario, match=r"second\.yaml, line 1"):
        Scenarios(tmp_path)
    (tmp_path / "second.yaml").unlink()
    (tmp_path / "second.yaml").mkdir()
    with pytest.raises(BadScenario, match=r"second\.yaml"):
        Scenarios(tmp_path)


def test_nobody_watches_unless_asked(tmp_path: Path) -> None:
    file = _write(tmp_path)
    _touch(file, 1)
    scenarios = Scenarios(tmp_path, real=Ticking())
    world = Simulation(1, 5, VirtualClock(START, frozen=True), scenarios=scenarios)
    file.unlink()
    world.clock.advance(HOUR)
    assert shown(world, "bob~mine") is not None
    scenarios.watch = True
    assert shown(world, "bob~mine") is None


def test_somebody_may_submit_a_story_s_name_before_it_begins(tmp_path: Path) -> None:
    _write(tmp_path)
    world = simulation(tmp_path)
    world.journal.submit("bob~mine", submission())
    assert state(world, "bob~mine") == "FRAMEWORK_WAITING"
