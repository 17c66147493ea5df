"""``restserver serve``: the REST server, in this process under waitress or in worker processes under granian."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from restserver.assembling.application import assembled, built_backend, listener_on, managed, secrets_of
from restserver.assembling.running import Running, changed_settings, changed_text
from restserver.commands.options import setting_options
from restserver.settings import BadSetting, Settings, from_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

    from contracts.launcher.port import Launcher
    from restserver.app import Application

logger = logging.getLogger(__name__)


@click.command()
@setting_options
@click.option(
    "--links", is_flag=True, help="Prints links worth opening: the console, and a running, a failed and a retried job."
)
def serve(links: bool, **flags: object) -> int:
    """Runs the REST server; prints where it listens once it answers."""
    from restserver.seeing.logs import set_up_logging
    from restserver.serving import waitress_server

    settings = from_process(flags)
    set_up_logging(settings.log_format, settings.log_level, secrets_of(settings))
    if settings.server == "granian":
        return _serve_by_workers(settings, flags, links)
    waitress_server.settle_process()
    with listener_on("port", settings.host, settings.port) as listener:
        address = waitress_server.url_of(listener)
        with (
            closing(Running(settings, listener.getsockname()[1])) as running,
            managed(running.looking_after, settings),
        ):
            announce = _announcing(address, _links(running.launcher, address, settings) if links else [])
            return waitress_server.serve(
                running,
                listener,
                announce,
                stop_delay=settings.stop_delay,
                reload=_reloading(running, flags),
                at_once=running.at_once,
                largest_body=running.largest_body,
            )


def _reloading(running: Running, flags: Mapping[str, object]) -> Callable[[Callable[[], None]], None]:
    def reload(answered: Callable[[], None]) -> None:
        try:
            running.reload(from_process(flags), answered)
        except BadSetting as error:
            logger.error("not reloaded: %s", error)

    return reload


def _serve_by_workers(settings: Settings, flags: Mapping[str, object], links: bool) -> int:
    from restserver.serving import granian_workers, waitress_server

    try:
        granian_workers.require_granian()
        held, address = granian_workers.reserved_port(settings.host, settings.port)
    except granian_workers.NotInstalled as error:
        raise BadSetting("server", str(error)) from error
    except waitress_server.PortTaken as error:
        raise BadSetting("port", str(error)) from error
    with held:
        read, settings = settings, replace(settings, port=held.getsockname()[1])
        shown: list[str] = []
        if links:
            with built_backend(settings) as built:
                shown = _links(built.backend.launcher, address, settings)
        return granian_workers.serve(
            partial(_in_a_worker, flags, settings.port),
            held,
            _announcing(address, shown),
            _judging(read, flags),
            settings.workers,
            settings.stop_delay,
        )


def _judging(settings: Settings, flags: Mapping[str, object]) -> Callable[[], str]:
    """Tells what another reading of the settings changes. Raises BadSetting where workers could not be replaced by it."""

    def judge() -> str:
        nonlocal settings
        wanted = from_process(flags)
        changed = changed_settings(settings, wanted)
        settings = wanted
        return changed_text(changed)

    return judge


@contextmanager
def _in_a_worker(flags: Mapping[str, object], port: int) -> "Iterator[tuple[Application, WSGIApplication]]":
    """Settings are read anew: a worker that replaces another finds what has changed since."""
    from restserver.seeing.logs import set_up_logging

    settings = replace(from_process(flags), port=port)
    set_up_logging(settings.log_format, settings.log_level, secrets_of(settings))
    with built_backend(settings) as built:
        made = assembled(built, settings)
        with managed(made.looking_after, settings):
            yield made.application, made.served


def _announcing(address: str, shown: Sequence[str]) -> Callable[[], None]:
    return lambda: click.echo("\n".join([f"listening on {address}", *shown]))


def _links(launcher: "Launcher", address: str, settings: Settings) -> list[str]:
    from restserver.commands.showcase import links_worth_opening

    return links_worth_opening(launcher, address, console=settings.backend == "simulated")
