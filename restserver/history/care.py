"""Looking after the history: what is in it, taking out what is old, carrying it from one store to another."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from contracts.clock import Instant
from contracts.launcher import open_dialect, wire
from contracts.launcher.port import LauncherUnreadable
from restserver.history.documents import as_json, packed
from restserver.history.looks import Kept
from restserver.history.recovery import missing
from restserver.history.schema import Mark, attempts, incarnations, strays
from restserver.history.store import Incarnation, Store, incarnations_of, kept_of, stray_rows

FORMAT: Final = 1
"""Of exports. Their first line says it."""


@dataclass(frozen=True)
class Listed:
    """One incarnation, in a line."""

    name: str
    created: Instant
    gone_at: Instant | None
    versions: int
    attempts: int
    gaps: int


@dataclass(frozen=True)
class Shown:
    """One incarnation, whole but for its documents."""

    incarnation: Incarnation
    kept: tuple[Kept, ...]
    missing: tuple[tuple[int, int], ...]
    strays: tuple[tuple[str, int, Instant], ...]


class BadExport(Exception):
    """A line that is not what an export holds."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")


def listed(store: Store, prefix: str = "") -> list[Listed]:
    """By name, the newest incarnation of each last."""
    counted = (
        select(
            incarnations.c.name,
            incarnations.c.created,
            incarnations.c.gone_at,
            func.count(attempts.c.version.distinct()),
            func.count(attempts.c.id),
            incarnations.c.gaps,
        )
        .join(attempts, attempts.c.incarnation_id == incarnations.c.id)
        .where(incarnations.c.name.startswith(prefix, autoescape=True))
        .group_by(incarnations.c.id)
        .order_by(incarnations.c.name, incarnations.c.followed_at)
    )
    return store.database.read(lambda connection: [Listed(*row) for row in connection.execute(counted)])


def unknown(store: Store, names: Iterable[str]) -> list[str]:
    """Those of the names that the history knows nothing of, in their order."""
    wanted = list(names)
    of_them = select(incarnations.c.name).where(incarnations.c.name.in_(wanted))
    known = set(store.database.read(lambda connection: connection.execute(of_them).scalars().all()))
    return [name for name in wanted if name not in known]


def shown(store: Store, name: str) -> list[Shown]:
    """Every incarnation of a name, the newest first."""

    def look(connection: Connection) -> list[Shown]:
        found = []
        for incarnation in incarnations_of(connection, name):
            kept = kept_of(connection, incarnation.id)
            rows = tuple(stray_rows(connection, incarnation.id))
            found.append(Shown(incarnation, kept, tuple(missing(kept)), rows))
        return found

    return store.database.read(look)


def pruned(store: Store, before: Instant, *, dry_run: bool = False) -> int:
    """Takes out every incarnation that the launcher had forgotten by then; how many. What it still knows stays."""
    old = select(incarnations.c.id).where(incarnations.c.gone_at < before)

    def take_out(connection: Connection) -> int:
        ids = [row.id for row in connection.execute(old)]
        if not dry_run:
            for table in (attempts, strays):
                connection.execute(delete(table).where(table.c.incarnation_id.in_(old)))
            connection.execute(delete(incarnations).where(incarnations.c.gone_at < before))
        return len(ids)

    return store.database.read(take_out) if dry_run else store.database.write(take_out)


def exported(store: Store, names: Iterable[str] = ()) -> Iterator[str]:
    """One line that says what this is, then one per incarnation; of these names, or all."""
    yield json.dumps({"restserverHistory": FORMAT})
    wanted = set(names)
    ids = select(incarnations.c.id).order_by(incarnations.c.name, incarnations.c.followed_at)
    if wanted:
        ids = ids.where(incarnations.c.name.in_(wanted))
    for id_ in store.database.read(lambda connection: connection.execute(ids).scalars().all()):
        line = store.database.read(lambda connection, id_=id_: _line(connection, id_))  # type: ignore[misc]  # the default binds the loop's variable
        if line is not None:
            yield line


