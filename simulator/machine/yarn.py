"""What the resource manager tells of an application at an instant. It is asked live: no web server's look lies between."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from contracts.clock import Instant, Milliseconds
from contracts.launcher.lifecycle import TaskState
from contracts.launcher.records import Application, Figures, Resource
from simulator.machine import diagnostics, placement
from simulator.machine.application import ApplicationLife, Container, RoleLife, TaskEntry, entry_at, task_entry_at
from simulator.machine.master import HOLDS_A_CONTAINER
from simulator.machine.story import SECOND, Cluster, Host

PREEMPTED = -7120
MASTER_SEQUENCE = 1
REGISTERING: Milliseconds = 1500
"""A master's container is there for so long before the master has registered."""
COUNTED_EVERY: Milliseconds = 3000
"""Between two countings of what living containers have used."""
AFTERGLOW: Milliseconds = 1000
"""So long after a master said goodbye its own container still counts."""


def application(life: ApplicationLife, cluster: Cluster, instant: Instant) -> Application | None:
    """``None``: never submitted, not yet submitted, or lost."""
    if life.submitted is None or instant < life.submitted:
        return None
    end = life.end if _is_closed(life, instant) else None
    if end is not None:
        if end.lost:
            return None
        state, final = end.state, end.final_status
        progress, text = 100 * (end.progress or 0.0), end.diagnostics
    else:
        state = "RUNNING" if _master_runs(life, instant) else "ACCEPTED"
        final, progress = _final_status(life, instant), 100 * life.progress_at(instant)
        text = "" if state == "RUNNING" else _why_it_waits(life, cluster, instant)
    memory_seconds, vcore_seconds = _used(life, instant)
    over = end is not None and not _in_the_afterglow(life, instant)
    return Application(
        id=life.id,
        name=life.yarn_name,
        user=life.user,
        queue=life.descriptor.platform.queue,
        state=state,
        final_status=final,
        progress=progress,
        tracking_url=_tracking_url(life, cluster, state),
        diagnostics=text,
        started_timestamp=life.submitted,
        finished_timestamp=life.closed if end is not None else None,
        figures=figures(life, cluster, instant),
        memory_seconds=memory_seconds,
        vcore_seconds=vcore_seconds,
        master=None if over else life.descriptor.platform.am_resource,
    )


def _is_closed(life: ApplicationLife, instant: Instant) -> bool:
    return life.closed is not None and life.closed <= instant


def _master_runs(life: ApplicationLife, instant: Instant) -> bool:
    return life.master_started is not None and life.master_started <= instant


def _final_status(life: ApplicationLife, instant: Instant) -> str:
    """A master that is saying goodbye is running yet, and its end is known already."""
    over = life.end is not None and life.master_over is not None and life.master_over <= instant
    return life.end.final_status if over and life.end is not None else "UNDEFINED"


def _why_it_waits(life: ApplicationLife, cluster: Cluster, instant: Instant) -> str:
    registering = _master_attempt(life, instant) is not None
    return diagnostics.waiting_for_master_text(life.submitted or instant, activated=registering)


def _master_attempt(life: ApplicationLife, instant: Instant) -> int | None:
    """Which attempt of the master has a container; ``None``: the first one waits for one."""
    master = entry_at(life.masters, instant)
    if master is not None:
        return master[1]
    begins = _master_begins(life)
    return 1 if begins is not None and begins <= instant else None


