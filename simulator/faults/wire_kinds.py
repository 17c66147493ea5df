"""What the faults of the wire do to one answer on its way out: the bytes and the connection, not what they mean.

Not every server can break a connection; where the one in use cannot, the fault says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar
from wsgiref.types import WSGIEnvironment

from msgspec import Struct

from contracts.clock import Milliseconds
from simulator.faults import keys as keys
from simulator.faults.server_in_use import hang_up

T = TypeVar("T")
Told: TypeAlias = Mapping[str, Any]


class Outgoing(Struct, frozen=True):
    """An answer that was to be sent."""

    environ: WSGIEnvironment
    body: bytes
    wait: Callable[[Milliseconds], object]


class Sent(Struct, frozen=True):
    """What is sent instead. ``length``: what the Content-Length says; ``None``: as long as it is."""

    parts: Iterable[bytes]
    length: int | None = None


WireAct: TypeAlias = Callable[[Outgoing], Sent]


class _Reading(Generic[T]):
    """A maker of acts whose reading of what it is told is needed elsewhere, too."""

    def __init__(self, read: Callable[[Told], T], make: Callable[[T], WireAct]) -> None:
        self.read = read
        self._make = make

    def __call__(self, told: Told) -> WireAct:
        return self._make(self.read(told))


def malformed(_: Told) -> WireAct:
    """Half of it, and then noise; of the right length."""

    def act(out: Outgoing) -> Sent:
        half = out.body[: len(out.body) // 2] + b'\x00\xff{"'
        return Sent([half], len(half))

    return act


def broken_off(_: Told) -> WireAct:
    """Half of it, though more was announced."""
    return lambda out: Sent([out.body[: len(out.body) // 2]], max(2, len(out.body)))


def hung_up(*, reset: bool) -> WireAct:
    def act(out: Outgoing) -> Sent:
        hang_up(out.environ, reset=reset)

    return act


def _read_dribble(told: Told) -> tuple[int, Milliseconds]:
    return (
        keys.whole("numberOfChunks", told.get("numberOfChunks", 5), 1, 1000),
        keys.whole("totalDuration", told.get("totalDuration", 1000), 0, keys.LONGEST),
    )


def _dribble(told: tuple[int, Milliseconds]) -> WireAct:
    pieces, lasting = told

    def act(out: Outgoing) -> Sent:
        def parts() -> Iterator[bytes]:
            size = max(1, -(-len(out.body) // pieces))
            for begin in range(0, len(out.body), size):
                out.wait(lasting // pieces)
                yield out.body[begin : begin + size]

        return Sent(parts(), len(out.body))

    return act


def _never(lasting: Milliseconds) -> WireAct:
    def act(out: Outgoing) -> Sent:
        out.wait(lasting)
        hang_up(out.environ, reset=False)

    return act


dribbled = _Reading(_read_dribble, _dribble)
"""Piece by piece."""
never_answered = _Reading(
    lambda told: keys.whole("fixedDelayMilliseconds", told.get("fixedDelayMilliseconds", 10_000), 0, keys.LONGEST),
    _never,
)
"""Silence, and then the connection is closed."""
