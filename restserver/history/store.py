"""What is kept, and the rules by which it changes: every change is one transaction, and doing it twice is doing it once.

An attempt that another one followed, or whose framework is gone, is in the past; if its end was not seen it is marked
``unfinished``, and its incarnation is due for recovery. A look at an attempt always wins over what was pieced together of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select, update

from contracts.clock import Instant
from contracts.launcher.records import Framework
from restserver.history.database import Database
from restserver.history.documents import packed, unpacked
from restserver.history.looks import Kept, Look, look_at, run_of
from restserver.history.schema import Mark, attempts, incarnations, strays

_KEPT: Final = tuple(
    attempts.c[name]
    for name in (
        *("id", "revision", "run", "version", "attempt", "application_id", "launched", "last_request"),
        *("final", "settled", "mark"),
    )
)
_INCARNATION: Final = tuple(
    incarnations.c[name]
    for name in (
        *("id", "name", "created", "followed_at", "gone_at", "list_digest"),
        *("recover_at", "recover_tries", "recover_since", "gaps"),
    )
)


@dataclass(frozen=True, slots=True)
class Incarnation:
    id: int
    name: str
    created: Instant
    followed_at: Instant
    gone_at: Instant | None
    list_digest: str | None
    recover_at: Instant | None
    recover_tries: int
    recover_since: Instant | None
    gaps: int


@dataclass(frozen=True)
class Past:
    """What is kept of one incarnation."""

    incarnation: Incarnation
    kept: tuple[Kept, ...]
    """By run and attempt; never empty."""

    def of(self, look: Look) -> Kept | None:
        """The attempt that a look shows; ``None``: it is not kept."""
        run = run_of(look, self.newest)
        fitting = (
            one
            for one in reversed(self.kept)
            if (one.version, one.attempt) == (look.version, look.attempt)
            and (one.run == run if run is not None else one.application_id == look.application_id)
        )
        return next(fitting, None)

    def until(self, one: Kept) -> "Past":
        """What had been when that attempt was the newest."""
        return Past(self.incarnation, tuple(other for other in self.kept if other.place <= one.place))

    @property
    def newest(self) -> Kept:
        return self.kept[-1]

    def versions(self) -> tuple[int, ...]:
        return tuple(sorted({one.version for one in self.kept}))

    def attempts(self, version: int) -> Mapping[int, Kept]:
        """Of the newest run of that version; empty: there was none."""
        run = max((one.run for one in self.kept if one.version == version), default=None)
        return {one.attempt: one for one in self.kept if one.run == run}


class Store:
    """Thread-safe. Every method raises HistoryFailed where the database does."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(self, framework: Framework, now: Instant, list_digest: str | None = None) -> bool:
        """Keeps what the launcher says now; whether it belonged anywhere. ``list_digest``: of its summary in the list."""
        look = look_at(framework)
        if look is None:
            return False
        return self.database.write(lambda connection: _recorded(connection, look, framework, now, list_digest))

    def remember(self, framework: Framework, now: Instant) -> Past | None:
        """What is kept, the current attempt included: stored now, if it was not. None that is kept is changed: the answer
        may be an old copy.

        The newest in it is the attempt that the answer shows. ``None``: the answer is older than all that is kept.
        """
        look = look_at(framework)
        if look is None:
            return None
        known = self.database.read(lambda connection: _past(connection, look.name, look.created))
        one = None if known is None else known.of(look)
        if known is None or one is None:
            known = self.database.write(lambda connection: _remembered(connection, look, framework, now))
            one = None if known is None else known.of(look)
        return None if known is None or one is None else known.until(one)

    def past(self, name: str) -> Past | None:
        """Of the newest incarnation."""
        return self.database.read(lambda connection: _past(connection, name))

    def document(self, attempt_id: int) -> Framework | None:
        """``None``: it was removed since."""
        row = self.database.read(
            lambda connection: connection.execute(
                select(attempts.c.document).where(attempts.c.id == attempt_id)
            ).first()
        )
        return None if row is None else unpacked(row.document)

    def followed(self) -> dict[str, Incarnation]:
        """By name, what the launcher is thought to know."""
        rows = self.database.read(
            lambda connection: connection.execute(
                select(*_INCARNATION).where(incarnations.c.gone_at.is_(None)).order_by(incarnations.c.followed_at)
            ).all()
        )
        return {row.name: _incarnation(row) for row in rows}

    def gone(self, incarnation_id: int, now: Instant) -> None:
        """The launcher has forgotten it."""
        self.database.write(lambda connection: _closed(connection, incarnation_id, now))

    def due(self, now: Instant) -> list[Incarnation]:
        """The incarnations for which the resource manager is to be asked."""
        rows = self.database.read(
            lambda connection: connection.execute(
                select(*_INCARNATION).where(incarnations.c.recover_at <= now).order_by(incarnations.c.id)
            ).all()
        )
        return [_incarnation(row) for row in rows]

    def gaps(self) -> int:
        """Of everything kept: attempts and applications that are known to be missing."""
        return int(
            self.database.read(lambda connection: connection.execute(select(func.sum(incarnations.c.gaps))).scalar())
            or 0
        )


