"""Follows a launcher of the open dialect: lists, then fetches what lives or changed, and stores each as it comes.

It holds nothing that a crash could lose: what is known stands in the store. What lives is fetched at every poll, because its
tasks change without a word in the list; what is completed only if the list says something new of it, and once more at the next
poll, because tasks settle a moment later than the framework. Calls are spread: so many a second, so many at a time.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final, TypeAlias

from contracts.clock import Clock, Instant, Milliseconds
from contracts.launcher.framework_name import is_framework_name
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import (
    Ask,
    Launcher,
    LauncherBusy,
    LauncherError,
    LauncherUnavailable,
    NoSuchFramework,
)
from contracts.launcher.records import Framework, Summary
from restserver.history.documents import list_digest
from restserver.history.store import Incarnation, Store

logger = logging.getLogger(__name__)

Wait: TypeAlias = Callable[[Milliseconds], bool]
"""Waits so long, or until it is time to stop; whether it is."""

TICK: Final[Milliseconds] = 100


@dataclass(frozen=True)
class Pace:
    """What the launcher can bear."""

    calls_per_second: int = 100
    at_once: int = 4

    @property
    def calls_per_tick(self) -> int:
        return max(1, self.calls_per_second * TICK // 1000)


@dataclass(frozen=True)
class Polled:
    """What one poll did."""

    listed: int
    fetched: int
    failed: int
    """Fetched in vain: the launcher refused, or could not be read."""
    gone: int
    stopped: bool = False
    """It was told to stop before it was through."""


class Follower:
    """One at a time per store is enough; two do no harm."""

    def __init__(self, launcher: Launcher, store: Store, clock: Clock, wait: Wait, pace: Pace = Pace()) -> None:
        self._launcher = launcher
        self._store = store
        self._clock = clock
        self._wait = wait
        self._pace = pace
        self._settling: set[str] = set()
        """Completed when they were fetched last, for the first time."""

    def poll(self) -> Polled:
        """Raises LauncherError where the launcher cannot be asked, HistoryFailed where nothing can be stored."""
        started = self._clock.now()
        listed = {one.name: one for one in self._launcher.summaries(Ask()) if is_framework_name(one.name)}
        followed = self._store.followed()
        gone = [one for name, one in followed.items() if name not in listed and one.followed_at < started]
        for one in gone:
            self._store.gone(one.id, started)
        digests = {name: list_digest(summary) for name, summary in listed.items()}
        wanted = list(self._wanted(listed, digests, followed))
        fetched = failed = 0
        for name, found in self._fetched(wanted):
            if isinstance(found, LauncherError):
                failed += 1
                logger.warning("%s could not be followed: %s", name, found)
            elif found is not None:
                self._store.record(found, self._clock.now(), digests[name])
            fetched += 1
        return Polled(len(listed), fetched, failed, len(gone), stopped=fetched < len(wanted))

    def _wanted(
        self, listed: Mapping[str, Summary], digests: Mapping[str, str], followed: Mapping[str, Incarnation]
    ) -> Iterator[str]:
        """What changed comes first: if the poll is cut short, the rest has at least been seen before."""
        changed = {
            name for name, digest in digests.items() if name not in followed or followed[name].list_digest != digest
        }
        completed = {name for name, one in listed.items() if one.state is FrameworkState.FRAMEWORK_COMPLETED}
        again = self._settling & completed - changed
        self._settling = changed & completed
        yield from sorted(changed)
        yield from (name for name in listed if name not in changed and (name not in completed or name in again))

    def _fetched(self, names: Sequence[str]) -> Iterator[tuple[str, Framework | LauncherError | None]]:
        with ThreadPoolExecutor(self._pace.at_once, thread_name_prefix="follower") as pool:
            began: Instant | None = None
            for tick in _ticks(names, self._pace.calls_per_tick):
                if began is not None and self._wait(max(0, began + TICK - self._clock.now())):
                    return
                began = self._clock.now()
                contexts = [copy_context() for _ in tick]  # each call belongs to the poll, for those who trace
                found = pool.map(lambda context, one: context.run(self._fetch, one), contexts, tick)
                yield from zip(tick, found, strict=True)

    def _fetch(self, name: str) -> Framework | LauncherError | None:
        """``None``: it vanished since the list was made; the next list will say so."""
        try:
            return self._launcher.framework(name, Ask()).value
        except NoSuchFramework:
            return None
        except (LauncherUnavailable, LauncherBusy):
            raise
        except LauncherError as error:
            return error


def _ticks(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), size):
        yield names[first : first + size]
