"""An answer that says it still holds is the one that would be given, whatever was done to the world and its clock meanwhile."""

from collections.abc import Callable
from random import Random

import pytest

from contracts.clock import VirtualClock
from contracts.launcher.port import Answer, Ask, LauncherError
from simulator.journal import NameTaken
from simulator.simulation import Simulation

AT = 1_772_366_400_000
HOUR = 3_600_000
NAMES = ("story~out-of-memory", "story~retried-then-succeeded", "eve~told")


def everything_asked(simulation: Simulation, names: list[str]) -> list[Callable[[], Answer[object]]]:
    launcher, ask = simulation.launcher, Ask()
    return [
        question
        for name in names
        for question in (
            lambda name=name: launcher.framework(name, ask),
            lambda name=name: launcher.versions(name, ask),
            lambda name=name: launcher.attempts(name, None, ask),
            lambda name=name: launcher.attempt(name, 0, None, ask),
        )
    ]


def answered(question: Callable[[], Answer[object]]) -> Answer[object] | None:
    try:
        return question()
    except LauncherError:
        return None


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(3))
def test_what_says_that_it_holds_would_be_answered(seed: int) -> None:
    dice = Random(seed)
    simulation = Simulation(seed, 40, VirtualClock(AT, frozen=True))
    places = simulation.world.places(AT)
    names = [simulation.world.at_place(places[-number]).name for number in range(1, 9)] + list(NAMES)
    questions = everything_asked(simulation, names)
    deeds: list[Callable[[str], object]] = [
        lambda name: simulation.clock.advance(dice.randrange(-HOUR, 2 * HOUR)),
        lambda name: simulation.clock.set(AT),
        lambda name: simulation.journal.stop(name),
        lambda name: simulation.journal.kill(name),
        lambda name: simulation.journal.delete(name),
        lambda name: simulation.journal.tell("eve~told", {"name": "eve~told"}),
        lambda name: simulation.journal.set_progress(name, 0.5),
    ]
    rare: list[Callable[[str], object]] = [
        lambda name: simulation.reset(),
        lambda name: simulation.populate(seed=dice.randrange(2)),
    ]
    held = gone = 0
    before = [answered(question) for question in questions]
    for _ in range(150):
        try:
            dice.choice(deeds if dice.random() < 0.95 else rare)(dice.choice(names))
        except (LauncherError, NameTaken):
            continue
        for place, question in enumerate(questions):
            kept = before[place]
            if kept is not None and kept.holds is not None and kept.holds():
                assert answered(question) == kept
                held += 1
            else:
                gone += kept is not None
                before[place] = answered(question)
    assert held > 500
    assert gone > 100
