"""The archiver: polls again and again, one process at a time, and says how it is doing."""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, TypeAlias

from contracts.clock import Clock, Instant, Milliseconds
from contracts.launcher.port import LauncherError
from restserver.history.database import HistoryFailed
from restserver.history.follower import Follower, Polled
from restserver.history.leadership import Leadership
from restserver.history.recovery import Recovery
from restserver.history.store import Store
from restserver.seeing.metrics import Figure

logger = logging.getLogger(__name__)

Polling: TypeAlias = Callable[[], AbstractContextManager[object]]
"""Made around each poll that is really made, its recovery included: what its calls have in common, for those who trace."""

OK: Final = "ok"
NOT_YET: Final = "has not polled yet"
STANDING_BY: Final = "another process archives"
FAILED: Final = "the last poll failed"


@dataclass
class Health:
    """What is known of the polls so far."""

    condition: str = NOT_YET
    leads_since: Instant | None = None
    """``None`` while another process archives."""
    completed_at: Instant | None = None
    """When the last poll that succeeded ended."""
    last: Polled | None = None
    succeeded: int = 0
    failed: int = 0
    gaps: int | None = None
    """``None``: not counted since it leads. Another process may have found, or closed, any number meanwhile."""


class Archiver:
    """``follower`` and ``recovery`` over one store. ``run`` until ``stop``; ``start`` does so in a thread of its own."""

    def __init__(
        self,
        store: Store,
        follower: Follower,
        recovery: Recovery,
        leadership: Leadership,
        clock: Clock,
        interval: Milliseconds,
        stopping: threading.Event,
        polling: Polling = nullcontext,
    ) -> None:
        self._store = store
        self._follower = follower
        self._recovery = recovery
        self._leadership = leadership
        self._clock = clock
        self._interval = interval
        self._stopping = stopping
        self._polling = polling
        self._thread: threading.Thread | None = None
        self.health = Health()

    def step(self) -> None:
        """One poll, and what it left to recover. Failures are told, not raised: the next poll comes anyway."""
        if not self._leads():
            return
        health = self.health
        failed_before = health.condition.startswith(FAILED)
        try:
            with self._polling():
                health.last = self._follower.poll()
                health.completed_at = self._clock.now()
                health.condition = OK
                self._recover()
            health.gaps = self._store.gaps()
            if failed_before:
                logger.warning("polls again")
        except (LauncherError, HistoryFailed) as error:
            health.failed += 1
            health.condition = f"{FAILED}: {error}"
            logger.warning("%s", health.condition)
        else:
            health.succeeded += 1

    def _leads(self) -> bool:
        """Whoever begins or ceases to archive says so once."""
        health, led = self.health, self.health.leads_since is not None
        reason = words = STANDING_BY
        try:
            leads = self._leadership.leads()
        except HistoryFailed as error:
            leads, reason = False, str(error)
            words = f"{reason} ({_first_line(error.__cause__ or error)})"  # the database's own are for the log alone
        if leads and not led:
            health.condition, health.leads_since = NOT_YET, self._clock.now()
            logger.info("archives from now on")
        if not leads:
            health.leads_since = health.gaps = None
            self._store.database.not_written = False  # whoever does not write does not know
            if health.condition != reason:
                health.condition = reason
                logger.warning("does not archive%s: %s", " any more" if led else "", words)
        return leads

    def run(self) -> None:
        """Until it is stopped. An unforeseen error is raised, and ends it: the lead is given up, for another process to take."""
        try:
            while not self._stopping.is_set():
                began = self._clock.now()
                self.step()
                self._stopping.wait(max(0, began + self._interval - self._clock.now()) / 1000)
        finally:
            if not self._stopping.is_set():
                self.health.condition = "has stopped after an unforeseen error; the log tells"
                self.health.leads_since = self.health.gaps = None
                self._leadership.close()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run_beside, name="archiver", daemon=True)
        self._thread.start()

    def _run_beside(self) -> None:
        try:
            self.run()
        except Exception:
            logger.exception("the archiver has stopped")

    def ask_to_stop(self) -> None:
        """May be called from a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """Waits for the call in flight, then gives up the lead."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._leadership.close()

    def figures(self) -> Iterable[Figure]:
        """For ``/metrics``."""
        health = self.health
        polls: dict[tuple[str, ...], float] = {
            ("succeeded",): health.succeeded,
            ("failed",): health.failed,
        }
        yield Figure(
            "restserver_archiver_polls", "counter", "Polls of the archiver in this process.", ("outcome",), polls
        )
        leads = health.leads_since is not None
        yield _gauge(
            "restserver_archiver_leads", "1 if it is this process that archives, 0 if another does.", float(leads)
        )
        if health.leads_since is not None:  # who stands by has no lag; who never succeeded has all of it
            lag = (self._clock.now() - max(health.leads_since, health.completed_at or 0)) / 1000
            yield _gauge(
                "restserver_archiver_lag_seconds", "Since the last successful poll, or since it began to archive.", lag
            )
        if health.last is not None:
            listed, fetched = float(health.last.listed), float(health.last.fetched)
            yield _gauge("restserver_archiver_frameworks", "Frameworks in the launcher's list.", listed)
            yield _gauge("restserver_archiver_fetched", "Frameworks fetched by the last poll.", fetched)
        if health.gaps is not None:  # a 0 of who does not know would look, at a take-over, like attempts lost just then
            yield _gauge(
                "restserver_history_gaps", "Attempts and applications known to be missing.", float(health.gaps)
            )

    def _recover(self) -> None:
        """Later, if the resource manager cannot be asked: what was seen is stored already."""
        try:
            self._recovery.step(self._clock.now())
        except LauncherError as error:
            logger.warning("what was missed could not be recovered: %s", error)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _gauge(name: str, meaning: str, value: float) -> Figure:
    return Figure(name, "gauge", meaning, (), {(): value})
