"""Two JSON Schemas, as the differences of what they let through: types, values, ranges, patterns, keys.

A schema is first taken apart into alternatives of one JSON type each, so that ``integer >= 1 | 0`` and ``integer >= 0`` are the
same. Where neither of two sets can be shown to hold the other, that is said, and judged carefully.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from contracts.diff_facts import Fact
from contracts.pointers import followed
from contracts.registry import Schema

WORDS = frozenset({"description", "examples", "example", "title", "default", "deprecated"})
NUMERIC = ("integer", "number")
TYPES = ("null", "boolean", "number", "string", "array", "object")
OTHER_KEYWORDS = {
    "string": ("minLength", "maxLength", "format"),
    "number": ("multipleOf", "exclusiveMinimum", "exclusiveMaximum"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "propertyNames", "patternProperties"),
}
Range = tuple[float, float]


@dataclass(frozen=True)
class _Sides:
    old: Schema
    new: Schema
    """Whole documents, which references are looked up in."""
    inside: frozenset[tuple[object, object]] = frozenset()
    """References being followed, so that a type may hold itself."""


def differences(old: Schema, new: Schema, old_whole: Schema, new_whole: Schema, path: str = "") -> Iterator[Fact]:
    """What differs in what the two let through, path by path; and in their words."""
    yield from _compare(old, new, _Sides(old_whole, new_whole), path)


def resolved(node: Schema, whole: Schema) -> Schema:
    """With references followed and ``allOf`` merged, one level deep. Raises :class:`~contracts.pointers.DanglingReference`."""
    node = followed(node, whole)
    if "allOf" in node:
        merged: Schema = {key: value for key, value in node.items() if key != "allOf"}
        for inner in node["allOf"]:
            part = resolved(inner, whole)
            keys = {"properties": {**merged.get("properties", {}), **part.get("properties", {})}}
            required = {"required": [*merged.get("required", ()), *part.get("required", ())]}
            merged = part | merged | keys | required
        return merged
    return node


def alternatives(node: Schema, whole: Schema) -> dict[str, list[Schema]]:
    """By JSON type (integers are numbers); each alternative has one ``type``."""
    node = resolved(node, whole)
    found: dict[str, list[Schema]] = {}
    for word in ("anyOf", "oneOf"):
        if word in node:
            rest = {key: value for key, value in node.items() if key != word and key not in WORDS}
            for option in node[word]:
                for kind, some in alternatives(rest | resolved(option, whole), whole).items():
                    found.setdefault(kind, []).extend(some)
            return found
    if "const" in node or "enum" in node:
        for value in [node["const"]] if "const" in node else node["enum"]:
            kind = _type_of(value)
            same = found.setdefault("number" if kind in NUMERIC else kind, [{"type": kind, "enum": []}])
            same[0]["enum"].append(value)
        return found
    for kind in (*_types(node), *(["null"] if node.get("nullable") else [])):
        found.setdefault("number" if kind in NUMERIC else kind, []).append(node | {"type": kind})
    return found


def _types(node: Schema) -> Sequence[str]:
    if "type" in node:
        kinds = node["type"]
        return [kinds] if isinstance(kinds, str) else kinds
    if "properties" in node:
        return ["object"]
    return ["array"] if "items" in node else TYPES


def _type_of(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else names[type(value)]


def _compare(old: Schema, new: Schema, sides: _Sides, path: str) -> Iterator[Fact]:
    pair = (old.get("$ref"), new.get("$ref"))
    if None not in pair:
        if pair in sides.inside:
            return
        sides = _Sides(sides.old, sides.new, sides.inside | {pair})
    if _plain(old) == _plain(new) == "{}":
        return
    before, after = alternatives(old, sides.old), alternatives(new, sides.new)
    facts = [*_of_types(before, after, path)]
    for kind, compare in _BY_TYPE.items():
        if kind in before and kind in after:
            facts += compare(before[kind], after[kind], path)
    for kind in ("array", "object"):
        if kind in before and kind in after:
            facts += _of_containers(kind, before[kind], after[kind], sides, path)
    words = [resolved(node, whole).get("description", "") for node, whole in ((old, sides.old), (new, sides.new))]
    if words[0] != words[1] and not any(fact.path == path for fact in facts):
        facts.insert(0, Fact(path, "words changed", f"from {words[0]!r} to {words[1]!r}"))
    yield from facts


def _of_types(before: dict[str, list[Schema]], after: dict[str, list[Schema]], path: str) -> Iterator[Fact]:
    old, new = _type_names(before), _type_names(after)
    if "null" in new - old:
        yield Fact(path, "null added", f"{_list(old)}, now {_list(new)}")
    if "null" in old - new:
        yield Fact(path, "null removed", f"{_list(old)}, now {_list(new)}")
    old, new = old - {"null"}, new - {"null"}
    # A number may be an integer, so that to say number instead is wider.
    added = new - old - ({"integer"} if "number" in old else set())
    removed = old - new - ({"integer"} if "number" in new else set())
    if added and removed:
        yield Fact(path, "type changed", f"from {_list(old)} to {_list(new)}")
    elif added:
        yield Fact(path, "type widened", f"from {_list(old)} to {_list(new)}")
    elif removed or old != new:
        yield Fact(path, "type narrowed", f"from {_list(old)} to {_list(new)}")


def _type_names(found: dict[str, list[Schema]]) -> set[str]:
    names = {one["type"] for some in found.values() for one in some}
    return names - {"integer"} if "number" in names else names


def _of_numbers(before: list[Schema], after: list[Schema], path: str) -> Iterator[Fact]:
    integers = all(one["type"] == "integer" for one in (*before, *after))
    old, new = ranges(before, integers), ranges(after, integers)
    if old != new:
        wider, narrower = not _within(new, old), not _within(old, new)
        what = "range changed" if wider and narrower else "range widened" if wider else "range narrowed"
        yield Fact(path, what, f"from {_range_text(old)} to {_range_text(new)}")
    yield from _of_keywords("number", before, after, path)


def ranges(found: list[Schema], integers: bool) -> list[Range]:
    """Where the values may be: ranges that do not touch, ascending."""
    parts: list[Range] = []
    for one in found:
        if "enum" in one:
            parts += [(value, value) for value in one["enum"]]
        else:
            parts.append((one.get("minimum", -inf), one.get("maximum", inf)))
    merged: list[Range] = []
    for low, high in sorted(parts):
        if merged and low <= merged[-1][1] + (1 if integers else 0):
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _within(inner: list[Range], outer: list[Range]) -> bool:
    return all(any(low <= a and b <= high for low, high in outer) for a, b in inner)


def _range_text(ranges: list[Range]) -> str:
    texts = [
        str(low) if low == high else f"{'' if low == -inf else low}..{'' if high == inf else high}"
        for low, high in ranges
    ]
    return "any" if texts == [".."] else " | ".join(texts)


def _of_strings(before: list[Schema], after: list[Schema], path: str) -> Iterator[Fact]:
    old_values, new_values = ({v: None for one in some for v in one.get("enum", ())} for some in (before, after))
    old_forms, new_forms = ({one.get("pattern") for one in some if "enum" not in one} for some in (before, after))
    # The form None is any text, and holds every value and every other form.
    if None not in old_forms and None in new_forms:
        what = "pattern dropped" if old_forms else "type widened"
        yield Fact(path, what, f"from {_forms_text(old_forms, list(old_values))} to any text")
    elif None in old_forms and None not in new_forms:
        yield Fact(path, "pattern set", f"from any text to {_forms_text(new_forms, list(new_values))}")
    elif None not in old_forms and old_forms != new_forms:
        what = (
            "alternative added"
            if old_forms < new_forms
            else "alternative removed"
            if new_forms < old_forms
            else "pattern changed"
        )
        yield Fact(path, what, f"from {_forms_text(old_forms, [])} to {_forms_text(new_forms, [])}")
    if None not in old_forms | new_forms:
        yield from (Fact(path, "value added", repr(v)) for v in new_values if v not in old_values)
        yield from (Fact(path, "value removed", repr(v)) for v in old_values if v not in new_values)
    yield from _of_keywords("string", before, after, path)


def _forms_text(forms: set[str | None], values: list[str]) -> str:
    return " | ".join([*(f"/{form}/" for form in sorted(map(str, forms))), *map(repr, values)]) or "no text"


def _of_keywords(kind: str, before: list[Schema], after: list[Schema], path: str) -> Iterator[Fact]:
    for word in OTHER_KEYWORDS[kind]:
        old, new = ([one.get(word) for one in some if "enum" not in one] for some in (before, after))
        if old and new and old != new and len(old) == len(new):
            yield Fact(path, "keyword changed", f"{word} from {_list(old)} to {_list(new)}")


def _of_containers(kind: str, before: list[Schema], after: list[Schema], sides: _Sides, path: str) -> Iterator[Fact]:
    """Alternatives that are equal belong together, and the one that is left with the other that is left."""
    gone = [one for one in before if _plain(one) not in map(_plain, after)]
    came = [one for one in after if _plain(one) not in map(_plain, before)]
    pairs = [(one, other) for one in before for other in after if _plain(one) == _plain(other)]
    if len(gone) == len(came) == 1:
        pairs.append((gone[0], came[0]))
    else:
        yield from (Fact(path, "alternative added", f"{kind} {_plain(one)}") for one in came)
        yield from (Fact(path, "alternative removed", f"{kind} {_plain(one)}") for one in gone)
    for old, new in pairs:
        yield from _of_keywords(kind, [old], [new], path)
        if kind == "array":
            yield from _compare(old.get("items", {}), new.get("items", {}), sides, f"{path}[]")
        else:
            yield from _of_objects(old, new, sides, path)


def _of_objects(old: Schema, new: Schema, sides: _Sides, path: str) -> Iterator[Fact]:
    before, after = old.get("properties", {}), new.get("properties", {})
    closed = old.get("additionalProperties", True) is False
    renamed = _renamed(before, after)
    for key, node in before.items():
        at = f"{path}.{key}" if path else key
        if key in renamed:
            yield Fact(at, "key renamed", f"to {renamed[key]}")
        elif key not in after:
            yield Fact(at, "key removed", "")
        else:
            required = key in old.get("required", ()), key in new.get("required", ())
            if required[0] != required[1]:
                yield Fact(at, "key may be missing" if required[0] else "key always there", "")
            yield from _compare(node, after[key], sides, at)
    for key in after:
        if key not in before and key not in renamed.values():
            what = "key added" if closed else "key added to an open object"
            yield Fact(f"{path}.{key}" if path else key, what, "")
    yield from _of_other_keys(old.get("additionalProperties", True), new.get("additionalProperties", True), sides, path)


def _of_other_keys(old: bool | Schema, new: bool | Schema, sides: _Sides, path: str) -> Iterator[Fact]:
    if old is False or new is False:
        if old is not new:
            yield Fact(path, "object opened" if old is False else "object closed", "")
    else:
        any_value: Schema = {}
        before, after = (any_value if other is True else other for other in (old, new))
        yield from _compare(before, after, sides, f"{path}.*" if path else "*")


def _renamed(before: dict[str, Schema], after: dict[str, Schema]) -> dict[str, str]:
    """A key that went and one that came are one key if they are of one type, and said to mean the same or the only ones."""
    gone, came = [key for key in before if key not in after], [key for key in after if key not in before]
    renamed: dict[str, str] = {}
    for key in gone:
        for other in came:
            alike = _plain(before[key]) == _plain(after[other])
            same_words = before[key].get("description") == after[other].get("description")
            if alike and other not in renamed.values() and (same_words or len(gone) == len(came) == 1):
                renamed[key] = other
                break
    return renamed


def _plain(node: Schema) -> str:
    """The same text for schemas that differ only in words, at any depth."""

    def bare(value: object, words: frozenset[str]) -> object:
        if isinstance(value, dict):
            # Below "properties" the keys are names of the document's, not words of the schema's.
            return {k: bare(v, frozenset() if k == "properties" else WORDS) for k, v in value.items() if k not in words}
        return [bare(one, WORDS) for one in value] if isinstance(value, list) else value

    return json.dumps(bare(node, WORDS), sort_keys=True)


def _list(some: set[str] | list[object]) -> str:
    return " or ".join(sorted(map(str, some)))


_BY_TYPE = {"number": _of_numbers, "string": _of_strings}
