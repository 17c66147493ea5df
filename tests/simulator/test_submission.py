"""What is let in and with which words it is refused, beyond what the recordings hold; and that the table of constraints and
the table of wire names are about the same keys.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.launcher.open_request import decode_descriptor, encode_descriptor
from simulator.submission import json_input
from simulator.submission import judging as submission
from simulator.submission.binding import ByName, Many, Shape
from simulator.submission.judging import Library, bound, descriptor_shape, judged
from simulator.submission.refusals import Refused

SHAPE = descriptor_shape(Library())
RESOURCE: dict[str, Any] = {"cpuNumber": 1, "memoryMB": 1}
SERVICE: dict[str, Any] = {"version": 1, "entryPoint": "x", "sourceLocations": ["/x"], "resource": RESOURCE}


def descriptor(**more: object) -> dict[str, Any]:
    return {"version": 1, "taskRoles": {"w": {"taskNumber": 1, "taskService": SERVICE}}, **more}


def refused(shape: Shape, body: bytes | object) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Refused) as refusal:
        judged(shape, bound(shape, content))
    return refusal.value.first_line.partition(": ")[2]


def let_in(body: object) -> dict[str, Any]:
    return dict(judged(SHAPE, bound(SHAPE, json.dumps(body).encode())))


# --- one fact, two tables -------------------------------------------------------------------------------------------


def keys_of_shape(shape: Any, path: str = "") -> Iterator[str]:
    if isinstance(shape, Shape):
        for key in shape.keys:
            yield f"{path}.{key.name}"
            yield from keys_of_shape(key.type, f"{path}.{key.name}")
    elif isinstance(shape, ByName | Many):
        yield from keys_of_shape(shape.item, f"{path}[]")


BY_NAME = (".taskRoles", ".portDefinitions")


def keys_of_document(told: Any, path: str = "") -> Iterator[str]:
    for key, value in told.items():
        yield f"{path}.{key}"
        if isinstance(value, dict) and key in ("taskRoles", "portDefinitions"):
            for each in value.values():
                yield from keys_of_document(each, f"{path}.{key}[]")
        elif isinstance(value, dict):
            yield from keys_of_document(value, f"{path}.{key}")


def full() -> dict[str, Any]:
    ports = {"http": {"start": 0, "count": 1}}
    resource = {**RESOURCE, "portDefinitions": ports}
    told = descriptor(
        parentFramework={"parentFrameworkName": "p"},
        platformSpecificParameters={"taskServiceHealthCheck": {}, "amResource": resource},
    )
    told["taskRoles"]["w"]["taskService"] = {**SERVICE, "resource": resource}
    return told


def test_the_table_of_constraints_has_exactly_the_keys_that_a_descriptor_is_written_with() -> None:
    written = set(keys_of_document(encode_descriptor(decode_descriptor(full()))))
    assert set(keys_of_shape(SHAPE)) == written


def test_its_defaults_are_those_of_the_wire() -> None:
    told = let_in(full())
    assert encode_descriptor(decode_descriptor(told)) == encode_descriptor(decode_descriptor(full()))
    assert told == encode_descriptor(decode_descriptor(full()))


# --- binding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"version": " 7 "}, 7),
        ({"version": "+7"}, 7),
        ({"version": 7.99}, 7),
        ({"version": -7.99}, -7),
        ({"version": 2**31 - 1}, 2**31 - 1),
    ],
)
def test_integers_are_made_of_what_can_be_one(told: dict[str, object], kept: int) -> None:
    assert let_in(descriptor(**told))["version"] == kept


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("99999999999", "Overflow: numeric value (99999999999) out of range of int"),
        ("1e3", "not a valid Integer value"),
        (-(2**31) - 1, "Numeric value (-2147483649) out of range of int"),
        (10**60, "Numeric value (very many digits) out of range of int"),
        (False, "Can not deserialize instance of int out of VALUE_FALSE token"),
    ],
)
def test_what_cannot_be_an_integer_is_refused(told: object, reason: str) -> None:
    assert reason in refused(SHAPE, descriptor(version=told))


def test_a_number_of_very_many_digits_is_only_out_of_range() -> None:
    body = json.dumps(descriptor()).replace('"version": 1,', '"version": ' + "9" * 5000 + ",", 1).encode()
    assert "out of range of int" in refused(SHAPE, body)
    assert "VALUE_NUMBER_FLOAT" in refused(SHAPE, b'{"version": 1e999}')


@pytest.mark.parametrize(("told", "kept"), [(True, "true"), (False, "false"), (1.50, "1.5"), (7, "7")])
def test_texts_are_made_of_every_scalar(told: object, kept: str) -> None:
    assert let_in(descriptor(description=told))["description"] == kept


def test_a_number_keeps_its_spelling_as_a_text() -> None:
    body = json.dumps(descriptor(description="HERE")).replace('"HERE"', "1.500e0").encode()
    assert judged(SHAPE, bound(SHAPE, body))["description"] == "1.500e0"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"retryPolicy": {"fancyRetryPolicy": 1.0}}, "boolean out of VALUE_NUMBER_FLOAT"),
        ({"retryPolicy": {"fancyRetryPolicy": ""}}, "retryPolicy.fancyRetryPolicy: may not be null"),
        ({"retryPolicy": 1.5}, "from Floating-point number"),
        ({"retryPolicy": True}, "from Boolean value"),
        ({"executionType": True}, "ExecutionType out of VALUE_TRUE"),
        ({"executionType": -1}, "index value outside legal index range [0..1]"),
        ({"description": {}}, "java.lang.String out of START_OBJECT"),
        ({"taskRoles": "x"}, "java.util.LinkedHashMap out of VALUE_STRING"),
        ({"user": []}, "UserDescriptor out of START_ARRAY"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_type(told: dict[str, object], reason: str) -> None:
    assert reason in refused(SHAPE, descriptor(**told))


def test_the_first_value_that_does_not_fit_is_the_one_named() -> None:
    assert "FrameworkDescriptor" not in refused(SHAPE, {"executionType": "X", "version": "x"})
    with pytest.raises(Refused) as refusal:
        bound(SHAPE, b'{"executionType": "X", "version": "x"}')
    assert "ExecutionType" in refusal.value.first_line
    message = str(refusal.value.error_object()["message"])
    assert 'FrameworkDescriptor["executionType"]' in message


def test_keys_nobody_knows_are_not_looked_at() -> None:
    assert let_in(descriptor(version=4, hello=[{"version": "x"}]))["version"] == 4


@pytest.mark.parametrize(
    ("told", "kept"), [(0.1, 0.1), ("0.25", 0.25), (" 1 ", 1.0), (1, 1.0), (1 / 3, 0.33333334), ("1e-1", 0.1)]
)
def test_progress_is_a_32_bit_number(told: object, kept: float) -> None:
    body = json.dumps({"applicationProgress": told}).encode()
    assert submission.progress(judged(submission.PROGRESS, bound(submission.PROGRESS, body))) == kept


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("half", "not a valid Float value"),
        ("", "applicationProgress: may not be null"),
        (True, "float out of VALUE_TRUE"),
        ("1e999", "must be less than or equal to 1.0"),
        (1.0001, "must be less than or equal to 1.0"),
    ],
)
def test_progress_that_is_none_is_refused(told: object, reason: str) -> None:
    assert reason in refused(submission.PROGRESS, {"applicationProgress": told})


# --- constraints ----------------------------------------------------------------------------------------------------


def test_a_description_is_counted_as_java_counts() -> None:
    assert let_in(descriptor(description="😀" * 512))
    assert "size must be between 0 and 1024" in refused(SHAPE, descriptor(description="😀" * 512 + "x"))


@pytest.mark.parametrize(("gpus", "bits", "fits"), [(0, 0, True), (2, 3, True), (2, 0, True), (2, 7, False)])
def test_gpus_are_as_many_as_the_bits_that_name_them(gpus: int, bits: int, fits: bool) -> None:
    told = descriptor()
    resource = {**RESOURCE, "gpuNumber": gpus, "gpuAttribute": bits}
    told["taskRoles"]["w"]["taskService"] = {**SERVICE, "resource": resource}
    if fits:
        assert let_in(told)
    else:
        assert "GpuNumber [2] is not consistent with GpuAttribute [7(111)]" in refused(SHAPE, told)


def test_every_constraint_that_does_not_hold_is_named() -> None:
    told = descriptor(version=None, user={"name": "a b"}, retryPolicy={"maxRetryCount": -9})
    line = refused(SHAPE, told)
    for path in ("version: ", "user.name: ", "retryPolicy.maxRetryCount: "):
        assert path in line


# --- the text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"a": [1, 2', "expected close marker for ARRAY"),
        (b'{"a": "x\\"[", "b": {', "expected close marker for OBJECT"),
        (b'{"a": "x', "was expecting closing '\"' for a string value"),
        (b'{"a" 1}', "was expecting a colon to separate field name and value"),
        (b'{"a": 1 "b"}', "was expecting comma to separate entries"),
        (b"[1,]", "expected a valid value"),
        (b'{"a": \x01}', "expected a valid value"),
        (b'{"a": "\x01"}', "(CTRL-CHAR, code 1)"),
        (b'{"a": "\\x"}', "Unrecognized character escape"),
        (b"nope", "Unrecognized token 'nope'"),
        (b"[NaN]", "Non-standard token 'NaN'"),
        (b"\xff", "Invalid UTF-8 start byte 0xff"),
        (b"]", "expected a valid value"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_the_librarys_words(body: bytes, line: str) -> None:
    with pytest.raises(Refused) as refusal:
        json_input.read(body)
    assert line in refusal.value.first_line
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"", None), (b" \n", None), (b"null", None), (b"\xef\xbb\xbf[1] trailing", [1]), (b'{"a":1,"a":2}', {"a": 2})],
)
def test_what_is_read_of_loose_json(body: bytes, value: object) -> None:
    assert json_input.read(body) == value


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    for shape in (SHAPE, submission.PROGRESS, submission.ACL, submission.CLUSTER):
        try:
            judged(shape, bound(shape, body))
        except Refused as refusal:
            assert refusal.status == 400  # noqa: PT017  # being let in is as good


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.no_cover
@given(st.dictionaries(st.sampled_from([key.name for key in SHAPE.keys]), JSON_VALUES, max_size=4))
def test_whatever_is_let_in_can_be_stored(told: dict[str, object]) -> None:
    try:
        kept = judged(SHAPE, bound(SHAPE, json.dumps(descriptor(**told)).encode()))
    except Refused:
        return
    stored = submission.descriptor(kept)
    assert dict(encode_descriptor(stored)) == kept
