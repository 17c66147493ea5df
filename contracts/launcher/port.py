"""The inward port: everything a launcher can be asked fits through it, and nothing goes around it.

Every answer says until when it holds and which edition it is, so that whoever keeps answers (caches, kept bytes, ETags)
needs to know nothing about the launcher behind.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

from msgspec import Struct

from contracts.clock import Instant
from contracts.launcher.records import Application, Figures, Framework, Summary

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Answer(Struct, Generic[T_co], frozen=True, eq=False):
    value: T_co
    edition: Hashable
    """Equal editions of the same call, equal values."""
    until: Instant | None = None
    """Holds at least until then; ``None``: nothing is promised."""
    stale_since: Instant | None = None
    """A kept copy, older than is promised, because nothing newer can be had; since when it is too old."""
    holds: Callable[[], bool] | None = None
    """Whether the very same would be answered now, whatever was done since: cheaper than to ask. ``None``: ask."""

    def __eq__(self, other: object) -> bool:
        """By what they say."""
        return isinstance(other, Answer) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((self.edition, self.until))

    def _said(self) -> tuple[object, ...]:
        return self.value, self.edition, self.until, self.stale_since


class Ask(Struct, frozen=True):
    """Travels with every call."""

    deadline: Instant | None = None
    request_id: str | None = None
    trace: tuple[tuple[str, str], ...] = ()
    """Headers that say which trace the call belongs to (W3C), where somebody traces."""


class Launcher(Protocol):
    """``version`` ``None`` means the current one, resolved inside, in one step with the answer."""

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        """The framework now. Raises NoSuchFramework."""

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        """The framework as that attempt left it, or as it is if it is the current one. Raises NoSuchAttempt."""

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        """Ascending ids of the attempts that can be answered. Raises NoSuchVersion."""

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        """Ascending versions that can be answered. Raises NoSuchFramework."""

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        """Every framework the launcher lists, streamed, in no promised order."""

    def ready(self, ask: Ask) -> None:
        """Returns if the launcher can be asked; raises as any other call would."""


class ResourceManager(Protocol):
    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        """Figures of one application; ``None`` where they cannot be had. Never raises."""

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        """Applications of launchers started at ``since`` or later, in no order. Raises as a launcher would."""


class LauncherError(Exception):
    """Any error a launcher may raise. Facts are fields; the message is built from them. Equal facts, equal errors."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LauncherError) and (type(other), other.args) == (type(self), self.args)

    def __hash__(self) -> int:
        return hash((type(self), self.args))


