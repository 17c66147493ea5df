"""The REST server's application, put together from settings over a backend, and what stands around it.

Nothing heavy is imported before it is needed: a start pays for what it uses.
"""

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

import click
from msgspec import Struct

from restserver.assembling.control_plane import mounts
from restserver.settings import BadSetting, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from socket import socket
    from wsgiref.types import WSGIApplication

    from restserver.answers.short_way import Surroundings
    from restserver.app import Application
    from restserver.assembling.backends import Built
    from restserver.guarding.cross_origin import ReadableFrom
    from restserver.seeing.access_log import AccessLog
    from simulator.faults.faults import FaultSet
    from simulator.faults.faulty import FaultyApi
    from simulator.faults.preferences import Preferred
    from simulator.request_journal import RequestJournal
    from simulator.simulation import Simulation


class Assembled(Struct, frozen=True):
    """All that answers, put together over one backend."""

    built: "Built"
    application: "Application"
    served: "WSGIApplication"
    """The application with what stands around it."""
    looking_after: "Application | None"
    """The paths that look after it, if they are to have a port of their own."""


def assembled(built: "Built", settings: Settings) -> Assembled:
    from restserver.app import create_management_app
    from restserver.guarding.forwarded import believing

    app = application(built, settings, surroundings(built, settings))
    apart = None if settings.management_port is None else create_management_app(app, built.backend, settings)
    return Assembled(built, app, believing(settings.trusted_proxies, app), apart)


@contextmanager
def built_backend(settings: Settings) -> "Iterator[Built]":
    from restserver.assembling.backends import BACKENDS

    built = BACKENDS[settings.backend](settings)
    try:
        yield built
    finally:
        built.close()


def application(built: "Built", settings: Settings, outer: "Surroundings | None" = None) -> "Application":
    """The REST server over what was built, with what only a pretended backend has."""
    from restserver.answers.identity import Identity
    from restserver.app import NOTHING_AROUND, create_app

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
        outer=outer or NOTHING_AROUND,
    )


def _journals(built: "Built") -> "Sequence[RequestJournal]":
    """What was asked of a simulated API is written down."""
    simulation = cast("Simulation | None", built.simulation)
    return [] if simulation is None else [simulation.requests]


def _meddling(built: "Built") -> "Sequence[FaultyApi | Preferred]":
    """What keeps an API from answering plainly: wishes of one request, and faults."""
    if built.faults is None:
        return []
    from restserver.refusals import REFUSALS
    from simulator.faults.faulty import FaultyApi
    from simulator.faults.preferences import Preferred

    faults = cast("FaultSet", built.faults)
    return [Preferred(faults.clock, faults.waiting, REFUSALS), FaultyApi(faults)]


def surroundings(built: "Built", settings: Settings) -> "Surroundings":
    """What stands around every request: the log sees what the wire makes of an answer."""
    from restserver.answers.short_way import Surroundings

    log, readable, pretended = access_log(settings), _readable(settings), _pretended(built)

    def around(application: "WSGIApplication") -> "WSGIApplication":
        inner = pretended(application)
        inner = inner if readable is None else readable.around(inner)
        return inner if log is None else log.around(inner)

    return Surroundings(around, [] if readable is None else [readable], None if log is None else log.note)


def _pretended(built: "Built") -> "Callable[[WSGIApplication], WSGIApplication]":
    """The console and the faults of the wire. Neither meets an answer of the short way: what is broken detours from it."""
    if built.faults is None or built.headers is None:
        return lambda application: application
    from simulator.console.page import with_console
    from simulator.faults.faulty import FaultyWire, asked_of_api

    faults, headers = cast("FaultSet", built.faults), built.headers
    return lambda application: with_console(FaultyWire(application, faults, "api", asked_of_api), lambda: headers(None))


def _readable(settings: Settings) -> "ReadableFrom | None":
    """Local pages read a simulated API unasked. Who may use the control plane is always named."""
    from restserver.guarding.cross_origin import LOCAL, Origins, ReadableFrom

    origins = Origins(settings.cors_origins or (LOCAL if settings.backend == "simulated" else ()))
    if not origins:
        return None
    of_admin = Origins(settings.cors_origins).named()
    return ReadableFrom(lambda path: of_admin if path.startswith("/__admin") else origins)


def access_log(settings: Settings) -> "AccessLog | None":
    from restserver.seeing.access_log import AccessLog, json_line, text_line
    from restserver.seeing.logs import as_text

    if not settings.access_log:
        return None
    return AccessLog(sys.stderr.write, text_line if as_text(settings.log_format) else json_line)


@contextmanager
def managed(looking_after: "WSGIApplication | None", settings: Settings) -> "Iterator[None]":
    """Serves the paths that look after a server or an archiver, if they are to have a port of their own, until it has stopped."""
    from restserver.serving import waitress_server

    first = settings.management_port
    if first is None or looking_after is None:
        yield
        return
    if settings.workers > 1:
        from restserver.serving.granian_workers import beside_a_worker

        with beside_a_worker(looking_after, settings.host, range(first, first + settings.workers)):
            yield
        return
    listener = listener_on("management-port", settings.host, first)
    with waitress_server.serving(looking_after, listener) as address:
        click.echo(f"management on {address}", err=True)
        yield


def listener_on(key: str, host: str, port: int) -> "socket":
    from restserver.serving import waitress_server

    try:
        return waitress_server.listening_socket(host, port)
    except waitress_server.PortTaken as error:
        raise BadSetting(key, str(error)) from error


def secrets_of(settings: Settings) -> list[str]:
    """Values that must not get into the log."""
    values = [value for _, value in settings.launcher_headers]
    # Of "Bearer abc" the second word is the secret, and may turn up alone.
    values += [word for value in values for word in value.split()[1:]]
    # A database's words may show the password either way: as the address spells it, or as it is.
    password = _PASSWORD.match(settings.history_url or "")
    values += dict.fromkeys((password[1], unquote(password[1]))) if password else ()
    return [*values, *settings.read_tokens, *([settings.admin_token] if settings.admin_token else [])]


_PASSWORD: Final = re.compile(r"[^:]+://[^:/]*:([^@]+)@")
"""Of a database's address, where SQLAlchemy finds it: brackets and slashes may stand in it as they are."""
