"""An API document as values: operations, types, failures; and what its bodies are in one style of answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contracts.body import Array, Field, Literal, Map, Notes, Object, Ref, Scalar, Type, Union

STYLES = ("documented", "portal")
PLACEHOLDER = re.compile(r"\$[A-Za-z]+")


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    """``path`` or ``query``."""
    type: Type
    notes: Notes
    line: int


@dataclass(frozen=True)
class Failure:
    """A row of an error table."""

    status: int
    styles: tuple[str, ...]
    code: str
    message: str
    """With placeholders: ``Job $jobName is not found.``"""
    when: str
    line: int
    only_with: str = ""
    """The setting without which no server answers it; empty: every server may."""


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    """Below the base path, parameters as ``:name``."""
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    status: int
    """Of success."""
    body: Object
    failures: tuple[Failure, ...]
    """Its own and those of every path, by status."""
    line: int


@dataclass(frozen=True)
class NamedType:
    name: str
    type: Type | None
    """``None``: an enumeration."""
    values: Mapping[str, str]
    """Of an enumeration: value to meaning."""
    notes: Notes
    line: int


@dataclass(frozen=True)
class Placeholder:
    name: str
    pattern: str
    notes: Notes
    line: int


@dataclass(frozen=True)
class Header:
    name: str
    status: int
    notes: Notes
    line: int


@dataclass(frozen=True)
class Renamed:
    """Something that the document as received called otherwise."""

    kind: str
    theirs: str
    ours: str
    within: str | None
    """The endpoint it was said of; ``None``: anywhere."""
    ruling: str
    line: int


@dataclass(frozen=True)
class Document:
    title: str
    version: str
    description: str
    base_path: str
    operations: tuple[Operation, ...]
    types: Mapping[str, NamedType]
    shared: tuple[Failure, ...]
    placeholders: Mapping[str, Placeholder]
    headers: tuple[Header, ...]
    renamed: tuple[Renamed, ...]

    def fields(self, body: Object, style: str) -> Iterator[tuple[str, Field]]:
        """The keys of an object in that style, those of spread types included, in the order written."""
        for entry in body.entries:
            if isinstance(entry, Field):
                if style == "portal" and entry.notes.portal_name:
                    yield entry.notes.portal_name, entry
                elif style == "portal" or not entry.notes.portal_only:
                    yield entry.name, entry
            else:
                spread = self.types[entry.name].type
                if isinstance(spread, Object):
                    yield from self.fields(spread, style)


def inner_types(found: Type) -> Iterator[Type]:
    """The types one type is made of, one step down; names are not followed."""
    match found:
        case Object():
            yield from (entry.type for entry in found.entries if isinstance(entry, Field))
        case Map():
            yield found.value
        case Array():
            yield found.items
        case Union():
            yield from found.options
        case Scalar() | Literal() | Ref():
            return
