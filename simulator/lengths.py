"""Lengths of time as people write them: ISO 8601 durations."""

from datetime import UTC, datetime, timedelta

import isodate  # type: ignore[import-untyped]  # it ships no types

from contracts.clock import Instant, Milliseconds


def length(text: str, since: Instant | None = None) -> Milliseconds:
    """``PT3H`` in milliseconds. Months and years need the instant they are counted from. Raises ``ValueError``."""
    try:
        parsed = isodate.parse_duration(text)
        if not isinstance(parsed, timedelta):
            if since is None:
                raise ValueError("months and years have no fixed length")
            parsed = parsed.totimedelta(start=datetime.fromtimestamp(since / 1000, UTC))
    except (ArithmeticError, TypeError) as error:
        raise ValueError(f"{text} is too long, or no duration") from error
    return parsed // timedelta(milliseconds=1)  # type: ignore[no-any-return]  # see the import


def iso_length(length: Milliseconds) -> str:
    """The same the other way round, without days: ``PT1H20M``, ``PT0.5S``."""
    hours, rest = divmod(length, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    parts = ((hours, "H"), (minutes, "M"), (rest / 1000, "S"))
    return "PT" + ("".join(f"{number:g}{unit}" for number, unit in parts if number) or "0S")
