"""Gang allocation: containers start together or not at all (launcher fact sheet, 3.5).

Outstanding are the tasks without a container. The timeout is armed when their number becomes positive, at the start, when the
task number grows and when a single task is retried later; and what is not together by then ends the application.
"""

from collections.abc import Callable

from contracts.clock import Instant, Milliseconds
from simulator.machine.agenda import Agenda


class Gang:
    def __init__(self, agenda: Agenda, timeout: Milliseconds) -> None:
        self._agenda = agenda
        self._timeout = timeout
        self._outstanding = 0
        self._turn = 0
        """Rises whenever a pending timeout becomes obsolete."""

    def grown(
        self,
        now: Instant,
        count: int,
        timed_out: Callable[[Instant, int], None],
        *,
        wanted: bool,
        again: bool = False,
    ) -> None:
        """So many more are outstanding. ``timed_out`` hears how many still are; ``wanted``: there is a gang; ``again``: the
        timeout starts anew even if some were outstanding already."""
        armed = self._outstanding > 0 and not again
        self._outstanding += count
        if wanted and not armed:
            self._turn += 1
            self._agenda.at(now + self._timeout, self._time_out, self._turn, timed_out)

    def one_less(self) -> bool:
        """Whether it is complete with that."""
        self._outstanding -= 1
        if self._outstanding == 0:
            self._turn += 1
        return self._outstanding == 0

    def _time_out(self, now: Instant, turn: int, timed_out: Callable[[Instant, int], None]) -> None:
        if turn == self._turn:
            timed_out(now, self._outstanding)
