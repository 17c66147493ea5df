"""YARN's resource manager: the figures of one application, the list of them, their names.

Figures are decoration of an answer, so they are read leniently: -1 ("not applicable"), null and absence are 0 (rulings,
section 3). What is no application at all is unreadable, and the caller turns that into zeros.

Source: launcher fact sheet, 8.7 and 8.8; the recordings of a stock 2.9.0, which has none of the extensions below.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher import wire
from contracts.launcher.exit_report import ExitReport, exit_report, wrap_exit_report
from contracts.launcher.records import Application, Figures, Resource
from contracts.launcher.tables import encoded, field, record, untold
from contracts.launcher.wire import INTEGER, NUMBER, TEXT, Kind, array, default, maybe, only

__all__ = [
    "ExitReport",
    "application_name",
    "application_path",
    "applications_path",
    "decode_applications",
    "decode_figures",
    "encode_application",
    "encode_applications",
    "exit_report",
    "framework_of",
    "wrap_exit_report",
]

APPLICATIONS_PATH = "/ws/v1/cluster/apps"


def application_path(application_id: str) -> str:
    return f"{APPLICATIONS_PATH}/{quote(application_id, safe='')}"


def applications_path(since: Instant) -> str:
    """Whole application objects, exit reports included, in no order; narrowed by time, since a limit cuts arbitrarily."""
    return f"{APPLICATIONS_PATH}?applicationTypes=LAUNCHER&startedTimeBegin={since}"


# --- names ----------------------------------------------------------------------------------------------------------


def application_name(framework: str, version: int, client_type: str, client_host: str, client_user: str) -> str:
    return "_".join(f"[{part}]" for part in (framework, version, client_type, client_host, client_user))


def framework_of(name: str) -> tuple[str, int] | None:
    """Framework and version of an application's name; ``None`` if no launcher gave it, whose versions have 32 bits."""
    match = _NAME.match(name)
    return (match[1], int(match[2])) if match and abs(int(match[2])) < 2**31 else None


_NAME = re.compile(r"\[([A-Za-z0-9\-._~]{1,256})\]_\[(-?[0-9]{1,10})\]_\[", re.ASCII)


# --- the tables -----------------------------------------------------------------------------------------------------


def _read_count(value: object) -> int:
    return max(0, value if type(value) is int else int(maybe(NUMBER).read(value) or 0))


def _read_share(value: object) -> float:
    return max(0.0, maybe(NUMBER).read(value) or 0.0)


def _read_objects(value: object) -> tuple[Mapping[str, object], ...]:
    """An array, or one object where there is one (8.7); whatever else is no request."""
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, dict))


def _read_object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


_COUNT: Kind[int] = Kind(_read_count, int)
"""Whole, as the API promises: a fraction of a megabyte is cut off."""
_SHARE: Kind[float] = Kind(_read_share, float)

_FIGURES = record(
    Figures,
    field("allocatedMB", "allocated_mb", _COUNT),
    field("allocatedVCores", "allocated_vcores", _COUNT),
    field("reservedMB", "reserved_mb", _COUNT),
    field("reservedVCores", "reserved_vcores", _COUNT),
    field("runningContainers", "running_containers", _COUNT),
    field("queueUsagePercentage", "queue_usage_percentage", _SHARE),
    field("preemptedResourceMB", "preempted_resource_mb", _COUNT),
    field("preemptedResourceVCores", "preempted_resource_vcores", _COUNT),
    field("numNonAMContainerPreempted", "num_non_am_container_preempted", _COUNT),
    field("numAMContainerPreempted", "num_am_container_preempted", _COUNT),
    field("preemptedMemorySeconds", "preempted_memory_seconds", _COUNT),
    field("preemptedVcoreSeconds", "preempted_vcore_seconds", _COUNT),
    field("priority", "priority", Kind(lambda told: maybe(INTEGER).read(told) or 0, int)),
    field("amContainerLogs", "am_container_logs", maybe(TEXT)),
    field("resourceRequests", "resource_requests", Kind(_read_objects, list)),
    # Extensions, written only where they say something.
    field("utilizationVmemMB", "utilized_mb", _COUNT),
    field("utilizationVcores", "utilized_vcores", _COUNT),
    field("reservedContainers", "reserved_containers", _COUNT),
    field("utilizedVmemorySeconds", "utilized_vmemory_seconds", _COUNT),
    field("utilizedPmemorySeconds", "utilized_pmemory_seconds", _COUNT),
    field("utilizedVcoreSeconds", "utilized_vcore_seconds", _COUNT),
    field("applicationContainerAnalysis", "container_analysis", Kind(_read_object, dict)),
)


