"""Where what was seen belongs: which run an answer of the launcher is part of, or that it is older than what is known.

A run is a stretch of time with the same version (rulings 6.4). A version can be left and entered again between two looks, so
equal versions do not make one run: attempts count up within a run, and an attempt keeps its application.
"""

from dataclasses import dataclass

from contracts.clock import Instant
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Framework

_OVER = frozenset({FrameworkState.APPLICATION_COMPLETED, FrameworkState.FRAMEWORK_COMPLETED})


@dataclass(frozen=True, slots=True)
class Look:
    """One answer of the launcher, as far as its place goes."""

    name: str
    created: Instant
    version: int
    attempt: int
    application_id: str | None
    launched: Instant | None
    last_request: Instant
    """Of the newest submission the answer knows of."""
    final: bool
    """The framework is completed."""
    settled: bool
    """The end of the attempt is in it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored attempt, without its document."""

    id: int
    revision: int
    run: int
    version: int
    attempt: int
    application_id: str | None
    launched: Instant | None
    last_request: Instant
    final: bool
    settled: bool
    mark: str | None

    @property
    def place(self) -> tuple[int, int]:
        return self.run, self.attempt


def look_at(framework: Framework) -> Look | None:
    """``None``: without the instant of its creation, or the request, nothing can be kept of it."""
    status, request = framework.status, framework.request
    if status.created_timestamp is None or request is None:
        return None
    return Look(
        name=framework.summary.name,
        created=status.created_timestamp,
        version=status.version,
        attempt=status.retries.total,
        application_id=status.application_id,
        launched=status.application_launched_timestamp,
        last_request=request.last_request_timestamp,
        final=status.state is FrameworkState.FRAMEWORK_COMPLETED,
        settled=status.state in _OVER,
    )


def run_of(look: Look, newest: Kept | None) -> int | None:
    """The run it belongs to, given the newest attempt stored of its incarnation; ``None``: it is stale."""
    if newest is None:
        return 0
    if look.version == newest.version:
        if look.attempt > newest.attempt and not newest.final:
            return newest.run
        if look.attempt == newest.attempt and newest.application_id in (None, look.application_id):
            return newest.run
    return newest.run + 1 if look.last_request > newest.last_request else None
