"""A simulation served as the launcher and the resource manager themselves: the parts of ``server`` and of the faults put together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from wsgiref.types import WSGIApplication

from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Resource
from simulator.faults.faults import FaultSet
from simulator.faults.faulty import faulty
from simulator.faults.faulty_manager import FaultyApplications
from simulator.http.access import Access
from simulator.http.open_paths import Web
from simulator.http.server import DIALECTS, LauncherServer
from simulator.http.writes import NOBODY, Writes
from simulator.http.yarn_cluster import UNSIZED, Alive, Facts
from simulator.http.yarn_paths import Cluster, YarnServer, yarn_routes
from simulator.launcher import MOST_SUMMED
from simulator.machine.story import Submit
from simulator.simulation import Simulation

Headers = Callable[[], Mapping[str, str]]


def launcher_server(
    simulation: Simulation,
    dialect: str,
    faults: FaultSet,
    headers: Headers = dict,
    mounts: Sequence[tuple[str, WSGIApplication]] = (),
    address: str = "http://localhost:9086",
    access: Access | None = None,
) -> LauncherServer:
    """Writes go past the faults: they are about what people hear, and a change is made or it is not."""
    writes = Writes(
        simulation.launcher,
        simulation.journal,
        lambda: _submitted(simulation),
        simulation.launcher_requests,
        access=access,
    )
    web = Web(lambda: simulation.world.population.profile.pace, address=address)
    launcher = faulty(simulation.launcher, faults, over_http=True)
    return LauncherServer(DIALECTS[dialect](launcher, writes, web), simulation.clock, headers, mounts)


def yarn_server(simulation: Simulation, faults: FaultSet, headers: Headers = dict) -> YarnServer:
    manager = FaultyApplications(simulation.resource_manager, faults)
    routes = yarn_routes(
        manager,
        simulation.clock,
        simulation.journal.kill,
        lambda: _cluster(simulation),
        lambda group: _living(simulation, group),
    )
    return YarnServer(routes, simulation.clock, headers)


def _cluster(simulation: Simulation) -> Cluster:
    world = simulation.world.population
    profile = world.profile
    shares = profile.queues.shares()
    facts = Facts(
        started=world.resource_manager_started(simulation.clock.now()),
        hosts=world.population.hosts,
        node=Resource(
            cpu_number=profile.cpus_per_host or UNSIZED.cpu_number,
            memory_mb=profile.memory_mb_per_host or UNSIZED.memory_mb,
        ),
        queues=shares,
    )
    return Cluster(facts, lambda: (Alive(*each) for each in simulation.resource_manager.holding()))


def _living(simulation: Simulation, group: str) -> Iterator[str]:
    """By the tag that the private dialect tells, among the newest jobs."""
    for summary in islice(simulation.launcher.summaries(NOBODY), MOST_SUMMED):
        grouped = any(tag.upper().startswith("GID-") and tag[4:].partition("_")[0] == group for tag in summary.tags)
        if grouped and summary.application_id is not None and summary.state is not FrameworkState.FRAMEWORK_COMPLETED:
            yield summary.application_id


def _submitted(simulation: Simulation) -> Iterator[str]:
    for name, page in simulation.world.ledger.pages.items():
        if any(isinstance(entry.deed, Submit) for entry in page.entries):
            yield name
