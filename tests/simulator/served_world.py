"""A simulated world behind the simulator's own HTTP face, resource manager beside it; nobody writes to it."""

from wsgiref.types import WSGIApplication

from contracts.clock import Clock
from contracts.launcher.port import Launcher
from simulator.http.open_paths import Web
from simulator.http.server import DIALECTS, LauncherServer
from simulator.http.writes import Writes
from simulator.http.yarn_paths import PREFIX, Applications, YarnServer, yarn_routes
from simulator.launcher_state import LauncherRequests
from tests.simulator.submitted_requests import SubmittedRequests


def served(dialect: str, launcher: Launcher, manager: Applications, clock: Clock) -> WSGIApplication:
    nothing = SubmittedRequests(clock)
    writes = Writes(launcher, nothing, nothing.names, LauncherRequests(clock))
    yarn = YarnServer(yarn_routes(manager, clock, None), clock)
    return LauncherServer(DIALECTS[dialect](launcher, writes, Web()), clock, mounts=[(PREFIX, yarn)])
