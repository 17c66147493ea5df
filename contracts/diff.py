"""What changed between two contracts, operation by operation: each change, and whether it breaks those who kept to the old one.

Compared are OpenAPI documents of one style; :mod:`contracts.diff_sides` makes them of whatever people have.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from contracts.diff_facts import Change, Fact, change, change_of_parameter
from contracts.diff_shapes import differences, resolved
from contracts.diff_sides import METHODS, Side, in_common
from contracts.registry import ONLY_WITH, Schema


def diff(old: Side, new: Side) -> list[Change]:
    """Every change. Raises :class:`contracts.pointers.DanglingReference`, :class:`contracts.diff_sides.UnreadableSide`."""
    return [
        one
        for style, before, after in in_common(old, new)
        for one in (*_of_base_path(style, before, after), *_Comparison(style, before, after).changes())
    ]


@dataclass(frozen=True)
class _Operation:
    method: str
    path: str
    node: Schema

    @property
    def key(self) -> str:
        """What callers call; how a parameter of the path is named does not matter to them."""
        return f"{self.method.upper()} {re.sub(r'{[^}]*}', '{}', self.path)}"

    @property
    def id(self) -> str:
        return str(self.node.get("operationId", f"{self.method.upper()} {self.path}"))


def _operations(whole: Schema) -> list[_Operation]:
    return [
        _Operation(
            method,
            path,
            item[method] | {"parameters": [*item.get("parameters", ()), *item[method].get("parameters", ())]},
        )
        for path, item in whole["paths"].items()
        for method in METHODS
        if method in item
    ]


def _of_base_path(style: str, old: Schema, new: Schema) -> Iterator[Change]:
    paths = [[urlsplit(server["url"]).path.rstrip("/") for server in whole.get("servers", ())] for whole in (old, new)]
    if paths[0] and paths[1] and not set(paths[0]) <= set(paths[1]):
        yield change(
            "", style, None, Fact("", "base path changed", f"from {', '.join(paths[0])} to {', '.join(paths[1])}")
        )


@dataclass(frozen=True)
class _Comparison:
    style: str
    old: Schema
    new: Schema

    def changes(self) -> Iterator[Change]:
        before, after = _operations(self.old), _operations(self.new)
        at, by_id = {one.key: one for one in after}, {one.id: one for one in after}
        matched: set[str] = set()
        for one in before:
            other = at.get(one.key) or by_id.get(one.id)
            if other is None:
                yield self._change(one.id, None, Fact("", "operation removed", one.key))
                continue
            matched.add(other.key)
            if one.key != other.key:
                yield self._change(one.id, None, Fact("", "operation moved", f"from {one.key} to {other.key}"))
            if one.id != other.id:
                yield self._change(one.id, None, Fact("", "operation renamed", f"to {other.id}"))
            yield from self._of_operation(one, other)
        for one in after:
            if one.key not in matched:
                yield self._change(one.id, None, Fact("", "operation added", one.key))

    def _of_operation(self, old: _Operation, new: _Operation) -> Iterator[Change]:
        for word in ("summary", "description"):
            texts = old.node.get(word, ""), new.node.get(word, "")
            if texts[0] != texts[1]:
                yield self._change(old.id, None, Fact("", "words changed", f"from {texts[0]!r} to {texts[1]!r}"))
        yield from self._of_parameters(old, new)
        before, after = old.node.get("responses", {}), new.node.get("responses", {})
        for status, answer in before.items():
            if status in after:
                yield from self._of_answer(
                    old.id, status, resolved(answer, self.old), resolved(after[status], self.new)
                )
            else:
                what = "success removed" if status.startswith("2") else "status removed"
                yield self._change(old.id, status, Fact("", what, status))
        for status, answer in after.items():
            if status not in before:
                setting = answer.get(ONLY_WITH)
                what = "status added, with a setting" if setting else "status added"
                yield self._change(old.id, status, Fact("", what, f"{status}, {setting}" if setting else status))

    def _of_parameters(self, old: _Operation, new: _Operation) -> Iterator[Change]:
        before, after = _parameters(old, self.old), _parameters(new, self.new)
        for key, one in before.items():
            name = one["name"]
            if key not in after:
                yield self._change(old.id, None, Fact(name, "parameter removed", one["in"]))
                continue
            other = after[key]
            required = bool(one.get("required")), bool(other.get("required"))
            if required[0] != required[1]:
                what = "parameter optional" if required[0] else "parameter required"
                yield self._change(old.id, None, Fact(name, what, one["in"]))
            if one.get("description") != other.get("description"):
                texts = f"from {one.get('description', '')!r} to {other.get('description', '')!r}"
                yield self._change(old.id, None, Fact(name, "words changed", texts))
            for fact in differences(one.get("schema", {}), other.get("schema", {}), self.old, self.new, name):
                yield change_of_parameter(old.id, self.style, fact)
        for key, one in after.items():
            if key not in before:
                what = "required parameter added" if one.get("required") else "parameter added"
                yield self._change(old.id, None, Fact(one["name"], what, one["in"]))

    def _of_answer(self, operation: str, status: str, old: Schema, new: Schema) -> Iterator[Change]:
        settings = old.get(ONLY_WITH), new.get(ONLY_WITH)
        if settings[0] != settings[1]:
            what = "status only with a setting" if settings[1] else "status with every setting"
            yield self._change(operation, status, Fact("", what, str(settings[1] or settings[0])))
        before, after = old.get("headers", {}), new.get("headers", {})
        for header in before:
            if header not in after:
                yield self._change(operation, status, Fact(header, "header removed", ""))
        for header in after:
            if header not in before:
                yield self._change(operation, status, Fact(header, "header added", ""))
        bodies = _body(old), _body(new)
        errors = _errors(bodies[0]), _errors(bodies[1])
        if errors[0] and errors[1]:
            facts = [*_of_errors(errors[0], errors[1])]
        else:
            facts = [*differences(bodies[0], bodies[1], self.old, self.new)]
        texts = old.get("description", ""), new.get("description", "")
        if texts[0] != texts[1] and not facts and int(status[0]) >= 4:
            facts.append(Fact("", "words changed", f"from {texts[0]!r} to {texts[1]!r}"))
        for fact in facts:
            yield self._change(operation, status, fact)

    def _change(self, operation: str, status: str | None, fact: Fact) -> Change:
        number = int(status) if status and status.isdecimal() else None
        return change(operation, self.style, number, fact)


def _parameters(operation: _Operation, whole: Schema) -> Mapping[str, Schema]:
    """By what callers see of them: place in the path, or name."""
    names = re.findall(r"{([^}]*)}", operation.path)
    found = {}
    for one in (resolved(parameter, whole) for parameter in operation.node["parameters"]):
        found[f"path {names.index(one['name'])}" if one["name"] in names else f"{one['in']} {one['name']}"] = one
    return found


def _body(answer: Schema) -> Schema:
    """Of the first media type; ours has one."""
    content: Schema = answer.get("content", {})
    for media in content.values():
        found: Schema = media.get("schema", {})
        return found
    return {}


def _errors(body: Schema) -> dict[str, dict[str, str]] | None:
    """Code to message to pattern, where the body is one of our error bodies."""
    found: dict[str, dict[str, str]] = {}
    for one in body.get("anyOf", [body]):
        parts = one.get("properties", {})
        messages = parts.get("message", {})
        texts = messages.get("anyOf", [messages])
        if "const" not in parts.get("code", {}) or not all("x-message" in text for text in texts):
            return None
        found.setdefault(parts["code"]["const"], {}).update({text["x-message"]: text["pattern"] for text in texts})
    return found


def _of_errors(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]) -> Iterator[Fact]:
    gone, came = [code for code in old if code not in new], [code for code in new if code not in old]
    for code in list(gone):
        for other in came:
            if old[code].keys() & new[other].keys() or len(gone) == len(came) == 1:
                yield Fact(code, "code changed", f"to {other}")
                yield from _of_messages(other, old[code], new[other])
                gone.remove(code)
                came.remove(other)
                break
    yield from (Fact(code, "code removed", "") for code in gone)
    yield from (Fact(code, "code added", "") for code in came)
    for code in old:
        if code in new:
            yield from _of_messages(code, old[code], new[code])


def _of_messages(code: str, old: dict[str, str], new: dict[str, str]) -> Iterator[Fact]:
    gone, came = [text for text in old if text not in new], [text for text in new if text not in old]
    if len(gone) == len(came) == 1:
        yield Fact(code, "message changed", f"from {gone[0]!r} to {came[0]!r}")
    else:
        yield from (Fact(code, "message removed", repr(text)) for text in gone)
        yield from (Fact(code, "message added", repr(text)) for text in came)
    for text in old:
        if text in new and old[text] != new[text]:
            yield Fact(code, "message pattern changed", f"from {old[text]!r} to {new[text]!r}")
