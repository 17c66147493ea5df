"""What was seen of each job, reduced to the numbers that a profile is made of. No word of the recordings gets past here.

A job is a name of one creation; each stretch of it with the same version is a :class:`Run`. Looks may be few and far
between, so what nobody saw is ``None``, and is left out of what is fitted.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from msgspec import Struct

from contracts.clock import Instant, Milliseconds
from contracts.launcher.exits import STOP_FRAMEWORK_CODES, STOP_TASK_CODES
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.open_dialect import decode_framework
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import (
    ExitType,
    Framework,
    FrameworkDescriptor,
    RetryPolicy,
    RetryState,
    TaskRoleDescriptor,
    TaskStatus,
)
from contracts.launcher.timelines import Recordings, Timeline
from contracts.launcher.wire import parse

Look: TypeAlias = tuple[Instant, Framework | None]
"""``None``: the name was unknown."""

SUBMISSION_FAILED = frozenset({-7300, -7301, -7302})
ENDING_OF_EXIT_TYPE = {
    ExitType.SUCCEEDED: "succeeded",
    ExitType.NON_TRANSIENT: "user",
    ExitType.UNKNOWN: "user",
    ExitType.TRANSIENT_NORMAL: "platform",
    ExitType.TRANSIENT_CONFLICT: "resource",
}
RETRY_ALWAYS = -2


class Role(Struct, frozen=True):
    """Without its name."""

    tasks: int
    cpu: int
    memory_mb: int
    gpus: int
    ports: tuple[int, ...]
    """How many of each label."""
    serves: bool
    """It ran until another role ended the application."""


class Run(Struct, frozen=True):
    """One version of one job."""

    roles: tuple[Role, ...]
    gang: bool
    task_retry_policies: tuple[RetryPolicy, ...]
    pull: Milliseconds | None
    """From the submission to the first application, where the service took it up as it was submitted."""
    waited: Milliseconds | None
    """From the first application's launch to its master."""
    granted: tuple[Milliseconds, ...]
    """From a task's beginning to the start of its first container, where no gang had to be complete."""
    ran: Milliseconds | None
    """Its tasks, all attempts together; known only of what came to an end."""
    ending: str | None
    """As a profile calls it; ``None``: nobody saw one."""
    retries: RetryState


class Job(Struct, frozen=True):
    user: str
    """To count by, and never written down; so are queue and hosts."""
    queue: str
    hosts: frozenset[str]
    gpus_of_a_host: int
    created: Instant
    wrapper: bool
    namespace: bool
    grouped: bool
    runs: tuple[Run, ...]


def jobs_of(recordings: Recordings) -> list[Job]:
    """Every job that was seen, in order of creation. Answers that cannot be read show nothing."""
    found = (job for timeline in recordings.frameworks.values() for job in jobs_in(_looks(timeline)))
    return sorted(found, key=lambda job: job.created)


def jobs_in(looks: Iterable[Look]) -> Iterator[Job]:
    """The jobs that had one name, one after the other; ``looks`` in order of time."""
    incarnation: list[tuple[Instant, Framework]] = []
    for at, framework in looks:
        if incarnation and (framework is None or _created(framework) != _created(incarnation[-1][1])):
            yield _job(incarnation, deleted=framework is None)
            incarnation = []
        if framework is not None:
            incarnation.append((at, framework))
    if incarnation:
        yield _job(incarnation, deleted=False)


def _looks(timeline: Timeline) -> Iterator[Look]:
    for said in timeline.said:
        if said.status == 404:
            yield said.instant, None
        elif said.status == 200:
            try:
                yield said.instant, decode_framework(parse(said.content))
            except LauncherUnreadable:
                continue


def _created(framework: Framework) -> Instant | None:
    return framework.status.created_timestamp


def _job(looks: Sequence[tuple[Instant, Framework]], *, deleted: bool) -> Job:
    first, first_seen = looks[0][1], looks[0][0]
    name, tasks = first.summary.name, [task for _, framework in looks for task in _tasks(framework)]
    runs = [list(run) for _, run in groupby(looks, key=lambda look: look[1].status.version)]
    return Job(
        user=first.summary.user_name or "",
        queue=first.summary.queue or "",
        hosts=frozenset(task.container_host for task in tasks if task.container_host),
        gpus_of_a_host=max(((task.container_gpus or 0).bit_length() for task in tasks), default=0),
        created=first.status.created_timestamp or first_seen,
        wrapper=name.startswith(("JD_", "MPJD_")),
        namespace="~" in name,
        grouped=any(tag.upper().startswith("GID-") for tag in first.summary.tags)
        or "GroupTag" in (first.summary.description or ""),
        runs=tuple(
            _run([framework for _, framework in run], run[-1][0], deleted=deleted and run is runs[-1]) for run in runs
        ),
    )


