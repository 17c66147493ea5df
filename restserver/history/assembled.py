"""The history of one backend, put together from plain values: what remembers, what archives, what tells how they are."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.clock import Clock, Milliseconds
from contracts.launcher.port import Launcher, ResourceManager
from restserver.history.archiver import Archiver, Polling
from restserver.history.database import Database, HistoryFailed, State
from restserver.history.follower import Follower
from restserver.history.leadership import Leadership
from restserver.history.recovery import Recovery
from restserver.history.remembering import Remembering
from restserver.history.store import Store
from restserver.seeing.metrics import Figure

OK: Final = "ok"


@dataclass(frozen=True)
class History:
    launcher: Remembering
    archiver: Archiver | None
    informed: Mapping[str, Callable[[], str]]
    """Parts of ``/readyz`` that tell."""
    required: Mapping[str, Callable[[], str]]
    """Parts of ``/readyz`` that decide."""
    figures: Callable[[], Iterable[Figure]]
    """For ``/metrics``."""
    close: Callable[[], None]


def history_url(url: str | None, data_dir: Path | None) -> str:
    """What people set, or a SQLite file in the folder for data."""
    return url or f"sqlite:///{(data_dir or _user_data_dir()) / 'history.sqlite'}"


def _user_data_dir() -> Path:
    from platformdirs import user_data_path  # only where nobody named a folder

    return user_data_path("restserver", appauthor=False)


def new_archiver(
    database: Database,
    launcher: Launcher,
    resource_manager: ResourceManager,
    clock: Clock,
    interval: Milliseconds,
    polling: Polling = nullcontext,
) -> Archiver:
    """Not started yet. ``launcher``: unshielded, for what follows wants to hear the launcher itself."""
    store = Store(database)
    stopping = threading.Event()
    follower = Follower(launcher, store, clock, lambda pause: stopping.wait(pause / 1000))
    recovery = Recovery(store, resource_manager, interval)
    return Archiver(store, follower, recovery, Leadership(database), clock, interval, stopping, polling)


def new_history(
    database: Database,
    launcher: Launcher,
    shielded: Launcher,
    resource_manager: ResourceManager,
    clock: Clock,
    interval: Milliseconds | None,
    polling: Polling = nullcontext,
) -> History:
    """``interval`` ``None``: somebody else archives. An empty database gets its tables now, if it can be asked now."""
    with suppress(HistoryFailed):
        database.read(lambda _: None)
    archiver = (
        None if interval is None else new_archiver(database, launcher, resource_manager, clock, interval, polling)
    )

    def close() -> None:
        if archiver is not None:
            archiver.stop()
        database.close()

    informed: dict[str, Callable[[], str]] = {"history": lambda: condition(database)}
    if archiver is not None:
        health = archiver.health
        informed["archiver"] = lambda: health.condition
    remembering = Remembering(shielded, Store(database), clock)
    informed["historyBreaker"] = lambda: remembering.asking.condition

    def figures() -> Iterator[Figure]:
        yield from remembering.asking.figures()
        if archiver is not None:
            yield from archiver.figures()

    return History(
        remembering,
        archiver,
        informed,
        {"history": lambda: OK if schema_fits(database) else condition(database)},
        figures,
        close,
    )


def condition(database: Database) -> str:
    """``ok``, or what is wrong with it now."""
    try:
        state = database.state()
    except HistoryFailed as error:
        return str(error)
    if state is State.OLDER:
        return "has an older schema; bring it up to date with: restserver history migrate"
    if not database.can_be_written_to():
        return "could not be written to; the log tells why"
    return OK if state in (State.CURRENT, State.EMPTY) else state.value


def schema_fits(database: Database) -> bool:
    """Whether this program can work with it, as far as it can be asked: one that fails now may be well again in a moment."""
    try:
        return database.state() in (State.CURRENT, State.EMPTY)
    except HistoryFailed:
        return True
