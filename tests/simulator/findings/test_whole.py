"""What held of every document that was recorded holds of every one that is simulated; and each finding stands once."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from contracts.launcher import exits
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.open_dialect import encode_framework
from contracts.launcher.port import Ask
from contracts.launcher.records import (
    Framework,
)
from tests.simulator.findings.differences import DIFFERENT
from tests.simulator.findings.lives import S
from tests.simulator.findings.test_answers import ASKED
from tests.simulator.findings.test_lives import LIVES
from tests.simulator.telling import (
    START,
    changes,
)
from tests.simulator.test_http_server import served

_F = FrameworkState


def everything() -> Iterator[Framework]:
    """Every life above, whenever it changes, and the default profile's jobs."""
    for life in LIVES:
        yield from (record for _, record in changes(life.told(), START + 300 * S) if record is not None)
    world = served("open").simulation.launcher
    for summary in world.summaries(Ask()):
        yield world.framework(summary.name, Ask()).value


INVARIANTS: Mapping[str, Callable[[Framework], bool]] = {
    "the summary's state is the status's": lambda r: r.summary.state is r.status.state,
    "tasks are numbered without gaps from 0": lambda r: all(
        [task.index for task in each.tasks] == list(range(len(each.tasks))) for each in r.task_roles.values()
    ),
    "running exactly when a container is": lambda r: (
        r.status.state not in (_F.APPLICATION_WAITING, _F.APPLICATION_RUNNING)
        or (r.status.state is _F.APPLICATION_RUNNING)
        is any(task.state is TaskState.CONTAINER_RUNNING for task in tasks_of(r).values())
    ),
    "completed: an application id, all tasks completed, and 0 to 18 ms after the application": lambda r: (
        r.status.state is not _F.FRAMEWORK_COMPLETED
        or (
            r.status.application_id is not None
            and all(task.state is TaskState.TASK_COMPLETED for task in tasks_of(r).values())
            and 0 <= (r.status.completed_timestamp or 0) - (r.status.application_completed_timestamp or 0) <= 18
        )
    ),
    "the task that triggered the end has its code, type and text": lambda r: _trigger_agrees(r),
    "a task stopped with its application ended with it": lambda r: all(
        task.completed_timestamp == r.status.application_completed_timestamp
        and (task.container_completed_timestamp is None) is (task.container_id is None)
        for task in tasks_of(r).values()
        if task.container_exit_code == exits.STOP_TASK
    ),
    "retried is the sum under a plain policy, and what is unknown or succeeded under a fancy one": lambda r: (
        r.request is None
        or r.request.descriptor.version != r.status.version
        or r.status.retries.retried
        == (
            r.status.retries.unknown + r.status.retries.succeeded
            if r.request.descriptor.retry_policy.fancy
            else r.status.retries.total
        )
    ),
}


def _trigger_agrees(record: Framework) -> bool:
    status = record.status
    if status.application_exit_trigger_task_role_name is None:
        return True
    task = tasks_of(record).get(
        (status.application_exit_trigger_task_role_name, status.application_exit_trigger_task_index or 0)
    )
    return task is None or (task.container_exit_code, task.container_exit_type) == (
        status.application_exit_code,
        status.application_exit_type,
    )


@pytest.mark.no_cover
def test_what_held_of_every_recorded_document_holds_of_every_simulated_one() -> None:
    seen = list(everything())
    assert len(seen) > 400
    for finding, holds in INVARIANTS.items():
        assert [encode_framework(record) for record in seen if not holds(record)][:1] == [], finding


def test_each_finding_stands_once() -> None:
    findings = [*(asked.finding for asked in ASKED), *(life.finding for life in LIVES), *INVARIANTS, *DIFFERENT]
    assert len(findings) == len(set(findings))
    assert all(DIFFERENT.values())
