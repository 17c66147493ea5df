import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from contracts.clock import LATEST
from contracts.launcher import submitted, tables, wire
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import ExitType, LaunchClientType
from tests.contracts.json_values import json_values

# --- bodies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b'{"a": "\xe4"}', "UTF-8"),
        (b'{"a": 1', "no JSON"),
        (b'{"a": 1} 2', "no JSON"),
        (b"{'a': 1}", "no JSON"),
        (b'{"a": "tab\there"}', "no JSON"),
        (b"<html>", "no JSON"),
        (b'{"a": NaN}', "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', '"c" twice'),
        (b"9223372036854775808", "64 bits"),
        (b"-9223372036854775809", "64 bits"),
        (b"1" * 5000, "64 bits"),
        (b"1e999", "beyond all bounds"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper than 64"),
        (b"[" * 100_000, "deeper than 64"),
    ],
)
def test_a_body_that_is_no_strict_json_is_unreadable(body: bytes, found: str) -> None:
    with pytest.raises(LauncherUnreadable) as caught:
        wire.parse(body)
    assert caught.value.path == "$"
    assert found in caught.value.found
    assert len(str(caught.value)) < 200


@given(json_values)
def test_any_json_is_parsed_to_what_it_says(value: object) -> None:
    assert wire.parse(json.dumps(value).encode()) == value
    assert wire.parse(b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=40) | st.text(alphabet='{}[]",:0123456789.eE+-\\u d8nulltrue', max_size=30).map(str.encode))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with contextlib.suppress(LauncherUnreadable):
        wire.parse(body)


def test_64_bits_and_64_levels_are_still_read() -> None:
    assert wire.parse(b"[-9223372036854775808, 9223372036854775807]") == [-(2**63), 2**63 - 1]
    wire.parse(b"[" * 64 + b"]" * 64)


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    assert wire.parse(rb'{"a\ud83d": ["x\ud83d", "\ud83d\ude00", 1, null]}') == {"a�": ["x�", "\U0001f600", 1, None]}


# --- kinds ----------------------------------------------------------------------------------------------------------


class Point(Struct, frozen=True):
    x: int
    label: str | None = None


class Shape(Struct, frozen=True):
    name: str
    points: tuple[Point, ...]
    colour: str
    by_name: dict[str, Point]
    weight: float | None


POINT = tables.record(
    Point, tables.field("x", "x", wire.INTEGER), tables.field("label", "label", wire.maybe(wire.TEXT))
)
SHAPE = tables.record(
    Shape,
    tables.group(
        "head",
        tables.field("name", "name", wire.TEXT),
        tables.constant("kind", "shape"),
        tables.group("paint", tables.field("colour", "colour", wire.TEXT)),
    ),
    tables.echo("nameAgain", "name", wire.TEXT),
    tables.field("points", "points", wire.array(POINT)),
    tables.field("byName", "by_name", wire.mapping(wire.only("point", POINT))),
    tables.untold("weight"),
)
A_SHAPE = Shape("s", (Point(1), Point(2, "b")), "red", {"a b": Point(3)}, None)


def test_a_table_writes_and_reads_its_record() -> None:
    document = {
        "head": {"name": "s", "kind": "shape", "paint": {"colour": "red"}},
        "nameAgain": "s",
        "points": [{"x": 1, "label": None}, {"x": 2, "label": "b"}],
        "byName": {"a b": {"point": {"x": 3, "label": None}}},
    }
    assert tables.encoded(SHAPE, A_SHAPE) == document
    assert list(document) == list(tables.encoded(SHAPE, A_SHAPE))
    assert SHAPE.decode({**document, "unknown": 1, "nameAgain": 5}) == A_SHAPE


@pytest.mark.parametrize(
    ("change", "path", "found"),
    [
        (("head",), "$.head", "nothing"),
        (("head", "paint", "colour"), "$.head.paint.colour", "nothing"),
        (("points", 1, "x"), "$.points[1].x", "nothing"),
        (("byName", "a b", "point", "x"), '$.byName["a b"].point.x', "nothing"),
    ],
)
def test_what_is_missing_is_named_by_its_path(change: tuple[str | int, ...], path: str, found: str) -> None:
    document: object = json.loads(json.dumps(tables.encoded(SHAPE, A_SHAPE)))
    place: object = document
    for step in change[:-1]:
        place = place[step]  # type: ignore[index]  # a document of nested objects and arrays
    del place[change[-1]]  # type: ignore[attr-defined]  # as above
    with pytest.raises(LauncherUnreadable) as caught:
        SHAPE.decode(document)
    assert (caught.value.path, caught.value.found) == (path, found)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "null"),
        (True, "a truth value"),
        (1, "a number"),
        (1.5, "a number"),
        ("text" * 1000, "a string"),
        ([], "an array"),
        ({}, "nothing"),
    ],
)
def test_what_was_found_is_named_in_a_word_or_two(value: object, found: str) -> None:
    for kind in (POINT, wire.only("x", wire.INTEGER)):
        with pytest.raises(LauncherUnreadable) as caught:
            kind.decode(value)
        assert caught.value.found == found


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (wire.TEXT, 1),
        (wire.INTEGER, True),
        (wire.INTEGER, "1"),
        (wire.INTEGER, 1.5),
        (wire.INTEGER, 1e300),
        (wire.INTEGER_OR_DIGITS, "1x"),
        (wire.INTEGER_OR_DIGITS, "٣"),
        (wire.NUMBER, "1"),
        (wire.NUMBER, False),
        (wire.FLAG, 1),
        (wire.BITMAP, "3"),
        (wire.array(wire.TEXT), {}),
        (wire.mapping(wire.TEXT), []),
        (wire.word(FrameworkState), 4),
        (wire.numbered(FrameworkState, FrameworkState.UNKNOWN), "4"),
        (wire.instant(1000), "0"),
        (wire.instant(1000), 10**16),
        (wire.instant(1000), 1e308),
        (wire.maybe(wire.TEXT), []),
        (wire.default(wire.TEXT, "x"), None),
    ],
)
def test_a_value_of_another_type_is_unreadable(kind: wire.AnyKind, value: object) -> None:
    with pytest.raises(LauncherUnreadable):
        kind.decode(value)


