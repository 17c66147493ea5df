"""Valid answers, each wrong at one single point: a key dropped, renamed or added, a value of another type, null, out of range ...

Where a point may be anything (a free text, a key of an open object) there is no such mutant: what is left as it may be is not
wrong.
"""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from contracts import registry
from contracts.diff_shapes import alternatives, ranges
from contracts.registry import Schema

OTHER_TYPES: dict[str, object] = {"boolean": True, "number": 7, "string": "text", "array": [], "object": {}}
NO_SUCH_TEXTS = ("no such value", "", "\n", "%%%")
KINDS = (
    "dropped", "renamed", "retyped", "null", "out of enum", "out of range", "out of pattern", "extra key", "wrong nesting",
    "wrong status", "wrong code", "wrong message",
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    kind: str
    path: str
    operation: str
    style: str
    status: int
    body: object

    def __str__(self) -> str:
        return f"{self.style} {self.operation} {self.status} {self.path or 'body'} {self.kind}"


def mutants(operation: str, style: str, status: int, body: object) -> Iterator[Mutant]:
    """Of one answer that is as its schema says."""
    whole = registry.schema(operation, status, style)
    walk = _errors(body, whole) if status >= 400 else _walk(whole, body, whole, "", lambda value: value)
    for kind, path, changed in walk:
        yield Mutant(kind, path, operation, style, status, changed)
    for other in registry.statuses(operation):
        if other != status:
            yield Mutant("wrong status", "", operation, style, other, body)


_Step = tuple[str, str, object]
_Rebuild = Callable[[object], object]
"""The whole body, with that value in the place of the one walked to."""


def _walk(node: Schema, value: object, whole: Schema, path: str, rebuild: _Rebuild) -> Iterator[_Step]:
    allowed = alternatives(node, whole)
    for kind, sample in OTHER_TYPES.items():
        if kind not in allowed:
            yield "retyped", path, rebuild(sample)
    if "null" not in allowed:
        yield "null", path, rebuild(None)
    if "number" in allowed:
        yield from _out_of_range(allowed["number"], path, rebuild)
    if "string" in allowed:
        yield from _out_of_text(allowed["string"], path, rebuild)
    if isinstance(value, list) and value and "array" in allowed:
        (alone,) = allowed["array"]
        first = value
        yield from _walk(alone.get("items", {}), first[0], whole, f"{path}[]", lambda v: rebuild([v, *first[1:]]))
    if isinstance(value, dict) and "object" in allowed:
        (alone,) = allowed["object"]
        yield from _object(alone, value, whole, path, rebuild)


def _out_of_range(allowed: list[Schema], path: str, rebuild: _Rebuild) -> Iterator[_Step]:
    integers = all(one["type"] == "integer" for one in allowed)
    possible = ranges(allowed, integers)
    for low, high in possible:
        for beyond in (low - 1, high + 1):
            if beyond not in (inf, -inf) and not any(a <= beyond <= b for a, b in possible):
                yield "out of range", path, rebuild(beyond)
    if integers and possible:
        yield "retyped", path, rebuild(0.5)


def _out_of_text(allowed: list[Schema], path: str, rebuild: _Rebuild) -> Iterator[_Step]:
    patterns = [one.get("pattern", "") for one in allowed if "enum" not in one]
    values = {value for one in allowed for value in one.get("enum", ())}
    for text in NO_SUCH_TEXTS:
        if text not in values and not any(re.search(pattern, text) for pattern in patterns):
            yield ("out of pattern" if patterns else "out of enum"), path, rebuild(text)
            return


def _object(node: Schema, value: dict[str, Any], whole: Schema, path: str, rebuild: _Rebuild) -> Iterator[_Step]:
    others = node.get("additionalProperties", True)
    if others is False:
        yield "extra key", path, rebuild(value | {"unheardOf": 1})
    for key, inner in value.items():
        at = f"{path}.{key}" if path else key
        without = {k: v for k, v in value.items() if k != key}
        if key in node.get("properties", {}):
            if key in node.get("required", ()):
                yield "dropped", at, rebuild(without)
                yield "renamed", at, rebuild(without | {f"{key}_": inner})
                yield "wrong nesting", at, rebuild(without | {"nested": {key: inner}})
            yield from _walk(node["properties"][key], inner, whole, at, _put(rebuild, value, key))
        elif isinstance(others, dict):
            yield from _walk(others, inner, whole, f"{path}.*", _put(rebuild, value, key))
            return  # one of many names will do


def _put(rebuild: _Rebuild, value: dict[str, Any], key: str) -> _Rebuild:
    return lambda changed: rebuild({**value, key: changed})


def _errors(body: object, whole: Schema) -> Iterator[_Step]:
    """An error body has two keys, and its texts are promised to the letter."""
    if not isinstance(body, dict):
        return
    for key in ("code", "message"):
        without = {k: v for k, v in body.items() if k != key}
        yield "dropped", key, without
        yield "renamed", key, without | {f"{key}_": body[key]}
        yield "wrong nesting", key, without | {"error": {key: body[key]}}
        yield "null", key, body | {key: None}
        for kind, sample in OTHER_TYPES.items():
            if kind != "string":
                yield "retyped", key, body | {key: sample}
    yield "extra key", "", body | {"unheardOf": 1}
    yield "wrong code", "code", body | {"code": "OtherError"}
    yield "wrong code", "code", body | {"code": f"{body['code']}s"}
    changed = copy.copy(body)
    for wrong in (body["message"].rstrip("."), body["message"].upper(), ""):
        if wrong != body["message"] and not _is_free(whole, body["code"]):
            yield "wrong message", "message", changed | {"message": wrong}


def _is_free(whole: Schema, code: str) -> bool:
    """Whether the message is the launcher's own."""
    for one in whole.get("anyOf", [whole]):
        if one["properties"]["code"]["const"] == code:
            message = one["properties"]["message"]
            return any(text["x-message"].startswith("$") for text in message.get("anyOf", [message]))
    return False
