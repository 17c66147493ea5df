"""YAML as plain JSON values: from anybody, at a bounded price."""

import json
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restserver.answers.yaml_values import DEEPEST, LONGEST, NotPlainYaml, plain_value


def test_scalars_become_what_json_has_for_them() -> None:
    text = "{a: 1, b: 2.5, c: yes, d: true, e: null, f: 2026-03-01, g: 2026-03-01T12:00:00, h: .nan, i: .inf, 7: x}"
    assert plain_value(text) == {
        "a": 1,
        "b": 2.5,
        "c": "yes",
        "d": True,
        "e": None,
        "f": "2026-03-01",
        "g": "2026-03-01T12:00:00",
        "h": None,
        "i": None,
        "7": "x",
    }


def test_keys_are_spelt_as_json_would_spell_the_scalar() -> None:
    assert plain_value("{true: 1, null: 2, 2.5: 3}") == {"true": 1, "null": 2, "2.5": 3}


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "a: &x {<<: *x}",
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "[" * LONGEST,
        "a" * (LONGEST + 1),
        "[" + "1," * 3000 + "]",
        "a: !!python/object:os.system {}",
        "a: !!binary aGk=",
        "a: !!set {x, y}",
        "a: !unknown 1",
        "{[1]: 2}",
        "? !!binary aGk=\n: 1",
        "{a: 1, a: 2}",
        "a: 2026-02-31",
        "a: 2026-02-31T25:61:61",
        "a: b: c",
        "--- a\n--- b",
        "\t",
        "\x00",
        "%YAML 9.9\n---\na",
        '"\\',
        "a: " + "9" * 5000,
    ],
)
def test_what_json_cannot_tell_or_costs_too_much_is_refused(text: str) -> None:
    with pytest.raises(NotPlainYaml):
        plain_value(text)


def test_aliases_cannot_multiply() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    with pytest.raises(NotPlainYaml):
        plain_value(bomb)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "part", ["[", "{", "- ", "? ", "a: ", "&a ", "*a ", "!a ", "'", '"', "a\n", "#", "|\n", "%", ",", "[]", "k: v\n"]
)
def test_no_text_within_the_limit_takes_long(part: str) -> None:
    began = process_time()
    with suppress(NotPlainYaml):
        plain_value(part * (LONGEST // len(part)))
    assert process_time() - began < 3  # seconds of work, however busy the machine is


@given(st.text(alphabet=st.sampled_from("ab01:-?,[]{}&*!|>'\"%@`#. \n\t~<=\\é\ud800"), max_size=40) | st.text())
def test_any_text_is_either_json_values_or_refused(text: str) -> None:
    try:
        value = plain_value(text)
    except NotPlainYaml:
        return
    json.dumps(value, allow_nan=False)
