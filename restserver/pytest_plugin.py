"""Fixtures for the tests of other people: a simulated server, a simulated launcher, and the contract to check answers by.

pytest loads this module in every run where the package is installed, wanted or not. So nothing is imported before a fixture
is asked for, and every name a test can see is one that it asks for by that name.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from contracts.harness.one_answer import OneAnswer
    from restserver.stand_ins import Simulated, Stage

Settings: TypeAlias = Mapping[str, Any]


@pytest.fixture(scope="session")
def contract() -> "OneAnswer":
    """The contract: ``body = contract.check(response)`` fails a test whose answer is not as documented.

    Takes answers of requests, httpx, urllib, urllib3, Playwright and the test clients of werkzeug, Flask and falcon (the last
    with ``url=``), and of aiohttp with ``body=await response.read()``; ``contract.in_style("portal").check(response)`` judges by the web portal's names.
    """
    from contracts.harness.one_answer import OneAnswer

    return OneAnswer()


@pytest.fixture(scope="session")
def make_simulated_server(_restserver_stage: "Stage") -> "Callable[..., Simulated]":
    """Starts a simulated server: ``make_simulated_server(style="portal", jobs=50, at="2026-03-01T12:00:00Z")``.

    Takes the settings of ``restserver serve``. On a free port, its clock frozen; it lives as long as the session, and
    nobody resets it.
    """
    return _restserver_stage.server


@pytest.fixture(scope="session")
def make_simulated_launcher(_restserver_stage: "Stage") -> "Callable[..., Simulated]":
    """Starts a simulated launcher and resource manager: ``make_simulated_launcher(dialect="open")``.

    Takes the settings of ``restserver simulate``. On a free port, its clock frozen; it lives as long as the session, and
    nobody resets it.
    """
    return _restserver_stage.launcher


@pytest.fixture(scope="session")
def simulated_server_settings() -> Settings:
    """Settings of ``simulated_server``; override it in a ``conftest.py``."""
    return {}


@pytest.fixture(scope="session")
def simulated_launcher_settings() -> Settings:
    """Settings of ``simulated_launcher``; override it in a ``conftest.py``."""
    return {}


@pytest.fixture
def simulated_server(_shared_simulated_server: "Simulated") -> "Simulated":
    """A server over a simulated launcher, as if just started: no other test has moved its clock, told it jobs or broken it.

    ``PYTEST_SIMULATED_SERVER_HOST`` and ``_PORT`` say where it listens (127.0.0.1, any free port).
    """
    _shared_simulated_server.reset()
    return _shared_simulated_server


@pytest.fixture
def simulated_launcher(_shared_simulated_launcher: "Simulated") -> "Simulated":
    """A simulated launcher and resource manager, as if just started, for tests of whatever asks a launcher.

    ``PYTEST_SIMULATED_LAUNCHER_HOST`` and ``_PORT`` say where it listens (127.0.0.1, any free port).
    """
    _shared_simulated_launcher.reset()
    return _shared_simulated_launcher


@pytest.fixture(scope="session")
def _restserver_stage() -> "Iterator[Stage]":
    from restserver.stand_ins import Stage

    with Stage() as stage:
        yield stage


@pytest.fixture(scope="session")
def _shared_simulated_server(
    make_simulated_server: "Callable[..., Simulated]", simulated_server_settings: Settings
) -> "Simulated":
    return make_simulated_server(**{**_address("PYTEST_SIMULATED_SERVER"), **simulated_server_settings})


@pytest.fixture(scope="session")
def _shared_simulated_launcher(
    make_simulated_launcher: "Callable[..., Simulated]", simulated_launcher_settings: Settings
) -> "Simulated":
    return make_simulated_launcher(**{**_address("PYTEST_SIMULATED_LAUNCHER"), **simulated_launcher_settings})


def _address(variable: str) -> dict[str, object]:
    """Where to listen, as the environment has it; with pytest-xdist the n-th worker, from 0, takes the n-th port from there."""
    told: dict[str, object] = {}
    if host := os.environ.get(f"{variable}_HOST"):
        told["host"] = host
    if port := os.environ.get(f"{variable}_PORT"):
        if not (port.isascii() and port.isdigit() and int(port) <= 65535):
            raise pytest.UsageError(f"{variable}_PORT: {port!r} is no port")
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        told["port"] = int(port) + int(worker) if int(port) else 0
    return told
