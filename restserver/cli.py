"""The command line: one group, from which every command hangs. Nothing heavy is imported before a command asks for it.

Every command ends with an exit code of the interface: 0 fine, 1 contract broken, 2 usage or configuration, 3 target out of
reach, 130 interrupted; and an error is one line on standard error.
"""

import importlib
import sys
from collections.abc import Mapping

import click

from contracts.exit_codes import INTERRUPTED, USAGE
from restserver.settings import BadSetting

COMMANDS: Mapping[str, str] = {
    "serve": "restserver.commands.serve:serve",
    "simulate": "restserver.commands.simulate:simulate",
    "contract": "restserver.commands.strength:contract",
    "check": "restserver.commands.check:check",
    "proxy": "contracts.harness.proxy.command:proxy",
    "record": "restserver.commands.record:record",
    "drift": "restserver.commands.drift:drift",
    "archive": "restserver.commands.history:archive",
    "history": "restserver.commands.history:history",
    "profile": "simulator.profile_cli:profile",
}


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