def _master_begins(life: ApplicationLife) -> Instant | None:
    """When its first attempt gets its container; ``None``: it never does, or not before the end."""
    start = life.fate.am_start
    if start is None or life.submitted is None:
        return None
    begins = life.submitted + max(start - REGISTERING, start // 2)
    return begins if life.closed is None or begins < life.closed else None


def _tracking_url(life: ApplicationLife, cluster: Cluster, state: str) -> str | None:
    if state == "ACCEPTED" or (state == "FAILED" and not life.masters):
        return None
    if state in ("KILLED", "FAILED"):
        return f"http://{cluster.resource_manager}/cluster/app/{life.id}"
    return placement.tracking_url(cluster, life.id)


class Held(Struct, frozen=True):
    """A container that lives."""

    host: Host
    resource: Resource


def held(life: ApplicationLife, cluster: Cluster, instant: Instant) -> list[Held]:
    """The containers of an application, the master's own first."""
    if life.submitted is None or instant < life.submitted or _master_attempt(life, instant) is None:
        return []
    master = Held(_master_host(life, cluster), life.descriptor.platform.am_resource)
    if life.end is not None and _is_closed(life, instant):
        return [master] if _in_the_afterglow(life, instant) else []
    if life.master_over is not None and life.master_over <= instant:
        return [master]
    entries = (entry for role in life.roles.values() for entry in _entries(role, instant))
    live = (entry.container for entry in entries if entry.state in HOLDS_A_CONTAINER)
    return [master, *(Held(each.host, each.resource) for each in live if each is not None)]


def _in_the_afterglow(life: ApplicationLife, instant: Instant) -> bool:
    """A master that took its leave is not gone yet."""
    return life.end is not None and life.end.report is not None and instant < (life.closed or 0) + AFTERGLOW


def _used(life: ApplicationLife, instant: Instant) -> tuple[int, int]:
    """MB and processors, times seconds. What has ended is counted to the millisecond; what lives is counted anew only every
    few seconds, and holds still in between, as recorded."""
    memory = vcores = 0
    living: list[tuple[Resource, Instant]] = []
    first = None
    for resource, begins, ends in _spans(life, instant):
        first = begins if first is None else first
        if ends is None:
            living.append((resource, begins))
        else:
            memory += resource.memory_mb * (ends - begins) // SECOND
            vcores += resource.cpu_number * (ends - begins) // SECOND
    counted = instant if first is None else first + (instant - first) // COUNTED_EVERY * COUNTED_EVERY
    held_for = [(resource, max(0, counted - begins)) for resource, begins in living]
    memory += sum(resource.memory_mb * length for resource, length in held_for) // SECOND
    vcores += sum(resource.cpu_number * length for resource, length in held_for) // SECOND
    return memory, vcores


def _spans(life: ApplicationLife, instant: Instant) -> Iterator[tuple[Resource, Instant, Instant | None]]:
    """Every container there was, the master's first: from when, and until when; ``None``: it lives."""
    begins = _master_begins(life)
    if begins is None or instant < begins:
        return
    closed = life.closed if _is_closed(life, instant) else None
    lives_on = closed is None or _in_the_afterglow(life, instant)
    said_goodbye = AFTERGLOW if life.end is not None and life.end.report is not None else 0
    yield life.descriptor.platform.am_resource, begins, None if lives_on else (closed or 0) + said_goodbye
    over = life.master_over if life.master_over is not None and life.master_over <= instant else None
    for role in life.roles.values():
        for log in role.slots:
            yield from _spans_of(log, instant, over)


def _spans_of(
    log: Sequence[TaskEntry], instant: Instant, over: Instant | None
) -> Iterator[tuple[Resource, Instant, Instant | None]]:
    """Of the containers of one index, one after the other; at the end of the application the last one ends, too."""
    held: Container | None = None
    begins = 0
    for entry in log:
        if entry.at > instant or (over is not None and entry.at > over):
            break
        now = entry.container if entry.state in HOLDS_A_CONTAINER else None
        if now is held:
            continue
        if held is not None:
            yield held.resource, begins, entry.at
        held, begins = now, entry.at
    if held is not None:
        yield held.resource, begins, over


def figures(life: ApplicationLife, cluster: Cluster, instant: Instant) -> Figures:
    """Zeros once it is over, but for what it lost to others."""
    lost = list(_preempted(life, instant))
    resources = [each.resource for each in held(life, cluster, instant)]
    asked = _asked(life, instant)
    memory = sum(resource.memory_mb for resource in resources)
    cluster_memory = (cluster.node_memory_mb or 0) * len(cluster.hosts)
    return Figures(
        allocated_mb=memory,
        allocated_vcores=sum(resource.cpu_number for resource in resources),
        running_containers=len(resources),
        pending_containers=len(asked),
        queue_usage_percentage=round(100 * memory / cluster_memory, 6) if cluster_memory else 0.0,
        am_container_logs=_master_log(life, cluster, instant),
        resource_requests=tuple(_ask(priority, resource) for priority, resource in enumerate(asked)),
        num_non_am_container_preempted=len(lost),
        preempted_resource_mb=sum(resource.memory_mb for resource in lost),
        preempted_resource_vcores=sum(resource.cpu_number for resource in lost),
    )


def _asked(life: ApplicationLife, instant: Instant) -> list[Resource]:
    """What it waits for, each container by itself."""
    if life.submitted is None or _is_closed(life, instant):
        return []
    if _master_attempt(life, instant) is None:
        return [life.descriptor.platform.am_resource]
    if life.master_over is not None and life.master_over <= instant:
        return []
    asked: list[Resource] = []
    for role in life.roles.values():
        waiting = sum(entry.state is TaskState.CONTAINER_REQUESTED for entry in _entries(role, instant))
        wanted = entry_at(role.resources, instant)
        asked += [wanted[1]] * waiting if wanted is not None else []
    return asked


def _entries(role: RoleLife, instant: Instant) -> Iterator[TaskEntry]:
    for log in role.slots:
        entry = task_entry_at(log, instant)
        if entry is not None and entry.state is not None:
            yield entry


def _preempted(life: ApplicationLife, instant: Instant) -> Iterator[Resource]:
    for role in life.roles.values():
        for log in role.slots:
            for entry in log:
                container = entry.container
                if entry.at > instant or entry.state is not TaskState.CONTAINER_COMPLETED or container is None:
                    continue
                if container.exit_code == PREEMPTED:
                    yield container.resource


def _master_host(life: ApplicationLife, cluster: Cluster) -> Host:
    """The one that its number picks."""
    return cluster.hosts[life.key.count % len(cluster.hosts)]


def _master_log(life: ApplicationLife, cluster: Cluster, instant: Instant) -> str | None:
    """Without the slash at the end that other log addresses have."""
    attempt = _master_attempt(life, instant)
    if attempt is None:
        return None
    container = placement.container_id(life.id, attempt, MASTER_SEQUENCE)
    return placement.log_address(cluster, _master_host(life, cluster), container, life.user).removesuffix("/")


def _ask(priority: int, resource: Resource) -> dict[str, object]:
    return {
        "priority": priority,
        "resourceName": "*",
        "capability": {"memory": resource.memory_mb, "vCores": resource.cpu_number},
        "numContainers": 1,
        "relaxLocality": True,
        "nodeLabelExpression": "",
        "executionTypeRequest": {"executionType": "GUARANTEED", "enforceExecutionType": False},
        "enforceExecutionType": False,
    }
