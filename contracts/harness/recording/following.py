"""What is asked of a launcher and its resource manager at each look, and what of the answers is new.

What is known is a digest for each path that may be asked again, so memory grows with what lives and not with what was written.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from contracts.clock import Instant
from contracts.launcher import open_dialect, private_dialect, resource_manager, wire
from contracts.launcher.framework_name import is_framework_name
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.recordings import LAUNCHER, RESOURCE_MANAGER, Exchange, Headers, Request, Response
from contracts.launcher.records import Framework, Summary
from contracts.launcher.simulated_time import simulated_now

SCENARIO: Final = "recorded"

_Path: TypeAlias = tuple[str, str]
"""Source and path."""
Ask: TypeAlias = Callable[[str, str], Response]
"""From the source (launcher or resource manager) and a path to what came of it; no answer is one too."""


class Dialect(Protocol):
    """What both dialect modules offer."""

    FRAMEWORKS_PATH: str

    def framework_path(self, name: str) -> str: ...

    def decode_framework(self, document: object) -> Framework: ...

    def decode_summaries(self, document: object) -> tuple[Summary, ...]: ...


DIALECTS: Final[Mapping[str, Dialect]] = {"open": open_dialect, "private": private_dialect}


@dataclass(frozen=True)
class Looked:
    """What one look came to."""

    asked: int
    unanswered: int
    written: int


@dataclass
class _Followed:
    listed: bytes = b""
    """A digest of what the list said of it."""
    settled: bool = False
    """It completed, and was looked at once more since."""
    application: str | None = None


@dataclass
class Following:
    """``tell`` gets each exchange that says something new, as ``clean`` leaves it; ``headers`` are those the questions have."""

    dialect: str
    ask: Ask
    clean: Callable[[Exchange], Exchange]
    tell: Callable[[Exchange], None]
    now: Callable[[], Instant]
    asks_resource_manager: bool
    names: tuple[str, ...] | None = None
    """Only these; ``None``: what the list has."""
    headers: Headers = field(default_factory=dict)
    stopping: Callable[[], bool] = lambda: False
    tells_names: bool = True
    """Whether a path that was told is the path that was asked for; not so if pseudonyms are told."""
    _heard_last: dict[_Path, bytes] = field(default_factory=dict)
    """A digest of the answer."""
    _told_as: dict[_Path, _Path] = field(default_factory=dict)
    _told_last: dict[_Path, bytes] = field(default_factory=dict)
    """A digest of the answer as it was told."""
    _asked_last: dict[_Path, Instant] = field(default_factory=dict)
    """When it was answered last, the same or not."""
    _followed: dict[str, _Followed] = field(default_factory=dict)
    _asked: int = 0
    _unanswered: int = 0
    _written: int = 0

    def goes_on_from(self, exchange: Exchange) -> None:
        """What an earlier run told is known already."""
        told = (exchange.source, exchange.request.path)
        if exchange.request.method != "GET":
            return
        name = (
            _name_at(self._words, exchange.request.path) if exchange.source == LAUNCHER and self.tells_names else None
        )
        if exchange.response.status == 404:
            self._told_last.pop(told, None)
            if name is not None:
                self._followed.pop(name, None)
            return
        self._told_last[told] = _digest(exchange.response)
        if name is not None:
            framework = self._framework(exchange.response)
            application = None if framework is None else framework.status.application_id
            self._followed.setdefault(name, _Followed()).application = application

    def look(self) -> Looked:
        """Asks for everything that may have changed."""
        self._asked = self._unanswered = self._written = 0
        for name in self._wanted():
            if self.stopping():
                break
            self._look_at(name)
        return Looked(self._asked, self._unanswered, self._written)

    def new_file(self) -> None:
        """The list is told once more."""
        self._let_go((LAUNCHER, self._words.FRAMEWORKS_PATH))

    @property
    def _words(self) -> Dialect:
        return DIALECTS[self.dialect]

    def _wanted(self) -> Iterator[str]:
        if self.names is not None:
            yield from self.names
            return
        listed = self._listed()
        if listed is None:  # silence: it is worth knowing of which of them nothing can be heard
            yield from [name for name, one in self._followed.items() if not one.settled]
            return
        for name in [name for name in self._followed if name not in listed]:
            yield name  # it is gone, or will be said to be there after all
        for name, summary in listed.items():
            digest = hashlib.blake2b(repr(summary).encode(), digest_size=8).digest()
            one = self._followed.setdefault(name, _Followed())
            completed = summary.state is FrameworkState.FRAMEWORK_COMPLETED
            if digest != one.listed or not one.settled:
                one.settled = completed and digest == one.listed
                one.listed = digest
                yield name

    def _listed(self) -> dict[str, Summary] | None:
        path = self._words.FRAMEWORKS_PATH
        response = self._answer(LAUNCHER, path)
        if response.status != 200 or self._heard_last.get((LAUNCHER, path), _SILENCE) == _SILENCE:
            self._heard(LAUNCHER, path, response)
        if response.status != 200:
            return None
        try:
            summaries = self._words.decode_summaries(wire.parse(_content(response)))
        except LauncherUnreadable:
            self._heard(LAUNCHER, path, response)
            return None
        return {one.name: one for one in summaries if is_framework_name(one.name)}

    def _look_at(self, name: str) -> None:
        path = self._words.framework_path(name)
        response = self._answer(LAUNCHER, path)
        changed = self._heard(LAUNCHER, path, response)
        if response.status == 404:
            self._forget(name)
            return
        framework = self._framework(response)
        if framework is None:
            return
        one = self._followed.setdefault(name, _Followed())
        one.application, before = framework.status.application_id, one.application
        if changed and self.dialect == "private":
            self._look_at_past(name)
        if self.asks_resource_manager:
            # The one before is asked once more: that it ended, and how, is told there last.
            for application in dict.fromkeys((before, one.application)):
                if application is not None:
                    self._ask(RESOURCE_MANAGER, resource_manager.application_path(application))
            if before is not None and before != one.application:
                self._let_go((RESOURCE_MANAGER, resource_manager.application_path(before)))

    def _look_at_past(self, name: str) -> None:
        """What the private dialect keeps: the lists, and of each attempt its detail, once."""
        for version in self._numbers(private_dialect.versions_path(name), private_dialect.decode_versions):
            for attempt in self._numbers(private_dialect.attempts_path(name, version), private_dialect.decode_attempts):
                path = private_dialect.attempt_path(name, version, attempt)
                if (LAUNCHER, path) not in self._heard_last:
                    self._ask(LAUNCHER, path)

    def _numbers(self, path: str, decode: Callable[[object], tuple[int, ...]]) -> tuple[int, ...]:
        response = self._ask(LAUNCHER, path)
        try:
            return decode(wire.parse(_content(response))) if response.status == 200 else ()
        except LauncherUnreadable:
            return ()

    def _framework(self, response: Response) -> Framework | None:
        if response.status != 200:
            return None
        try:
            return self._words.decode_framework(wire.parse(_content(response)))
        except LauncherUnreadable:
            return None

    def _ask(self, source: str, path: str) -> Response:
        response = self._answer(source, path)
        self._heard(source, path, response)
        return response

    def _answer(self, source: str, path: str) -> Response:
        self._asked += 1
        response = self.ask(source, path)
        self._unanswered += response.status is None
        return response

    def _heard(self, source: str, path: str, response: Response) -> bool:
        """Whether it is news; if so, it is told."""
        asked, digest = (source, path), _digest(response)
        instant, before = self._instant(response), self._asked_last.get(asked)
        if response.status is not None:
            self._asked_last[asked] = instant
        if self._heard_last.get(asked) == digest:
            return False
        request = Request("GET", path, {"Accept": "application/json", **self.headers}, None)
        exchange = self.clean(Exchange(SCENARIO, instant, source, request, response, before))
        told, as_told = (source, exchange.request.path), _digest(exchange.response)
        news = self._told_last.get(told) != as_told
        if news:
            self.tell(exchange)
            self._written += 1
        self._heard_last[asked], self._told_as[asked], self._told_last[told] = digest, told, as_told
        return news

    def _instant(self, response: Response) -> Instant:
        """By the clock of a simulated launcher, which may run at any rate, or else by ours."""
        told = simulated_now(response.headers.items())
        return self.now() if told is None else told

    def _let_go(self, asked: _Path) -> None:
        self._heard_last.pop(asked, None)
        self._asked_last.pop(asked, None)
        told = self._told_as.pop(asked, None)
        if told is not None:
            self._told_last.pop(told, None)

    def _forget(self, name: str) -> None:
        """It is gone. Those who are asked for by name go on being asked, so of them the last word is kept."""
        one = self._followed.pop(name, None)
        if self.names is not None:
            return
        path = self._words.framework_path(name)
        for asked in [asked for asked in self._heard_last if asked[1] == path or asked[1].startswith(f"{path}/")]:
            self._let_go(asked)
        if one is not None and one.application is not None:
            self._let_go((RESOURCE_MANAGER, resource_manager.application_path(one.application)))


_SILENCE: Final = b""


def _digest(response: Response) -> bytes:
    """Of an answer without its headers, which tell the time. All silences are alike."""
    if response.status is None:
        return _SILENCE
    text = f"{response.status} {response.body}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=12).digest()


def _content(response: Response) -> bytes:
    return (response.body or "").encode("utf-8", "surrogatepass")


def _name_at(dialect: Dialect, path: str) -> str | None:
    """The framework that a path asks for as a whole."""
    prefix = f"{dialect.FRAMEWORKS_PATH}/"
    name = path.removeprefix(prefix)
    return (
        name if path.startswith(prefix) and is_framework_name(name) and dialect.framework_path(name) == path else None
    )
