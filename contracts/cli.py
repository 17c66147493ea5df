"""``restserver contract``: derive, show, coverage, diff. Exit 0 fine, 1 stale, missing or changed, 2 a document that cannot be read."""

from collections import Counter
from pathlib import Path

import click

from contracts import registry
from contracts.exit_codes import USAGE

FOLDER = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=registry.FOLDER,
    help="Where api.md and what is derived from it are; by default, this package.",
)


class Unreadable(click.ClickException):
    """One line, exit 2."""

    exit_code = USAGE


@click.group()
def contract() -> None:
    """The API document and what is derived from it."""


@contract.command()
@click.option("--check", is_flag=True, help="Writes nothing; exit 1 if a file is not as the document says.")
@FOLDER
def derive(check: bool, folder: Path) -> None:
    """api.md to JSON Schemas and OpenAPI 3.1 documents."""
    from contracts import derive as deriving  # these modules read the document, which showing a schema need not
    from contracts.body import BadDocument
    from contracts.document import read

    try:
        document = read(folder / "api.md")
        deriving.check_examples(document)
    except (BadDocument, OSError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    wrong = deriving.stale(document, folder)
    if not check:
        deriving.write(document, folder)
    for name, what in wrong.items():
        click.echo(f"{what if check else 'removed' if what == 'extra' else 'written'}: {name}")
    if not wrong:
        click.echo("everything is as the document says")
    elif check:
        click.echo("run `restserver contract derive`", err=True)
        raise click.exceptions.Exit(1)


@contract.command()
@click.argument("operation", type=click.Choice([*registry.OPERATIONS, registry.ANY_PATH]))
@click.argument("status", type=int)
@click.option("--style", type=click.Choice(registry.STYLES), default=registry.STYLES[0], show_default=True)
def show(operation: str, status: int, style: str) -> None:
    """One schema, readable: OPERATION is an operation id (anyPath: answers of no endpoint), STATUS as 404."""
    from contracts.outline import outline

    if status not in registry.statuses(operation):
        promised = ", ".join(map(str, registry.statuses(operation)))
        raise click.UsageError(f"{operation} promises no answer {status}, but {promised}")
    for line in outline(registry.schema(operation, status, style)):
        click.echo(line)


@contract.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@FOLDER
def coverage(document: Path, folder: Path) -> None:
    """Whether ours has everything that another API document says: found, renamed by ruling, or missing."""
    from contracts import coverage as covering
    from contracts import original
    from contracts.body import BadDocument
    from contracts.document import read

    try:
        verdicts = covering.coverage(read(folder / "api.md"), original.read(document))
    except (BadDocument, OSError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    endpoint = None
    for verdict in verdicts:
        item = verdict.item
        if item.endpoint != endpoint:
            endpoint = item.endpoint
            click.echo(f"\n{endpoint}")
        status = f"{item.status} " if item.status and item.kind != "status" else ""
        as_ours = f" -> {verdict.reason}" if verdict.reason else ""
        click.echo(f"  {verdict.outcome:8} {item.kind:9} {status}{item.name}{as_ours}  (line {item.line})")
    counts = Counter(verdict.outcome for verdict in verdicts)
    have = len(verdicts) - counts[covering.MISSING]
    click.echo(
        f"\n{len(verdicts)} in all: {counts[covering.FOUND]} found, {counts[covering.RENAMED]} renamed by ruling, "
        f"{counts[covering.MISSING]} missing: {100 * have // len(verdicts)} % covered"
    )
    if counts[covering.MISSING]:
        raise click.exceptions.Exit(1)


@contract.command(name="diff")
@click.argument("old")
@click.argument("new")
@click.option("--fail-on", type=click.Choice(["breaking", "any"]), help="Exit 1 on such a change; by default, never.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@FOLDER
def difference(old: str, new: str, fail_on: str | None, as_json: bool, folder: Path) -> None:
    """What changed for clients from OLD to NEW: each an api.md, an OpenAPI document (.json) or a git revision."""
    from contracts import diff_report
    from contracts.diff import diff
    from contracts.diff_sides import UnreadableSide, side
    from contracts.pointers import DanglingReference

    try:
        changes = diff(side(old, folder), side(new, folder))
    except (UnreadableSide, DanglingReference) as error:
        raise Unreadable(str(error)) from error
    if as_json:
        click.echo(diff_report.machine_text(changes))
    else:
        for line in diff_report.text(changes):
            click.echo(line)
    if (fail_on == "any" and changes) or (fail_on == "breaking" and any(one.breaking for one in changes)):
        raise click.exceptions.Exit(1)


if __name__ == "__main__":
    contract(prog_name="contract")
