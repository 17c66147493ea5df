"""``restserver contract``, with ``strength`` hung in: it needs a server to ask, which the contracts do not know."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from contracts.cli import contract as contract_of_document
from restserver.worlds import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.harness.strength import Served


@contextmanager
def _opened(style: str, quick: bool) -> "Iterator[Served]":
    from restserver.assembling.simulated_worlds import world_of_strength

    yield served(world_of_strength(quick), style)


class _Contract(click.Group):
    """The commands of the document, and ``strength``, which is imported when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), "strength"])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name != "strength":
            return super().get_command(context, name)
        from contracts.harness.strength_cli import strength_command

        return strength_command(_opened)


contract = _Contract("contract", commands=contract_of_document.commands, help=contract_of_document.help)
