"""The simulated launcher and resource manager as HTTP servers, put together."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from restserver.assembling.application import access_log
from restserver.assembling.control_plane import mounts

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from restserver.assembling.backends import Built
    from restserver.settings import Settings
    from simulator.faults.faults import FaultSet
    from simulator.http.access import Access
    from simulator.http.server import LauncherServer
    from simulator.http.yarn_paths import YarnServer
    from simulator.simulation import Simulation


def launcher_and_yarn(
    built: "Built", settings: "Settings", address: str, *, together: bool = True, acl: str = "off"
) -> "tuple[LauncherServer, YarnServer]":
    """The simulated launcher and its resource manager; ``together``: the first serves the second, too. ``acl``: off, on or
    strict."""
    from restserver.answers.identity import simulated_headers
    from simulator.http.simulation import launcher_server, yarn_server
    from simulator.http.yarn_paths import PAGES, PREFIX

    simulation, faults = cast("Simulation", built.simulation), cast("FaultSet", built.faults)

    headers = simulated_headers(lambda: simulation.seed, simulation.clock)

    def identity() -> Mapping[str, str]:
        return headers(None)

    yarn = yarn_server(simulation, faults, identity)
    beside = [(prefix, cast("WSGIApplication", yarn)) for prefix in (PREFIX, PAGES) if together]
    all_mounts = [*mounts(built, settings), *beside]
    access = known_access(acl)
    return launcher_server(simulation, settings.dialect, faults, identity, all_mounts, address, access), yarn


def known_access(acl: str) -> "Access | None":
    """Who may write, by its word; ``None``: everybody. Raises ``ValueError`` for a word that is none."""
    from simulator.http.access import ACCESS_OF_WORD

    if acl not in ACCESS_OF_WORD:
        raise ValueError(f"acl is one of {', '.join(ACCESS_OF_WORD)}, not {acl!r}")
    return ACCESS_OF_WORD[acl]


def around_launcher(built: "Built", settings: "Settings") -> "Callable[[WSGIApplication], WSGIApplication]":
    """What stands around every request to the simulated launcher: its log, its wire, and what is written down of it."""
    from simulator.admin.prefix import PREFIX
    from simulator.faults.faulty import FaultyWire, asked_of_launcher

    log = access_log(settings)
    faults, journal = cast("FaultSet", built.faults), cast("Simulation", built.simulation).requests

    def around(application: "WSGIApplication") -> "WSGIApplication":
        noted = journal.of(FaultyWire(application, faults, "launcher", asked_of_launcher), besides=PREFIX)
        return noted if log is None else log.around(noted)

    return around
