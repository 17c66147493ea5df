"""What the service makes of an application's end, as the resource manager tells it (launcher fact sheet, 3.3)."""

from msgspec import Struct

from contracts.clock import Instant, Milliseconds
from simulator.machine import diagnostics
from simulator.machine.application import ApplicationLife, YarnEnd
from simulator.machine.story import Intervals

KILLED = -7303
LOST = -7350
NO_DIAGNOSTICS = -7352
NO_REPORT = -7353
NEED_NO_TEXT = frozenset({KILLED, LOST})


class Outcome(Struct, frozen=True):
    code: int
    diagnostics: str | None
    trigger_message: str | None = None
    trigger_role: str | None = None
    trigger_index: int | None = None


def outcome(end: YarnEnd) -> Outcome:
    """With the resource manager's text at hand."""
    if end.lost:
        return Outcome(LOST, None)
    if end.report is not None:
        told = end.report
        return Outcome(told.code, told.diagnostics, told.trigger_message, told.trigger_role, told.trigger_index)
    if end.state == "KILLED":
        return Outcome(KILLED, end.diagnostics)
    return Outcome(NO_REPORT, diagnostics.no_report_text(end.diagnostics))


def retrieved(
    now: Instant, life: ApplicationLife, end: YarnEnd, closed: Instant, intervals: Intervals
) -> tuple[Milliseconds, Outcome]:
    """How long it takes, and what comes of it: asked at once, and again a few times while there is no text."""
    known = outcome(end)
    if known.code in NEED_NO_TEXT:
        return 0, known
    step, tries, after = intervals.diagnostics_retry, intervals.diagnostics_retries, life.fate.diagnostics_after
    asked = tries + 1 if after is None else -(-max(0, closed + after - now) // step)
    if asked <= tries:
        return asked * step, known
    # A success stays one, even without a text that says so.
    code = 0 if end.final_status == "SUCCEEDED" else NO_DIAGNOSTICS
    return tries * step, Outcome(code, diagnostics.no_diagnostics_text(tries))