# --- in a transaction -----------------------------------------------------------------------------------------------


def kept_of(connection: Connection, incarnation_id: int) -> tuple[Kept, ...]:
    rows = connection.execute(
        select(*_KEPT).where(attempts.c.incarnation_id == incarnation_id).order_by(attempts.c.run, attempts.c.attempt)
    )
    return tuple(Kept(*row) for row in rows)


def locked(connection: Connection, incarnation_id: int) -> Incarnation | None:
    """The incarnation, held against other writers until the end of the transaction; ``None``: removed since."""
    row = connection.execute(select(*_INCARNATION).where(incarnations.c.id == incarnation_id).with_for_update()).first()
    return None if row is None else _incarnation(row)


def incarnations_of(connection: Connection, name: str, *, held: bool = False) -> list[Incarnation]:
    """The newest first."""
    wanted: Select[Any] = (
        select(*_INCARNATION)
        .where(incarnations.c.name == name)
        .order_by(incarnations.c.followed_at.desc(), incarnations.c.id.desc())
    )
    return [_incarnation(row) for row in connection.execute(wanted.with_for_update() if held else wanted)]


def put(
    connection: Connection,
    incarnation_id: int,
    run: int,
    look: Look,
    framework: Framework,
    now: Instant,
    *,
    mark: Mark | None = None,
) -> None:
    """Writes one attempt, new or anew; nothing, if it says what is kept already."""
    values = {
        "version": look.version,
        "application_id": look.application_id,
        "launched": look.launched,
        "last_request": look.last_request,
        "final": look.final,
        "settled": look.settled,
        "mark": mark,
        "document": packed(framework),
    }
    place = (
        (attempts.c.incarnation_id == incarnation_id) & (attempts.c.run == run) & (attempts.c.attempt == look.attempt)
    )
    before = connection.execute(select(attempts).where(place)).first()
    if before is None:
        connection.execute(
            attempts.insert().values(
                incarnation_id=incarnation_id, run=run, attempt=look.attempt, revision=0, recorded_at=now, **values
            )
        )
    elif any(getattr(before, name) != value for name, value in values.items()):
        connection.execute(
            update(attempts)
            .where(attempts.c.id == before.id)
            .values(revision=before.revision + 1, recorded_at=now, **values)
        )