def _line(connection: Connection, id_: int) -> str | None:
    """``None``: it was taken out meanwhile."""
    found = connection.execute(select(incarnations).where(incarnations.c.id == id_)).first()
    if found is None:
        return None
    rows = connection.execute(
        select(attempts).where(attempts.c.incarnation_id == id_).order_by(attempts.c.run, attempts.c.attempt)
    )
    return json.dumps(
        {
            "name": found.name,
            "created": found.created,
            "followedAt": found.followed_at,
            "goneAt": found.gone_at,
            "gaps": found.gaps,
            "attempts": [
                {**{key: getattr(row, column) for key, column in _COLUMN.items()}, "document": as_json(row.document)}
                for row in rows
            ],
            "strays": [
                {"applicationId": application, "version": version, "started": started}
                for application, version, started in stray_rows(connection, id_)
            ],
        }
    )


_COLUMN: Final[Mapping[str, str]] = {
    "run": "run",
    "version": "version",
    "attempt": "attempt",
    "applicationId": "application_id",
    "launched": "launched",
    "lastRequest": "last_request",
    "final": "final",
    "settled": "settled",
    "mark": "mark",
    "recordedAt": "recorded_at",
}
"""Key of an export to column."""


_NO_EXPORT: Final = "this is no export, or one of another version of this program"


def imported(store: Store, lines: Iterable[str], now: Instant) -> tuple[int, int]:
    """Puts in what an export holds; how many incarnations were put in, and how many were left out because they are here.

    Each is one transaction. What was followed elsewhere is thought gone here until it is seen. Raises :class:`BadExport`.
    """
    put_in = left_out = number = 0
    for number, line in enumerate(lines, 1):
        try:
            document: Any = json.loads(line)
            if number == 1:
                if document.get("restserverHistory") != FORMAT:
                    raise BadExport(number, _NO_EXPORT)
                continue
            ready = _ready(document)
        except (ValueError, LookupError, TypeError, AttributeError, LauncherUnreadable) as error:
            raise BadExport(number, f"it is not what an export holds ({type(error).__name__}: {error})") from error
        done = store.database.write(lambda connection, ready=ready: _put_in(connection, ready, now))  # type: ignore[misc]  # as above
        put_in, left_out = put_in + done, left_out + (not done)
    if number == 0:
        raise BadExport(1, _NO_EXPORT)
    return put_in, left_out


@dataclass(frozen=True)
class _Ready:
    """A line, as rows."""

    name: str
    created: Instant
    incarnation: Mapping[str, Any]
    attempts: list[dict[str, Any]]
    strays: list[dict[str, Any]]


def _ready(line: Any) -> _Ready:
    rows = []
    for one in line["attempts"]:
        framework = open_dialect.decode_framework(wire.parse(json.dumps(one["document"]).encode()))
        if one["mark"] is not None:
            Mark(one["mark"])
        if framework.summary.name != line["name"]:
            raise ValueError("an attempt of another framework")
        rows.append({column: one[key] for key, column in _COLUMN.items()} | {"document": packed(framework)})
    if not rows:
        raise ValueError("a framework without attempts")
    return _Ready(
        str(line["name"]),
        int(line["created"]),
        {"gone_at": line["goneAt"], "followed_at": int(line["followedAt"]), "gaps": int(line["gaps"])},
        rows,
        [
            {"application_id": one["applicationId"], "version": one["version"], "started": one["started"]}
            for one in line["strays"]
        ],
    )


def _put_in(connection: Connection, ready: _Ready, now: Instant) -> bool:
    known = incarnations_of(connection, ready.name, held=True)
    if any(one.created == ready.created for one in known):
        return False
    values = dict(ready.incarnation)
    if values["gone_at"] is None:
        values["gone_at"] = now
    # What is followed here stays what the name means.
    if known:
        values["followed_at"] = min(values["followed_at"], min(one.followed_at for one in known) - 1)
    inserted = connection.execute(
        incarnations.insert().values(name=ready.name, created=ready.created, **values).returning(incarnations.c.id)
    ).scalar_one()
    connection.execute(
        attempts.insert(), [{"incarnation_id": inserted, "revision": 0, **row} for row in ready.attempts]
    )
    if ready.strays:
        connection.execute(strays.insert(), [{"incarnation_id": inserted, **row} for row in ready.strays])
    return True
