"""What the resource manager tells of an application at an instant. It is asked live: no web server's look lies between."""

from collections.abc import Iterator
from dataclasses import replace

from contracts.clock import Instant
from contracts.launcher.lifecycle import TaskState
from contracts.launcher.records import Application, Figures, Resource
from simulator.machine import diagnostics, placement
from simulator.machine.application import ApplicationLife, RoleLife, TaskEntry, entry_at
from simulator.machine.master import HOLDS_A_CONTAINER
from simulator.machine.story import Cluster

PREEMPTED = -7120
MASTER_SEQUENCE = 1


def application(life: ApplicationLife, cluster: Cluster, instant: Instant) -> Application | None:
    """``None``: never submitted, not yet submitted, or lost."""
    if life.submitted is None or instant < life.submitted:
        return None
    closed = life.closed is not None and life.closed <= instant
    if closed and life.end is not None:
        if life.end.lost:
            return None
        state, final = life.end.state, life.end.final_status
        progress, text = 100 * (life.end.progress or 0.0), life.end.diagnostics
    else:
        state = "RUNNING" if _master_runs(life, instant) else "ACCEPTED"
        final, progress = "UNDEFINED", 100 * life.progress_at(instant)
        text = "" if state == "RUNNING" else diagnostics.waiting_for_master_text(life.submitted, activated=False)
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
        finished_timestamp=life.closed if closed else None,
        figures=figures(life, cluster, instant),
    )


def _master_runs(life: ApplicationLife, instant: Instant) -> bool:
    return life.master_started is not None and life.master_started <= instant


def _tracking_url(life: ApplicationLife, cluster: Cluster, state: str) -> str | None:
    if state == "ACCEPTED":
        return None
    if state in ("KILLED", "FAILED"):
        return f"http://{cluster.resource_manager}/cluster/app/{life.id}"
    return placement.tracking_url(cluster, life.id)


def figures(life: ApplicationLife, cluster: Cluster, instant: Instant) -> Figures:
    """Zeros once it is closed, but for what it lost to others."""
    return replace(
        _use(life, cluster, instant),
        num_non_am_container_preempted=len(lost := list(_preempted(life, instant))),
        preempted_resource_mb=sum(resource.memory_mb for resource in lost),
        preempted_resource_vcores=sum(resource.cpu_number for resource in lost),
    )


def _use(life: ApplicationLife, cluster: Cluster, instant: Instant) -> Figures:
    logs = _master_log(life, cluster, instant)
    if life.closed is not None and life.closed <= instant:
        return Figures(am_container_logs=logs)
    master = life.descriptor.platform.am_resource
    if logs is None:
        return Figures(pending_containers=1, resource_requests=(_ask(master, 1),))
    held, asked = [master], []
    over = life.master_over is not None and life.master_over <= instant
    for role in () if over else life.roles.values():
        waiting = 0
        for entry in _entries(role, instant):
            waiting += entry.state is TaskState.CONTAINER_REQUESTED
            if entry.state in HOLDS_A_CONTAINER and entry.container is not None:
                held.append(entry.container.resource)
        wanted = entry_at(role.resources, instant)
        if waiting and wanted is not None:
            asked.append((wanted[1], waiting))
    memory = sum(resource.memory_mb for resource in held)
    cluster_memory = (cluster.node_memory_mb or 0) * len(cluster.hosts)
    return Figures(
        allocated_mb=memory,
        allocated_vcores=sum(resource.cpu_number for resource in held),
        running_containers=len(held),
        pending_containers=sum(number for _, number in asked),
        queue_usage_percentage=round(100 * memory / cluster_memory, 6) if cluster_memory else 0.0,
        am_container_logs=logs,
        resource_requests=tuple(_ask(resource, number) for resource, number in asked),
    )


def _entries(role: RoleLife, instant: Instant) -> Iterator[TaskEntry]:
    for log in role.slots:
        entry = entry_at(log, instant)
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


def _master_log(life: ApplicationLife, cluster: Cluster, instant: Instant) -> str | None:
    """On the host that its number picks; without the slash at the end that other log addresses have."""
    master = entry_at(life.masters, instant)
    if master is None:
        return None
    host = cluster.hosts[life.key.count % len(cluster.hosts)]
    container = placement.container_id(life.id, master[1], MASTER_SEQUENCE)
    return placement.log_address(cluster, host, container, life.user).removesuffix("/")


def _ask(resource: Resource, number: int) -> dict[str, object]:
    return {
        "priority": 0,
        "resourceName": "*",
        "capability": {"memory": resource.memory_mb, "vCores": resource.cpu_number},
        "numContainers": number,
        "relaxLocality": True,
        "nodeLabelExpression": "",
    }
