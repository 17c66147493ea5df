"""``strength``, without the servers it needs: whoever has both server and simulator brings them."""

import importlib.util
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import click

from contracts import registry
from contracts.cli import Unreadable
from contracts.harness.strength import ACCEPTED, Served, Strength, try_bugs, try_mutants, untouched

NEEDED = "jsonschema_rs"
"""Comes with Schemathesis; jsonschema would take minutes."""


def strength_command(served: Callable[[str, bool], AbstractContextManager[Served]]) -> click.Command:
    """``served(style, quick)`` opens a world to ask."""

    @click.command(name="strength")
    @click.option("--style", "styles", type=click.Choice(registry.STYLES), multiple=True, help="By default, both.")
    @click.option("--quick", is_flag=True, help="A small world: what a gate has time for.")
    @click.option("-v", "--verbose", is_flag=True, help="Names what killed each mistake.")
    def strength(styles: tuple[str, ...], quick: bool, verbose: bool) -> int:
        """Whether the contract would notice: answers that are wrong on purpose must not pass it. Exit 1 if one does."""
        if importlib.util.find_spec(NEEDED) is None:
            raise Unreadable("strength needs what is not installed: pip install 'restserver[check]'")
        found = Strength()
        for style in styles or registry.STYLES:
            with served(style, quick) as ask:
                try_mutants(style, [one.answer for one in ask(untouched)], found)
                try_bugs(style, ask, found)
        for line in report(found, ACCEPTED, verbose):
            click.echo(line)
        # With one style only, what was accepted of the other one is not met.
        stale = found.needless(ACCEPTED) if not styles and not quick else []
        return 1 if found.unaccepted(ACCEPTED) or stale else 0

    return strength


def report(found: Strength, accepted: Mapping[str, str], verbose: bool) -> list[str]:
    killed = sum(found.mutants.values())
    lines = [f"answers wrong at a single point: {killed} killed by schemas"]
    lines += [f"  {kind:16} {number:6}" for kind, number in sorted(found.mutants.items())]
    by = {word: sum(killer.startswith(word) for killer in found.bugs.values()) for word in ("schema", "law", "promise")}
    counts = ", ".join(f"{number} by {word}" for word, number in by.items())
    lines.append(f"mistakes with a name: {len(found.bugs)} killed: {counts}")
    if verbose:
        lines += [f"  {style:10} {name:52} {killer}" for (style, name), killer in found.bugs.items()]
    for name in found.survivors:
        lines.append(f"accepted: {name}: {accepted[name]}" if name in accepted else f"SURVIVED: {name}")
    lines += [f"accepted, but killed: {name}" for name in found.needless(accepted)]
    lines.append(f"{len(found.unaccepted(accepted))} survivors")
    return lines
