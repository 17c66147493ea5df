"""Over a real launcher there is nothing of the simulated one: no path of it, no header, not even its code."""

import gzip
import subprocess
import sys

import falcon.inspect
import pytest

from contracts.clock import VirtualClock
from restserver.app import Application, create_app
from restserver.assembling import backends, control_plane
from restserver.guarding.hosts import HostsListenedOn
from restserver.settings import Settings
from simulator.admin.control_plane import create_admin
from simulator.admin.job_list import ListedJobs
from simulator.admin.prefix import PREFIX
from simulator.faults.faults import FaultSet
from simulator.request_journal import RequestJournal
from simulator.simulation import Simulation
from tests.restserver.wsgi_client import ask

SETTINGS = Settings(backend="launcher", launcher_url="http://127.0.0.1:1", cache_ttl=0.0)


@pytest.fixture(scope="module")
def production() -> Application:
    built = backends.BACKENDS["launcher"](SETTINGS)
    assert built.headers is None
    return create_app(built.backend, SETTINGS, mounts=control_plane.mounts(built, SETTINGS))


def control_paths() -> list[str]:
    """Every path of a control plane that can do everything, its parameters filled in."""
    clock = VirtualClock(1_795_464_000_000, frozen=True)
    simulation = Simulation(1, 5, clock)
    app = create_admin(
        clock,
        ListedJobs(simulation.launcher),
        HostsListenedOn("127.0.0.1"),
        simulation=simulation,
        requests=RequestJournal(clock),
        faults=FaultSet(clock),
    )
    return [route.path.replace("{", "").replace("}", "") for route in falcon.inspect.inspect_routes(app)]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_every_path_of_the_control_plane_is_no_api(production: Application, method: str) -> None:
    paths = control_paths()
    assert len(paths) > 12
    odd = [
        PREFIX,
        f"{PREFIX}/",
        f"/%5f%5fadmin{paths[0].removeprefix(PREFIX)}",
        f"//{paths[0]}",
        "/",
        "/console",
        "/console/app.js",
    ]
    for path in [*paths, *odd]:
        answer = ask(production, path, method, {"Host": "localhost", "Prefer": "code=200"})
        assert (answer.status, answer.json["code"]) == (404, "NoApiError"), path
        assert not answer.headers.keys() & {"x-simulated", "x-recorded", "preference-applied"}


MODULES = """
import sys
from restserver.assembling import backends
from restserver.assembling import control_plane
from restserver.app import create_app
from restserver.settings import Settings
settings = Settings(backend="launcher", launcher_url="http://127.0.0.1:1", dialect="open", history_url="sqlite://", archiver=False)
built = backends.BACKENDS["launcher"](settings)
create_app(built.backend, settings, mounts=control_plane.mounts(built, settings))
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("simulator", "faker")))
"""


def test_not_even_its_code_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", MODULES], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_a_control_plane_unpacks_nothing() -> None:
    settings = Settings(jobs=5, frozen=True)
    built = backends.BACKENDS["simulated"](settings)
    app = create_app(built.backend, settings, mounts=control_plane.mounts(built, settings))
    packed = gzip.compress(b'{"action": "freeze"}')
    answer = ask(app, f"{PREFIX}/clock", "PUT", {"Content-Encoding": "gzip", "Host": "localhost"}, packed)
    assert answer.status in (400, 415)


FOREIGN = [
    "evil.example",
    "evil.example:9186",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "[::1].evil.example",
    "",
    "localhost@evil",
    "evil.example, localhost",
]


@pytest.mark.parametrize("host", FOREIGN)
def test_a_control_plane_is_not_reached_by_another_name(host: str) -> None:
    """A name of somebody else that points here (DNS rebinding)."""
    settings = Settings(jobs=5, frozen=True)
    built = backends.BACKENDS["simulated"](settings)
    app = create_app(built.backend, settings, mounts=control_plane.mounts(built, settings))
    assert ask(app, f"{PREFIX}/clock", headers={"Host": "127.0.0.1:9186"}).status == 200
    for path in (f"{PREFIX}/clock", f"{PREFIX}/jobs", f"{PREFIX}/nothing"):
        assert ask(app, path, headers={"Host": host}).status == 403
    assert ask(app, f"{PREFIX}/clock", "PUT", {"Host": host}, b'{"action": "freeze"}').status == 403
