"""Simulated worlds to ask about, for the commands that hold this server, or a real launcher, against the simulator."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.harness.drift.sides import Simulated
    from contracts.launcher.histories import History
    from restserver.worlds import World


def world_of_strength(quick: bool) -> "World":
    """Jobs of every kind through their whole lives, for ``contract strength``."""
    from contracts.clock import VirtualClock
    from restserver.worlds import NOBODY, Mistaken, World, hard, worth_asking
    from simulator.launcher import simulated

    at = 1_795_465_000_000
    clock = VirtualClock(at, frozen=True)
    launcher, resource_manager = simulated(11, 40, clock)
    jobs = [launcher.source.at_place(place) for place in launcher.source.places(at)]
    begins = {job.name: job.begins for job in jobs}
    instants = worth_asking(launcher, clock, begins, 4 if quick else 8, quick)
    return World(Mistaken(launcher, hard), resource_manager, clock, instants | {NOBODY: (at,)})


def simulated_side(profile: str | None, seed: int) -> "Simulated":
    """The simulator, for ``drift``: jobs of the default profile, of another one if it is named, and every shipped story,
    through their whole lives. Raises BadProfile."""
    from itertools import chain

    from contracts.harness.drift.sides import NotReplayable, Replay, Simulated
    from restserver.worlds import served, told_through_time, untouched
    from simulator.machine.retry import decide
    from simulator.machine.story import DEPLOYED, FAST
    from simulator.replay.replaying import NotTold, replay, shown
    from simulator.replay.unseen import unseen
    from simulator.world.profile_files import load

    paces = {"deployed": DEPLOYED, "fast": FAST}
    if profile is not None:
        named = load(profile)
        paces = {named.intervals: named.pace}
    worlds = [_world_of_drift(name, seed) for name in dict.fromkeys(["default", profile or "default"])]

    def replayed(history: "History") -> Replay:
        try:
            found = replay(history)
        except NotTold as missing:
            raise NotReplayable(str(missing)) from missing
        return Replay(
            found.differences, shown(history, found.unknowns), found.excuse, made_up=unseen(history) is not None
        )

    return Simulated(
        title=f"profile {profile or 'default'}, seed {seed}, {sum(len(world.instants) for world in worlds)} frameworks",
        answers=lambda style: (seen.answer for world in worlds for seen in served(world, style)(untouched)),
        records=lambda: chain.from_iterable(map(told_through_time, worlds)),
        replay=replayed,
        decide=decide,
        paces=paces,
        any_pace=profile is None,
    )


def _world_of_drift(profile: str, seed: int) -> "World":
    from contracts.clock import VirtualClock
    from restserver.worlds import World, worth_asking
    from simulator.simulation import Simulation

    at = 1_795_465_000_000
    clock = VirtualClock(at, frozen=True)
    simulation = Simulation(seed, 40, clock, profile)
    launcher, source = simulation.launcher, simulation.world
    begins = {told.name: told.begins for told in map(source.at_place, source.places(at))}
    return World(launcher, simulation.resource_manager, clock, worth_asking(launcher, clock, begins, 3, quick=False))
