"""The tables. How a store gets from one version of them to the next lies in ``migrations/``."""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD: Final = "0002"
"""The version that this program reads and writes; a test holds it to the newest migration."""

VERSION_TABLE: Final = "restserver_history_version"
"""Where a store says its version: not the usual name, since a database may be shared."""


class Mark(StrEnum):
    """How an attempt came to be told, if not by the launcher alone (rulings 6.6, 6.7)."""

    COMPLETED = "completed from the resource manager"
    UNFINISHED = "unfinished"
    RECOVERED = "recovered"


metadata = MetaData()

_ID: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only what it calls INTEGER
_INSTANT: Final = BigInteger

incarnations = Table(
    "incarnations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", String(256), nullable=False),
    Column("created", _INSTANT, nullable=False),
    # When it was (last) found to be what the name means: the newest answers.
    Column("followed_at", _INSTANT, nullable=False),
    Column("gone_at", _INSTANT),
    # Of the summary in the launcher's list: equal digests, nothing to fetch.
    Column("list_digest", String(32)),
    # When the resource manager is to be asked next, how often it was, and from where on.
    Column("recover_at", _INSTANT),
    Column("recover_tries", Integer, nullable=False, server_default="0"),
    Column("recover_since", _INSTANT),
    Column("gaps", Integer, nullable=False, server_default="0"),
    UniqueConstraint("name", "created", name="incarnations_key"),
    Index("incarnations_recover_at", "recover_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("incarnation_id", _ID, ForeignKey("incarnations.id", ondelete="CASCADE"), nullable=False),
    Column("run", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("application_id", Text),
    Column("launched", _INSTANT),
    Column("last_request", _INSTANT, nullable=False),
    # The framework completed with it: nothing of this run follows.
    Column("final", Boolean, nullable=False),
    # Nothing more can be learned about it.
    Column("settled", Boolean, nullable=False),
    Column("mark", String(40)),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("incarnation_id", "run", "attempt", name="attempts_key"),
)

strays = Table(
    "strays",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("incarnation_id", _ID, ForeignKey("incarnations.id", ondelete="CASCADE"), nullable=False),
    Column("application_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("started", _INSTANT, nullable=False),
    UniqueConstraint("incarnation_id", "application_id", name="strays_key"),
)
"""Applications that the resource manager lists and nobody can number."""
