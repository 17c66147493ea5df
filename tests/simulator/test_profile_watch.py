"""A profile that is watched: another mix at once, the clock and what people did as they were, and a broken file changes nothing."""

import logging
from pathlib import Path

import pytest

from contracts.clock import VirtualClock
from simulator.simulation import Simulation
from simulator.told.scenario_files import Scenarios
from simulator.world.profile_files import SHIPPED
from simulator.world.profile_watch import ProfileWatch
from tests.simulator.worlds import HOUR, START, Ticking, names, shown, simulation

TINY = (SHIPPED / "tiny.yaml").read_text("utf-8")
OTHER = TINY.replace("hosts: 3", "hosts: 4")


def watched(file: Path, state: Path | None = None) -> Simulation:
    clock = VirtualClock(START, frozen=True)
    world = Simulation(7, 20, clock, str(file), Scenarios(None, watch=True, real=Ticking()), state)
    world._profile_watch = ProfileWatch(str(file), Ticking())  # every look is long after the last
    return world


def test_a_changed_profile_is_another_population_at_the_same_instant(tmp_path: Path) -> None:
    file, state = tmp_path / "mine.yaml", tmp_path / "state.json"
    file.write_text(TINY)
    world = watched(file, state)
    world.journal.tell("me~mine", {"name": "me~mine"})
    with world.changing():
        world.clock.advance(HOUR)
    before = names(world)
    file.write_text(OTHER)
    after = names(world)
    assert len(world.world.population.population.hosts) == 4
    assert world.clock.now() == START + HOUR
    assert shown(world, "me~mine") is not None
    assert "me~mine" in before
    assert "me~mine" in after
    again = watched(file, state)  # and the file of states knows the new mix
    assert names(again) == after


def test_a_broken_profile_keeps_the_old_one_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TINY)
    world = watched(file)
    before = names(world)
    for broken in ("about: [", "about: x"):
        file.write_text(broken)
        with caplog.at_level(logging.WARNING):
            assert names(world) == before
        assert "mine.yaml" in str(world.profile_problem)
        assert "stays what it was" in caplog.text
    file.unlink()
    assert names(world) == before
    file.write_text(OTHER)
    names(world)
    assert world.profile_problem is None
    assert len(world.world.population.population.hosts) == 4


def test_whoever_asks_what_is_wrong_with_the_file_need_not_ask_for_a_job_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TINY)
    world = watched(file)
    file.write_text("about: [")
    assert "mine.yaml" in str(world.profile_problem)
    file.write_text(OTHER)
    assert world.profile_problem is None


def test_what_is_not_watched_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TINY)
    world = watched(file)
    world.scenarios.watch = False
    file.write_text(OTHER)
    names(world)
    assert len(world.world.population.population.hosts) == 3
    assert ProfileWatch("tiny", Ticking()).changed() is None
    assert simulation().profile_problem is None
