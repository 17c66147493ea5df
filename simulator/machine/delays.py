"""When things happen: the periods of the launcher's processes, the back-off, and the dice that vary them.

Nobody polls in here. A period is arithmetic: who changes something asks when it will be noticed, so that a framework at
rest costs nothing.
"""

import random
from struct import pack, unpack

from contracts.clock import Instant, Milliseconds
from simulator.machine.story import SECOND, Intervals

RESYNC_AFTER_PULL: Milliseconds = 340
CONFLICTS_TO_THE_CEILING = 6
"""From the sixth conflict on the back-off may be as long as it gets."""


def next_tick(instant: Instant, phase: Instant, period: Milliseconds) -> Instant:
    """The first tick after ``instant``: who ticked at that very instant had looked already."""
    return phase + ((instant - phase) // period + 1) * period


def last_tick(instant: Instant, phase: Instant, period: Milliseconds) -> Instant:
    """The last tick at ``instant`` or before."""
    return phase + (instant - phase) // period * period


def web_phase(started: Instant) -> Instant:
    return started


def pull_phase(started: Instant, intervals: Intervals) -> Instant:
    """The service looks at requests a while after the web server has looked at statuses; both periods run on from there."""
    return started + intervals.service_request_pull * 27 // 100


def resync_phase(started: Instant, intervals: Intervals) -> Instant:
    """Both begin when the service does, one right after the other. So a submission, which takes longer, is launched just too
    late to be heard of: of every recorded job at 20 s intervals APPLICATION_LAUNCHED was shown first."""
    return pull_phase(started, intervals) + RESYNC_AFTER_PULL


def back_off(conflicts: int, intervals: Intervals, rolls: random.Random) -> Milliseconds:
    """How long a fancy framework waits before its next application; ``conflicts`` is counted before this retry.

    Uniform in whole seconds from the floor to a ceiling that rises by a sixth of the way with each conflict.
    """
    low = intervals.conflict_back_off_min // SECOND
    span = intervals.conflict_back_off_max // SECOND - low
    return (
        rolls.randint(low, low + min(conflicts, CONFLICTS_TO_THE_CEILING) * span // CONFLICTS_TO_THE_CEILING) * SECOND
    )


def progress_as_told(fraction: float) -> float:
    """As the launcher prints it: a 32-bit float in its shortest form (a third is 0.33333334)."""
    single = pack("f", fraction)
    return next(
        told for digits in range(1, 10) if pack("f", told := float(f"{fraction_of(single):.{digits}g}")) == single
    )


def fraction_of(single: bytes) -> float:
    value: float = unpack("f", single)[0]
    return value
