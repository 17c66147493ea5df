"""The command line: one group, where everything meets. Nothing heavy is imported before a command asks for it.

Every command ends with an exit code of the interface: 0 fine, 1 contract broken, 2 usage or configuration, 3 target out of
reach, 130 interrupted; and an error is one line on standard error.
"""

import importlib
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import click

from restserver.settings import BadSetting, Setting, Settings, default_text, from_process, setting_fields

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from restserver.backends import Built
    from simulator.job_list import JobList

USAGE: Final = 2
INTERRUPTED: Final = 130

COMMANDS: Mapping[str, str] = {
    "serve": "restserver.cli:serve",
    "contract": "contracts.cli:contract",
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
    for entry, setting in reversed(list(setting_fields())):
        command = _option(entry.name, setting, default_text(entry, setting))(command)
    return command


def _option(field_name: str, setting: Setting, default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    names = [f"--{setting.name}", *([f"-{setting.short}"] if setting.short else []), field_name]
    told = f"{setting.meaning}  [{setting.variable}; default: {default}]"
    if setting.switch:
        return click.option(*names, is_flag=True, default=False, help=told)
    return click.option(*names, default=None, multiple=setting.repeatable, metavar=setting.metavar, help=told)


@click.command()
@setting_options
@click.option("--links", is_flag=True, help="Prints three links worth opening: a running, a failed and a retried job.")
def serve(links: bool, **flags: object) -> int:
    """Runs the REST server; prints where it listens once it answers."""
    from restserver import serving
    from restserver.access_log import logged, set_up_logging
    from restserver.app import create_app
    from restserver.identity import Identity
    from restserver.showcase import links_worth_opening

    settings = from_process(flags)
    set_up_logging(settings.log_format, settings.log_level, settings.access_log)
    serving.settle_process()
    try:
        listener = serving.listening_socket(settings.host, settings.port)
    except serving.PortTaken as error:
        raise BadSetting("port", str(error)) from error
    with listener:
        settings = replace(settings, port=listener.getsockname()[1])
        built = BACKENDS[settings.backend](settings)
        app = create_app(
            built.backend,
            settings,
            middleware=[Identity(built.headers)] if built.headers else [],
            mounts=mounts(built, settings),
        )

        address = serving.url_of(listener)
        shown = links_worth_opening(built.backend.launcher, address) if links else []

        def announce() -> None:
            click.echo("\n".join([f"listening on {address}", *shown]))

        try:
            return serving.serve(app, listener, announce, logged if settings.access_log else _as_it_is)
        finally:
            built.close()


def _as_it_is(application: "WSGIApplication") -> "WSGIApplication":
    return application


def _launcher_backend(settings: Settings) -> "Built":
    from restserver.backends import launcher_backend

    return launcher_backend(settings)


def _recorded_backend(settings: Settings) -> "Built":
    from restserver.backends import recorded_backend

    return recorded_backend(settings)


def _simulated_backend(settings: Settings) -> "Built":
    from contracts.clock import VirtualClock, real_now
    from restserver.app import Backend
    from restserver.backends import Built
    from restserver.identity import simulated_headers
    from simulator.launcher import simulated
    from simulator.profile_files import BadProfile
    from simulator.simulated_jobs import SimulatedJobs

    at = real_now() if settings.at is None else settings.at
    clock = VirtualClock(at, rate=settings.rate, frozen=settings.frozen)
    try:
        launcher, resource_manager = simulated(settings.seed, settings.jobs, clock, settings.profile)
    except BadProfile as error:
        raise BadSetting("profile", str(error)) from error
    headers = simulated_headers(settings.seed, clock)
    return Built(Backend(launcher, resource_manager, clock), headers, clock, SimulatedJobs(launcher))


BACKENDS: Mapping[str, "Callable[[Settings], Built]"] = {
    "simulated": _simulated_backend,
    "launcher": _launcher_backend,
    "recorded": _recorded_backend,
}


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
    from simulator.admin import PREFIX, create_admin
    from simulator.job_list import ListedJobs

    token = settings.admin_token
    if token is None and not loopback:
        token = secrets.token_urlsafe(24)
        click.echo(f"the control plane asks for this token: {token}", err=True)
    headers = built.headers
    admin = create_admin(
        built.clock,
        cast("JobList | None", built.jobs) or ListedJobs(built.backend.launcher),
        HostsListenedOn(settings.host, settings.public_url),
        token,
        headers=lambda: headers(None),
    )
    return ((PREFIX, admin),)
