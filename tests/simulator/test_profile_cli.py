"""``restserver profile``, and the shipped profiles it shows."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.clock import VirtualClock
from simulator.profile_cli import profile
from simulator.simulation import Simulation
from simulator.told.scenario_files import Scenarios
from simulator.world.profile_files import SHIPPED, read, shipped
from tests.simulator.worlds import START, names


def test_every_shipped_profile_is_listed_with_what_it_is_for() -> None:
    result = CliRunner().invoke(profile, ["list"])
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.output.splitlines()] == shipped()
    assert set(shipped()) == {"busy", "calm", "default", "failing", "gpu-training", "tiny"}


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_profile_is_shown_and_found_right(name: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(profile, ["show", name])
    assert result.output == (SHIPPED / f"{name}.yaml").read_text("utf-8")
    assert read(result.output.encode(), name).name == name
    copy = tmp_path / "mine.yaml"
    copy.write_text(result.output)
    assert CliRunner().invoke(profile, ["show", str(copy)]).output == result.output
    world = Simulation(3, 15, VirtualClock(START, frozen=True), name, Scenarios(None))
    assert len(names(world)) > 10


def test_what_is_no_profile_is_a_usage_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("about: x")
    for wanted in ("none-such", str(broken)):
        result = CliRunner().invoke(profile, ["show", wanted])
        assert result.exit_code == 2
        assert wanted in result.output
