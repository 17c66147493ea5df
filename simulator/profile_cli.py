"""``restserver profile``: the mixes of jobs that a world can have."""

from pathlib import Path

import click

from contracts.launcher.recordings import RecordingsError
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


@profile.command()
@click.argument("recordings", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The profile's YAML file.")
def learn(recordings: Path, output: Path) -> None:
    """Fits a profile to RECORDINGS, a folder of what a real launcher answered.

    Says of each part what it was fitted to, or that it was left as in the default profile. Names, users, hosts, queues and
    texts of the recordings are not kept, in whatever form. The file is what --profile takes.
    """
    from simulator.learning.fitting import TooFew
    from simulator.learning.learn import learned

    try:
        found = learned(recordings)
        output.write_text(found.text, encoding="utf-8")
    except (RecordingsError, TooFew) as error:
        raise click.UsageError(f"nothing can be learned from {recordings}: {error}") from error
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from error
    for warning in found.warnings:
        click.echo(warning, err=True)
    for note in found.notes:
        click.echo(note)
