"""What the status store holds of a framework, and what is kept of its earlier attempts."""

from msgspec import Struct, field

from contracts.clock import Instant
from contracts.launcher.records import FrameworkRequest, FrameworkStatus
from simulator.machine.application import ApplicationLife


class PastAttempt(Struct, frozen=True):
    """A framework's record just before a retry."""

    at: Instant
    status: FrameworkStatus
    life: ApplicationLife
    request: FrameworkRequest


class Run(Struct):
    """A stretch of time with the same version, as the service sees it: attempts are counted within."""

    past: list[PastAttempt] = field(default_factory=list)


class StatusEntry(Struct, frozen=True, gc=False):
    """What the status store holds from an instant on."""

    status: FrameworkStatus
    life: ApplicationLife | None
    run: Run
