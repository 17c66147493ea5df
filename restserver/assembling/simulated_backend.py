"""The simulated launcher as a backend: a world, its clock and its faults. This room is where server and simulator meet."""

from typing import TYPE_CHECKING

import click

from restserver.settings import BadSetting, Settings

if TYPE_CHECKING:
    from contracts.launcher.port import Ask, LauncherError
    from restserver.assembling.backends import Built
    from simulator.simulation import Simulation


def simulated_backend(settings: Settings) -> "Built":
    from restserver.answers.identity import simulated_headers
    from restserver.app import Backend
    from restserver.assembling.backends import Built
    from restserver.seeing.metrics import Metrics
    from simulator.admin.bodies import LARGEST_STATE
    from simulator.faults.faults import FaultSet
    from simulator.faults.faulty import faulty
    from simulator.faults.faulty_manager import FaultyResourceManager
    from simulator.faults.preferences import preferring
    from simulator.state_file import BadState, StateNotSaved

    simulation = simulation_of(settings)
    clock = simulation.clock
    faults = FaultSet(clock)
    try:
        simulation.keep("faults", faults)
    except BadState as error:
        raise BadSetting("state", str(error)) from error

    def close() -> None:
        try:
            simulation.save()
        except StateNotSaved as error:
            click.echo(f"restserver: at exit {error}", err=True)

    metrics = Metrics()

    def no_figures(application_id: str, ask: "Ask", error: "LauncherError") -> None:
        from restserver.launchers import missed_figures

        missed_figures.logged(application_id, ask, error)
        missed_figures.counted(metrics, error)

    return Built(
        Backend(
            preferring(faulty(simulation.launcher, faults), faults.waiting),
            FaultyResourceManager(simulation.resource_manager, faults, no_figures),
            clock,
            metrics,
        ),
        simulated_headers(lambda: simulation.seed, clock),
        clock,
        simulation=simulation,
        faults=faults,
        close=close,
        at_once=True,
        largest_body=LARGEST_STATE + 1,  # so that it is the control plane that says what is too large, and for what
    )


def simulation_of(settings: Settings) -> "Simulation":
    """The world those settings ask for, or the one that was saved."""
    from contracts.clock import VirtualClock, real_now
    from simulator.simulation import Simulation
    from simulator.state_file import BadState
    from simulator.told.scenario_files import BadScenario, Scenarios
    from simulator.world.profile_files import BadProfile

    at = real_now() if settings.at is None else settings.at
    clock = VirtualClock(at, rate=settings.rate, frozen=settings.frozen)
    try:
        scenarios = None if settings.scenarios is None else Scenarios(settings.scenarios, watch=settings.watch)
        simulation = Simulation(settings.seed, settings.jobs, clock, settings.profile, scenarios, settings.state)
        simulation.scenarios.watch = settings.watch
        return simulation
    except BadProfile as error:
        raise BadSetting("profile", str(error)) from error
    except BadScenario as error:
        raise BadSetting("scenarios", str(error)) from error
    except BadState as error:
        raise BadSetting("state", str(error)) from error
