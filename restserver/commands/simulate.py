"""``restserver simulate``: the simulated launcher and its resource manager, served themselves."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Final

import click

from restserver.assembling.application import listener_on, secrets_of
from restserver.assembling.simulated_backend import simulated_backend
from restserver.assembling.simulated_launcher import around_launcher, launcher_and_yarn
from restserver.commands.options import options_of
from restserver.settings import from_process

_WORLD: Final = ("seed", "jobs", "at", "rate", "frozen", "profile", "scenarios", "watch", "state")


_PORT: Final = click.IntRange(0, 65535)


@click.command()
@options_of(["host", "dialect", *_WORLD, "admin", "admin_token", "log_format", "log_level", "access_log", "config"])
@click.option("--port", "-p", type=_PORT, default=9086, help="Port to listen on; 0 is any free port.  [default: 9086]")
@click.option("--rm-port", type=_PORT, default=0, help="Port of the resource manager.  [default: 0, the same port]")
@click.option(
    "--acl",
    type=click.Choice(("off", "on", "strict")),
    default="off",
    help="Who may write, by the UserName header. off: everybody. on: the user a name begins with (before ~), those whom PUT"
    " /v1/LauncherRequest/AclConfiguration lists, and the administrators root and hadoop; names without ~ stay everybody's."
    " strict: those are refused.  [default: off]",
)
def simulate(port: int, rm_port: int, acl: str, **flags: object) -> int:
    """Runs the simulated launcher and resource manager themselves; prints where they listen once they answer."""
    from restserver.seeing.logs import set_up_logging
    from restserver.serving import waitress_server

    settings = replace(from_process({**flags, "backend": "simulated"}), port=port)
    set_up_logging(settings.log_format, settings.log_level, secrets_of(settings))
    waitress_server.settle_process()
    built = simulated_backend(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(listener_on("port", settings.host, settings.port))
        address = waitress_server.url_of(listener)
        settings = replace(settings, port=listener.getsockname()[1])
        app, yarn = launcher_and_yarn(built, settings, address, together=rm_port == 0, acl=acl)
        if rm_port:
            far = stack.enter_context(listener_on("rm-port", settings.host, rm_port))
            alone = stack.enter_context(waitress_server.serving(around_launcher(built, settings)(yarn), far))
            click.echo(f"resource manager on {alone}", err=True)
        stack.callback(built.close)
        return waitress_server.serve(
            app,
            listener,
            lambda: click.echo(f"listening on {address}"),
            around_launcher(built, settings)(app),
            largest_body=built.largest_body,
        )
