"""Who archives, where several could: whoever holds a lock that ends with its holder.

On PostgreSQL an advisory lock of a session, on SQLite an exclusive transaction on a small file beside the store. Both end
when the process or its connection dies, so another takes over without anybody being told. A leader that stands still, or whose
machine is gone without a word, keeps its session open: PostgreSQL (14 and later) is told to end one that says nothing for so long.
For a moment two may believe that they lead; what they write is the same.
"""

import logging
import sqlite3
import threading
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from contracts.clock import Milliseconds
from restserver.history.database import TO_POSTGRESQL, Database, HistoryFailed

logger = logging.getLogger(__name__)

_LOCK: Final = 0x726573745F6172

LONGEST_SILENCE: Final[Milliseconds] = 300_000
"""A leader says something between two polls, so a poll may take that long."""


_END_THE_SILENT: Final = """
    SELECT set_config(name, :silence, false) FROM pg_settings WHERE name = 'idle_session_timeout'
"""
"""Where there is no such setting, nothing is set."""


class Leadership:
    """One candidate. Not for several threads at a time, ``close`` excepted."""

    def __init__(self, database: Database, silence: Milliseconds = LONGEST_SILENCE) -> None:
        self._silence = silence
        url = database.engine.url
        self._sqlite = url.get_backend_name() == "sqlite"
        self._alone = self._sqlite and url.database in (None, "", ":memory:")
        if self._sqlite and not self._alone:
            url = url.set(database=f"{url.database}-leader")
        self._file = Path(url.database or "")
        # A connection of its own, kept for as long as it leads.
        self._engine = create_engine(
            url,
            poolclass=NullPool,
            connect_args={"timeout": 0, "check_same_thread": False} if self._sqlite else {**TO_POSTGRESQL},
        )
        self._held: Connection | None = None
        self._lock = threading.Lock()

    def leads(self) -> bool:
        """Whether this one leads now; takes the lead if it is free. Raises :class:`HistoryFailed`, and then nobody may lead."""
        if self._alone:
            return True
        with self._lock:
            if self._held is not None and not self._still_holds(self._held):
                self._let_go()
            if self._held is None:
                self._held = self._taken()
            return self._held is not None

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def _taken(self) -> Connection | None:
        connection: Connection | None = None
        try:
            if self._sqlite:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if self._sqlite:
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
                return connection
            if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar():
                connection.execute(text(_END_THE_SILENT), {"silence": str(self._silence)})
                return connection
        except (SQLAlchemyError, OSError) as error:
            if connection is not None:
                connection.close()
            if _is_locked(error):
                return None
            raise HistoryFailed("nobody can be elected, for the history cannot be asked") from error
        connection.close()
        return None

    def _still_holds(self, connection: Connection) -> bool:
        if self._sqlite:
            return True
        try:
            connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        try:
            # Without handing it back: whatever holds the lock ends with the connection.
            held.invalidate()
            held.close()
        except SQLAlchemyError:
            logger.debug("the leader's connection was gone already")


def _is_locked(error: Exception) -> bool:
    """By the transaction of another process, on SQLite; a folder that cannot be written to is not."""
    found = getattr(error, "orig", None)
    return isinstance(found, sqlite3.OperationalError) and found.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
