"""What the web server shows of the logs (launcher fact sheet, 3.4): its revision of states and tasks, composed on demand.

Requests are shown at once; statuses as the web server read them at its last look, tasks as the master had pushed them by
then. Nothing in here decides anything.
"""

from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher import exits
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import (
    Framework,
    FrameworkRequest,
    FrameworkStatus,
    Summary,
    TaskRole,
    TaskStatus,
)
from simulator.machine.application import NO_RETRIES, ApplicationLife, RoleLife, TaskEntry, task_entry_at
from simulator.machine.delays import last_tick

_F = FrameworkState
_T = TaskState

REVISED_BY_TASKS = frozenset({_F.APPLICATION_WAITING, _F.APPLICATION_RUNNING})
OUTLIVING = frozenset({_F.APPLICATION_COMPLETED, _F.FRAMEWORK_COMPLETED})
EXITED = frozenset({_T.CONTAINER_COMPLETED, _T.TASK_COMPLETED})


def inferred_status(request: FrameworkRequest) -> FrameworkStatus:
    """Shown while the service has not yet written a status of the version asked for."""
    return FrameworkStatus(
        name=request.name,
        version=request.descriptor.version,
        state=_F.FRAMEWORK_WAITING,
        retries=NO_RETRIES,
        created_timestamp=request.first_request_timestamp,
    )


def framework(
    request: FrameworkRequest,
    status: FrameworkStatus,
    life: ApplicationLife | None,
    looked: Instant,
    push_interval: Milliseconds,
    tags: tuple[str, ...] = (),
) -> Framework:
    """The record as of the web server's look at ``looked``."""
    pushed = None if life is None else last_push(life, looked, push_interval)
    roles: dict[str, TaskRole] = {}
    if life is not None and pushed is not None:
        outlived = status if status.state in OUTLIVING else None
        roles = {
            name: _role(role, life, pushed, status.version, outlived)
            for name, role in life.roles.items()
            if role.since <= pushed
        }
    if status.state in REVISED_BY_TASKS:
        runs = any(task.state is _T.CONTAINER_RUNNING for role in roles.values() for task in role.tasks)
        status = replace(status, state=_F.APPLICATION_RUNNING if runs else _F.APPLICATION_WAITING)
    return Framework(summary(request, status, tags), status, roles, request)


def last_push(life: ApplicationLife, looked: Instant, interval: Milliseconds) -> Instant | None:
    """When the statuses seen at ``looked`` were pushed. The first try, at the master's start, comes too early to count."""
    started, over = life.master_started, life.master_over
    if started is None:
        return None
    if over is not None and over <= looked and life.pushed_last:
        return over
    pushed = last_tick(looked if over is None else min(looked, over), started, interval)
    return pushed if pushed > started else None


def _role(
    role: RoleLife, life: ApplicationLife, pushed: Instant, version: int, outlived: FrameworkStatus | None
) -> TaskRole:
    tasks = []
    for index, log in enumerate(role.slots):
        entry = task_entry_at(log, pushed)
        if entry is None or entry.state is None:
            break  # tasks are dense: the first index without one ends them
        if outlived is not None and entry.state is not _T.TASK_COMPLETED:
            tasks.append(_outlived_task(role, index, entry, outlived.application_completed_timestamp, life.completed))
        else:
            tasks.append(_task(role, index, entry, entry.state))
    return TaskRole(role.name, version, tuple(tasks))


def _task(role: RoleLife, index: int, entry: TaskEntry, state: TaskState) -> TaskStatus:
    container = entry.container
    if container is None:
        return TaskStatus(index, role.name, state, entry.retries, entry.created, service_version=role.service_version)
    exited = state in EXITED
    return TaskStatus(
        index,
        role.name,
        state,
        entry.retries,
        entry.created,
        entry.at if state is _T.TASK_COMPLETED else None,
        role.service_version,
        container.id,
        container.host.name,
        container.host.ip,
        container.ports,
        container.gpus,
        container.log_address,
        0,
        None,
        None if state is _T.CONTAINER_ALLOCATED else container.launched,
        container.completed if exited else None,
        container.exit_code if exited else None,
        container.exit_description if exited else None,
        container.diagnostics if exited else None,
        container.exit_type if exited else None,
    )


def _outlived_task(
    role: RoleLife, index: int, entry: TaskEntry, completed: Instant | None, first_completed: Instant | None
) -> TaskStatus:
    """As -7400: it was not completed when its application was.

    A stop during back-off completes the application a second time: the task's time moves on with it, as recorded, but a
    container's time, once told, stays (law L6).
    """
    container = entry.container
    state = entry.state if entry.state is not None else _T.TASK_COMPLETED
    return replace(
        _task(role, index, entry, state),
        state=_T.TASK_COMPLETED,
        completed_timestamp=completed,
        container_completed_timestamp=None
        if container is None
        else container.completed
        if state is _T.CONTAINER_COMPLETED
        else first_completed,
        container_exit_code=exits.STOP_TASK,
        container_exit_description=exits.description(exits.STOP_TASK),
        container_exit_diagnostics=None,
        container_exit_type=exits.exit_type(exits.STOP_TASK),
    )


def summary(request: FrameworkRequest, status: FrameworkStatus, tags: tuple[str, ...]) -> Summary:
    descriptor = request.descriptor
    roles = descriptor.task_roles.values()
    return Summary(
        name=request.name,
        version=descriptor.version,
        execution_type=descriptor.execution_type,
        description=descriptor.description,
        user_name=descriptor.user_name,
        queue=descriptor.platform.queue,
        total_task_number=sum(role.task_number for role in roles),
        total_task_role_number=len(roles),
        total_gpu_number=sum(role.task_number * role.task_service.resource.gpu_number for role in roles),
        total_cpu_number=sum(role.task_number * role.task_service.resource.cpu_number for role in roles),
        total_memory_mb=sum(role.task_number * role.task_service.resource.memory_mb for role in roles),
        first_request_timestamp=request.first_request_timestamp,
        last_request_timestamp=request.last_request_timestamp,
        state=status.state,
        retries=status.retries,
        completed_timestamp=status.completed_timestamp,
        application_exit_code=status.application_exit_code,
        application_id=status.application_id,
        application_progress=status.application_progress,
        tags=descriptor.tags or tags,
    )
