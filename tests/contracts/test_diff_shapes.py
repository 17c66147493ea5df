"""Differences of schemas: the law behind every verdict, tried on schemas and values at random, and the shapes of other people."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts.diff_facts import Fact, change
from contracts.diff_shapes import differences

WORDS = st.sampled_from(["a", "b", "c1"])
NUMBERS = st.integers(-2, 3)
RANGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])}, optional={"minimum": NUMBERS, "maximum": NUMBERS}
)
SCALARS = st.one_of(
    RANGES,
    st.sampled_from([{"type": "null"}, {"type": "boolean"}, {"type": "string"}, {"const": 0}, {"const": "a"}, {"type": ["string", "null"]}, {}]),
    st.builds(lambda v: {"type": "string", "enum": v}, st.lists(WORDS, min_size=1, unique=True)),
    st.builds(lambda p: {"type": "string", "pattern": p}, st.sampled_from(["^[a-z]$", "^c", "^$"])),
)  # fmt: skip


def _object(properties: dict[str, Any], others: object, needed: bool) -> dict[str, Any]:
    required = {"required": sorted(properties)} if needed else {}
    return {"type": "object", "properties": properties, "additionalProperties": others} | required


SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(_object, st.dictionaries(WORDS, inner, max_size=2), st.booleans() | inner, st.booleans()),
    ),
    max_leaves=4,
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from([0.5, "", "a", "b", "c1", "z"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


def facts(old: dict[str, Any], new: dict[str, Any], **named: Any) -> list[tuple[str, str]]:
    return [(fact.what, fact.path) for fact in differences(old, new, named, named)]


@given(old=SCHEMAS, new=SCHEMAS, values=st.lists(VALUES, max_size=8))
def test_an_answer_of_a_new_contract_that_breaks_nothing_keeps_the_old_one(
    old: dict[str, Any], new: dict[str, Any], values: list[Any]
) -> None:
    if any(change("", "", None, fact).breaking for fact in differences(old, new, {}, {})):
        return
    reader, writer = Draft202012Validator(old), Draft202012Validator(new)
    for value in values:
        if writer.is_valid(value):
            assert reader.is_valid(value) or _has_key_of_open_object(old, new)


def _has_key_of_open_object(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """A key that an open object gains is fine by ruling, and the only exception."""
    return any(fact.what == "key added to an open object" for fact in differences(old, new, {}, {}))


@given(SCHEMAS)
def test_a_schema_does_not_differ_from_itself(schema: dict[str, Any]) -> None:
    assert facts(schema, schema) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}, []),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["string", "null"]}, []),
        ({"type": "integer", "minimum": 0}, {"anyOf": [{"const": 0}, {"type": "integer", "minimum": 1}]}, []),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"properties": {"a": {}, "b": {}}}, []),
        ({"type": "string"}, {"type": "string", "format": "uri"}, [("keyword changed", "")]),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "uri"}, [("keyword changed", "")]),
        ({"items": {"type": "string"}}, {"items": {"type": "integer"}}, [("type changed", "[]")]),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"type": "object"}, [("null added", "*"), ("type widened", "*")]),
        ({"enum": ["a"]}, {"type": "string"}, [("type widened", "")]),
        ({"type": "string", "pattern": "a"}, {"enum": ["a"]}, [("alternative removed", ""), ("value added", "")]),
        ({"anyOf": [{"pattern": "a", "type": "string"}, {"const": "b"}]}, {"pattern": "a", "type": "string"}, [("value removed", "")]),
        ({"type": "object", "properties": {"a": {"type": "string", "description": "x"}}}, {"type": "object", "properties": {"b": {"type": "string", "description": "y"}}}, [("key renamed", "a")]),
    ],
)  # fmt: skip
def test_shapes_of_other_people_are_understood(
    old: dict[str, Any], new: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert facts(old, new) == expected


def test_a_type_that_holds_itself_is_compared_once() -> None:
    tree = {"type": "object", "properties": {"name": {"type": "string"}, "below": {"$ref": "#/Tree"}}}
    other = {"type": "object", "properties": {"name": {"type": "integer"}, "below": {"$ref": "#/Tree"}}}
    found = list(differences({"$ref": "#/Tree"}, {"$ref": "#/Tree"}, {"Tree": tree}, {"Tree": other}))
    assert [(fact.what, fact.path) for fact in found] == [("type changed", "name")]


def test_two_objects_for_one_are_told_as_alternatives() -> None:
    one, two = ({"type": "object", "required": [key]} for key in "ab")
    assert facts({"anyOf": [one, two]}, one) == [("alternative removed", "")]
    assert facts(one, {"anyOf": [one, two]}) == [("alternative added", "")]


def test_a_fact_keeps_where_it_was_found() -> None:
    old = {"type": "object", "properties": {"a": {"type": "array", "items": {"enum": ["x"]}}}}
    new = {"type": "object", "properties": {"a": {"type": "array", "items": {"enum": ["x", "y"]}}}}
    assert list(differences(old, new, {}, {}, "body")) == [Fact("body.a[]", "value added", "'y'")]
