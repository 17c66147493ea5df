"""The innermost hook: counts the calls that are really made, by what came of them, and remembers how the last one ended."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from contracts.clock import stopwatch
from contracts.launcher.port import (
    Ask,
    Call,
    LauncherBusy,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from restserver.seeing.metrics import Metrics

ANSWERED: Final = "answered"
BROKEN: Final = "broken"
"""A mistake of ours."""
OUTCOME_OF_ERROR: Final[Mapping[type[LauncherError], str]] = {
    NoSuchFramework: "no such",
    NoSuchAttempt: "no such",
    NoSuchVersion: "no such",
    LauncherUnavailable: "unavailable",
    LauncherRefused: "refused",
    LauncherUnreadable: "unreadable",
    LauncherBusy: "busy",
}


class Counted:
    """A hook. ``side``: ``launcher`` or ``resource manager``."""

    def __init__(self, metrics: Metrics, side: str) -> None:
        self._metrics = metrics
        self._side = side
        self.last: str | None = None
        """How the last call ended: ``ok``, or why not; ``None`` before the first."""

    def __call__(self, call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
        began = stopwatch()
        outcome = BROKEN
        try:
            result = proceed(ask)
            outcome, self.last = ANSWERED, "ok"
        except LauncherError as error:
            outcome = OUTCOME_OF_ERROR[type(error)]
            missing = outcome == "no such" or (isinstance(error, LauncherRefused) and error.status == 404)
            self.last = "ok" if missing else str(error)
            raise
        finally:
            self._metrics.calls.one_more(self._side, call.operation, outcome)
            self._metrics.call_seconds.took(stopwatch() - began, self._side, call.operation)
        return result
