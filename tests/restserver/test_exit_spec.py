"""``appExitSpec``: rows by exit code (rulings 2.1)."""

import json
from pathlib import Path

import pytest

from contracts.launcher.exits import EXITS
from restserver.answers.exit_spec import BadExitSpec, ExitSpec, read_exit_spec, shipped_exit_spec


def spec(tmp_path: Path, text: str | bytes) -> ExitSpec:
    path = tmp_path / "exits.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_exit_spec(path)


def test_the_shipped_table_has_a_row_of_four_for_every_code_of_the_launcher() -> None:
    shipped = shipped_exit_spec()
    assert set(shipped.rows) == set(EXITS) >= {0, -7351, -7400, 137, 193, 154}
    for code, row in shipped.rows.items():
        assert row == shipped.row(code)
        assert set(row) == {"code", "name", "type", "description"}


def test_there_is_no_row_while_there_is_no_exit_code() -> None:
    assert shipped_exit_spec().row(None) is None


def test_a_code_without_a_row_is_told_alone() -> None:
    shipped = shipped_exit_spec()
    assert [shipped.row(code) for code in (1, 255, -1, -170000)] == [{"code": code} for code in (1, 255, -1, -170000)]


def test_a_fallback_row_stands_for_codes_of_its_sign_with_the_code_replaced(tmp_path: Path) -> None:
    fallbacks = spec(tmp_path, "- {code: 256, type: any}\n- {code: -8000, type: yarn}\n- {code: 5, type: five}\n")
    assert fallbacks.row(5) == {"code": 5, "type": "five"}
    assert fallbacks.row(6) == {"code": 6, "type": "any"}
    assert fallbacks.row(-6) == {"code": -6, "type": "yarn"}
    assert fallbacks.row(0) == {"code": 0}


def test_json_and_yaml_are_read_alike_and_the_last_duplicate_wins(tmp_path: Path) -> None:
    rows = [{"code": 1, "name": "a"}, {"code": 1, "name": "b", "more": {"x": [1, None]}}]
    from_json = spec(tmp_path, json.dumps(rows))
    from_yaml = spec(tmp_path, "- code: 1\n  name: a\n- code: 1\n  name: b\n  more: {x: [1, null]}\n")
    assert from_json == from_yaml
    assert from_json.row(1) == rows[1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("code: 1", "not a list of rows"),
        ("- 1", "row 1 has no integer code"),
        ("- {code: 1}\n- {code: '1'}", "row 2 has no integer code"),
        ("- {code: true}", "row 1 has no integer code"),
        ("- {name: x}", "row 1 has no integer code"),
        ("- [", "neither JSON nor plain YAML"),
        ('[{"code": 1, "x": NaN}]', ""),
        ("[" * 100_000, "neither JSON nor plain YAML"),
        (b"\xff\xfe", "not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_with_the_place(tmp_path: Path, text: str | bytes, reason: str) -> None:
    if reason:
        with pytest.raises(BadExitSpec, match=reason):
            spec(tmp_path, text)
    else:  # as YAML it is a text, which any answer can carry
        json.dumps(spec(tmp_path, text).row(1), allow_nan=False)
