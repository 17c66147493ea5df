"""What the resource manager adds: how an attempt ended that was last seen unfinished, and attempts that no poll saw."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from contracts.launcher.exit_report import ExitReport
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Application, ExitType, Framework, FrameworkStatus, RetryState

ENDED: Final = frozenset({"FINISHED", "KILLED", "FAILED"})
"""Of an application, as YARN says it."""


def completed(seen: Framework, application: Application, report: ExitReport) -> Framework:
    """The attempt as it was last seen, its end from the report, its tasks as they were (rulings 6.6)."""
    status = seen.status
    if status.application_id is None:
        status = _launched(status, application)
    return _of_the_past(seen, _reported(status, application, report))


def recovered(
    neighbour: Framework, application: Application, retries: RetryState, report: ExitReport | None
) -> Framework:
    """An attempt that no poll saw (rulings 6.7). ``neighbour`` is another one of the same run: it brings what they share."""
    fresh = FrameworkStatus(
        name=neighbour.status.name,
        version=neighbour.status.version,
        state=FrameworkState.APPLICATION_RETRIEVING_DIAGNOSTICS,
        retries=retries,
        created_timestamp=neighbour.status.created_timestamp,
        application_exit_diagnostics=application.diagnostics or None,
    )
    status = _launched(fresh, application)
    if report is not None:
        status = _reported(status, application, report)
    return _of_the_past(replace(neighbour, task_roles={}), status)


def _launched(status: FrameworkStatus, application: Application) -> FrameworkStatus:
    return replace(
        status,
        application_id=application.id,
        application_progress=application.progress / 100,
        application_tracking_url=application.tracking_url,
        application_launched_timestamp=application.started_timestamp,
    )


def _reported(status: FrameworkStatus, application: Application, report: ExitReport) -> FrameworkStatus:
    return replace(
        status,
        state=FrameworkState.APPLICATION_COMPLETED,
        completed_timestamp=None,
        application_completed_timestamp=application.finished_timestamp,
        application_exit_code=report.code,
        application_exit_description=report.description,
        application_exit_diagnostics=report.diagnostics,
        application_exit_type=report.type,
        application_exit_trigger_message=report.trigger_message,
        application_exit_trigger_task_role_name=report.trigger_task_role_name,
        application_exit_trigger_task_index=report.trigger_task_index,
    )


def _of_the_past(framework: Framework, status: FrameworkStatus) -> Framework:
    """With a summary that says the same as the status."""
    summary = replace(
        framework.summary,
        state=status.state,
        retries=status.retries,
        completed_timestamp=None,
        application_exit_code=status.application_exit_code,
        application_id=status.application_id,
        application_progress=status.application_progress,
    )
    return replace(framework, summary=summary, status=status)


_COUNTER: Final = {
    ExitType.SUCCEEDED: "succeeded",
    ExitType.TRANSIENT_NORMAL: "transient_normal",
    ExitType.TRANSIENT_CONFLICT: "transient_conflict",
    ExitType.NON_TRANSIENT: "non_transient",
    ExitType.UNKNOWN: "unknown",
}
"""Which counter a retry after such an exit raises."""


def counters_between(before: RetryState, after: RetryState, exits: Sequence[ExitType | None]) -> tuple[RetryState, ...]:
    """The counters of the attempts between two attempts whose counters are known.

    ``exits``: how each attempt from ``before`` on ended, as far as known. Where it is not, what is left of the difference is
    handed out in a fixed order: the sum is right, and no counter falls.
    """
    left = {name: getattr(after, name) - getattr(before, name) for name in _COUNTER.values()}
    steps: list[str | None] = []
    for exit_type in exits:
        name = None if exit_type is None else _COUNTER[exit_type]
        if name is not None and left[name] > 0:
            left[name] -= 1
            steps.append(name)
        else:
            steps.append(None)
    spare = [name for name, count in left.items() for _ in range(count)]
    counters = [before]
    for step in steps[:-1]:
        name = step or (spare.pop(0) if spare else "unknown")
        last = counters[-1]
        raised = {
            name: getattr(last, name) + 1,
            "total": last.total + 1,
            "retried": min(last.retried + 1, after.retried),
        }
        counters.append(replace(last, **raised))
    return tuple(counters[1:])
