"""``appExitSpec``: what an exit code means, by a table of rows (rulings 2.1).

The shipped table is the launcher's own; ``--exit-spec FILE`` (YAML or JSON, a list of rows with an integer ``code``)
replaces it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from contracts.launcher import exits
from restserver.answers.yaml_values import NotPlainYaml, plain_value

ANY_POSITIVE: Final = 256
"""The row of positive codes without one of their own: no process can exit with it."""
ANY_NEGATIVE: Final = -8000

_LONGEST_FILE: Final = 1024 * 1024
_MOST_EVENTS: Final = 100_000

Row = Mapping[str, object]


class BadExitSpec(ValueError):
    """The file is not a list of rows with an integer ``code``. The message says where."""


class ExitSpec(Struct, frozen=True):
    rows: Mapping[int, Row]

    def row(self, code: int | None) -> Row | None:
        """``None`` while there is no exit code."""
        if code is None:
            return None
        found = self.rows.get(code)
        if found is not None:
            return found
        fallback = self.rows.get(ANY_POSITIVE if code > 0 else ANY_NEGATIVE, {}) if code else {}
        return {**fallback, "code": code}


def shipped_exit_spec() -> ExitSpec:
    """A row for each code the launcher itself assigns or was shipped to know."""
    return ExitSpec(_rows(exits.exit_spec()))


def read_exit_spec(path: Path) -> ExitSpec:
    """Raises :class:`BadExitSpec`, or ``OSError`` if there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadExitSpec("not UTF-8 text") from None
    return ExitSpec(_rows(_document(text)))


def _document(text: str) -> object:
    try:
        document: object = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):  # not JSON, so YAML: that is slower to read
        pass
    else:
        return document
    try:
        return plain_value(text, longest=_LONGEST_FILE, most_events=_MOST_EVENTS)
    except NotPlainYaml as error:
        raise BadExitSpec(f"neither JSON nor plain YAML ({error})") from error


def _no_json(constant: str) -> object:
    raise ValueError(constant)


def _rows(document: object) -> Mapping[int, Row]:
    if not isinstance(document, list):
        raise BadExitSpec("not a list of rows")
    rows: dict[int, Row] = {}
    for position, row in enumerate(document, start=1):
        code = row.get("code") if isinstance(row, dict) else None
        if not isinstance(code, int) or isinstance(code, bool):
            raise BadExitSpec(f"row {position} has no integer code")
        rows[code] = row
    return rows