def _run(looks: Sequence[Framework], last_seen: Instant, *, deleted: bool) -> Run:
    descriptor = next((look.request.descriptor for look in looks if look.request is not None), None)
    last = looks[-1]
    lengths = [_length(look, last_seen) for look in _last_of_each(looks)]
    ran = sum(length for length in lengths if length is not None)
    ending = _ending(last, descriptor, ran=any(length is not None for length in lengths), deleted=deleted)
    return Run(
        roles=()
        if descriptor is None
        else tuple(_role(name, role, last) for name, role in descriptor.task_roles.items()),
        gang=descriptor is not None and descriptor.platform.gang_allocation,
        task_retry_policies=()
        if descriptor is None
        else tuple(role.task_retry_policy for role in descriptor.task_roles.values()),
        pull=_pull(looks),
        waited=_waited(looks),
        granted=() if descriptor is None or descriptor.platform.gang_allocation else tuple(_granted(looks)),
        ran=ran if ending is not None and ran else None,
        ending=ending,
        retries=last.status.retries,
    )


def _last_of_each(looks: Sequence[Framework]) -> Iterator[Framework]:
    """The last look at each application."""
    for application, seen in groupby(looks, key=lambda look: look.status.application_id):
        if application is not None:
            *_, last = seen
            yield last


def _pull(looks: Sequence[Framework]) -> Milliseconds | None:
    """Of what was seen from its beginning, or had been asked for only once: then nothing else was in the way."""
    request = looks[0].request
    if request is None:
        return None
    only_once = request.first_request_timestamp == request.last_request_timestamp
    if not only_once and looks[0].status.state is not FrameworkState.FRAMEWORK_WAITING:
        return None
    launched = (look.status.application_launched_timestamp for look in looks if look.status.retries.total == 0)
    return _between(request.last_request_timestamp, next((at for at in launched if at is not None), None))


def _between(begin: Instant | None, end: Instant | None) -> Milliseconds | None:
    return None if begin is None or end is None or end < begin else end - begin


def _waited(looks: Sequence[Framework]) -> Milliseconds | None:
    """Of the first application: a later one waits less, and stands in line anew."""
    for look in looks:
        created = [task.created_timestamp for task in _tasks(look) if task.created_timestamp is not None]
        if created and look.status.retries.total == 0:
            return _between(look.status.application_launched_timestamp, min(created))
    return None


def _granted(looks: Sequence[Framework]) -> Iterator[Milliseconds]:
    """Of every application; a task keeps what it was first seen to have got."""
    seen: dict[tuple[str | None, str, int], Milliseconds] = {}
    for look in looks:
        for name, role in look.task_roles.items():
            for task in role.tasks:
                length = _between(task.created_timestamp, task.container_launched_timestamp)
                if length is not None and task.retries is not None and task.retries.total == 0:
                    seen.setdefault((look.status.application_id, name, task.index), length)
    yield from seen.values()


def _length(look: Framework, last_seen: Instant) -> Milliseconds | None:
    """How long the tasks of an application ran, by the last look at it; ``None``: none of them did.

    That is its longest container's run; when they came into being is the cluster's doing. One that was cut off counts only
    where none ended by itself.
    """
    over = look.status.application_completed_timestamp
    until = last_seen if over is None else over
    ended, cut_off = [], []
    for task in _tasks(look):
        launched, completed = task.container_launched_timestamp, task.container_completed_timestamp
        if launched is None:
            continue
        if completed is not None and task.container_exit_code not in STOP_TASK_CODES:
            ended.append(completed - launched)
        else:
            cut_off.append(until - launched)
    return max(0, *(ended or cut_off)) if ended or cut_off else None


def _ending(last: Framework, descriptor: FrameworkDescriptor | None, *, ran: bool, deleted: bool) -> str | None:
    status = last.status
    if status.state is not FrameworkState.FRAMEWORK_COMPLETED:
        return ("stopped" if ran else "stopped_waiting") if deleted else None
    code = status.application_exit_code
    if code is None:
        return None
    if code in STOP_FRAMEWORK_CODES:
        again = descriptor is not None and descriptor.retry_policy.max_retry_count == RETRY_ALWAYS
        return "restarting" if again and status.retries.succeeded else "stopped" if ran else "stopped_waiting"
    if code in SUBMISSION_FAILED:
        return "refused"
    return ENDING_OF_EXIT_TYPE.get(status.application_exit_type or ExitType.UNKNOWN)


def _role(name: str, role: TaskRoleDescriptor, last: Framework) -> Role:
    resource = role.task_service.resource
    shown = last.task_roles.get(name)
    tasks = () if shown is None else shown.tasks
    return Role(
        tasks=role.task_number,
        cpu=resource.cpu_number,
        memory_mb=resource.memory_mb,
        gpus=resource.gpu_number,
        ports=tuple(ports.count for ports in resource.port_definitions.values()),
        serves=last.status.application_exit_code == 0
        and bool(tasks)
        and all(task.container_exit_code in STOP_TASK_CODES for task in tasks),
    )


def _tasks(framework: Framework) -> Iterator[TaskStatus]:
    for role in framework.task_roles.values():
        yield from role.tasks
