"""The commands of the history: ``restserver archive`` and ``restserver history ...``."""

import gzip
import re
import signal
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Final, cast

import click

from contracts.clock import Milliseconds, SystemClock, iso
from contracts.exit_codes import INTERRUPTED, UNREACHABLE, USAGE
from contracts.launcher.port import Around, Hook, stacked
from restserver.assembling.application import managed, secrets_of
from restserver.commands.options import options_of
from restserver.history.archiver import OK, Archiver
from restserver.history.assembled import condition, history_url, new_archiver
from restserver.history.care import BadExport, Shown, exported, imported, listed, pruned, shown, unknown
from restserver.history.database import BadHistoryUrl, Database, HistoryFailed, State
from restserver.history.schema import HEAD
from restserver.history.store import Store
from restserver.seeing.metrics import Metrics
from restserver.settings import BadSetting, Settings, from_process

if TYPE_CHECKING:
    from restserver.app import Backend

_LAUNCHER_SETTINGS: Final = (
    *("launcher_url", "rm_url", "dialect", "launcher_timeout", "launcher_headers", "launcher_ca"),
    *(
        "poll_interval",
        "history_url",
        "data_dir",
        "log_format",
        "log_level",
        "config",
        "host",
        "management_port",
        "otlp_endpoint",
    ),
)
_UNIT: Final[dict[str, Milliseconds]] = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_WHERE = options_of(["history_url", "data_dir", "config"])


class Unreachable(click.ClickException):
    """The history, or what was to be archived, cannot be asked."""

    exit_code = UNREACHABLE


class BadHistory(click.ClickException):
    """It can be reached, and is not what the command needs."""

    exit_code = USAGE


@click.command()
@options_of(_LAUNCHER_SETTINGS)
@click.option("--once", is_flag=True, help="Polls once and ends: 0, or 3 if the launcher could not be followed.")
def archive(once: bool, **flags: object) -> int:
    """Follows a launcher of the open dialect into the history, until it is stopped. Migrates an older history first."""
    from restserver.app import Application, create_management_app  # the other commands serve nothing
    from restserver.seeing.logs import set_up_logging

    settings = from_process({**flags, "backend": "launcher"})
    if settings.dialect != "open":
        raise BadSetting("dialect", "a launcher of the private dialect keeps its past itself; say --dialect open")
    set_up_logging(settings.log_format, settings.log_level, secrets_of(settings))
    metrics = Metrics()
    archiver, backend = _archiver(settings, metrics)
    if once:
        archiver.step()
        archiver.stop()
        if archiver.health.condition != OK:
            raise Unreachable(archiver.health.condition)
        return 0
    received: list[int] = []
    looked_after = Application((), ())

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        received.append(number)
        looked_after.stopping = True
        archiver.ask_to_stop()

    with managed(create_management_app(looked_after, backend, settings), settings):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        click.echo(f"archiving {settings.launcher_url}")
        archiver.run()
        archiver.stop()
    return INTERRUPTED if received[:1] == [signal.SIGINT] else 0


def _archiver(settings: Settings, metrics: Metrics) -> "tuple[Archiver, Backend]":
    """Over a history of this program's version, and what is to be known of it. What it holds open is closed with the command."""
    from restserver.app import Backend
    from restserver.assembling.backends import history_database, over_http, tracing_of
    from restserver.launchers.counted import Counted
    from restserver.launchers.protection import LAUNCHER, RESOURCE_MANAGER

    clock = SystemClock()
    tracing = tracing_of(settings)
    counted: dict[str, Hook] = {side: Counted(metrics, side) for side in (LAUNCHER, RESOURCE_MANAGER)}
    if tracing is not None:
        click.get_current_context().call_on_close(tracing.close)
        counted = {side: stacked(tracing.hook(side), hook) for side, hook in counted.items()}
    launcher, resource_manager = over_http(settings, clock, counted[RESOURCE_MANAGER])
    for one in (launcher, resource_manager):
        click.get_current_context().call_on_close(one.close)
    database = history_database(settings)
    click.get_current_context().call_on_close(database.close)
    with _reachable():
        database.migrate()
    followed = Around(launcher, counted[LAUNCHER])
    polling = nullcontext if tracing is None else tracing.poll
    interval = round(settings.poll_interval * 1000)
    archiver = new_archiver(database, followed, resource_manager, clock, interval, polling)
    metrics.sources.append(archiver.figures)
    informed = {"archiver": lambda: archiver.health.condition, "history": lambda: condition(database)}
    return archiver, Backend(followed, resource_manager, clock, metrics, informed)


@click.group()
def history() -> None:
    """Looks after the history of past attempts."""


@history.command()
@_WHERE
def migrate(**flags: object) -> None:
    """Brings the history to this program's version; creates it where there is none."""
    database = _database(from_process(flags))
    with _reachable():
        before = database.migrate()
    if before is State.NEWER:
        raise BadHistory(f"the history {before.value}; nothing was changed")
    done = {State.EMPTY: "created at", State.OLDER: "brought to", State.CURRENT: "is already at"}
    click.echo(f"{done[before]} version {HEAD}")


