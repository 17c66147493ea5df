"""Questions to the history for somebody who waits: one that fails again and again is left alone for a while, as a launcher is.

Without this a database that is away cost every question a vain connection and two lines of the log, and one that is silent would
hold, three seconds each, every thread that the job detail needs.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from contracts.clock import Clock
from contracts.launcher.port import Ask, Call, LauncherBusy, LauncherRefused, LauncherUnavailable
from restserver.history.database import HistoryFailed
from restserver.history.documents import Damaged
from restserver.launchers.breaker import Breaker
from restserver.seeing.metrics import Counts, Figure

T = TypeVar("T")

_QUESTION: Final = Call("history")


class Asking:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._breaker = Breaker(clock, "The history of past attempts")
        self._questions = Counts(
            "restserver_history_questions", "Questions of clients to the history, by what came of them.", "outcome"
        )

    def __call__(self, question: Callable[[], T], ask: Ask) -> T:
        """Raises LauncherUnavailable, LauncherRefused for an attempt that is damaged, and LauncherBusy where it was not asked."""
        outcome = "failed"
        try:
            answer: T = self._breaker(_QUESTION, ask, lambda _: _answered(question))
            outcome = "answered"
        except LauncherBusy:
            outcome = "not asked"
            raise
        finally:
            self._questions.one_more(outcome)
        return answer

    @property
    def condition(self) -> str:
        """``ok``, or what becomes of questions for a while, though the history may be well again."""
        return self._breaker.condition

    def figures(self) -> Iterable[Figure]:
        """For ``/metrics``."""
        yield self._questions.figure()


def _answered(question: Callable[[], T]) -> T:
    try:
        return question()
    except Damaged as error:  # to the breaker an answer of its own: one attempt must not take all others with it
        raise LauncherRefused(500, str(error)) from error
    except HistoryFailed as error:
        raise LauncherUnavailable(str(error)) from error
