"""The database under the history: opened late, created where it is empty, never migrated by the way.

Nothing is connected before the first question, and a database that is away or read-only stops nobody: each question raises
:class:`HistoryFailed` until it is back. SQLite runs in WAL mode, so that readers never wait for the one writer; a transaction
that writes says so when it begins, so that it waits for another writer instead of failing halfway.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from contracts.clock import Milliseconds
from restserver.beside import begun
from restserver.history.schema import HEAD, VERSION_TABLE

logger = logging.getLogger(__name__)
T = TypeVar("T")

BUSY: Final[Milliseconds] = 5_000
"""How long a writer of SQLite waits for another, and anybody for a connection."""
CONNECT_SECONDS: Final = 3
PATIENCE: Final = 3.0
"""Seconds that a server waits for one question."""
LOOK: Final = 1.0
"""The same, of a question for what ``/readyz`` tells: a balancer's probe waits a few seconds for all of it."""
TO_POSTGRESQL: Final[Mapping[str, object]] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A machine that is gone without a word is noticed within half a minute; the system's own patience is hours."""
COLLISIONS: Final = 3
"""How often a transaction is tried that collided with another one's new row."""
_MIGRATION_LOCK: Final = 0x726573745F686D


class HistoryFailed(Exception):
    """The history could not be asked; one plain sentence says why. The cause is for the log."""


class BadHistoryUrl(Exception):
    """No database can be meant by it."""


class State(Enum):
    EMPTY = "is empty"
    OLDER = "has an older schema"
    CURRENT = "ok"
    NEWER = "was written by a newer version of this program"


class Database:
    """``creates``: whether an empty one gets its tables at the first question. Thread-safe.

    ``patience``: seconds after which a question that PostgreSQL has not answered has failed. It cannot be cut short, so it goes on in
    a thread of its own, and what it wrote is written: asking again is harmless. SQLite keeps such times itself.
    """

    def __init__(self, url: str, *, creates: bool = True, patience: float | None = None) -> None:
        self.engine = _engine(url)
        self._creates = creates
        self._patience = patience if self.engine.dialect.name == "postgresql" else None
        self._usable = False
        self._lock = threading.Lock()
        self.not_written = False
        """Whether nothing could be written the last time that anything was to be, on a full disk for instance. Why is in the log:
        the database's own words may name files, hosts and what was to be written."""

    def read(self, work: Callable[[Connection], T]) -> T:
        """Raises :class:`HistoryFailed`."""

        def reading() -> T:
            with self._usable_engine().connect() as connection, connection.begin():
                return work(connection)

        return self._in_time(reading)

    def write(self, work: Callable[[Connection], T], at_most: float = PATIENCE) -> T:
        """All of ``work`` or nothing of it, within so many seconds. It may run again: after a collision with somebody else's row."""
        try:
            done = self._in_time(lambda: self._written(work), at_most)
        except HistoryFailed as failed:
            # And not because of a schema, or of a document.
            self.not_written = isinstance(failed.__cause__, SQLAlchemyError | OSError)
            raise
        self.not_written = False
        return done

    def can_be_written_to(self) -> bool:
        """Tried, where it could not the last time: whoever has nothing to write would never know that it can be again."""
        if self.not_written:
            with suppress(HistoryFailed):
                self.write(lambda connection: connection.execute(_CHANGE_NOTHING), LOOK)
        return not self.not_written

    def _written(self, work: Callable[[Connection], T]) -> T:
        engine = self._usable_engine().execution_options(writes=True)
        for _ in range(COLLISIONS - 1):
            try:
                with engine.begin() as connection:
                    return work(connection)
            except IntegrityError:
                continue
        with engine.begin() as connection:
            return work(connection)

    def state(self) -> State:
        """Asks the database itself, with less patience: whoever probes a server has little. Raises :class:`HistoryFailed`."""

        def looking() -> State:
            self._make_room()
            with self.engine.connect() as connection:
                return _state(connection)

        return self._in_time(looking, LOOK)

    def migrate(self) -> State:
        """Brings it to this program's version, from whatever was before; what that was. Raises :class:`HistoryFailed`."""
        with self._failing():
            self._make_room()
            with self.engine.execution_options(writes=True).begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                before = _state(connection)
                if before in (State.EMPTY, State.OLDER):
                    _upgrade(connection)
                return before

    def close(self) -> None:
        self.engine.dispose()

    def _usable_engine(self) -> Engine:
        if not self._usable:
            with self._lock:
                self._require()
        return self.engine

    def _require(self) -> None:
        file = self._file()
        if not self._creates and file is not None and not file.exists():
            # Nor will there be by looking.
            raise HistoryFailed(f"The history {State.EMPTY.value}: there is no file {file}.")
        self._make_room()
        with self.engine.connect() as connection:
            state = _state(connection)
        if state is State.EMPTY and self._creates:
            self.migrate()  # of an empty one it makes a current one, and two at once do not collide
        elif state is not State.CURRENT:
            raise HistoryFailed(f"The history {state.value}.")
        self._usable = True

    def _make_room(self) -> None:
        file = self._file()
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)

    def _file(self) -> Path | None:
        """Of SQLite, where it is one by name: not in memory, and no URI."""
        name = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
            return None
        return Path(name)

    def _in_time(self, work: Callable[[], T], at_most: float = PATIENCE) -> T:
        """Raises :class:`HistoryFailed`."""
        with self._failing():
            if self._patience is None:
                return work()
            seconds = min(self._patience, at_most)
            try:
                return begun(work, "history").result(seconds)
            except TimeoutError as error:
                raise OSError(f"no answer within {seconds:g} s") from error

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            logger.warning("the history failed: %s", _first_line(error))
            raise HistoryFailed("The history of past attempts cannot be asked.") from error


_CHANGE_NOTHING: Final = text(f"UPDATE {VERSION_TABLE} SET version_num = version_num")  # noqa: S608 - a constant


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _state(connection: Connection) -> State:
    if not inspect(connection).has_table(VERSION_TABLE):
        return State.EMPTY
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    if found is None:
        return State.EMPTY
    if found == HEAD:
        return State.CURRENT
    return State.OLDER if str(found) < HEAD else State.NEWER


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # what it does is not news
    from alembic import command  # imported here: whoever only reads a current store needs none of it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _engine(url: str) -> Engine:
    try:
        parsed = _with_driver(make_url(url))
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return create_engine(parsed, pool_pre_ping=True, connect_args=TO_POSTGRESQL)
    except ModuleNotFoundError as error:
        raise BadHistoryUrl("needs a driver that is not installed; restserver[postgres] brings it") from error
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise BadHistoryUrl("is no address of a database") from error


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY / 1000})

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: object) -> None:
        del record
        connection.isolation_level = None  # the driver's own idea of when to begin would be too late
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
