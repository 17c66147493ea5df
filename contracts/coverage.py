"""Whether our document has everything another one has: found, renamed by a ruling that is named, or missing.

Names of path parameters and of placeholders in messages are nobody's promise, so they are not compared; everything else is,
letter by letter.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from contracts.body import Array, Map, Object, Ref, Type, Union
from contracts.model import PLACEHOLDER, STYLES, Document, Operation, Renamed
from contracts.original import Item

Key: TypeAlias = tuple[str, str, int | None, str]
"""Kind, endpoint, status and name of an item, spelt so that equal things are equal."""

FOUND, RENAMED, MISSING = "found", "renamed", "missing"


@dataclass(frozen=True)
class Verdict:
    item: Item
    outcome: str
    reason: str = ""
    """Of ``renamed``: our name and the ruling."""


def coverage(ours: Document, theirs: Iterable[Item]) -> list[Verdict]:
    """A verdict on everything another document says, in its order."""
    said = {style: frozenset(_said(ours, style)) for style in STYLES}
    return [_verdict(ours, said, item) for item in theirs]


def _verdict(ours: Document, said: Mapping[str, frozenset[Key]], item: Item) -> Verdict:
    documented, portal = (said[style] for style in STYLES)
    key = _key(ours, item)
    if key in documented:
        return Verdict(item, FOUND)
    for renamed in ours.renamed:
        changed = _apply(ours, renamed, item)
        if changed and _key(ours, changed) in documented:
            return Verdict(item, RENAMED, f"{renamed.ours} (ruling {renamed.ruling})")
    if key in portal:
        return Verdict(item, RENAMED, "so only in the portal style (ruling 4)")
    if _under_a_map(key, documented | portal):
        return Verdict(item, FOUND)
    return Verdict(item, MISSING)


def _key(ours: Document, item: Item) -> Key:
    name = item.name
    if item.kind in ("endpoint", "request"):
        name = _plain_path(ours, name)
    elif item.kind == "message":
        name = _plain_message(name)
    return item.kind, _plain_path(ours, item.endpoint), item.status, name


def _plain_path(ours: Document, endpoint: str) -> str:
    method, _, path = endpoint.partition(" ")
    if path.startswith(f"{ours.base_path}/"):
        path = path.removeprefix(ours.base_path)
    return f"{method} {re.sub(r':[^/]+', ':', path.rstrip('/'))}"


def _plain_message(text: str) -> str:
    """With one sign for every placeholder; a message in italics is one as a whole."""
    text = re.sub(r"^\*[^*]+\*$", "$", text.strip())
    return re.sub(r"\$\w*|\$?\{\w+\}|<\w+>", "$", text)


def _under_a_map(key: Key, said: Iterable[Key]) -> bool:
    """Whether ours has an object of any keys where theirs shows one of them."""
    kind, endpoint, status, name = key
    parts = name.split(".")
    for other in said:
        if other[:3] == (kind, endpoint, status) and "*" in other[3]:
            pattern = other[3].split(".")
            if len(pattern) == len(parts) and all(p in ("*", t) for p, t in zip(pattern, parts, strict=True)):
                return True
    return False


def _apply(ours: Document, renamed: Renamed, item: Item) -> Item | None:
    """The item under our name, if that rename is about it."""
    if renamed.kind != item.kind:
        return None
    if renamed.within and _plain_path(ours, renamed.within) != _plain_path(ours, item.endpoint):
        return None
    if item.kind == "field":
        name, count = re.subn(rf"(?<![\w*]){re.escape(renamed.theirs)}(?![\w*])", lambda _: renamed.ours, item.name)
        return _renamed(item, name) if count else None
    same = item.name == renamed.theirs
    if item.kind == "request":
        same = _plain_path(ours, item.name) == _plain_path(ours, renamed.theirs)
    return _renamed(item, renamed.ours) if same else None


def _renamed(item: Item, name: str) -> Item:
    return Item(item.line, item.kind, item.endpoint, item.status, name)


def _said(ours: Document, style: str) -> Iterator[Key]:
    for operation in ours.operations:
        endpoint = _plain_path(ours, f"{operation.method} {operation.path}")
        yield "endpoint", endpoint, None, endpoint
        yield "request", endpoint, None, endpoint
        for parameter in operation.parameters:
            yield "parameter", endpoint, None, parameter.name
        yield "status", endpoint, operation.status, str(operation.status)
        for path in _paths(ours, operation.body, style, ""):
            yield "field", endpoint, operation.status, path
        yield from _failures(operation, style, endpoint)


def _failures(operation: Operation, style: str, endpoint: str) -> Iterator[Key]:
    for failure in operation.failures:
        if style in failure.styles:
            yield "status", endpoint, failure.status, str(failure.status)
            yield "code", endpoint, failure.status, failure.code
            yield "message", endpoint, failure.status, PLACEHOLDER.sub("$", failure.message)


def _paths(ours: Document, found: Type, style: str, at: str) -> Iterator[str]:
    match found:
        case Object():
            for key, entry in ours.fields(found, style):
                path = f"{at}.{key}" if at else key
                yield path
                yield from _paths(ours, entry.type, style, path)
        case Map():
            yield f"{at}.*"
            yield from _paths(ours, found.value, style, f"{at}.*")
        case Array():
            yield f"{at}[]"
            yield from _paths(ours, found.items, style, f"{at}[]")
        case Union():
            for option in found.options:
                yield from _paths(ours, option, style, at)
        case Ref():
            if inner := ours.types[found.name].type:
                yield from _paths(ours, inner, style, at)
        case _:
            return