def _read_seconds(value: object) -> int:
    """A resource manager may say of it what it will: nobody's answer depends on it."""
    return value if type(value) is int and value >= 0 else 0


def _read_start(value: object) -> Instant:
    return wire.instant(1).read(INTEGER.read(value)) or 0


def _read_master(value: object) -> Resource | None:
    """Out of the usage by partition; whatever else it is, it tells of no master."""
    try:
        used = value["resourceUsagesByPartition"][0]["amUsed"]  # type: ignore[index]  # what is none of it raises
        return Resource(memory_mb=_read_seconds(used["memory"]), cpu_number=_read_seconds(used["vCores"]))
    except (KeyError, IndexError, TypeError):
        return None


_SECONDS: Kind[int] = Kind(_read_seconds, int)

_ABSENT_WHEN_EMPTY = frozenset(
    {
        "amContainerLogs",
        "trackingUrl",
        "resourceRequests",
        "resourceInfo",
        "utilizationVmemMB",
        "utilizationVcores",
        "reservedContainers",
        "utilizedVmemorySeconds",
        "utilizedPmemorySeconds",
        "utilizedVcoreSeconds",
        "applicationContainerAnalysis",
    }
)
"""A stock resource manager leaves these out while there is nothing to say."""

_APPLICATION = record(
    Application,
    field("id", "id", TEXT),
    field("user", "user", TEXT),
    field("name", "name", TEXT),
    field("queue", "queue", TEXT),
    field("state", "state", TEXT),
    field("finalStatus", "final_status", TEXT),
    field("progress", "progress", NUMBER),
    field("trackingUrl", "tracking_url", maybe(TEXT)),
    field("diagnostics", "diagnostics", default(TEXT, "")),
    field("startedTime", "started_timestamp", Kind(_read_start, int)),
    field("finishedTime", "finished_timestamp", Kind(wire.instant(1).read, lambda moment: moment or 0)),
    field("memorySeconds", "memory_seconds", _SECONDS),
    field("vcoreSeconds", "vcore_seconds", _SECONDS),
    field("resourceInfo", "master", Kind(_read_master, lambda _: None)),  # written with the figures beside it
    untold("figures"),  # they stand in the same object
)


def _read_application(told: object) -> Application:
    return replace(_APPLICATION.read(told), figures=_read_figures(told))


def _read_figures(told: object) -> Figures:
    figures = _FIGURES.read(told)
    return replace(figures, pending_containers=pending_containers(figures.resource_requests))


def pending_containers(requests: Iterable[Mapping[str, object]]) -> int:
    """The sum of what the requests ask for; what is no number asks for nothing."""
    asked = (request.get("numContainers") for request in requests)
    return sum(max(0, number) for number in asked if type(number) is int)


_ONE = only("app", Kind(_read_figures, lambda _: None))
_SOME: Kind[tuple[Application, ...] | None] = maybe(array(Kind(_read_application, lambda _: None)))
_LIST: Kind[tuple[Application, ...] | None] = only("app", _SOME)
_ALL = only("apps", Kind(lambda told: None if told is None else _LIST.read(told), _LIST.write))


# --- documents ------------------------------------------------------------------------------------------------------


def decode_figures(document: object) -> Figures:
    """What one application uses. Raises LauncherUnreadable where there is no application, or a figure is no number."""
    return _ONE.decode(document)


def decode_applications(document: object) -> tuple[Application, ...]:
    """The list; ``{"apps": null}`` is an empty one."""
    return _ALL.decode(document) or ()


def encode_application(application: Application, now: Instant | None = None) -> dict[str, object]:
    """The object inside ``app``, keys in the order of a stock 2.9.0. ``now`` is what a running one's elapsed time ends at.

    ``pending_containers`` is told by the resource requests alone.
    """
    figures = application.figures
    told = {**encoded(_APPLICATION, application), **encoded(_FIGURES, figures)}
    told |= _derived(application, (application.finished_timestamp or now or application.started_timestamp))
    if _is_over(application) and application.tracking_url and not figures.allocated_mb:
        # "Not applicable" once the attempt is over. For a second after the end there are still figures, and an application
        # that was never launched keeps its zeros.
        told |= dict.fromkeys(_NOT_APPLICABLE, -1)
    return {
        key: told[key]
        for key in (*_STOCK_ORDER, *_EXTENSIONS)
        if key in told and (told[key] or key not in _ABSENT_WHEN_EMPTY)
    }


