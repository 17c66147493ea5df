"""Simulations for tests: small, frozen, and asked as the server asks them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.clock import Instant, VirtualClock, from_iso
from contracts.launcher.open_request import decode_descriptor
from contracts.launcher.port import Ask, NoSuchFramework
from contracts.launcher.records import Framework, FrameworkDescriptor
from simulator.simulation import Simulation
from simulator.submission.short_descriptor import in_the_launchers_words
from simulator.told.scenario_files import Scenarios

START: Instant = from_iso("2026-03-01T12:00:00Z")
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
ASK = Ask()


def simulation(
    folder: Path | None = None, *, jobs: int = 20, profile: str = "tiny", file: Path | None = None, watch: bool = False
) -> Simulation:
    """Without stories, unless ``folder`` has some."""
    clock = VirtualClock(START, frozen=True)
    return Simulation(7, jobs, clock, profile, Scenarios(folder, watch=watch, real=Ticking()), file)


class Ticking:
    """A real time that is always long past the last look."""

    def __init__(self) -> None:
        self._now = 0

    def __call__(self) -> Instant:
        self._now += 10 * MINUTE
        return self._now


def submission(short: Mapping[str, Any] | None = None) -> FrameworkDescriptor:
    return decode_descriptor(in_the_launchers_words(short or {}))


def shown(world: Simulation, name: str) -> Framework | None:
    try:
        return world.launcher.framework(name, ASK).value
    except NoSuchFramework:
        return None


def state(world: Simulation, name: str) -> str | None:
    framework = shown(world, name)
    return None if framework is None else framework.status.state.value


def names(world: Simulation) -> list[str]:
    return [summary.name for summary in world.launcher.summaries(ASK)]
