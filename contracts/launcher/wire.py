"""The small vocabulary that the dialects are written in.

A :class:`Kind` reads one JSON value into a Python one and writes it back. A dialect is a table of them (``tables.py``), one
line per field, so that decoding and encoding can never disagree about a name. The rule kept here for every dialect: a value
of the wrong JSON type, or a missing one that is promised, is LauncherUnreadable with the path to it (rulings 1.15).
"""

import re
import struct
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar

from msgspec import Struct

from contracts.clock import LATEST, Instant
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.strict_json import parse as parse  # the one door to a body: wire.parse
from contracts.launcher.strict_json import short

T = TypeVar("T")


class Absent:
    """What stands where a key is not there."""


ABSENT: Final = Absent()


class Wrong(Exception):
    """A value that cannot be read; each level on the way out adds its step to the path."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found
        self.steps: list[str] = []

    def within(self, step: str) -> "Wrong":
        self.steps.append(step)
        return self


class Kind(Struct, Generic[T], frozen=True):
    """How one JSON value is read and written."""

    read: Callable[[object], T]
    write: Callable[[T], object]

    def decode(self, document: object) -> T:
        """Reads a whole document. Raises LauncherUnreadable with the path to what is wrong."""
        try:
            return self.read(document)
        except Wrong as wrong:
            path = "$" + "".join(reversed(wrong.steps))
            raise LauncherUnreadable(path[:300], wrong.found) from None


AnyKind: TypeAlias = Kind[Any]  # a table holds kinds of many types; each line's own type is known where it is written


def found(value: object) -> str:
    """A JSON value in two words; never the value itself, which may be large or secret."""
    return _FOUND[type(value)]


_FOUND: Mapping[type, str] = {
    Absent: "nothing",
    type(None): "null",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def step_to(key: str) -> str:
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{short(key)}]"


_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


def as_is(value: T) -> T:
    return value


def _read_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise Wrong(found(value))


def _read_integer(value: object) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer() and abs(value) < 2**63:
        return int(value)
    raise Wrong("a fraction" if type(value) is float and abs(value) < 2**63 else found(value))


def _within(lowest: int, highest: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        number = _read_integer(value)
        if lowest <= number <= highest:
            return number
        raise Wrong("a number below 0" if number < lowest == 0 else "a number beyond 32 bits")

    return read


def _read_number(value: object) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    raise Wrong(found(value))


def _read_fraction(value: object) -> float:
    number = _read_number(value)
    if 0 <= number <= 1:
        return number
    raise Wrong("a number not from 0 to 1")


def _read_flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Wrong(found(value))


def _read_bitmap(value: object) -> int:
    return _read_integer(value) % 2**64


def _write_bitmap(bits: int) -> int:
    return bits - 2**64 if bits >= 2**63 else bits


def _read_integer_or_digits(value: object) -> int:
    if isinstance(value, str) and _INTEGER_TEXT.fullmatch(value):
        return int(value)
    return _read_integer(value)


_INTEGER_TEXT = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)

TEXT = Kind(_read_text, as_is)
INTEGER = Kind(_read_integer, as_is)
"""``3.0`` is one too; ``3.5`` is not."""
COUNT = Kind(_within(0, 2**63 - 1), as_is)
"""How many, or which of them from 0: never negative, or nothing that answers promise would hold."""
INT32 = Kind(_within(-(2**31), 2**31 - 1), as_is)
INTEGER_OR_DIGITS = Kind(_read_integer_or_digits, as_is)
NUMBER = Kind(_read_number, as_is)
FRACTION = Kind(_read_fraction, as_is)
"""How far something is, from 0 to 1."""
FLAG = Kind(_read_flag, as_is)
BITMAP: Kind[int] = Kind(_read_bitmap, _write_bitmap)
"""64 bits in a signed number, as Java prints them; ours are never negative."""


E = TypeVar("E", bound=StrEnum)


def word(enum: type[E]) -> Kind[E]:
    """One word of several. A word we do not know is the enum's UNKNOWN, never an error (rulings 1.15)."""
    members: Mapping[object, E] = {member.value: member for member in enum}
    unknown = enum["UNKNOWN"]

    def read(value: object) -> E:
        if isinstance(value, str):
            return members.get(value, unknown)
        raise Wrong(found(value))

    return Kind(read, lambda member: member.value)


