"""Where a container goes and what it gets there: host, ports, GPUs, its id and log address, in YARN's spelling."""

import random
from collections.abc import Mapping

from contracts.launcher.records import Ports, Resource
from simulator.machine.application import Container
from simulator.machine.diagnostics import cpu_refusal, gpu_refusal, label_refusal, memory_refusal
from simulator.machine.story import Cluster, ContainerFate, Host

LOWEST_PORT = 2000
HIGHEST_PORT = 65_535
GPU_BITS = 63
"""A bitmap is a signed number of 64 bits on the wire."""


def application_id(cluster: Cluster, number: int) -> str:
    return f"application_{cluster.started}_{number:04d}"


def container_id(application: str, attempt: int, sequence: int) -> str:
    """The master's own container is number 1 of its attempt."""
    return f"container_{application.removeprefix('application_')}_{attempt:02d}_{sequence:06d}"


def log_address(cluster: Cluster, host: Host, container: str, user: str) -> str:
    return f"http://{host.name}:{cluster.node_http_port}/node/containerlogs/{container}/{user}/"


def tracking_url(cluster: Cluster, application: str) -> str:
    """The proxy's; the launcher keeps it, whatever the resource manager says later."""
    return f"http://{cluster.resource_manager}/proxy/{application}/"


class Room:
    """What the live containers of one application hold, host by host; other applications are not looked at."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._containers = [0] * len(cluster.hosts)
        self._gpus = [0] * len(cluster.hosts)

    def place(
        self, name: str, user: str, resource: Resource, fate: ContainerFate, rolls: random.Random, *, apart: bool
    ) -> Container:
        """``apart``: on a host of its own, if there is one."""
        seat = self._seat(resource, fate, rolls, apart=apart)
        host = self._cluster.hosts[seat]
        container = Container(
            id=name,
            host=host,
            seat=seat,
            ports=fate.ports if fate.ports is not None else port_text(resource.port_definitions, rolls),
            gpus=fate.gpus if fate.gpus is not None else free_gpus(resource, self._gpus[seat]),
            log_address=log_address(self._cluster, host, name, user),
            resource=resource,
        )
        self._containers[seat] += 1
        self._gpus[seat] |= container.gpus
        return container

    def has_a_free_host(self) -> bool:
        return 0 in self._containers

    def give_back(self, container: Container) -> None:
        self._containers[container.seat] -= 1
        self._gpus[container.seat] &= ~container.gpus

    def _seat(self, resource: Resource, fate: ContainerFate, rolls: random.Random, *, apart: bool) -> int:
        """The first host from a random one on that fits; the random one if none does."""
        hosts = len(self._cluster.hosts)
        if fate.host is not None:
            return fate.host % hosts
        first = rolls.randrange(hosts)
        if not apart and not resource.gpu_number:
            return first
        most = self._cluster.node_gpu_number - resource.gpu_number
        around = ((first + step) % hosts for step in range(hosts))
        return next(
            (
                seat
                for seat in around
                if self._gpus[seat].bit_count() <= most and not (apart and self._containers[seat])
            ),
            first,
        )


def ports_exist(definitions: Mapping[str, Ports]) -> bool:
    """Whether a host has so many ports, and those that are asked for by number."""
    dynamic = sum(ports.count for ports in definitions.values() if not ports.start)
    fixed = (ports.start + ports.count - 1 for ports in definitions.values() if ports.start)
    return dynamic <= HIGHEST_PORT - LOWEST_PORT + 1 and max(fixed, default=0) <= HIGHEST_PORT


def port_text(definitions: Mapping[str, Ports], rolls: random.Random) -> str:
    """``web:8080;http:23011,23012;``: fixed labels first, then what was free."""
    fixed = [
        f"{label}:{','.join(str(ports.start + k) for k in range(ports.count))};"
        for label, ports in definitions.items()
        if ports.start
    ]
    wanted = sum(ports.count for ports in definitions.values() if not ports.start)
    free = sorted(rolls.sample(range(LOWEST_PORT, HIGHEST_PORT + 1), wanted)) if wanted else []
    dynamic = []
    for label, ports in definitions.items():
        if not ports.start:
            dynamic.append(f"{label}:{','.join(map(str, free[: ports.count]))};")
            free = free[ports.count :]
    return "".join(fixed + dynamic)


def free_gpus(resource: Resource, busy: int) -> int:
    """The lowest free ones as a bitmap, unless the descriptor names them."""
    if resource.gpu_attribute:
        return resource.gpu_attribute
    taken = 0
    for bit in range(GPU_BITS if resource.gpu_number else 0):
        if not busy >> bit & 1:
            taken |= 1 << bit
            if taken.bit_count() == resource.gpu_number:
                break
    return taken


def refusal(resource: Resource, label: str | None, cluster: Cluster) -> str | None:
    """YARN's, of what no node of it has, or its largest one cannot hold."""
    memory, cpus, gpus = cluster.node_memory_mb, cluster.node_cpu_number, cluster.node_gpu_number
    if label and cluster.node_labels is not None and label not in cluster.node_labels:
        return label_refusal(known=bool(cluster.node_labels))
    if memory is not None and resource.memory_mb > memory:
        return memory_refusal(resource.memory_mb, memory)
    if cpus is not None and resource.cpu_number > cpus:
        return cpu_refusal(resource.cpu_number, cpus)
    if memory is not None and resource.gpu_number > gpus:
        return gpu_refusal(resource.gpu_number, gpus)
    return None
