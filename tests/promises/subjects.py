"""The launchers that have to keep the port's promises, each over a world whose clock can be moved.

A new launcher is one more builder here; every test of the folder then runs on it too.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.clock import Instant, SystemClock, VirtualClock
from contracts.launcher.port import Ask, Launcher, NoSuchFramework, ResourceManager
from contracts.launcher.recordings import Exchange, exchanges, files_of
from contracts.launcher.timelines import Recordings, read_recordings
from restserver.launchers.http import DIALECTS, HttpLauncher
from restserver.launchers.http_resource_manager import HttpResourceManager
from restserver.launchers.recorded import RecordedLauncher, RecordedResourceManager
from restserver.launchers.transport import Transport
from restserver.serving.waitress_server import serving as served_by_waitress
from simulator.launcher import SimulatedResourceManager, simulated
from tests.simulator import served_world
from tests.stand_ins.encoded import encoded_launcher
from tests.stand_ins.recorded import RecordedBytes
from tests.stand_ins.served import serving

FOLDER = Path("fixtures/recordings")

HARD_CASES = (
    "alice~s01d-succeed-5tasks",
    "alice~s03f-fw-plain-max2-transient",
    "alice~s05a-stop-while-running",
    "alice~parent-h",
    "alice~s06a-upgrade-while-running-then-lower",
    "alice~s06c-put-after-completed-same-and-new-version",
    "alice~s07a-delete-while-running-resubmit",
    "alice~s08w2-gang-timeout-fancy-backoff",
    "alice~s09a-tasknumber-up-down",
)
"""Enough for a launcher that is asked over HTTP: retries, upgrades, deletes, back-off, scaling."""
UNTELLABLE_IN_PRIVATE = (
    "alice~s07b-delete-and-put-at-once",
    "alice~s20d-deployed-intervals-delete-put-quickly",
)
"""The private dialect tells the first request, which here is later than the life that went on under it."""


@dataclass(frozen=True, eq=False)
class Subject:
    launcher: Launcher
    resource_manager: ResourceManager
    clock: VirtualClock
    """Of the world behind the launcher; frozen."""
    instants: Mapping[str, tuple[Instant, ...]]
    """The frameworks there are, and for each the instants at which something changes, ascending."""
    keeps_the_past: bool = True
    """Whether it tells attempts and versions that are over."""
    in_process: bool = False
    lists_truly: bool = True
    """Recorded lists are of other instants, and of several launchers, than the frameworks beside them."""


@cache
def recordings() -> Recordings:
    return read_recordings(FOLDER)


@cache
def recorded_exchanges() -> tuple[Exchange, ...]:
    return tuple(exchange for file in files_of(FOLDER) for exchange in exchanges(file, _surprised))


def _surprised(warning: str) -> None:
    raise AssertionError(warning)


def frozen_clock() -> VirtualClock:
    return VirtualClock(recordings().last, frozen=True)


def _instants(names: tuple[str, ...]) -> dict[str, tuple[Instant, ...]]:
    return {name: recordings().instants(name) for name in names}


@contextlib.contextmanager
def recorded() -> Iterator[Subject]:
    clock = frozen_clock()
    yield Subject(
        RecordedLauncher(recordings(), clock),
        RecordedResourceManager(recordings(), clock),
        clock,
        _instants(recordings().names()),
        in_process=True,
    )


@contextlib.contextmanager
def http_at(url: str, dialect: str) -> Iterator[tuple[HttpLauncher, HttpResourceManager]]:
    """Launcher and resource manager are at one address, as the stand-ins have it."""
    transports = [Transport(url, clock=SystemClock(), timeout=10_000, who=who) for who in ("The launcher", "The RM")]
    launcher, resource_manager = HttpLauncher(transports[0], DIALECTS[dialect]), HttpResourceManager(transports[1])
    try:
        yield launcher, resource_manager
    finally:
        launcher.close()
        resource_manager.close()


@contextlib.contextmanager
def live(url: str, dialect: str) -> Iterator[Subject]:
    """A launcher that runs somewhere: nothing here moves its clock, so it is looked at as it is now."""
    with http_at(url, dialect) as (launcher, resource_manager):
        clock = VirtualClock(SystemClock().now(), frozen=True)
        names = [*(summary.name for summary in launcher.summaries(Ask())), "nobody~has-this-name"]
        instants = {name: (clock.now(),) for name in names}
        yield Subject(
            launcher, resource_manager, clock, instants, keeps_the_past=dialect == "private", in_process=False
        )


@contextlib.contextmanager
def over_http(inner: Subject, dialect: str, names: tuple[str, ...]) -> Iterator[Subject]:
    """Any launcher, encoded by the dialect's own encoder and read back over HTTP."""
    with (
        encoded_launcher(inner.launcher, inner.resource_manager, dialect) as served,
        http_at(served.url, dialect) as (launcher, resource_manager),
    ):
        instants = {name: inner.instants[name] for name in names}
        yield Subject(launcher, resource_manager, inner.clock, instants, keeps_the_past=dialect == "private")


