"""The command line: one group, where everything meets. Nothing heavy is imported before a command asks for it.

Every command ends with an exit code of the interface: 0 fine, 1 contract broken, 2 usage or configuration, 3 target out of
reach, 130 interrupted; and an error is one line on standard error.
"""

import importlib
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import click
from msgspec import Struct

from restserver.settings import BadSetting, Setting, Settings, default_text, from_process, setting_fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socket import socket
    from wsgiref.types import WSGIApplication

    from contracts.harness.drift.sides import Simulated
    from contracts.launcher.histories import History
    from contracts.launcher.port import Ask, Launcher, LauncherError
    from restserver.app import Application, Backend
    from restserver.backends import Built
    from restserver.strength import World
    from simulator.faults.faults import FaultSet
    from simulator.faults.faulty import FaultyApi
    from simulator.faults.preferences import Preferred
    from simulator.http.server import LauncherServer
    from simulator.http.yarn_paths import YarnServer
    from simulator.request_journal import RequestJournal
    from simulator.simulation import Simulation

USAGE: Final = 2
INTERRUPTED: Final = 130

COMMANDS: Mapping[str, str] = {
    "serve": "restserver.cli:serve",
    "simulate": "restserver.cli:simulate",
    "contract": "restserver.strength:contract",
    "check": "restserver.check:check",
    "proxy": "contracts.harness.proxy.command:proxy",
    "record": "restserver.record:record",
    "drift": "restserver.drift:drift",
    "archive": "restserver.history.cli:archive",
    "history": "restserver.history.cli:history",
    "profile": "simulator.profile_cli:profile",
}
"""Where each command is. A new one is hung in here."""


class LazyGroup(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        del context
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        del context
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["--help"], "max_content_width": 120})
@click.version_option(package_name="restserver")
def restserver() -> None:
    """A REST server for batch jobs over a real, a recorded or a simulated launcher."""


def main(arguments: list[str] | None = None) -> None:
    """The program. Exits with the command's code."""
    try:
        code = restserver.main(args=arguments, prog_name="restserver", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"restserver: {' '.join(error.format_message().split())}", err=True)
        sys.exit(error.exit_code)
    except BadSetting as error:
        click.echo(f"restserver: {' '.join(str(error).split())}", err=True)
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags of ``serve``, made from the settings: their names, defaults and meanings have one home."""
    return options_of([entry.name for entry, _ in setting_fields()])(command)


def options_of(names: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Those of the settings that a command knows."""

    def optioned(command: Callable[..., Any]) -> Callable[..., Any]:
        for entry, setting in reversed(list(setting_fields())):
            if entry.name in names:
                command = _option(entry.name, setting, default_text(entry, setting))(command)
        return command

    return optioned