class NoSuchFramework(LauncherError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"framework {self.name} is not known"


class NoSuchAttempt(LauncherError):
    def __init__(self, name: str, version: int | None, attempt: int) -> None:
        super().__init__(name, version, attempt)
        self.name = name
        self.version = version
        """The version asked for, else the current one, else ``None``: nothing is known."""
        self.attempt = attempt

    def __str__(self) -> str:
        return f"attempt {self.attempt} of version {self.version} of framework {self.name} is not known"


class NoSuchVersion(LauncherError):
    def __init__(self, name: str, version: int | None) -> None:
        super().__init__(name, version)
        self.name = name
        self.version = version
        """As in :class:`NoSuchAttempt`."""

    def __str__(self) -> str:
        return f"version {self.version} of framework {self.name} is not known"


class LauncherUnavailable(LauncherError):
    """It could not be asked: refused, reset, timed out."""

    def __init__(self, reason: str, retry_after: str | None = None, unheard: bool = False) -> None:
        super().__init__(reason, retry_after)
        self.reason = reason
        """One plain sentence."""
        self.retry_after = retry_after
        self.unheard = unheard
        """The connection failed before a byte of an answer came: asking once more may help."""

    def __str__(self) -> str:
        return self.reason


class LauncherRefused(LauncherError):
    """It answered with an error of its own."""

    def __init__(self, status: int, message: str | None, retry_after: str | None = None) -> None:
        super().__init__(status, message, retry_after)
        self.status = status
        self.message = message
        """The launcher's own message, a stack trace cut to its first line; ``None`` where it gave none."""
        self.retry_after = retry_after
        """The value of its ``Retry-After`` header."""

    def __str__(self) -> str:
        return self.message or f"The launcher answered with status {self.status}."


class LauncherUnreadable(LauncherError):
    """It answered with something its dialect does not promise."""

    def __init__(self, path: str, found: str, who: str = "launcher") -> None:
        super().__init__(path, found, who)
        self.path = path
        """Where in the document: ``$.aggregatedFrameworkStatus.frameworkStatus.frameworkState``; ``$`` is the whole."""
        self.found = found
        """What stood there, in a few words."""
        self.who = who
        """Whose answer it was: a resource manager's is read by the same rules."""

    def __str__(self) -> str:
        return f"The {self.who}'s answer cannot be read: {self.found} at {self.path}."


class LauncherBusy(LauncherError):
    """This side did not ask, to protect it: too many calls wait already, or it failed too often."""

    def __init__(self, retry_after: str | None = None, reason: str = "The launcher is busy.") -> None:
        super().__init__(retry_after, reason)
        self.retry_after = retry_after
        self.reason = reason
        """One plain sentence."""

    def __str__(self) -> str:
        return self.reason


LAUNCHER_ERRORS: tuple[type[LauncherError], ...] = (
    NoSuchFramework,
    NoSuchAttempt,
    NoSuchVersion,
    LauncherUnavailable,
    LauncherRefused,
    LauncherUnreadable,
    LauncherBusy,
)
"""All of them; tests hold every table of errors to this list."""


class Call(Struct, frozen=True):
    """One question to a launcher, as a value: the key of caches, single flight and faults."""

    operation: str
    """``framework``, ``attempt``, ``attempts``, ``versions``, ``summaries`` or ``ready``; of a resource manager
    ``application`` (its id is the name) or ``applications``."""
    name: str | None = None
    version: int | None = None
    attempt: int | None = None


Hook: TypeAlias = Callable[[Call, Ask, Callable[[Ask], Any]], Any]
"""Gets the call, the ask and what goes on with it; returns what ``proceed(ask)`` would, or raises an error of the port."""


def straight(call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
    """The hook that does nothing."""
    del call
    return proceed(ask)


def stacked(outermost: Hook, *inner: Hook) -> Hook:
    """Several hooks as one; the first is the outermost."""
    if not inner:
        return outermost
    rest = stacked(*inner)
    return lambda call, ask, proceed: outermost(call, ask, lambda a: rest(call, a, proceed))


def always() -> bool:
    return True


class Around:
    """A launcher around a launcher: one hook sees every call. Wrappers are hooks, not six methods each."""

    def __init__(self, inner: Launcher, hook: Hook, wanted: Callable[[], bool] = always) -> None:
        """``wanted``: whether the hook would do anything now; while it would not, the four questions that
        are polled go past it."""
        self.inner = inner
        self._hook = hook
        self._wanted = wanted

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        if not self._wanted():
            return self.inner.framework(name, ask)
        result = self._hook(Call("framework", name), ask, lambda a: self.inner.framework(name, a))
        return cast("Answer[Framework]", result)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        if not self._wanted():
            return self.inner.attempt(name, attempt, version, ask)
        call = Call("attempt", name, version, attempt)
        return cast("Answer[Framework]", self._hook(call, ask, lambda a: self.inner.attempt(name, attempt, version, a)))

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        if not self._wanted():
            return self.inner.attempts(name, version, ask)
        call = Call("attempts", name, version)
        return cast("Answer[tuple[int, ...]]", self._hook(call, ask, lambda a: self.inner.attempts(name, version, a)))

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        if not self._wanted():
            return self.inner.versions(name, ask)
        result = self._hook(Call("versions", name), ask, lambda a: self.inner.versions(name, a))
        return cast("Answer[tuple[int, ...]]", result)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return cast("Iterator[Summary]", self._hook(Call("summaries"), ask, self.inner.summaries))

    def ready(self, ask: Ask) -> None:
        self._hook(Call("ready"), ask, self.inner.ready)
