"""Where a recorded framework lived, as far as its records tell, and what they do not tell and has to be tried."""

import re
from collections.abc import Iterator
from itertools import pairwise, product

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher.exits import EXITS, STOP_FRAMEWORK_CODES
from contracts.launcher.histories import History
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import ExitType, Framework, TaskStatus
from simulator.machine.story import DAY, DEPLOYED, FAST, HOUR, SECOND, Cluster, Host, Intervals

NOWHERE = Host("node-1.cluster.example", "192.0.2.1")
NEVER = 365 * DAY
_RETRIES_OF_DIAGNOSTICS = re.compile(r"AMDiagnostics is still empty after (\d+) retries")
_GANG_TIMEOUT = re.compile(r"outstanding Tasks after timeout (\d+)s")
_EIGHTHS = (0, 2, 4, 6, 1, 3, 5, 7)


class Unknowns(Struct, frozen=True):
    """What no record tells. The launcher and the simulator do not tick at the same milliseconds, and where something was
    asked for within a tick of another thing, which tick came first decides what is seen."""

    intervals: Intervals
    phase: Milliseconds = 0
    """By how much the periods begin later than the resource manager did."""
    lag: Milliseconds = 0
    """By how much what people asked for was heard later, or earlier, than it was stored."""


def unknowns(history: History, paces: tuple[Intervals, ...] = (FAST, DEPLOYED)) -> Iterator[Unknowns]:
    """The likely first. Few histories need more than one."""
    for eighth, lag in product(_EIGHTHS, (0, 2, -2, 1, -1)):
        for pace in paces:
            period = pace.service_request_pull
            yield Unknowns(_told_intervals(history, pace), eighth * period // 8, lag * period // 2)


def cluster(history: History, unknown: Unknowns) -> Cluster:
    return Cluster(
        started=_resource_manager_start(history) + unknown.phase,
        hosts=tuple(_hosts(history)) or (NOWHERE,),
        intervals=unknown.intervals,
        user_exit_spec=not any(_unspecified(task) for task in _tasks(history)),
    )


def _tasks(history: History) -> Iterator[TaskStatus]:
    return (task for record in history.records() for role in record.task_roles.values() for task in role.tasks)


def _hosts(history: History) -> list[Host]:
    seen = {task.container_host: task.container_ip for task in _tasks(history) if task.container_host}
    return [Host(name, ip or "") for name, ip in sorted(seen.items())]


def _resource_manager_start(history: History) -> Instant:
    """Part of every application id; of a framework that never had one, some time before the first look."""
    ids = (record.status.application_id for record in history.records())
    known = next((name.split("_")[1] for name in ids if name), None)
    return history.looks[0].instant - HOUR if known is None else int(known)


def _unspecified(task: TaskStatus) -> bool:
    """A code that the user's exit spec would have named, shown without a name: that launcher was given no such file."""
    code = task.container_exit_code
    row = None if code is None or code <= 0 else EXITS.get(code)
    return row is not None and row.type is not ExitType.UNKNOWN and task.container_exit_type is ExitType.UNKNOWN


def _told_intervals(history: History, pace: Intervals) -> Intervals:
    """Some of a launcher's settings can be read out of what it said and did. Containers that expire are told one by one."""
    records = history.records()
    told = replace(pace, container_expiry=NEVER)
    texts = [record.status.application_exit_diagnostics or "" for record in records]
    timeouts = [int(found[1]) * SECOND for text in texts if (found := _GANG_TIMEOUT.search(text))]
    # Who never saw it time out does not know how long it would have waited.
    told = replace(told, gang_timeout=timeouts[0] if timeouts else pace.gang_timeout if _starved(records) else NEVER)
    retried = [int(found[1]) for text in texts if (found := _RETRIES_OF_DIAGNOSTICS.search(text))]
    if retried:
        told = replace(told, diagnostics_retries=retried[0])
    waits = sorted(back_offs(records))
    if waits:
        told = replace(told, conflict_back_off_min=waits[0], conflict_back_off_max=waits[-1])
    return told


def _starved(records: list[Framework]) -> bool:
    """Whether an attempt that was last seen without all its containers was retried for a conflict."""
    return any(
        after.status.retries.transient_conflict > before.status.retries.transient_conflict
        and any(task.container_id is None for task in tasks_of(before).values())
        for before, after in pairwise(records)
    )


def back_offs(records: list[Framework]) -> Iterator[Milliseconds]:
    """How long it waited, in whole seconds, before each retry that a conflict had caused: from the end of one application to
    the launch of the next. One that somebody put an end to lasted longer than anybody will know."""
    for before, after in pairwise(records):
        old, new = before.status, after.status
        ended, launched = old.application_completed_timestamp, new.application_launched_timestamp
        if ended is None or old.application_exit_type is not ExitType.TRANSIENT_CONFLICT:
            continue
        if new.retries.transient_conflict == old.retries.transient_conflict + 1 and launched is not None:
            yield (launched - ended) // SECOND * SECOND
        elif new.application_exit_code in STOP_FRAMEWORK_CODES:
            yield NEVER
