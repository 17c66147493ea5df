"""What exists of one YARN application while the machine runs: its tasks, containers and end, each with its log.

Nothing is composed here: every entity keeps a log of (instant, what was so from then on), and the view reads a record out of
the logs when somebody asks. A log only grows, and only at its end.

What there is very much of and can hold no way back to itself is kept from the garbage collector (``gc=False``): searching
it costs more than all else that a look at a million jobs does.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter, itemgetter
from typing import TypeVar

from msgspec import Struct, field

from contracts.clock import Instant
from contracts.launcher.lifecycle import TaskState
from contracts.launcher.records import ExitType, FrameworkDescriptor, Resource, RetryState
from simulator.machine.diagnostics import Report
from simulator.machine.story import ApplicationFate, ApplicationKey, ContainerFate, Host

NO_RETRIES = RetryState()
_WHEN = itemgetter(0)
_AT = attrgetter("at")
_Entry = TypeVar("_Entry", bound="tuple[object, ...]")


def entry_at(log: Sequence[_Entry], instant: Instant) -> _Entry | None:
    """The last entry of that instant or before."""
    found = bisect_right(log, instant, key=_WHEN)
    return log[found - 1] if found else None


def task_entry_at(log: "Sequence[TaskEntry]", instant: Instant) -> "TaskEntry | None":
    found = bisect_right(log, instant, key=_AT)
    return log[found - 1] if found else None


class Container(Struct, gc=False):
    id: str
    host: Host
    seat: int
    """The host's index in its cluster."""
    ports: str
    gpus: int
    log_address: str
    resource: Resource
    launched: Instant | None = None
    completed: Instant | None = None
    exit_code: int | None = None
    exit_type: ExitType | None = None
    exit_description: str | None = None
    diagnostics: str | None = None


class TaskEntry(Struct, frozen=True, gc=False):
    at: Instant
    state: TaskState | None
    """``None``: the task number was lowered, the task is gone."""
    retries: RetryState
    container: Container | None
    created: Instant


class Task(Struct):
    """One task while it lives in one application. The log belongs to its index: a later task may take that again."""

    role: str
    index: int
    log: list[TaskEntry]
    created: Instant
    state: TaskState = TaskState.TASK_WAITING
    retries: RetryState = NO_RETRIES
    container: Container | None = None
    attempt: int = 0
    fate: ContainerFate | None = None
    """Of its next or current container, once it was asked for."""
    room_at: Instant | None = None
    """When the cluster has room for it; ``None``: never."""
    drops: int = 0
    serial: int = 0
    """Rises with whatever makes pending events of the task obsolete."""

    def note(self, at: Instant) -> None:
        at = max(at, self.log[-1].at) if self.log else at  # bookkeeping runs a few milliseconds ahead
        self.log.append(TaskEntry(at, self.state, self.retries, self.container, self.created))


class RoleLife(Struct):
    name: str
    since: Instant
    service_version: int
    resources: list[tuple[Instant, Resource]]
    """What its next container asks for; a submission of the same version may change it."""
    slots: list[list[TaskEntry]] = field(default_factory=list)
    """The log of each index that was ever used."""


class YarnEnd(Struct, frozen=True):
    """How the resource manager closed an application."""

    state: str
    final_status: str
    progress: float | None
    """What it reports for ever after; ``None``: nothing, the launcher keeps its last value."""
    diagnostics: str
    """Its own text: the wrapped report, or why it gave the application up."""
    report: Report | None = None
    lost: bool = False
    """It does not know the application any more."""


class ApplicationLife(Struct):
    key: ApplicationKey
    fate: ApplicationFate
    id: str
    descriptor: FrameworkDescriptor
    yarn_name: str
    user: str
    submitted: Instant | None = None
    master_started: Instant | None = None
    master_over: Instant | None = None
    """From here on nothing is pushed; set when the master ends, whoever ended it."""
    pushed_last: bool = False
    """The master pushed once more just before it ended."""
    masters: list[tuple[Instant, int]] = field(default_factory=list)
    """When which attempt of the master began."""
    closed: Instant | None = None
    end: YarnEnd | None = None
    completed: Instant | None = None
    """When the service first took it for completed: the time of the containers that it outlived."""
    progress: list[tuple[Instant, float]] = field(default_factory=list)
    """What the resource manager heard from the master."""
    roles: dict[str, RoleLife] = field(default_factory=dict)

    def progress_at(self, instant: Instant) -> float:
        entry = entry_at(self.progress, instant)
        return entry[1] if entry else 0.0
