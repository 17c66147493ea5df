"""The real launcher over HTTP, in either dialect. What differs between dialects is a row of a table, never an ``if``.

Rules kept here:

* A name that cannot exist is not asked for, so no name can reach another path (rulings 1.10).
* The bodies and statuses of answers become records, or errors of the port, here; :mod:`.transport` does so for everything
  below HTTP. ``Content-Type`` is not looked at (rulings 1.14).
* An answer about another framework than the one asked for is unreadable in the open dialect: a server that mixes up its
  answers must not show one user another's job. In the private dialect it is not judged, because deployed servers pass such
  answers on (``fixtures/cases/private-22`` to ``-25``). Nor are version and attempt id, in either: they stand in the answer
  for the client to see, and attempts were seen whose counters disagree with their id.
* "The current version" is what one answer of the launcher says. For that version's current attempt this same answer is the
  whole answer; for another attempt, or the list of them, a second question names the version, under the same deadline. An
  upgrade in between cannot mix two versions: the answer is of the version that was current when asked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from contracts.clock import Clock, Milliseconds
from contracts.launcher import open_dialect, private_dialect, wire
from contracts.launcher.framework_name import is_framework_name
from contracts.launcher.port import (
    Answer,
    Ask,
    Hook,
    LauncherError,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
    straight,
)
from contracts.launcher.records import Framework, Summary
from restserver.launchers.http_resource_manager import HttpResourceManager, NoResourceManager, ignored
from restserver.launchers.replies import document, edition
from restserver.launchers.transport import Reply, Transport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of launcher is asked and understood."""

    framework_path: Callable[[str], str]
    frameworks_path: str
    decode_framework: Callable[[object], Framework]
    decode_summaries: Callable[[object], Iterable[Summary]]
    decode_error: Callable[[bytes], str | None]
    no_such: Callable[[Reply], bool]
    """Whether an answer means "no such framework, version or attempt", and not only that something is wrong."""
    past: "Callable[[Questions], Past]"
    names_agree: bool
    """Whether an answer about another name than the one asked for must be a mistake."""


class Past(Protocol):
    """What a launcher tells of versions and attempts: the three calls of the port that are about them."""

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]: ...

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]: ...

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]: ...


class Questions:
    """Asks in one dialect, and makes records or errors of what comes back."""

    def __init__(self, transport: Transport, dialect: Dialect) -> None:
        self.transport = transport
        self.dialect = dialect

    def answer(self, path: str, decode: Callable[[object], T], missing: LauncherError, ask: Ask) -> Answer[T]:
        """Raises ``missing`` where the launcher says there is no such thing."""
        reply = self.transport.get(path, ask)
        if self.dialect.no_such(reply):
            raise missing
        body = document(reply, self.dialect.decode_error)
        return Answer(decode(wire.parse(body)), edition(body))

    def framework(self, name: str, ask: Ask, missing: LauncherError) -> Answer[Framework]:
        """The framework as it is now."""
        return self.about(name, self.dialect.framework_path, ask, missing)

    def about(self, name: str, path: Callable[[str], str], ask: Ask, missing: LauncherError) -> Answer[Framework]:
        """The framework document at the path of a name."""
        _require_name(name, missing)
        answer = self.answer(path(name), self.dialect.decode_framework, missing, ask)
        if self.dialect.names_agree and answer.value.summary.name != name:
            raise LauncherUnreadable("$", "the answer about another framework")
        return answer

    def listed(
        self,
        name: str,
        path: Callable[[str], str],
        decode: Callable[[object], tuple[int, ...]],
        ask: Ask,
        missing: LauncherError,
    ) -> Answer[tuple[int, ...]]:
        """The list of numbers at the path of a name, ascending."""
        _require_name(name, missing)
        return self.answer(path(name), decode, missing, ask)