@contextlib.contextmanager
def recorded_over_http(dialect: str) -> Iterator[Subject]:
    with recorded() as inner, over_http(inner, dialect, HARD_CASES) as subject:
        yield subject


class _MovingBytes(RecordedBytes):
    """Recorded bytes as of the clock of the test."""

    clock: VirtualClock

    @property
    def at(self) -> Instant:
        return self.clock.now()

    @at.setter
    def at(self, instant: Instant) -> None:
        """The clock alone says what is now."""


@contextlib.contextmanager
def recorded_bytes_over_http() -> Iterator[Subject]:
    stand_in = _MovingBytes(recorded_exchanges())
    stand_in.clock = frozen_clock()
    with serving(stand_in.reply) as served, http_at(served.url, "open") as (launcher, resource_manager):
        instants = _instants(HARD_CASES)
        yield Subject(launcher, resource_manager, stand_in.clock, instants, keeps_the_past=False, lists_truly=False)


SIMULATED_AT: Instant = 1_795_465_000_000
MOST_INSTANTS = 24


@contextlib.contextmanager
def in_simulation() -> Iterator[Subject]:
    clock = VirtualClock(SIMULATED_AT, frozen=True)
    launcher, resource_manager = simulated(seed=11, jobs=30, clock=clock)
    places = launcher.source.places(SIMULATED_AT)
    instants = {}
    for place in places:
        told = launcher.source.at_place(place)
        instants[told.name] = _thinned([*_changes(launcher, clock, told.name, told.begins), told.ends - 1, told.ends])
    yield Subject(launcher, resource_manager, clock, instants, in_process=True)


def _changes(launcher: Launcher, clock: VirtualClock, name: str, begins: Instant) -> Iterator[Instant]:
    """The instants at which the launcher says that something changes."""
    instant: Instant | None = begins
    while instant is not None:
        yield instant
        clock.set(instant)
        try:
            instant = launcher.framework(name, Ask()).until
        except NoSuchFramework:
            return


def _thinned(instants: list[Instant]) -> tuple[Instant, ...]:
    step = 1 + len(instants) // MOST_INSTANTS
    return tuple(sorted({*instants[::step], *instants[-3:]}))


@contextlib.contextmanager
def simulated_over_http(dialect: str) -> Iterator[Subject]:
    """The simulator's own HTTP face."""
    with in_simulation() as inner:
        manager = inner.resource_manager
        assert isinstance(manager, SimulatedResourceManager)
        app = served_world.served(dialect, inner.launcher, manager, inner.clock)
        with served_by_waitress(app) as url, http_at(url, dialect) as (launcher, resource_manager):
            instants = {name: inner.instants[name] for name in tuple(inner.instants)[:12]}
            yield Subject(launcher, resource_manager, inner.clock, instants, keeps_the_past=dialect == "private")


BUILDERS: Mapping[str, Callable[[], AbstractContextManager[Subject]]] = {
    "recorded": recorded,
    "open over HTTP": lambda: recorded_over_http("open"),
    "private over HTTP": lambda: recorded_over_http("private"),
    "open over recorded bytes": recorded_bytes_over_http,
    "simulated": in_simulation,
    "simulated, open over HTTP": lambda: simulated_over_http("open"),
    "simulated, private over HTTP": lambda: simulated_over_http("private"),
}
