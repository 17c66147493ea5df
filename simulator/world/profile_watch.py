"""A profile's file that is watched: read again when it has changed; a broken one leaves the mix as it was, and says so."""

import logging
from collections.abc import Callable
from pathlib import Path

from contracts.clock import Instant, Milliseconds, real_now
from simulator.world.profile import Profile
from simulator.world.profile_files import BadProfile, load, shipped

LOOKED_EVERY: Milliseconds = 1000

_log = logging.getLogger(__name__)


class ProfileWatch:
    """Thread-safe as far as it matters: at worst two read the same file."""

    def __init__(self, name_or_file: str, real: Callable[[], Instant] = real_now) -> None:
        self._file = None if name_or_file in shipped() else Path(name_or_file)
        self._name = name_or_file
        self._real = real
        self._looked = real()
        self._stamp = self._stamped()
        self.problem: str | None = None
        """Why the file as it is now is not used."""

    def changed(self) -> Profile | None:
        """The mix, if it is another one than at the last look."""
        if self._file is None or self._real() - self._looked < LOOKED_EVERY:
            return None
        self._looked = self._real()
        stamp = self._stamped()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            profile = load(self._name)
        except BadProfile as error:
            self.problem = str(error)
            _log.warning("the profile stays what it was: %s", error)
            return None
        self.problem = None
        _log.info("profile %s is read anew", self._name)
        return profile

    def _stamped(self) -> tuple[int, int] | None:
        try:
            found = None if self._file is None else self._file.stat()
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_size)
