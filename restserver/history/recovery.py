"""What a poll missed, as far as the resource manager knows it (rulings 6.6 to 6.8). One list call serves all that is due.

A resource manager that cannot be asked is asked again at the next poll. What its list does not settle (an application that is
still ending, a count that does not fit yet because the list was older than the look) is tried again at growing distances, and
left as it is after the last try.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, func, select, update

from contracts.clock import Instant, Milliseconds
from contracts.launcher import resource_manager as yarn
from contracts.launcher.exit_report import exit_report
from contracts.launcher.port import Ask, ResourceManager
from contracts.launcher.records import Application, Framework, RetryState
from restserver.history.documents import Damaged, unpacked
from restserver.history.endings import ENDED, completed, counters_between, recovered
from restserver.history.looks import Kept, look_at
from restserver.history.numbering import Numbering, Place, number
from restserver.history.schema import Mark, attempts, incarnations, strays
from restserver.history.store import Incarnation, Store, kept_of, locked, put

logger = logging.getLogger(__name__)

TRIES: Final = 10
LONGEST_PAUSE: Final[Milliseconds] = 15 * 60_000


@dataclass(frozen=True)
class Recovery:
    """``pause``: between the first tries; it doubles."""

    store: Store
    resource_manager: ResourceManager
    pause: Milliseconds

    def step(self, now: Instant) -> int:
        """Does what is due; how many frameworks that was. Raises what the launcher's side or the database raises."""
        due = self.store.due(now)
        if not due:
            return 0
        since = min(one.recover_since or one.created for one in due)
        by_name = _by_name(self.resource_manager.applications(since, Ask()), {one.name for one in due})
        for one in due:
            try:
                self.store.database.write(lambda connection, one=one: self._recover(connection, one, by_name, now))  # type: ignore[misc]  # the default binds the loop's variable
            except Damaged as damaged:  # the others are not to wait for it
                logger.warning("%s: %s", one.name, damaged)
                self.store.database.write(lambda connection, one=one: self._tried(connection, one, now))  # type: ignore[misc]  # as above
        return len(due)

    def _recover(
        self, connection: Connection, one: Incarnation, by_name: Mapping[str, Sequence[Application]], now: Instant
    ) -> None:
        incarnation = locked(connection, one.id)
        kept = kept_of(connection, one.id)
        if incarnation is None or not kept:
            return
        until = _next_created(connection, incarnation)
        applications = [
            found
            for found in by_name[incarnation.name]
            if incarnation.created <= found.started_timestamp and (until is None or found.started_timestamp < until)
        ]
        over = incarnation.gone_at is not None
        numbering = number(kept, applications, over=over)
        if numbering.breaks:
            _split(connection, one.id, numbering.breaks)
            kept = kept_of(connection, one.id)
            numbering = number(kept, applications, over=over)
        _Attempts(connection, incarnation, kept, now, over).settle(numbering)
        self._note(connection, incarnation, numbering, now)

    def _note(self, connection: Connection, incarnation: Incarnation, numbering: Numbering, now: Instant) -> None:
        """What is still open, and when to try again."""
        connection.execute(strays.delete().where(strays.c.incarnation_id == incarnation.id))
        for stray in numbering.strays:
            named = yarn.framework_of(stray.name)
            connection.execute(
                strays.insert().values(
                    incarnation_id=incarnation.id,
                    application_id=stray.id,
                    version=named[1] if named else 0,
                    started=stray.started_timestamp,
                )
            )
        kept = kept_of(connection, incarnation.id)
        gaps = max(len(missing(kept)), len(numbering.strays))  # two sides of one thing, as far as anybody can tell
        past = kept if incarnation.gone_at is not None else kept[:-1]
        self._tried(connection, incarnation, now, gaps, done=gaps == 0 and all(one.settled for one in past))
        if gaps and incarnation.recover_tries + 1 == TRIES:
            logger.warning("%s: %d attempts or applications are missing in the history", incarnation.name, gaps)

    def _tried(
        self,
        connection: Connection,
        incarnation: Incarnation,
        now: Instant,
        gaps: int | None = None,
        *,
        done: bool = False,
    ) -> None:
        """Once more; ``gaps`` ``None``: as many as before."""
        tries = incarnation.recover_tries + 1
        changes: dict[str, int | None] = {"recover_tries": tries}
        if gaps is not None:
            changes["gaps"] = gaps
        if done or tries >= TRIES:
            changes |= {"recover_at": None, "recover_since": None}
        else:
            changes["recover_at"] = now + min(LONGEST_PAUSE, self.pause * 2 ** (tries - 1))
        connection.execute(update(incarnations).where(incarnations.c.id == incarnation.id).values(**changes))


