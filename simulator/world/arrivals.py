"""Which jobs there are at an instant: an endless sequence of arrivals, none of which needs its predecessor.

Time since the epoch is cut into slots of equal length; job k arrives somewhere in slot k, and is forgotten a fixed window
after that. So the jobs that exist are always one range of indexes, found by division: a million jobs cost no more than ten.

A real launcher counts its retention (12 hours by default) from the completion of a framework. Here it is counted from the
submission, or else the range would depend on the story of every job in it.
"""

from msgspec import Struct

from contracts.clock import Instant, Milliseconds
from simulator.dice import below

EPOCH: Instant = 345_600_000
"""Monday 1970-01-05: the world begins empty, and is full one window later."""


class Arrivals(Struct, frozen=True):
    seed: int
    jobs: int
    """How many exist at any instant, give or take one."""
    window: Milliseconds
    """How long a job is remembered, counted from its arrival."""

    def slot(self, index: int) -> Instant:
        """Where the slot of that job begins."""
        return EPOCH + index * self.window // self.jobs

    def instant(self, index: int) -> Instant:
        """When that job arrives. Never falls as the index grows."""
        begin = self.slot(index)
        return begin + below(max(1, self.slot(index + 1) - begin), self.seed, "arrival", index)

    def first_slot_from(self, instant: Instant) -> int:
        """The lowest index whose slot begins then or later."""
        return max(0, -(-(instant - EPOCH) * self.jobs // self.window))

    def newest(self, at: Instant) -> int:
        """The last index that has arrived; -1 while there is none."""
        index = self.first_slot_from(at + 1) - 1
        return index - 1 if index >= 0 and self.instant(index) > at else index

    def existing(self, at: Instant) -> range:
        """The indexes of all jobs that have arrived and are not forgotten."""
        return range(self.newest(at - self.window) + 1, self.newest(at) + 1)

    def may_exist(self, index: int, at: Instant) -> bool:
        """By its slot alone, without a roll: a job that has arrived and is not forgotten is one of these."""
        return self.slot(index) <= at < self.slot(index + 1) + self.window