def numbered(enum: type[E], beyond: T) -> Kind[E | T]:
    """The place of a word in its enum, counted from 0. A number that is no such place is ``beyond``, and written as -1."""
    known = [member for member in enum if member is not beyond]
    places = {member: place for place, member in enumerate(known)}

    def read(value: object) -> E | T:
        place = _read_integer(value)
        return known[place] if 0 <= place < len(known) else beyond

    return Kind(read, lambda member: places.get(member, -1))  # type: ignore[arg-type]  # what lies beyond is in no table


def instant(unit: int) -> Kind[Instant | None]:
    """Time since the epoch in units of so many milliseconds; null, a key that is not there, 0 and less: not happened.

    A fraction of a unit is kept as far as milliseconds go when read; whole units are written.
    """

    def read(value: object) -> Instant | None:
        if value is None or value is ABSENT:
            return None
        number = _read_number(value)
        if number <= 0:
            return None  # before anything is rounded: a great negative one would overflow
        if number * unit > LATEST:
            raise Wrong("a time after the year 9999")
        return (value * unit if type(value) is int else round(number * unit)) or None

    return Kind(read, lambda moment: None if moment is None else (moment // unit or None))


def single(number: float) -> float:
    """The shortest decimal that is the same 32-bit number: how a launcher's progress is printed."""
    try:
        packed = struct.pack("<f", number)
    except OverflowError:
        return number
    (exact,) = struct.unpack("<f", packed)
    candidates = (float(f"{exact:.{digits}g}") for digits in range(1, 10))  # nine are always enough
    return next(candidate for candidate in candidates if struct.pack("<f", candidate) == packed)


SINGLE_FRACTION = Kind(_read_fraction, single)


def maybe(kind: Kind[T]) -> Kind[T | None]:
    """``null``, or a key that is not there, is ``None``."""
    read, write = kind.read, kind.write
    return Kind(
        lambda value: None if value is None or value is ABSENT else read(value),
        lambda value: None if value is None else write(value),
    )


def default(kind: Kind[T], value: T) -> Kind[T]:
    """A key that is not there has this value; an explicit ``null`` must be one that the kind reads."""
    read = kind.read
    return Kind(lambda told: value if told is ABSENT else read(told), kind.write)


def array(kind: Kind[T]) -> Kind[tuple[T, ...]]:
    read, write = kind.read, kind.write

    def read_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Wrong(found(value))
        index = 0
        result = []
        try:
            for index, item in enumerate(value):  # noqa: B007  # the index is for the path of an error
                result.append(read(item))
        except Wrong as wrong:
            raise wrong.within(f"[{index}]") from None
        return tuple(result)

    return Kind(read_all, lambda items: [write(item) for item in items])


def mapping(kind: Kind[T]) -> Kind[Mapping[str, T]]:
    """An object whose keys are names, not fields. The order of the keys is kept."""
    read, write = kind.read, kind.write

    def read_all(value: object) -> Mapping[str, T]:
        if not isinstance(value, dict):
            raise Wrong(found(value))
        key = ""
        result = {}
        try:
            for key, item in value.items():
                result[key] = read(item)
        except Wrong as wrong:
            raise wrong.within(step_to(key)) from None
        return result

    return Kind(read_all, lambda items: {key: write(item) for key, item in items.items()})


def only(key: str, kind: Kind[T]) -> Kind[T]:
    """An object that is nothing but a wrapping of one value: ``{"name": ...}``."""

    def read(value: object) -> T:
        if not isinstance(value, dict):
            raise Wrong(found(value))
        try:
            return kind.read(value.get(key, ABSENT))
        except Wrong as wrong:
            raise wrong.within(step_to(key)) from None

    return Kind(read, lambda item: {key: kind.write(item)})
