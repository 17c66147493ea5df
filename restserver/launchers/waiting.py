"""How a thread waits for another one here: on the injected clock, and never past its own deadline.

The real wait is cut into slices, because a clock may be moved while somebody waits; a clock that stands still lets nobody
be late, so whoever waits is woken by what it waits for.
"""

from typing import Final

from contracts.clock import Clock, Instant

SLICE: Final = 0.1
"""Seconds."""


def seconds_to_wait(deadline: Instant | None, clock: Clock) -> float | None:
    """For the next slice; ``None``: the deadline has passed."""
    if deadline is None:
        return SLICE
    left = deadline - clock.now()
    return None if left <= 0 else min(SLICE, left / 1000)