@history.command("list")
@_WHERE
@click.option("--prefix", default="", help="Only names that begin so.")
def list_(prefix: str, **flags: object) -> None:
    """The frameworks in the history, one line each."""
    with _reachable():
        rows = listed(_store(flags), prefix)
    for one in rows:
        state = "known to the launcher" if one.gone_at is None else f"gone {iso(one.gone_at)}"
        gaps = f", {one.gaps} missing" if one.gaps else ""
        click.echo(
            f"{one.name}  created {iso(one.created)}  {_several(one.versions, 'version')}, "
            f"{_several(one.attempts, 'attempt')}{gaps}  {state}"
        )


@history.command()
@_WHERE
@click.argument("name")
def show(name: str, **flags: object) -> None:
    """Everything about one framework: its incarnations, runs, attempts, and what is missing."""
    with _reachable():
        incarnations = shown(_store(flags), name)
    if not incarnations:
        raise BadHistory(f"the history knows nothing of {name}")
    for one in incarnations:
        click.echo("\n".join(_told(one)))


@history.command()
@_WHERE
@click.option("--older-than", required=True, metavar="DURATION", help="Gone for longer: 90d, 12h, 30m, 10s.")
@click.option("--dry-run", is_flag=True, help="Only says how many it would take out.")
def prune(older_than: str, dry_run: bool, **flags: object) -> None:
    """Takes out frameworks that the launcher forgot long ago."""
    before = SystemClock().now() - _duration(older_than)
    with _reachable():
        number = pruned(_store(flags), before, dry_run=dry_run)
    click.echo(f"{'would take' if dry_run else 'took'} out {_several(number, 'framework')}")


@history.command("export")
@_WHERE
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="File; .gz is compressed.  [default: standard output]"
)
@click.argument("names", nargs=-1)
def export(output: Path | None, names: tuple[str, ...], **flags: object) -> None:
    """Writes the history, or the frameworks named, as JSON lines."""
    store = _store(flags)
    with _reachable():
        strangers = unknown(store, names)
    if strangers:
        raise BadHistory(f"the history knows nothing of {', '.join(strangers)}")
    with _reachable(), _writing(output) as file:
        for line in exported(store, names):
            file.write(line + "\n")


@history.command("import")
@_WHERE
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_(file: Path, **flags: object) -> None:
    """Puts in what an export holds; what is in the history already stays as it is."""
    store = _store(flags, creates=True)
    try:
        with _reachable(), _reading(file) as lines:
            put_in, left_out = imported(store, lines, SystemClock().now())
    except (BadExport, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadHistory(f"{file}: {error}") from error
    click.echo(f"put in {_several(put_in, 'framework')}, {left_out} were there already")


def _told(one: Shown) -> Iterator[str]:
    gone = one.incarnation.gone_at
    yield f"{one.incarnation.name}  created {iso(one.incarnation.created)}" + (f"  gone {iso(gone)}" if gone else "")
    for kept in one.kept:
        mark = f"  {kept.mark}" if kept.mark else ""
        yield (
            f"  run {kept.run}  version {kept.version}  attempt {kept.attempt}  {kept.application_id or 'no application'}{mark}"
        )
    for run, attempt in one.missing:
        yield f"  run {run}  attempt {attempt}  missing"
    for application, version, started in one.strays:
        yield f"  {application}  version {version}  started {iso(started)}  cannot be numbered"


def _several(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _duration(text: str) -> Milliseconds:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise BadSetting("--older-than", f"{text!r} is not a duration such as 90d")
    return int(found[1]) * _UNIT[found[2]]


def _store(flags: dict[str, object], *, creates: bool = False) -> Store:
    return Store(_database(from_process(flags), creates=creates))


def _database(settings: Settings, *, creates: bool = True) -> Database:
    try:
        database = Database(history_url(settings.history_url, settings.data_dir), creates=creates)
    except BadHistoryUrl as error:
        raise BadSetting("history", f"its value {error}") from error
    click.get_current_context().call_on_close(database.close)
    return database


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except HistoryFailed as error:
        raise Unreachable(
            f"{error} (see restserver history migrate)" if "schema" in str(error) else str(error)
        ) from error


@contextmanager
def _writing(path: Path | None) -> "Iterator[IO[str]]":
    """A file appears whole or not at all."""
    if path is None:
        yield sys.stdout
        return
    unfinished = path.with_name(path.name + ".part")
    try:
        with _opened(unfinished, "wt", compressed=path.suffix == ".gz") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        raise BadSetting("--output", f"{path}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _reading(path: Path) -> "Iterator[IO[str]]":
    with _opened(path, "rt", compressed=path.suffix == ".gz") as file:
        yield file


def _opened(path: Path, mode: str, *, compressed: bool) -> "IO[str]":
    if compressed:
        return cast("IO[str]", gzip.open(path, mode, encoding="utf-8"))
    return cast("IO[str]", path.open(mode, encoding="utf-8"))
