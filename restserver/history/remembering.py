"""A launcher of the open dialect that remembers: its current attempt from itself, everything before from the history.

The current version is what the launcher's own answer says; once it forgot the framework, the version last followed (rulings
1.12). The answer and what is listed beside it come from one step: the launcher is asked once, and what it says is in the
history before the history is read. The job detail never waits for the history, and fails only with the launcher.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from contracts.clock import Clock
from contracts.launcher.port import (
    Answer,
    Ask,
    Launcher,
    LauncherUnavailable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from contracts.launcher.records import Framework, Summary
from restserver.history.asking import Asking
from restserver.history.looks import Kept
from restserver.history.store import Past, Store

_NOT_KEPT: Final = "the launcher says too little about it to keep its past"


@dataclass(frozen=True)
class _View:
    """One framework at one instant."""

    past: Past
    current: Answer[Framework] | None
    """Of the newest attempt in ``past``. ``None``: the launcher has forgotten it, or its answer is of an older incarnation."""

    @property
    def version(self) -> int:
        return self.past.newest.version

    def attempts(self, version: int | None) -> dict[int, Kept]:
        return dict(self.past.attempts(self.version if version is None else version))


class Remembering:
    """A launcher of the port around another one."""

    def __init__(self, inner: Launcher, store: Store, clock: Clock) -> None:
        self._inner = inner
        self._store = store
        self._clock = clock
        self.asking = Asking(clock)

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        return self._inner.framework(name, ask)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        view = self._view(name, ask)
        if view is None:
            raise NoSuchAttempt(name, version, attempt)
        asked = view.version if version is None else version
        one = view.attempts(asked).get(attempt)
        if one is None:
            raise NoSuchAttempt(name, asked, attempt)
        if view.current is not None and one.id == view.past.newest.id:
            return replace(view.current, holds=None)  # it is the history that says which attempt this is
        document = self.asking(lambda: self._store.document(one.id), ask)
        if document is None:
            raise NoSuchAttempt(name, asked, attempt)
        return Answer(document, ("history", one.id, one.revision))

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        view = self._view(name, ask)
        if view is None:
            raise NoSuchVersion(name, version)
        listed = tuple(sorted(view.attempts(version)))
        if not listed:
            raise NoSuchVersion(name, view.version if version is None else version)
        return Answer(listed, listed)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        view = self._view(name, ask)
        if view is None:
            raise NoSuchFramework(name)
        listed = view.past.versions()
        return Answer(listed, listed)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return self._inner.summaries(ask)

    def ready(self, ask: Ask) -> None:
        self._inner.ready(ask)

    def _view(self, name: str, ask: Ask) -> _View | None:
        """``None``: neither the launcher nor the history knows it."""
        try:
            current = self._inner.framework(name, ask)
        except NoSuchFramework:
            past = self.asking(lambda: self._store.past(name), ask)
            return None if past is None else _View(past, None)
        past = self.asking(lambda: self._store.remember(current.value, self._clock.now()), ask)
        if past is None:
            past = self.asking(lambda: self._store.past(name), ask)
            if past is None:
                raise LauncherUnavailable(f"The past of {name} cannot be told: {_NOT_KEPT}.")
            return _View(past, None)
        return _View(past, current)
