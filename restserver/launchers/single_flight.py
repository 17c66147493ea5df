"""One question under way, and everybody who waits for its answer.

Whoever asks first leads: it makes the call, and lands the flight whatever comes of it. The others follow: they get what the
leader got, an answer or an error of the port, each until its own deadline. A leader that ends in any other way (a mistake of
ours, the end of its thread) has nothing to hand on: its followers are woken, and ask anew.
"""

import threading
from typing import Final

from contracts.clock import Clock, Instant
from contracts.launcher.port import LauncherUnavailable
from restserver.launchers.kept_answers import Kept
from restserver.launchers.waiting import seconds_to_wait


class Flight:
    """Thread-safe. Landed exactly once, by its leader."""

    def __init__(self, began: Instant) -> None:
        self.began: Final = began
        self._landed = threading.Event()
        self._brought: Kept | None = None

    def land(self, brought: Kept | None) -> None:
        """``None``: nothing to hand on."""
        self._brought = brought
        self._landed.set()

    def followed(self, deadline: Instant | None, clock: Clock, who: str) -> Kept | None:
        """What the leader brought. Raises LauncherUnavailable at the follower's own deadline."""
        while not self._landed.is_set():
            seconds = seconds_to_wait(deadline, clock)
            if seconds is None:
                raise LauncherUnavailable(f"{who} did not answer in time.")
            self._landed.wait(seconds)
        return self._brought
