"""What of a contract was met: operations, statuses, parameters, keywords of schemas, values of enumerations, null-ness.

Every item has a name, so that what was missed can be told. A keyword counts as met when an answer came to the place it
speaks of; an enumeration by each of its values, a null-ness by both of its branches.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from contracts.harness.contract import ANY_PATH, Contract, Operation, Schema
from contracts.harness.expectations import Expectation
from contracts.pointers import followed

KINDS: Final = ("operations", "statuses", "parameters", "keywords", "values", "nulls")
UNSHOWN: Final = Path(__file__).parent / "unshown.json"
MOST_WALKED: Final = 100_000
"""Bodies that are known to show nothing new."""
PROVOKED_BY_ASKING: Final = frozenset({200, 400, 404, 405, 414})
_KEYWORDS: Final = (
    "type",
    "minimum",
    "maximum",
    "pattern",
    "const",
    "enum",
    "required",
    "additionalProperties",
    "anyOf",
    "items",
)


class Item(NamedTuple):
    kind: str
    operation: str
    status: int
    """0: of requests."""
    place: str
    value: str

    def __str__(self) -> str:
        words = (self.operation, str(self.status) if self.status else "", self.place, self.value)
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class Share:
    met: int
    of: int

    @property
    def percent(self) -> float:
        return 100.0 if not self.of else 100 * self.met / self.of


@cache
def unshown(style: str) -> frozenset[str]:
    """What the simulator never shows, as ``kind item``. The tests keep the file; see ``tests/harness/test_unshown.py``."""
    told: dict[str, list[str]] = json.loads(UNSHOWN.read_text(encoding="utf-8"))
    return frozenset(told[style])


@dataclass
class Meeting:
    """What the simulator cannot show is expected of nobody; whoever shows it is credited."""

    contract: Contract
    met: set[Item] = field(default_factory=set)
    seen: set[tuple[str, int]] = field(default_factory=set)
    """Operations and statuses that were answered, however badly."""
    provoked: frozenset[int] = PROVOKED_BY_ASKING
    """Statuses that what is done to the server provokes."""
    _walked: set[tuple[str, int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.all = frozenset(_universe(self.contract))
        self._unshown = unshown(self.contract.style)

    def asked(self, expected: Expectation) -> None:
        if expected.operation == ANY_PATH:
            return
        operation = self.contract.operations[expected.operation]
        given = {"name": expected.name, "attempt": expected.attempt, "version": expected.version}
        for parameter in operation.parameters:
            if parameter.name in expected.invalid:
                how = "refused"
            elif given[parameter.role] is not None and parameter.allows(str(given[parameter.role])):
                how = "given"
            elif parameter.place == "query":
                how = "left out"
            else:
                how = "refused"
            self._meet(Item("parameters", operation.id, 0, parameter.name, how))

    def answered(self, operation: str, status: int, body: object) -> None:
        """An answer that is as its schema says."""
        self._meet(Item("operations", operation, 0, "", ""))
        self._meet(Item("statuses", operation, status, "", ""))
        response = self.contract.response(operation, status)
        if response is None:
            return
        key = (operation, status, hash(str(body)))
        if key not in self._walked:
            if len(self._walked) >= MOST_WALKED:
                self._walked.clear()
            self._walked.add(key)
            for place, value, kind in _shown(response.schema, response.schema, body, ""):
                self._meet(Item(kind, operation, status, place, value))

    def unmet_statuses(self) -> list[Item]:
        """Documented, provoked by asking alone, and never seen."""
        return sorted(
            item
            for item in self.all - self.met
            if item.kind == "statuses"
            and item.status in PROVOKED_BY_ASKING
            and (item.operation, item.status) not in self.seen
        )

    def not_provokable(self) -> list[Item]:
        """Statuses that only a launcher in trouble shows, and that were not seen."""
        return [item for item in self._beyond_asking() if not self._setting_of(item)]

    def not_configured(self) -> Mapping[int, str]:
        """Statuses that only a server with a certain setting answers, and that were not seen; and that setting."""
        return {item.status: self._setting_of(item) for item in self._beyond_asking() if self._setting_of(item)}

    def _beyond_asking(self) -> list[Item]:
        return sorted(i for i in self.all - self.met if i.kind == "statuses" and i.status not in self.provoked)

    def _setting_of(self, item: Item) -> str:
        response = self.contract.response(item.operation, item.status)
        return "" if response is None else response.only_with

    def expected(self) -> frozenset[Item]:
        """What this run could have met."""
        hidden = {(item.operation, item.status) for item in self._beyond_asking()}
        return frozenset(
            item
            for item in self.all
            if (item.operation, item.status) not in hidden
            and (item in self.met or f"{item.kind} {item}" not in self._unshown)
        )

    def shares(self) -> Mapping[str, Share]:
        expected = self.expected()
        return {
            kind: Share(
                sum(1 for item in expected & self.met if item.kind == kind),
                sum(1 for item in expected if item.kind == kind),
            )
            for kind in KINDS
        }

    def percent(self) -> float:
        """Every kind counts the same, so that the many keywords do not hide the few statuses."""
        shares = self.shares().values()
        return sum(share.percent for share in shares) / len(shares)

    def missed(self) -> list[Item]:
        return sorted(self.expected() - self.met)

    def _meet(self, item: Item) -> None:
        if item in self.all:
            self.met.add(item)


def _universe(contract: Contract) -> Iterator[Item]:
    for operation in contract.operations.values():
        yield Item("operations", operation.id, 0, "", "")
        yield from _parameters(operation)
        for status, response in operation.responses.items():
            yield Item("statuses", operation.id, status, "", "")
            for place, value, kind in _promised(response.schema, response.schema, ""):
                yield Item(kind, operation.id, status, place, value)
    for status, response in contract.any_path.items():
        if status == 404:  # the others are those of the operations
            yield Item("statuses", ANY_PATH, status, "", "")
            for place, value, kind in _promised(response.schema, response.schema, ""):
                yield Item(kind, ANY_PATH, status, place, value)


def _parameters(operation: Operation) -> Iterator[Item]:
    for parameter in operation.parameters:
        ways = [
            "given",
            *(["left out"] if parameter.place == "query" else []),
            *(["refused"] if parameter.pattern else []),
        ]
        for how in ways:
            yield Item("parameters", operation.id, 0, parameter.name, how)


Told = tuple[str, str, str]
"""Place, value, kind."""


def _promised(node: Schema, whole: Schema, place: str, inside: frozenset[object] = frozenset()) -> Iterator[Told]:
    """Everything a schema can show at and below a place. ``inside``: references being followed; a type may hold itself."""
    reference = node.get("$ref")
    if reference in inside:
        return
    inside |= {reference} - {None}
    node = followed(node, whole)
    yield from _at(node, place)
    for value in node.get("enum", ()):
        yield place, str(value), "values"
    if _has_null(node):
        yield place, "null", "nulls"
        yield place, "not null", "nulls"
    for inner, below in _below(node, place):
        yield from _promised(inner, whole, below, inside)


def _shown(node: Schema, whole: Schema, value: Any, place: str) -> Iterator[Told]:
    """What of a schema a value shows."""
    node = followed(node, whole)
    yield from _at(node, place)
    if _has_null(node):
        yield place, "null" if value is None else "not null", "nulls"
    if value in node.get("enum", ()):
        yield place, str(value), "values"
    for option in node.get("anyOf", ()):
        if _fits(followed(option, whole), value):
            yield from _shown(option, whole, value, place)
    if isinstance(value, dict):
        properties = node.get("properties", {})
        rest = node.get("additionalProperties")
        for key, inner in value.items():
            if key in properties:
                yield from _shown(properties[key], whole, inner, f"{place}.{key}" if place else key)
            elif isinstance(rest, dict):
                yield from _shown(rest, whole, inner, f"{place}.*")
    elif isinstance(value, list) and "items" in node:
        for inner in value:
            yield from _shown(node["items"], whole, inner, f"{place}[]")


def _below(node: Schema, place: str) -> Iterable[tuple[Schema, str]]:
    for option in node.get("anyOf", ()):
        yield option, place
    for key, inner in node.get("properties", {}).items():
        yield inner, f"{place}.{key}" if place else key
    if isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"], f"{place}.*"
    if "items" in node:
        yield node["items"], f"{place}[]"


def _at(node: Schema, place: str) -> Iterator[Told]:
    for keyword in _KEYWORDS:
        if keyword in node:
            yield place, f"{keyword} {node[keyword]}" if keyword == "const" else keyword, "keywords"


def _has_null(node: Schema) -> bool:
    types = node.get("type")
    return (isinstance(types, list) and "null" in types) or {"type": "null"} in node.get("anyOf", ())


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def _fits(option: Schema, value: object) -> bool:
    """Roughly: enough to tell the alternatives of one place apart."""
    if "const" in option:
        return bool(option["const"] == value)
    if "enum" in option:
        return value in option["enum"]
    types = option.get("type", list(_TYPES))
    types = [types] if isinstance(types, str) else types
    if not any(isinstance(value, _TYPES[one]) for one in types):
        return False
    if isinstance(value, int) and "minimum" in option and value < option["minimum"]:
        return False
    if isinstance(value, dict) and "code" in value and "code" in option.get("properties", {}):
        return bool(option["properties"]["code"].get("const", value["code"]) == value["code"])
    return True