def missing(kept: Sequence[Kept]) -> list[Place]:
    """The attempts that must have been, and are not kept: up to the highest one of each run."""
    attempts_of: dict[int, set[int]] = defaultdict(set)
    for one in kept:
        attempts_of[one.run].add(one.attempt)
    return [
        (run, attempt)
        for run, known in sorted(attempts_of.items())
        for attempt in range(max(known))
        if attempt not in known
    ]


def _by_name(applications: Iterable[Application], names: set[str]) -> Mapping[str, Sequence[Application]]:
    by_name: dict[str, list[Application]] = defaultdict(list)
    for one in applications:
        named = yarn.framework_of(one.name)
        if named is not None and named[0] in names:
            by_name[named[0]].append(one)
    return by_name


def _next_created(connection: Connection, incarnation: Incarnation) -> Instant | None:
    """When the next incarnation of the name began."""
    found: Instant | None = connection.execute(
        select(func.min(incarnations.c.created)).where(
            incarnations.c.name == incarnation.name, incarnations.c.created > incarnation.created
        )
    ).scalar()
    return found


def _split(connection: Connection, incarnation_id: int, breaks: Sequence[Place]) -> None:
    """At each break a new run begins; the runs after it move up. By way of negative numbers, since the old ones are taken."""
    for run, attempt in reversed(breaks):
        moved = (attempts.c.incarnation_id == incarnation_id) & (
            (attempts.c.run > run) | ((attempts.c.run == run) & (attempts.c.attempt >= attempt))
        )
        connection.execute(update(attempts).where(moved).values(run=-(attempts.c.run + 1)))
        connection.execute(
            update(attempts)
            .where(attempts.c.incarnation_id == incarnation_id, attempts.c.run < 0)
            .values(run=-attempts.c.run, revision=attempts.c.revision + 1)
        )


class _Attempts:
    """One incarnation's attempts while their ends and gaps are filled in."""

    def __init__(
        self, connection: Connection, incarnation: Incarnation, kept: Sequence[Kept], now: Instant, over: bool
    ) -> None:
        self._connection = connection
        self._incarnation = incarnation
        self._kept = {one.place: one for one in kept}
        self._past = set(self._kept) if over else set(self._kept) - {kept[-1].place}
        self._now = now

    def settle(self, numbering: Numbering) -> None:
        for place, application in numbering.numbered.items():
            one = self._kept.get(place)
            if one is not None and one.mark != Mark.RECOVERED and place in self._past and not one.settled:
                self._finish(one, application)
        unseen = [
            place
            for place in sorted(numbering.numbered)
            if place not in self._kept or (self._kept[place].mark == Mark.RECOVERED and not self._kept[place].settled)
        ]
        for block in _blocks(unseen):
            self._recover(block, numbering.numbered)

    def _finish(self, one: Kept, application: Application) -> None:
        if application.state not in ENDED:
            return
        report = exit_report(application.diagnostics)
        if report is None:
            self._connection.execute(update(attempts).where(attempts.c.id == one.id).values(settled=True))
            return
        self._put(one.run, completed(self._framework(one), application, report), Mark.COMPLETED, settled=True)

    def _recover(self, block: Sequence[Place], numbered: Mapping[Place, Application]) -> None:
        run, first = block[0]
        after = self._framework(self._kept[run, block[-1][1] + 1])
        before = self._kept.get((run, first - 1))
        start, exits = RetryState(), []
        if before is not None:
            # Read again: its end may have been filled in just now.
            known = self._framework(before).status
            start, exits = known.retries, [known.application_exit_type]
        applications = [numbered[place] for place in block]
        reports = [exit_report(one.diagnostics) if one.state in ENDED else None for one in applications]
        exits += [None if report is None else report.type for report in reports]
        counters = counters_between(start, after.status.retries, exits)
        if before is None:
            counters = (start, *counters)
        for application, report, retries in zip(applications, reports, counters, strict=True):
            told = recovered(after, application, retries, report)
            self._put(run, told, Mark.RECOVERED, settled=application.state in ENDED)

    def _put(self, run: int, framework: Framework, mark: Mark, *, settled: bool) -> None:
        look = look_at(framework)
        assert look is not None  # noqa: S101 - what is made of a stored document can be stored
        put(
            self._connection,
            self._incarnation.id,
            run,
            replace(look, settled=settled, final=False),
            framework,
            self._now,
            mark=mark,
        )

    def _framework(self, one: Kept) -> Framework:
        document: bytes = self._connection.execute(
            select(attempts.c.document).where(attempts.c.id == one.id)
        ).scalar_one()
        return unpacked(document)


def _blocks(places: Iterable[Place]) -> list[list[Place]]:
    """Neighbours together."""
    blocks: list[list[Place]] = []
    for run, attempt in places:
        if blocks and blocks[-1][-1] == (run, attempt - 1):
            blocks[-1].append((run, attempt))
        else:
            blocks.append([(run, attempt)])
    return blocks
