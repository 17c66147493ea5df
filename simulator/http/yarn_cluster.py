"""What the resource manager tells of the cluster as a whole: itself, its nodes, its queues, its sums (recording s16a).

Documents in the words and key order of a stock 2.9.0, made of what lives. A stock one has neither GPUs nor labels, so none
are told; how busy the processors are nobody knows here, and it is told as nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from contracts.clock import Instant
from contracts.launcher.records import Application, Resource
from simulator.machine.story import Host
from simulator.machine.yarn import Held

NODE_PORT = 45_454
WEB_PORT = 8042
HEALTH_CHECK = 60_000
"""A node tells how it is once a minute."""
UNSIZED = Resource(cpu_number=64, memory_mb=262_144)
"""A node of a profile that does not say how large its hosts are."""
VERSION = "2.9.0"
BUILD = f"{VERSION} from 756ebc8394e473ac25feac05fa493f6d612e6c50 by arsuresh source checksum"


class Facts(Struct, frozen=True):
    """What the cluster is."""

    started: Instant
    hosts: Sequence[Host]
    node: Resource
    """The size of each node."""
    queues: Mapping[str, float]
    """Name to share of the whole."""


class Alive(Struct, frozen=True):
    """One application the resource manager knows, with the containers it holds."""

    application: Application
    held: Sequence[Held]


def info(facts: Facts) -> dict[str, object]:
    return {
        "clusterInfo": {
            "id": facts.started,
            "startedOn": facts.started,
            "state": "STARTED",
            "haState": "ACTIVE",
            "rmStateStoreName": "org.apache.hadoop.yarn.server.resourcemanager.recovery.NullRMStateStore",
            "resourceManagerVersion": VERSION,
            "resourceManagerBuildVersion": f"{BUILD} 7966357e35cdd83f728e4dfa644c7ad",
            "resourceManagerVersionBuiltOn": "2017-11-13T23:56Z",
            "hadoopVersion": VERSION,
            "hadoopBuildVersion": f"{BUILD} 0a76a9a32a5257331741f8d5932f183",
            "hadoopVersionBuiltOn": "2017-11-13T23:53Z",
            "haZooKeeperConnectionState": "Could not find leader elector. Verify both HA and automatic failover are enabled.",
        }
    }


def metrics(facts: Facts, alive: Sequence[Alive]) -> dict[str, object]:
    states = Counter(each.application.state for each in alive)
    used, whole = _sum(each.resource for one in alive for each in one.held), _whole(facts)
    return {
        "clusterMetrics": {
            "appsSubmitted": len(alive),
            "appsCompleted": states["FINISHED"],
            "appsPending": states["ACCEPTED"],
            "appsRunning": states["RUNNING"],
            "appsFailed": states["FAILED"],
            "appsKilled": states["KILLED"],
            "reservedMB": 0,
            "availableMB": max(0, whole.memory_mb - used.memory_mb),
            "allocatedMB": used.memory_mb,
            "reservedVirtualCores": 0,
            "availableVirtualCores": max(0, whole.cpu_number - used.cpu_number),
            "allocatedVirtualCores": used.cpu_number,
            "containersAllocated": sum(len(one.held) for one in alive),
            "containersReserved": 0,
            "containersPending": sum(one.application.figures.pending_containers for one in alive),
            "totalMB": whole.memory_mb,
            "totalVirtualCores": whole.cpu_number,
            "totalNodes": len(facts.hosts),
            **dict.fromkeys(("lostNodes", "unhealthyNodes", "decommissioningNodes", "decommissionedNodes"), 0),
            "rebootedNodes": 0,
            "activeNodes": len(facts.hosts),
            "shutdownNodes": 0,
        }
    }


def nodes(facts: Facts, alive: Iterable[Alive], now: Instant) -> dict[str, object]:
    on: defaultdict[str, list[Resource]] = defaultdict(list)
    for one in alive:
        for each in one.held:
            on[each.host.name].append(each.resource)
    return {"nodes": {"node": [_node(host, on[host.name], facts.node, now) for host in facts.hosts]}}


def _node(host: Host, live: Sequence[Resource], size: Resource, now: Instant) -> dict[str, object]:
    used = _sum(live)
    return {
        "rack": "/default-rack",
        "state": "RUNNING",
        "id": f"{host.name}:{NODE_PORT}",
        "nodeHostName": host.name,
        "nodeHTTPAddress": f"{host.name}:{WEB_PORT}",
        "lastHealthUpdate": now // HEALTH_CHECK * HEALTH_CHECK,
        "version": VERSION,
        "healthReport": "",
        "numContainers": len(live),
        "usedMemoryMB": used.memory_mb,
        "availMemoryMB": max(0, size.memory_mb - used.memory_mb),
        "usedVirtualCores": used.cpu_number,
        "availableVirtualCores": max(0, size.cpu_number - used.cpu_number),
        "numRunningOpportContainers": 0,
        "usedMemoryOpportGB": 0,
        "usedVirtualCoresOpport": 0,
        "numQueuedContainers": 0,
        "resourceUtilization": {
            "nodePhysicalMemoryMB": used.memory_mb,
            "nodeVirtualMemoryMB": used.memory_mb,
            "nodeCPUUsage": 0.0,
            "aggregatedContainersPhysicalMemoryMB": used.memory_mb,
            "aggregatedContainersVirtualMemoryMB": used.memory_mb,
            "containersCPUUsage": 0.0,
        },
    }


def scheduler(facts: Facts, alive: Sequence[Alive]) -> dict[str, object]:
    """Of the capacity scheduler: every queue is a leaf under the root."""
    whole = _whole(facts)
    used = _percent(_sum(each.resource for one in alive for each in one.held), whole)
    queues = [
        _queue(name, share, [one for one in alive if one.application.queue == name], whole)
        for name, share in facts.queues.items()
    ]
    return {
        "scheduler": {
            "schedulerInfo": {
                "type": "capacityScheduler",
                "capacity": 100.0,
                "usedCapacity": used,
                "maxCapacity": 100.0,
                "queueName": "root",
                "queues": {"queue": queues},
                "capacities": _capacities(100.0, used, used, 0.0),
            }
        }
    }


def _queue(name: str, share: float, alive: Sequence[Alive], whole: Resource) -> dict[str, object]:
    live = [one for one in alive if one.held]
    used = _sum(each.resource for one in live for each in one.held)
    of_whole, capacity = _percent(used, whole), round(100 * share, 4)
    of_queue = round(of_whole / share, 4) if share else 0.0
    active = sum(one.application.state == "RUNNING" for one in alive)
    pending = sum(one.application.state == "ACCEPTED" for one in alive)
    containers = sum(len(one.held) for one in live)
    return {
        "type": "capacitySchedulerLeafQueueInfo",
        "capacity": capacity,
        "usedCapacity": of_queue,
        "maxCapacity": 100.0,
        "absoluteCapacity": capacity,
        "absoluteMaxCapacity": 100.0,
        "absoluteUsedCapacity": of_whole,
        "numApplications": active + pending,
        "queueName": name,
        "state": "RUNNING",
        "resourcesUsed": _told(used),
        "hideReservationQueues": False,
        "nodeLabels": ["*"],
        "allocatedContainers": containers,
        "reservedContainers": 0,
        "pendingContainers": sum(one.application.figures.pending_containers for one in alive),
        "capacities": _capacities(capacity, of_queue, of_whole, 100.0),
        "resources": {"resourceUsagesByPartition": [_usage(live, whole)]},
        "numActiveApplications": active,
        "numPendingApplications": pending,
        "numContainers": containers,
        "maxApplications": 10_000,
        "maxApplicationsPerUser": 10_000,
        "userLimit": 100,
        "users": {"user": _users(alive, whole)} if live else None,
        "userLimitFactor": 10.0,
        "AMResourceLimit": _told(Resource(1, whole.memory_mb)),
        "usedAMResource": _told(_masters(live)),
        "userAMResourceLimit": _told(Resource(1, whole.memory_mb)),
        "preemptionDisabled": True,
        "defaultPriority": 0,
    }


def _users(alive: Sequence[Alive], whole: Resource) -> list[dict[str, object]]:
    of: defaultdict[str, list[Alive]] = defaultdict(list)
    for one in alive:
        if one.held or one.application.state == "ACCEPTED":
            of[one.application.user].append(one)
    return [
        {
            "username": user,
            "resourcesUsed": _told(_sum(each.resource for one in owned for each in one.held)),
            "numPendingApplications": sum(one.application.state == "ACCEPTED" for one in owned),
            "numActiveApplications": sum(one.application.state == "RUNNING" for one in owned),
            "AMResourceUsed": _told(_masters(owned)),
            "userResourceLimit": _told(Resource(1, whole.memory_mb)),
            "resources": {"resourceUsagesByPartition": [_usage(owned, whole)]},
            "userWeight": 1.0,
            "isActive": any(one.application.figures.pending_containers for one in owned),
        }
        for user, owned in sorted(of.items())
    ]


def _usage(alive: Sequence[Alive], whole: Resource) -> dict[str, object]:
    return {
        "partitionName": "",
        "used": _told(_sum(each.resource for one in alive for each in one.held)),
        "reserved": _told(Resource(0, 0)),
        "pending": _told(Resource(0, 0)),
        "amUsed": _told(_masters(alive)),
        "amLimit": _told(Resource(1, whole.memory_mb)),
    }


def _masters(alive: Iterable[Alive]) -> Resource:
    """A master's container comes first."""
    return _sum(one.held[0].resource for one in alive if one.held)


def _capacities(capacity: float, of_queue: float, of_whole: float, masters: float) -> dict[str, object]:
    return {
        "queueCapacitiesByPartition": [
            {
                "partitionName": "",
                "capacity": capacity,
                "usedCapacity": of_queue,
                "maxCapacity": 100.0,
                "absoluteCapacity": capacity,
                "absoluteUsedCapacity": of_whole,
                "absoluteMaxCapacity": 100.0,
                "maxAMLimitPercentage": masters,
            }
        ]
    }


def _whole(facts: Facts) -> Resource:
    count = len(facts.hosts)
    return Resource(cpu_number=count * facts.node.cpu_number, memory_mb=count * facts.node.memory_mb)


def _sum(resources: Iterable[Resource]) -> Resource:
    memory = cpus = 0
    for resource in resources:
        memory += resource.memory_mb
        cpus += resource.cpu_number
    return Resource(cpu_number=cpus, memory_mb=memory)


def _percent(used: Resource, whole: Resource) -> float:
    return round(100 * used.memory_mb / whole.memory_mb, 4)


def _told(resource: Resource) -> dict[str, int]:
    return {"memory": resource.memory_mb, "vCores": resource.cpu_number}
