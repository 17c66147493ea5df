"""The application master's exit report, as it lies in the resource manager's diagnostics between two landmarks.

It is what tells how a lost attempt ended (rulings 6.6). Without one (killed, rejected, the master crashed) nothing is
invented.
"""

import re

from msgspec import Struct

from contracts.launcher import wire
from contracts.launcher.open_print import render
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import ExitType
from contracts.launcher.tables import encoded, field, record
from contracts.launcher.wire import INTEGER, TEXT, maybe, word

_START = "<LAUNCHER_AM_DIAGNOSTICS_START>"
_END = "<LAUNCHER_AM_DIAGNOSTICS_END>"
# Up to the last landmark: a container's own text inside may quote one.
_REPORT = re.compile(f"{_START}(.*){_END}", re.DOTALL)


class ExitReport(Struct, frozen=True):
    code: int
    description: str | None
    diagnostics: str | None
    type: ExitType | None
    trigger_message: str | None = None
    trigger_task_role_name: str | None = None
    trigger_task_index: int | None = None


_TABLE = record(
    ExitReport,
    field("applicationExitCode", "code", INTEGER),
    field("applicationExitDescription", "description", maybe(TEXT)),
    field("applicationExitDiagnostics", "diagnostics", maybe(TEXT)),
    field("applicationExitType", "type", maybe(word(ExitType))),
    field("applicationExitTriggerMessage", "trigger_message", maybe(TEXT)),
    field("applicationExitTriggerTaskRoleName", "trigger_task_role_name", maybe(TEXT)),
    field("applicationExitTriggerTaskIndex", "trigger_task_index", maybe(INTEGER)),
)


def exit_report(diagnostics: str) -> ExitReport | None:
    """The report, if the text holds a readable one."""
    match = _REPORT.search(diagnostics)
    if match is None:
        return None
    try:
        return _TABLE.decode(wire.parse(match[1].encode("utf-8", "replace")))
    except LauncherUnreadable:
        return None


def wrap_exit_report(report: ExitReport) -> str:
    """The resource manager's diagnostics of an application that ended with this report."""
    return f"{_START}{render(encoded(_TABLE, report))}{_END}"