def test_a_very_long_path_is_cut() -> None:
    with pytest.raises(LauncherUnreadable) as caught:
        wire.mapping(wire.mapping(wire.TEXT)).decode({"k" * 5000: {"ö" * 5000: 1}})
    assert len(caught.value.path) <= 300


def test_words_and_numbers_that_are_not_known_are_unknown() -> None:
    assert wire.word(FrameworkState).decode("FRAMEWORK_FROZEN") is FrameworkState.UNKNOWN
    by_number = wire.numbered(FrameworkState, FrameworkState.UNKNOWN)
    assert [by_number.decode(number) for number in (-1, 0, 7, 8)] == [
        FrameworkState.UNKNOWN,
        FrameworkState.FRAMEWORK_WAITING,
        FrameworkState.FRAMEWORK_COMPLETED,
        FrameworkState.UNKNOWN,
    ]
    assert wire.numbered(ExitType, None).decode(5) is None
    assert wire.numbered(ExitType, None).decode(4) is ExitType.UNKNOWN


@given(st.integers(0, 2**64 - 1))
def test_a_bitmap_is_exact_in_a_signed_number(bits: int) -> None:
    written = wire.BITMAP.write(bits)
    assert isinstance(written, int)
    assert -(2**63) <= written < 2**63
    assert wire.BITMAP.decode(written) == bits


@given(st.floats(0, 1, width=32))
def test_a_progress_is_told_as_the_shortest_decimal_of_its_32_bits(number: float) -> None:
    short = wire.single(number)
    assert wire.single(short) == short
    assert len(repr(short)) <= len(repr(number))


@pytest.mark.parametrize(
    ("number", "told"), [(1 / 3, 0.33333334), (0.1, 0.1), (2 / 3, 0.6666667), (1, 1.0), (0, 0.0), (1e300, 1e300)]
)
def test_progress_figures_as_recorded(number: float, told: float) -> None:
    assert wire.single(number) == told


@given(st.integers(0, LATEST))
def test_whole_seconds_are_told_and_fractions_are_understood(moment: int) -> None:
    seconds = wire.instant(1000)
    assert seconds.decode(seconds.write(moment)) == (moment // 1000 * 1000 or None)
    assert seconds.decode(moment / 1000) == (moment or None)


@pytest.mark.parametrize("value", [None, 0, -1, -62135596800, 0.0, -1.797693134862316e305])
def test_what_has_not_happened_has_no_time(value: object) -> None:
    assert wire.instant(1).decode(value) is None
    assert wire.instant(1000).decode(value) is None


def test_a_table_that_does_not_fit_its_record_stops_the_program() -> None:
    with pytest.raises(TypeError, match="label2"):
        tables.record(Point, tables.field("x", "x", wire.INTEGER), tables.field("label", "label2", wire.TEXT))
    with pytest.raises(TypeError, match=r"left out \{'x'\}"):
        tables.record(Point, tables.group("g", tables.field("label", "label", wire.TEXT)))


# --- submissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (submitted.SUBMITTED_TEXT, 5, "5"),
        (submitted.SUBMITTED_INTEGER, "4", 4),
        (submitted.SUBMITTED_INTEGER, " -4 ", -4),
        (submitted.SUBMITTED_INTEGER, 3.7, 3),
        (submitted.SUBMITTED_FLAG, 1, True),
        (submitted.SUBMITTED_FLAG, 0, False),
        (submitted.SUBMITTED_FLAG, "true", True),
        (submitted.SUBMITTED_FLAG, "false", False),
        (submitted.submitted_word(ExitType), "NON_TRANSIENT", ExitType.NON_TRANSIENT),
        (submitted.submitted_word(LaunchClientType), 0, LaunchClientType.UNKNOWN),
        (submitted.submitted_word(LaunchClientType), 4, LaunchClientType.CLI),
    ],
)
def test_a_submission_is_read_as_the_launcher_reads_it(kind: wire.AnyKind, value: object, read: object) -> None:
    assert kind.decode(value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (submitted.SUBMITTED_TEXT, True),
        (submitted.SUBMITTED_TEXT, []),
        (submitted.SUBMITTED_INTEGER, ""),
        (submitted.SUBMITTED_INTEGER, True),
        (submitted.SUBMITTED_INTEGER, 1e300),
        (submitted.SUBMITTED_FLAG, "yes"),
        (submitted.submitted_word(FrameworkState), "framework_waiting"),
        (submitted.submitted_word(FrameworkState), "UNKNOWN"),
        (submitted.submitted_word(FrameworkState), 8),
        (submitted.submitted_word(FrameworkState), True),
    ],
)
def test_a_submission_the_launcher_refuses_is_unreadable(kind: wire.AnyKind, value: object) -> None:
    with pytest.raises(LauncherUnreadable):
        kind.decode(value)


def test_a_submitted_word_is_written_as_the_word() -> None:
    assert submitted.submitted_word(ExitType).write(ExitType.UNKNOWN) == "UNKNOWN"
