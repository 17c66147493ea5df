"""``restserver profile``: the mixes of jobs that a world can have."""

from pathlib import Path

import click

from simulator.world.profile_files import SHIPPED, BadProfile, load, shipped


@click.group()
def profile() -> None:
    """The simulator's mixes of jobs."""


@profile.command("list")
def list_profiles() -> None:
    """The shipped profiles, one a line: name, and what it is for."""
    for name in shipped():
        click.echo(f"{name}\t{load(name).about}")


@profile.command()
@click.argument("name_or_file")
def show(name_or_file: str) -> None:
    """Prints a profile as YAML, to start one's own from; a file is checked first."""
    try:
        load(name_or_file)
    except BadProfile as error:
        raise click.UsageError(str(error)) from error
    file = SHIPPED / f"{name_or_file}.yaml" if name_or_file in shipped() else Path(name_or_file)
    click.echo(file.read_text("utf-8"), nl=False)