class ToldPast:
    """A launcher that keeps versions and attempts, and tells them."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        if version is None:
            current = self._questions.framework(name, ask, NoSuchAttempt(name, None, attempt))
            status = current.value.status
            if status.retries.total == attempt:
                return current
            version = status.version
        missing = NoSuchAttempt(name, version, attempt)
        return self._questions.about(name, lambda n: private_dialect.attempt_path(n, version, attempt), ask, missing)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        if version is None:
            version = self._questions.framework(name, ask, NoSuchVersion(name, None)).value.status.version
        return self._questions.listed(
            name,
            lambda n: private_dialect.attempts_path(n, version),
            private_dialect.decode_attempts,
            ask,
            NoSuchVersion(name, version),
        )

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        return self._questions.listed(
            name, private_dialect.versions_path, private_dialect.decode_versions, ask, NoSuchFramework(name)
        )


class OnlyNow:
    """A launcher that keeps nothing but the current attempt: its one document answers everything there is to ask.

    A history around it answers for the rest: the errors raised here say which version they are about.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        now = self._questions.framework(name, ask, NoSuchAttempt(name, version, attempt))
        status = now.value.status
        asked = status.version if version is None else version
        if (asked, attempt) != (status.version, status.retries.total):
            raise NoSuchAttempt(name, asked, attempt)
        return now

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        now = self._questions.framework(name, ask, NoSuchVersion(name, version))
        status = now.value.status
        if version not in (None, status.version):
            raise NoSuchVersion(name, version)
        return Answer((status.retries.total,), now.edition)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        now = self._questions.framework(name, ask, NoSuchFramework(name))
        return Answer((now.value.status.version,), now.edition)


OPEN = Dialect(
    framework_path=open_dialect.framework_path,
    frameworks_path=open_dialect.FRAMEWORKS_PATH,
    decode_framework=open_dialect.decode_framework,
    decode_summaries=open_dialect.decode_summaries,
    decode_error=open_dialect.decode_error,
    # Only with the launcher's own error object: a page of some other server says nothing about frameworks.
    no_such=lambda reply: reply.status == 404 and open_dialect.decode_error(reply.body) is not None,
    past=OnlyNow,
    names_agree=True,
)
PRIVATE = Dialect(
    framework_path=private_dialect.framework_path,
    frameworks_path=private_dialect.FRAMEWORKS_PATH,
    decode_framework=private_dialect.decode_framework,
    decode_summaries=private_dialect.decode_summaries,
    decode_error=private_dialect.decode_error,
    no_such=lambda reply: reply.status == 404,
    past=ToldPast,
    names_agree=False,
)
DIALECTS = {"open": OPEN, "private": PRIVATE}
"""By the name people configure."""


class HttpLauncher:
    """A launcher of the port, spoken to over HTTP. Thread-safe; holds nothing but idle connections."""

    def __init__(self, transport: Transport, dialect: Dialect) -> None:
        self._transport = transport
        self._questions = Questions(transport, dialect)
        self._past = dialect.past(self._questions)

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        return self._questions.framework(name, ask, NoSuchFramework(name))

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        return self._past.attempt(name, attempt, version, self._transport.within(ask))

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        return self._past.attempts(name, version, self._transport.within(ask))

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        return self._past.versions(name, ask)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        """Asks at once, not at the first step of the iteration: what can fail has failed when this returns."""
        dialect = self._questions.dialect
        reply = self._transport.get(dialect.frameworks_path, ask)
        return iter(tuple(dialect.decode_summaries(wire.parse(document(reply, dialect.decode_error)))))

    def ready(self, ask: Ask) -> None:
        document(self._transport.get(open_dialect.ROOT_PATH, ask), self._questions.dialect.decode_error)

    def close(self) -> None:
        """Closes idle connections."""
        self._transport.close()


def _require_name(name: str, missing: LauncherError) -> None:
    """A framework cannot have any other name, so nobody is asked."""
    if not is_framework_name(name):
        raise missing


def http_backend(
    *,
    launcher_url: str,
    rm_url: str | None,
    dialect: str,
    timeout: Milliseconds,
    headers: Iterable[tuple[str, str]],
    ca_file: str | None,
    clock: Clock,
    count_rm_failure: Callable[[LauncherError], None] = ignored,
    around_rm: Hook = straight,
) -> tuple[HttpLauncher, HttpResourceManager | NoResourceManager]:
    """Launcher and resource manager from plain values; nothing is asked yet. Headers and trust hold toward both.

    Raises BadTarget, naming what no call can be made with.
    """
    headers = tuple(headers)

    def transport(url: str, who: str) -> Transport:
        return Transport(url, clock=clock, timeout=timeout, who=who, headers=headers, ca_file=ca_file)

    launcher = HttpLauncher(transport(launcher_url, "The launcher"), DIALECTS[dialect])
    if rm_url is None:
        return launcher, NoResourceManager()
    return launcher, HttpResourceManager(transport(rm_url, "The resource manager"), count_rm_failure, around_rm)
