"""What a master tells the resource manager of its progress: with its next heartbeat, and only what is new."""

from collections.abc import Callable

from contracts.clock import Instant, Milliseconds
from simulator.machine.agenda import Agenda
from simulator.machine.application import ApplicationLife
from simulator.machine.delays import next_tick, progress_as_told


class TellingProgress:
    def __init__(
        self,
        agenda: Agenda,
        life: ApplicationLife,
        started: Instant,
        heartbeat: Milliseconds,
        done: Callable[[], float],
        changed: Callable[[Instant], None],
    ) -> None:
        """``done``: the completed part of the tasks; ``changed`` hears when the resource manager has something new."""
        self._agenda = agenda
        self._life = life
        self._started = started
        self._heartbeat = heartbeat
        self._done = done
        self._changed = changed
        self._due = False
        self.override: float | None = None
        """What somebody asked to be told instead."""

    def soon(self, now: Instant) -> None:
        if not self._due:
            self._due = True
            self._agenda.at(next_tick(now, self._started, self._heartbeat), self._tell)

    def _tell(self, now: Instant) -> None:
        self._due = False
        if self._life.master_over is not None:
            return
        progress = progress_as_told(self.override if self.override is not None else self._done())
        if progress != self._life.progress_at(now):
            self._life.progress.append((now, progress))
            self._changed(now)