def _option(field_name: str, setting: Setting, default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    names = [f"--{setting.name}", *([f"-{setting.short}"] if setting.short else []), field_name]
    told = f"{setting.meaning}  [{setting.variable}; default: {default}]"
    if setting.switch:
        return click.option(*names, is_flag=True, default=False, help=told)
    return click.option(*names, default=None, multiple=setting.repeatable, metavar=setting.metavar, help=told)


@click.command()
@setting_options
@click.option(
    "--links", is_flag=True, help="Prints links worth opening: the console, and a running, a failed and a retried job."
)
def serve(links: bool, **flags: object) -> int:
    """Runs the REST server; prints where it listens once it answers."""
    from restserver import serving
    from restserver.logs import set_up_logging

    settings = from_process(flags)
    set_up_logging(settings.log_format, settings.log_level, secrets_of(settings))
    if settings.server == "granian":
        return _serve_by_workers(settings, flags, links)
    serving.settle_process()
    with _listener("port", settings.host, settings.port) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        address = serving.url_of(listener)
        with assembled(settings) as made:
            shown = _links(made.launcher, address, settings) if links else []
            announce = _announcing(address, shown)
            return serving.serve(made.application, listener, announce, made.served, settings.stop_delay)


def _serve_by_workers(settings: Settings, flags: Mapping[str, object], links: bool) -> int:
    from restserver import granian_workers, serving

    try:
        granian_workers.require_granian()
        held, address = granian_workers.reserved_port(settings.host, settings.port)
    except granian_workers.NotInstalled as error:
        raise BadSetting("server", str(error)) from error
    except serving.PortTaken as error:
        raise BadSetting("port", str(error)) from error
    with held:
        settings = replace(settings, port=held.getsockname()[1])
        shown: list[str] = []
        if links:
            with built_backend(settings) as built:
                shown = _links(built.backend.launcher, address, settings)
        return granian_workers.serve(
            partial(_in_a_worker, flags, settings.port),
            held,
            _announcing(address, shown),
            partial(from_process, flags),
            settings.workers,
            settings.stop_delay,
        )


@contextmanager
def _in_a_worker(flags: Mapping[str, object], port: int) -> "Iterator[tuple[Application, WSGIApplication]]":
    """Settings are read anew: a worker that replaces another finds what has changed since."""
    from restserver.logs import set_up_logging

    settings = replace(from_process(flags), port=port)
    set_up_logging(settings.log_format, settings.log_level, secrets_of(settings))
    with assembled(settings) as made:
        yield made.application, made.served


def _announcing(address: str, shown: Sequence[str]) -> Callable[[], None]:
    return lambda: click.echo("\n".join([f"listening on {address}", *shown]))


def _links(launcher: "Launcher", address: str, settings: Settings) -> list[str]:
    from restserver.showcase import links_worth_opening

    return links_worth_opening(launcher, address, console=settings.backend == "simulated")


class Assembled(Struct, frozen=True):
    """All that answers, put together."""

    application: "Application"
    served: "WSGIApplication"
    """The application with what stands around it."""
    launcher: "Launcher"


@contextmanager
def assembled(settings: Settings) -> "Iterator[Assembled]":
    from restserver.forwarded import believing

    with built_backend(settings) as built:
        app = application(built, settings)
        with management(app, built.backend, settings):
            served = believing(settings.trusted_proxies, around(built, settings)(app))
            yield Assembled(app, served, built.backend.launcher)


@contextmanager
def built_backend(settings: Settings) -> "Iterator[Built]":
    built = BACKENDS[settings.backend](settings)
    try:
        yield built
    finally:
        built.close()


def application(built: "Built", settings: Settings) -> "Application":
    """The REST server over what was built, with what only a pretended backend has."""
    from restserver.app import create_app
    from restserver.identity import Identity

    return create_app(
        built.backend,
        settings,
        middleware=[
            *([built.tracing.requests()] if built.tracing else []),
            *([Identity(built.headers)] if built.headers else []),
            *_journals(built),
            *_meddling(built),
        ],
        mounts=mounts(built, settings),
    )


_WORLD: Final = ("seed", "jobs", "at", "rate", "frozen", "profile", "scenarios", "watch", "state")
_PORT: Final = click.IntRange(0, 65535)


@click.command()
@options_of(["host", "dialect", *_WORLD, "admin", "admin_token", "log_format", "log_level", "access_log", "config"])
@click.option("--port", "-p", type=_PORT, default=9086, help="Port to listen on; 0 is any free port.  [default: 9086]")
@click.option("--rm-port", type=_PORT, default=0, help="Port of the resource manager.  [default: 0, the same port]")
def simulate(port: int, rm_port: int, **flags: object) -> int:
    """Runs the simulated launcher and resource manager themselves; prints where they listen once they answer."""
    from restserver import serving
    from restserver.logs import set_up_logging

    settings = replace(from_process({**flags, "backend": "simulated"}), port=port)
    set_up_logging(settings.log_format, settings.log_level, secrets_of(settings))
    serving.settle_process()
    built = _simulated_backend(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(_listener("port", settings.host, settings.port))
        address = serving.url_of(listener)
        settings = replace(settings, port=listener.getsockname()[1])
        app, yarn = launcher_and_yarn(built, settings, address, together=rm_port == 0)
        if rm_port:
            far = stack.enter_context(_listener("rm-port", settings.host, rm_port))
            alone = stack.enter_context(serving.serving(around_launcher(built, settings)(yarn), far))
            click.echo(f"resource manager on {alone}", err=True)
        stack.callback(built.close)
        return serving.serve(
            app,
            listener,
            lambda: click.echo(f"listening on {address}"),
            around_launcher(built, settings)(app),
        )


def launcher_and_yarn(
    built: "Built", settings: Settings, address: str, *, together: bool = True
) -> "tuple[LauncherServer, YarnServer]":
    """The simulated launcher and its resource manager; ``together``: the first serves the second, too."""
    from restserver.identity import simulated_headers
    from simulator.http.simulation import launcher_server, yarn_server
    from simulator.http.yarn_paths import PREFIX

    simulation, faults = cast("Simulation", built.simulation), cast("FaultSet", built.faults)

    headers = simulated_headers(lambda: simulation.seed, simulation.clock)

    def identity() -> Mapping[str, str]:
        return headers(None)

    yarn = yarn_server(simulation, faults, identity)
    all_mounts = [*mounts(built, settings), *([(PREFIX, cast("WSGIApplication", yarn))] if together else [])]
    return launcher_server(simulation, settings.dialect, faults, identity, all_mounts, address), yarn


def around_launcher(built: "Built", settings: Settings) -> "Callable[[WSGIApplication], WSGIApplication]":
    """What stands around every request to the simulated launcher: its log, its wire, and what is written down of it."""
    from simulator.admin.prefix import PREFIX
    from simulator.faults.faulty import FaultyWire, asked_of_launcher

    log = _access_log(settings)
    faults, journal = cast("FaultSet", built.faults), cast("Simulation", built.simulation).requests
    return lambda inner: log(journal.of(FaultyWire(inner, faults, "launcher", asked_of_launcher), besides=PREFIX))


def _listener(key: str, host: str, port: int) -> "socket":
    from restserver import serving

    try:
        return serving.listening_socket(host, port)
    except serving.PortTaken as error:
        raise BadSetting(key, str(error)) from error


@contextmanager
def management(app: "Application", backend: "Backend", settings: Settings) -> "Iterator[None]":
    """The paths that look after a server or an archiver, on a port of their own if one is wanted. They answer until it has stopped."""
    from restserver import serving
    from restserver.app import create_management_app

    first = settings.management_port
    if first is None:
        yield
        return
    looked_after = create_management_app(app, backend, settings)
    if settings.workers > 1:
        from restserver.granian_workers import beside_a_worker

        with beside_a_worker(looked_after, settings.host, range(first, first + settings.workers)):
            yield
        return
    listener = _listener("management-port", settings.host, first)
    with serving.serving(looked_after, listener) as address:
        click.echo(f"management on {address}", err=True)
        yield


def _access_log(settings: Settings) -> "Callable[[WSGIApplication], WSGIApplication]":
    from restserver.access_log import json_line, logged, text_line
    from restserver.logs import as_text

    if not settings.access_log:
        return lambda application: application
    return logged(sys.stderr.write, text_line if as_text(settings.log_format) else json_line)


def around(built: "Built", settings: Settings) -> "Callable[[WSGIApplication], WSGIApplication]":
    """What stands around every request: the log sees what the wire makes of an answer."""
    log, readable = _access_log(settings), _readable(settings)
    if built.faults is None or built.headers is None:
        return lambda application: log(readable(application))
    from simulator.console.page import with_console
    from simulator.faults.faulty import FaultyWire, asked_of_api

    faults, headers = cast("FaultSet", built.faults), built.headers

    def around(application: "WSGIApplication") -> "WSGIApplication":
        wire = FaultyWire(application, faults, "api", asked_of_api)
        return log(readable(with_console(wire, lambda: headers(None))))

    return around


def _readable(settings: Settings) -> "Callable[[WSGIApplication], WSGIApplication]":
    """Local pages read a simulated API unasked. Who may use the control plane is always named."""
    from restserver.cross_origin import LOCAL, Origins, readable_from

    origins = Origins(settings.cors_origins or (LOCAL if settings.backend == "simulated" else ()))
    if not origins:
        return lambda application: application
    of_admin = Origins(settings.cors_origins).named()
    return lambda application: readable_from(
        application, lambda path: of_admin if path.startswith("/__admin") else origins
    )


def _meddling(built: "Built") -> "Sequence[FaultyApi | Preferred]":
    """What keeps an API from answering plainly: wishes of one request, and faults."""
    if built.faults is None:
        return []
    from restserver.refusals import REFUSALS
    from simulator.faults.faulty import FaultyApi
    from simulator.faults.preferences import Preferred

    faults = cast("FaultSet", built.faults)
    return [Preferred(faults.clock, faults.waiting, REFUSALS), FaultyApi(faults)]


def secrets_of(settings: Settings) -> list[str]:
    """Values that must not get into the log."""
    values = [value for _, value in settings.launcher_headers]
    # Of "Bearer abc" the second word is the secret, and may turn up alone.
    values += [word for value in values for word in value.split()[1:]]
    password = urlsplit(settings.history_url or "").password
    return [*values, *settings.read_tokens, *(secret for secret in (settings.admin_token, password) if secret)]


def _launcher_backend(settings: Settings) -> "Built":
    from restserver.backends import launcher_backend

    return launcher_backend(settings)


def _recorded_backend(settings: Settings) -> "Built":
    from restserver.backends import recorded_backend

    return recorded_backend(settings)


def _simulated_backend(settings: Settings) -> "Built":
    from restserver.app import Backend
    from restserver.backends import Built
    from restserver.identity import simulated_headers
    from restserver.metrics import Metrics
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


def world_of_strength(quick: bool) -> "World":
    """Jobs of every kind through their whole lives, for ``contract strength``."""
    from contracts.clock import VirtualClock
    from restserver.strength import NOBODY, Mistaken, World, hard, worth_asking
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
    from restserver.strength import served, told_through_time, untouched
    from simulator.machine.retry import decide
    from simulator.machine.story import DEPLOYED, FAST
    from simulator.replay.replaying import NotTold, replay, shown
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
        return Replay(found.differences, shown(history, found.unknowns), found.excuse)

    return Simulated(
        title=f"profile {profile or 'default'}, seed {seed}, {sum(len(world.instants) for world in worlds)} frameworks",
        answers=lambda style: (seen.answer for world in worlds for seen in served(world, style)(untouched)),
        records=lambda: chain.from_iterable(map(told_through_time, worlds)),
        replay=replayed,
        decide=decide,
        paces=paces,
    )


def _world_of_drift(profile: str, seed: int) -> "World":
    from contracts.clock import VirtualClock
    from restserver.strength import World, worth_asking
    from simulator.simulation import Simulation

    at = 1_795_465_000_000
    clock = VirtualClock(at, frozen=True)
    simulation = Simulation(seed, 40, clock, profile)
    launcher, source = simulation.launcher, simulation.world
    begins = {told.name: told.begins for told in map(source.at_place, source.places(at))}
    return World(launcher, simulation.resource_manager, clock, worth_asking(launcher, clock, begins, 3, quick=False))


BACKENDS: Mapping[str, "Callable[[Settings], Built]"] = {
    "simulated": _simulated_backend,
    "launcher": _launcher_backend,
    "recorded": _recorded_backend,
}


def _journals(built: "Built") -> "Sequence[RequestJournal]":
    """What was asked of a simulated API is written down."""
    simulation = cast("Simulation | None", built.simulation)
    return [] if simulation is None else [simulation.requests]


def mounts(built: "Built", settings: Settings) -> "Sequence[tuple[str, WSGIApplication]]":
    """The control plane, where there is something to control and somebody wants it."""
    from restserver.hosts import HostsListenedOn, is_loopback

    loopback = is_loopback(settings.host)
    if built.clock is None or built.headers is None:
        if settings.admin:
            raise BadSetting("admin", f"there is no control plane over --backend {settings.backend}")
        return ()
    if not (loopback if settings.admin is None else settings.admin):
        return ()
    from restserver.made_when_asked import MadeWhenAsked
    from simulator.admin.prefix import PREFIX

    token = settings.admin_token
    if token is None and not loopback:
        token = secrets.token_urlsafe(24)
        click.echo(f"the control plane asks for this token: {token}", err=True)
    clock, headers = built.clock, built.headers

    def admin() -> "WSGIApplication":
        from restserver.cross_origin import Origins
        from simulator.admin.control_plane import create_admin
        from simulator.admin.job_list import ListedJobs
        from simulator.admin.simulated_jobs import SimulatedJobs

        simulation = cast("Simulation | None", built.simulation)
        return create_admin(
            clock,
            ListedJobs(built.backend.launcher) if simulation is None else SimulatedJobs(simulation.launcher),
            HostsListenedOn(settings.host, settings.public_url),
            token,
            headers=lambda: headers(None),
            simulation=simulation,
            requests=None if simulation is None else simulation.requests,
            faults=cast("FaultSet | None", built.faults),
            makes_wire_faults=settings.server == "waitress",
            origins=Origins(settings.cors_origins).named(),
        )

    return ((PREFIX, MadeWhenAsked(admin)),)
