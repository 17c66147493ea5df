"""What the status store holds of a framework, and what is kept of its earlier attempts."""

from dataclasses import dataclass, field

from contracts.clock import Instant
from contracts.launcher.records import FrameworkRequest, FrameworkStatus
from simulator.machine.application import ApplicationLife


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """A framework's record just before a retry."""

    at: Instant
    status: FrameworkStatus
    life: ApplicationLife
    request: FrameworkRequest


@dataclass(slots=True)
class Run:
    """A stretch of time with the same version, as the service sees it: attempts are counted within."""

    past: list[PastAttempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """What the status store holds from an instant on."""

    status: FrameworkStatus
    life: ApplicationLife | None
    run: Run
