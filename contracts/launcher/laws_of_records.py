"""What holds within one record of any launcher, and between two looks at the same framework: its invariants as code.

The same laws judge a real launcher's documents and the simulated one's; the laws of answers (``contracts.harness.laws``) judge
what a server makes of them. A dialect that does not tell a field leaves it null everywhere: such fields are ``untold``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contracts.launcher.exits import STOP_TASK_CODES
from contracts.launcher.lifecycle import (
    FRAMEWORK_TRANSITIONS,
    TASK_TRANSITIONS,
    FrameworkEvent,
    FrameworkState,
    TaskEvent,
    TaskState,
    reachable,
)
from contracts.launcher.nullness import TOLD_OF_FRAMEWORK, TOLD_OF_OUTLIVED, TOLD_OF_TASK, Told, set_fields
from contracts.launcher.records import Framework, RetryState, TaskStatus

_F = FrameworkState
FINAL = frozenset({_F.APPLICATION_COMPLETED, _F.FRAMEWORK_COMPLETED})
NEW_LIFE = frozenset({FrameworkEvent.UPGRADED})
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Breach:
    law: str
    """L1 to L10 (rulings, section 7), ``null`` or ``tasks``."""
    about: str
    """What it is about, the same for all its breaches: a state, a field, a step of the table."""
    what: str


def tasks_of(record: Framework) -> dict[tuple[str, int], TaskStatus]:
    """By role name and index."""
    return {(task.task_role_name, task.index): task for role in record.task_roles.values() for task in role.tasks}


# --- within one answer ----------------------------------------------------------------------------------------------


def breaches_of(record: Framework, untold: frozenset[str] = NOTHING) -> Iterator[Breach]:
    status, summary = record.status, record.summary
    if status.state is _F.UNKNOWN:
        yield Breach("L1", "UNKNOWN", "its state is a word that no table has")
        return
    yield from _nulls(TOLD_OF_FRAMEWORK[status.state], set_fields(status), status.state.value, untold)
    if (status.application_exit_code is not None) != (status.state in FINAL):
        yield Breach(
            "L7", f"exit code in {status.state}", f"{status.state} with exit code {status.application_exit_code}"
        )
    if (status.completed_timestamp is not None) != (status.state is _F.FRAMEWORK_COMPLETED):
        yield Breach("L7", f"completed in {status.state}", f"{status.state}, completed at {status.completed_timestamp}")
    for field in ("state", "retries", "application_exit_code", "application_id"):
        if field not in untold and getattr(summary, field) != getattr(status, field):
            yield Breach("L10", f"summary {field}", f"summary and status tell another {field}")
    yield from _counters_agree(status.retries)
    tasks = tasks_of(record)
    runs = any(task.state is TaskState.CONTAINER_RUNNING for task in tasks.values())
    if status.state in (_F.APPLICATION_RUNNING, _F.APPLICATION_WAITING) and runs != (
        status.state is _F.APPLICATION_RUNNING
    ):
        yield Breach("L7", f"tasks of {status.state}", f"{status.state} while a task runs: {runs}")
    for task in tasks.values():
        yield from _breaches_of_task(record, task, untold)
    for name, role in record.task_roles.items():
        if [task.index for task in role.tasks] != list(range(len(role.tasks))):
            yield Breach("tasks", "dense", f"the tasks of {name} are not dense")
    yield from _trigger_agrees(record, tasks)


def _nulls(told: Told, found: frozenset[str], where: str, untold: frozenset[str]) -> Iterator[Breach]:
    for field in sorted(told.always - found - untold):
        yield Breach("null", f"{where} {field}", f"{field} is null in {where}, where it never is")
    for field in sorted(found - told.always - told.perhaps):
        yield Breach("null", f"{where} {field}", f"{field} is set in {where}, where it never is")


def _counters_agree(retries: RetryState) -> Iterator[Breach]:
    typed = (
        retries.succeeded
        + retries.transient_normal
        + retries.transient_conflict
        + retries.non_transient
        + retries.unknown
    )
    if retries.total != typed or retries.retried > typed:
        what = f"{retries.total} retries, {retries.retried} against the limit, are not the typed {typed}"
        yield Breach("L2", "sum of the counters", what)


def _breaches_of_task(record: Framework, task: TaskStatus, untold: frozenset[str]) -> Iterator[Breach]:
    if task.state is TaskState.UNKNOWN:
        yield Breach("L5", "UNKNOWN", "the state of a task is a word that no table has")
        return
    if task.container_exit_code in STOP_TASK_CODES:
        yield from _nulls(TOLD_OF_OUTLIVED, set_fields(task), "an outlived task", untold)
        ended = record.status.application_completed_timestamp
        if "completed_timestamp" not in untold and task.completed_timestamp != ended:
            yield Breach("tasks", "outlived end", "an outlived task does not end with its application")
        if not untold & {"container_completed_timestamp", "container_id"} and (
            task.container_completed_timestamp is None
        ) != (task.container_id is None):
            yield Breach("tasks", "outlived container", "an outlived task has the wrong container times")
    else:
        yield from _nulls(TOLD_OF_TASK[task.state], set_fields(task), task.state.value, untold)
    launched, completed = task.container_launched_timestamp, task.container_completed_timestamp
    if launched is not None and completed is not None and launched > completed:
        yield Breach("L6", "launched before completed", "a container completed before it was launched")
    if record.status.state in FINAL and task.state is not TaskState.TASK_COMPLETED:
        yield Breach(
            "L7", f"{task.state} in {record.status.state}", f"{record.status.state} with a task in {task.state}"
        )
    if task.retries is not None:
        yield from _counters_agree(task.retries)


def _trigger_agrees(record: Framework, tasks: Mapping[tuple[str, int], TaskStatus]) -> Iterator[Breach]:
    status = record.status
    name, index = status.application_exit_trigger_task_role_name, status.application_exit_trigger_task_index
    if (name is None) != (index is None):
        yield Breach("tasks", "half a trigger", "the trigger is told by half")
    if name is not None and index is not None and (name, index) in tasks:
        task = tasks[name, index]
        if (task.container_exit_code, task.container_exit_type, task.container_exit_diagnostics) != (
            status.application_exit_code,
            status.application_exit_type,
            status.application_exit_diagnostics,
        ):
            yield Breach("tasks", "trigger's exit", "the trigger's exit is not the application's")


# --- between two answers --------------------------------------------------------------------------------------------


def breaches_between(before: Framework, after: Framework) -> Iterator[Breach]:
    """Of one incarnation; else nothing is promised."""
    old, new = before.status, after.status
    if old.created_timestamp != new.created_timestamp or _F.UNKNOWN in (old.state, new.state):
        return
    times = {
        "completed_timestamp": new.completed_timestamp,
        "application_launched_timestamp": new.application_launched_timestamp,
        "application_completed_timestamp": new.application_completed_timestamp,
        **{f"task {index} of {role}": task.created_timestamp for (role, index), task in tasks_of(after).items()},
    }
    for what, time in times.items():
        if time is not None and new.created_timestamp is not None and time < new.created_timestamp:
            about = "task created" if what.startswith("task ") else what
            yield Breach("L4", about, f"{what}: before the framework was created")
    if old.version != new.version:
        return
    yield from _framework_moves(before, after)
    if old.application_id is not None and old.application_id == new.application_id:
        launched = old.application_launched_timestamp
        if launched not in (None, new.application_launched_timestamp):
            yield Breach("L5", "launch", "the launch of one application moved")
        yield from _tasks_move(before, after)
    yield from _containers_stay(before, after)


def _framework_moves(before: Framework, after: Framework) -> Iterator[Breach]:
    old, new = before.status, after.status
    retried = new.retries.total > old.retries.total
    if new.state not in _ways(old.state, retried=retried):
        how = "over a retry" if retried else "within one attempt"
        yield Breach(
            "L1", f"{old.state} to {new.state}", f"{old.state} to {new.state} {how}: the table has no such way"
        )
    for counter in RetryState.__struct_fields__:
        if getattr(new.retries, counter) < getattr(old.retries, counter):
            yield Breach("L2", counter, f"{counter} fell from {getattr(old.retries, counter)}")
    if not retried and old.application_id not in (None, new.application_id):
        yield Breach("L2", "application of an attempt", "another application in the same attempt")
    if retried and old.application_id is not None and old.application_id == new.application_id:
        yield Breach("L2", "application of an attempt", "the same application in another attempt")
    if old.state is _F.FRAMEWORK_COMPLETED and new.state is _F.FRAMEWORK_COMPLETED and old != new:
        yield Breach("L3", "status", "a completed framework changed")


def _ways(old: FrameworkState, *, retried: bool) -> frozenset[FrameworkState]:
    within = reachable(FRAMEWORK_TRANSITIONS, old, without=NEW_LIFE | {FrameworkEvent.RETRIED})
    if not retried:
        return within
    starts = [FRAMEWORK_TRANSITIONS[state].get(FrameworkEvent.RETRIED) for state in within]
    return frozenset().union(
        *(reachable(FRAMEWORK_TRANSITIONS, start, without=NEW_LIFE) for start in starts if start is not None)
    )


def _tasks_move(before: Framework, after: Framework) -> Iterator[Breach]:
    now = tasks_of(after)
    for place, task in tasks_of(before).items():
        other = now.get(place)
        if (
            other is None
            or other.created_timestamp != task.created_timestamp
            or task.retries is None
            or other.retries is None
            or TaskState.UNKNOWN in (task.state, other.state)
        ):
            continue
        without = frozenset[TaskEvent]() if other.retries.total > task.retries.total else frozenset({TaskEvent.RETRIED})
        if other.state not in reachable(TASK_TRANSITIONS, task.state, without=without):
            yield Breach("L5", f"{task.state} to {other.state}", f"a task went from {task.state} to {other.state}")
        for counter in RetryState.__struct_fields__:
            if getattr(other.retries, counter) < getattr(task.retries, counter):
                yield Breach("L5", f"task {counter}", f"{counter} of a task fell")


def _containers_stay(before: Framework, after: Framework) -> Iterator[Breach]:
    earlier = {task.container_id: task for task in tasks_of(before).values() if task.container_id is not None}
    for task in tasks_of(after).values():
        other = None if task.container_id is None else earlier.get(task.container_id)
        if other is None:
            continue
        for field in ("container_launched_timestamp", "container_completed_timestamp"):
            if getattr(other, field) not in (None, getattr(task, field)):
                yield Breach("L6", field, f"{field} of one container moved")
