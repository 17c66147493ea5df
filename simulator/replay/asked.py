"""What people asked for, read out of the requests as a launcher told them from look to look."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher.histories import Look
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import ExecutionType, Framework, FrameworkRequest
from simulator.machine.story import Delete, Migrate, Operation, SetProgress, Start, Stop, Submit
from simulator.replay.happened import MIGRATED

JUST_BEFORE = 50
"""Milliseconds. A name that was deleted and put again between two looks was deleted at the latest so long before."""


def operations(looks: Sequence[Look]) -> list[Operation]:
    """In time order. What a launcher tells only by having done it, with no instant of its own, is dated by the look."""
    return sorted((*_operations(looks), *_migrations(looks)), key=lambda operation: operation.at)


def _operations(looks: Sequence[Look]) -> Iterator[Operation]:
    before: FrameworkRequest | None = None
    for look in looks:
        now = None if look.framework is None else look.framework.request
        if look.framework is None or now is None:
            if before is not None:
                yield Delete(look.instant)
        else:
            yield from _first(look.framework, now) if before is None else _submissions(before, now)
            yield from _beside(look.instant, before, now)
        before = now


def _first(record: Framework, request: FrameworkRequest) -> Iterator[Operation]:
    """What was asked for before anybody looked: the last submission may have been an upgrade, an update, or a stop."""
    first, last, wanted = request.first_request_timestamp, request.last_request_timestamp, request.descriptor
    submit = Submit(first, wanted, request.launch_client_type, request.launch_client_host_name)
    launched = record.status.application_launched_timestamp
    if wanted.execution_type is ExecutionType.STOP and first < last:
        yield replace(submit, descriptor=replace(wanted, execution_type=ExecutionType.START))
        yield Stop(last)
    elif not record.status.retries.total and (launched is None or launched >= last):
        yield replace(submit, at=last)
    else:
        yield submit


def _submissions(old: FrameworkRequest, new: FrameworkRequest) -> Iterator[Operation]:
    at, wanted = new.last_request_timestamp, new.descriptor
    submit = Submit(at, wanted, new.launch_client_type, new.launch_client_host_name)
    if old.first_request_timestamp != new.first_request_timestamp:
        yield Delete(new.first_request_timestamp - JUST_BEFORE)
        yield replace(submit, at=new.first_request_timestamp)
    elif replace(old.descriptor, execution_type=wanted.execution_type) != wanted:
        yield submit
    elif old.descriptor.execution_type is not wanted.execution_type:
        yield Stop(at) if wanted.execution_type is ExecutionType.STOP else Start(at)


def _migrations(looks: Sequence[Look]) -> Iterator[Operation]:
    """A launcher forgets that it was asked once the container is gone; that it went so, it tells for longer."""
    asked: dict[str, Instant] = {}
    for look in looks:
        if look.framework is None:
            continue
        request = look.framework.request
        for container in sorted((request and request.migrate_task_requests) or ()):
            asked.setdefault(container, look.instant)
        for task in tasks_of(look.framework).values():
            ended = task.container_completed_timestamp
            if task.container_id is not None and task.container_exit_code == MIGRATED and ended is not None:
                asked[task.container_id] = min(asked.get(task.container_id, ended), ended - JUST_BEFORE)
    yield from (Migrate(at, container) for container, at in asked.items())


def _beside(seen: Instant, old: FrameworkRequest | None, new: FrameworkRequest) -> Iterator[Operation]:
    if new.progress_override is not None and (old is None or old.progress_override != new.progress_override):
        yield SetProgress(seen, new.progress_override)
