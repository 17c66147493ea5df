"""Lengths of time on command lines: plain seconds, with a unit, or as ISO 8601 has them; the same for every flag."""

import re
from typing import Any, Final

import click

from contracts.clock import Milliseconds

_UNIT: Final[dict[str, Milliseconds]] = {
    "": 1000,
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
}
_PLAIN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|[smhd]?)")
_DAY: Final[Milliseconds] = 86_400_000


class Length(click.ParamType[Milliseconds]):
    """``10``, ``10s``, ``500ms``, ``30m``, ``12h``, ``7d`` and ``PT10S``, in milliseconds; between two lengths, both allowed."""

    name = "duration"

    def __init__(self, least: Milliseconds = 1, most: Milliseconds = 10_000 * _DAY) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Milliseconds:
        length = _length(str(value).strip())
        if length is None:
            self.fail(f"{value!r} is no length of time: 90, 90s, 30m, 12h, 7d and PT1M30S are", param, ctx)
        if not self._least <= length <= self._most:
            self.fail(f"{value!r} is not from {self._least / 1000:g} s to {self._most / 1000:g} s", param, ctx)
        return length


def _length(text: str) -> Milliseconds | None:
    if found := _PLAIN.fullmatch(text):
        return round(float(found[1]) * _UNIT[found[2]])
    return _iso_length(text) if text.startswith("P") else None


def _iso_length(text: str) -> Milliseconds | None:
    """Months and years have no fixed length, so they are none."""
    from datetime import timedelta

    import isodate  # type: ignore[import-untyped]  # it ships no types

    try:
        parsed = isodate.parse_duration(text)
    except (isodate.ISO8601Error, ArithmeticError):
        return None
    return parsed // timedelta(milliseconds=1) if isinstance(parsed, timedelta) else None