def encode_applications(applications: Iterable[Application], now: Instant | None = None) -> dict[str, object]:
    """The list as ``GET /ws/v1/cluster/apps`` gives it."""
    told = [encode_application(application, now) for application in applications]
    return {"apps": {"app": told} if told else None}


_NOT_APPLICABLE = ("allocatedMB", "allocatedVCores", "reservedMB", "reservedVCores", "runningContainers")
_ENDED = frozenset({"FINISHED", "KILLED", "FAILED"})
_NOT_YET_RUNNING = frozenset({"NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED"})


def _is_over(application: Application) -> bool:
    return application.state in _ENDED


def _derived(application: Application, until: Instant) -> dict[str, object]:
    """What follows from the rest, or is the same for every application of a launcher."""
    figures = application.figures
    elapsed: Milliseconds = max(0, until - application.started_timestamp)
    logs = figures.am_container_logs
    return {
        "trackingUI": _tracking_ui(application),
        "clusterId": _cluster_id(application.id),
        "applicationType": "LAUNCHER",
        "applicationTags": "",
        "elapsedTime": elapsed,
        **({"amHostHttpAddress": urlsplit(logs).netloc} if logs else {}),
        "resourceInfo": _usage(application),
        "clusterUsagePercentage": figures.queue_usage_percentage,
        "logAggregationStatus": "DISABLED",
        "unmanagedApplication": False,
        "amNodeLabelExpression": "",
        "timeouts": {
            "timeout": [{"type": "LIFETIME", "expiryTime": "UNLIMITED", "remainingTimeInSeconds": -1}],
        },
    }


def _usage(application: Application) -> dict[str, object] | None:
    """Of the one partition there is. The recorded resource manager had no limit for masters."""
    if application.master is None:
        return None
    figures, asked = application.figures, application.figures.resource_requests
    usage = {
        "used": _amount(figures.allocated_mb, figures.allocated_vcores),
        "reserved": _amount(figures.reserved_mb, figures.reserved_vcores),
        "pending": _amount(_pending(asked, "memory"), _pending(asked, "vCores")),
        "amUsed": _amount(application.master.memory_mb, application.master.cpu_number),
        "amLimit": _amount(0, 0),
    }
    return {"resourceUsagesByPartition": [{"partitionName": "", **usage}]}


def _amount(memory_mb: int, vcores: int) -> dict[str, int]:
    return {"memory": memory_mb, "vCores": vcores}


def _pending(requests: Iterable[Mapping[str, object]], what: str) -> int:
    return sum(
        pending_containers([request]) * _read_seconds(_read_object(request.get("capability")).get(what))
        for request in requests
    )


def _tracking_ui(application: Application) -> str:
    if application.state in _NOT_YET_RUNNING or application.tracking_url is None:
        return "UNASSIGNED"
    return "History" if _is_over(application) else "ApplicationMaster"


def _cluster_id(application_id: str) -> int:
    """The start of the resource manager, which is the middle of the id."""
    match = _APPLICATION_ID.fullmatch(application_id)
    return int(match[1]) if match else 0


_APPLICATION_ID = re.compile(r"application_([0-9]{1,18})_[0-9]+", re.ASCII)

_STOCK_ORDER = (
    *("id", "user", "name", "queue", "state", "finalStatus", "progress", "trackingUI", "trackingUrl", "diagnostics"),
    *("clusterId", "applicationType", "applicationTags", "priority", "startedTime", "finishedTime", "elapsedTime"),
    *("amContainerLogs", "amHostHttpAddress", "allocatedMB", "allocatedVCores", "reservedMB", "reservedVCores"),
    *("runningContainers", "memorySeconds", "vcoreSeconds", "queueUsagePercentage", "clusterUsagePercentage"),
    *("preemptedResourceMB", "preemptedResourceVCores", "numNonAMContainerPreempted", "numAMContainerPreempted"),
    *("preemptedMemorySeconds", "preemptedVcoreSeconds", "resourceRequests", "logAggregationStatus"),
    *("unmanagedApplication", "amNodeLabelExpression", "resourceInfo", "timeouts"),
)
_EXTENSIONS = (
    *("utilizationVmemMB", "utilizationVcores", "reservedContainers", "utilizedVmemorySeconds"),
    *("utilizedPmemorySeconds", "utilizedVcoreSeconds", "applicationContainerAnalysis"),
)
