"""Objects as tables: one line per wire name, from which reading and writing both derive."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from contracts.launcher.wire import ABSENT, AnyKind, Kind, Wrong, as_is, found, step_to

T = TypeVar("T")
R = TypeVar("R", bound=Struct)
AnyRecord: TypeAlias = Any  # the record a line reads its attribute from


class Line(Struct, frozen=True):
    """One key of an object: the attribute it fills, or (a group) the lines inside it, or (a constant) nothing.

    A line without a key is an attribute that the dialect does not tell.
    """

    key: str
    attribute: str | None
    read: Callable[[object], Any] | None  # as AnyKind
    write: Callable[[Any], object]  # as AnyKind


def field(key: str, attribute: str, kind: AnyKind) -> Line:
    return Line(key, attribute, kind.read, kind.write)


def echo(key: str, attribute: str, kind: AnyKind) -> Line:
    """Written, but told elsewhere in the document already, so not read."""
    return Line(key, attribute, None, kind.write)


def constant(key: str, value: object) -> Line:
    """Written always alike, never read."""
    return Line(key, None, None, lambda _: value)


def untold(attribute: str) -> Line:
    """Not in this object: ``None``, or completed from elsewhere afterwards."""
    return Line("", attribute, lambda _: None, as_is)


def group(key: str, *lines: Line) -> Line:
    """An object in the document that is no record of its own: its fields belong to the record around it."""
    return Line(key, None, _reader(lines), _writer(lines))


def record(cls: type[R], *lines: Line) -> Kind[R]:
    """An object that is a record. A table that leaves a required attribute out, or names a wrong one, stops the program."""
    read_attributes = _reader(lines)
    known, defaults = cls.__struct_fields__, cls.__struct_defaults__
    told, required = set(_attributes(lines)), set(known[: len(known) - len(defaults)])
    if not required <= told <= set(known):
        raise TypeError(f"{cls}: wrong {told - set(known)}, left out {required - told}")
    return Kind(lambda value: cls(**read_attributes(value)), _writer(lines))


def _attributes(lines: tuple[Line, ...]) -> list[str]:
    named = [line.attribute for line in lines if line.attribute]
    return named + [
        name
        for line in lines
        if line.attribute is None and isinstance(line.write, _Group)
        for name in _attributes(line.write.lines)
    ]


class _Group:
    """Writes the lines of one object; keeps them, so that a table can be checked as a whole."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self.lines = lines
        self._writes = [(line.key, line.attribute, line.write) for line in lines if line.key]

    def __call__(self, told: AnyRecord) -> object:
        return {
            key: write(told if attribute is None else getattr(told, attribute))
            for key, attribute, write in self._writes
        }


def _writer(lines: tuple[Line, ...]) -> _Group:
    return _Group(lines)


def _reader(lines: tuple[Line, ...]) -> Callable[[object], dict[str, object]]:
    reads = [(line.key, line.attribute, line.read) for line in lines if line.read]

    def read_attributes(value: object) -> dict[str, object]:
        if type(value) is not dict:
            raise Wrong(found(value))
        told: dict[str, object] = {}
        key = ""
        try:
            for key, attribute, read in reads:
                if attribute is None:
                    told.update(read(value.get(key, ABSENT)))
                else:
                    told[attribute] = read(value.get(key, ABSENT))
        except Wrong as wrong:
            raise wrong.within(step_to(key)) from None
        return told

    return read_attributes


def encoded(kind: Kind[T], item: T) -> dict[str, object]:
    """The object that a record is written as."""
    document = kind.write(item)
    assert isinstance(document, dict)  # noqa: S101  # every table writes an object; this only tells the type checker
    return document