def _recorded(connection: Connection, look: Look, framework: Framework, now: Instant, list_digest: str | None) -> bool:
    incarnation = _incarnation_of(connection, look, now)
    if incarnation is None:
        return False
    kept = kept_of(connection, incarnation.id)
    newest = kept[-1] if kept else None
    run = run_of(look, newest)
    if run is None:
        return False
    put(connection, incarnation.id, run, look, framework, now)
    changes: dict[str, Any] = {"gone_at": None, "list_digest": list_digest or incarnation.list_digest}
    if newest is None or newest.place != (run, look.attempt):
        if newest is not None:
            _end(connection, newest)
        # Of a first look at attempt 0 nothing is missing, unless it was submitted again since it was created.
        if newest is not None or look.attempt > 0 or look.last_request > look.created:
            changes |= _due(incarnation, kept, now)
    if any(getattr(incarnation, name) != value for name, value in changes.items()):
        connection.execute(update(incarnations).where(incarnations.c.id == incarnation.id).values(**changes))
    return True


def _remembered(connection: Connection, look: Look, framework: Framework, now: Instant) -> Past | None:
    known = _past(connection, look.name, look.created)
    if known is None or known.of(look) is None:
        _recorded(connection, look, framework, now, None)
    return _past(connection, look.name, look.created)


def _past(connection: Connection, name: str, created: Instant | None = None) -> Past | None:
    """``created`` ``None``: the newest."""
    for known in incarnations_of(connection, name):
        if created in (None, known.created):
            kept = kept_of(connection, known.id)
            return Past(known, kept) if kept else None
    return None


def _incarnation_of(connection: Connection, look: Look, now: Instant) -> Incarnation | None:
    """The incarnation it belongs to, from now on the newest of its name; ``None``: it is stale."""
    known = incarnations_of(connection, look.name, held=True)
    if known and known[0].created == look.created:
        return known[0]
    if known:
        kept = kept_of(connection, known[0].id)
        if kept and look.last_request < kept[-1].last_request:
            return None
        _closed(connection, known[0].id, now)
    # An instant of its own even on a clock that stands still: the newest must be the newest.
    followed_at = max([now, *(one.followed_at + 1 for one in known)])
    for one in known:
        if one.created == look.created:
            connection.execute(update(incarnations).where(incarnations.c.id == one.id).values(followed_at=followed_at))
            break
    else:
        connection.execute(incarnations.insert().values(name=look.name, created=look.created, followed_at=followed_at))
    return incarnations_of(connection, look.name)[0]


def _closed(connection: Connection, incarnation_id: int, now: Instant) -> None:
    incarnation = locked(connection, incarnation_id)
    if incarnation is None or incarnation.gone_at is not None:
        return
    kept = kept_of(connection, incarnation_id)
    changes: dict[str, Any] = {"gone_at": now}
    if kept and not kept[-1].settled:
        _end(connection, kept[-1])
        changes |= _due(incarnation, kept, now)
    connection.execute(update(incarnations).where(incarnations.c.id == incarnation_id).values(**changes))


def _end(connection: Connection, one: Kept) -> None:
    if not one.settled:
        connection.execute(
            update(attempts)
            .where(attempts.c.id == one.id, attempts.c.mark.is_(None))
            .values(mark=Mark.UNFINISHED, revision=one.revision + 1)
        )


def _due(incarnation: Incarnation, kept: Sequence[Kept], now: Instant) -> dict[str, Any]:
    """The applications asked for reach back to the attempt before the newest one kept: everything older was asked for then."""
    since = incarnation.created
    if len(kept) > 1 and kept[-2].launched is not None:
        since = kept[-2].launched
    if incarnation.recover_since is not None:
        since = min(since, incarnation.recover_since)
    return {"recover_at": now, "recover_tries": 0, "recover_since": since}


def _incarnation(row: Row[Any]) -> Incarnation:
    return Incarnation(*tuple(row))


def stray_rows(connection: Connection, incarnation_id: int) -> Iterator[tuple[str, int, Instant]]:
    for row in connection.execute(
        select(strays).where(strays.c.incarnation_id == incarnation_id).order_by(strays.c.started)
    ):
        yield row.application_id, row.version, row.started
