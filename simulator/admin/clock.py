"""The clock as the control plane shows and changes it: the shapes of ``GET`` and ``PUT /__admin/clock``.

A wrong body changes nothing, and the error names the key and what it takes.
"""

import math
from collections.abc import Callable, Mapping
from typing import cast

from contracts.clock import BadClockSetting, ClockReading, Milliseconds, VirtualClock, from_iso, iso
from simulator.lengths import length
from simulator.problems import BadInput


def reading(shown: ClockReading) -> dict[str, object]:
    return {"now": iso(shown.now), "rate": shown.rate, "frozen": shown.frozen}


def change(clock: VirtualClock, body: object) -> ClockReading:
    """Does what the body of a ``PUT`` asks for. Raises BadInput."""
    if not isinstance(body, Mapping):
        raise BadInput(f"the body must be an object with an action, one of {', '.join(_KEY_OF_ACTION)}")
    action = body.get("action")
    if not isinstance(action, str) or action not in _KEY_OF_ACTION:
        raise BadInput(f"action must be one of {', '.join(_KEY_OF_ACTION)}, not {action!r}")
    wanted = _KEY_OF_ACTION[action]
    for key in body:
        if key not in ("action", wanted):
            raise BadInput(f"{action} does not take {key!r}")
    if wanted is not None and wanted not in body:
        raise BadInput(f"{action} needs {wanted!r}: {_MEANING_OF_KEY[wanted]}")
    try:
        return _DOING_OF_ACTION[action](clock, body.get(wanted) if wanted else None)
    except BadClockSetting as error:
        raise BadInput(f"{action} is not possible: {error}") from error


_KEY_OF_ACTION: Mapping[str, str | None] = {
    "freeze": None,
    "resume": None,
    "advance": "by",
    "set": "to",
    "scale": "rate",
    "reset": None,
}

_MEANING_OF_KEY = {
    "by": 'a length of time, as an ISO 8601 duration ("PT3H", "-PT10M") or in seconds (90)',
    "to": 'an instant in ISO 8601 ("2026-03-01T12:00:00Z")',
    "rate": "simulated seconds per second, a number above 0",
}


def _advance(clock: VirtualClock, by: object) -> ClockReading:
    return clock.advance(_length(clock, by))


def _set(clock: VirtualClock, to: object) -> ClockReading:
    if not isinstance(to, str):
        raise BadInput(f"to must be {_MEANING_OF_KEY['to']}, not {to!r}")
    try:
        instant = from_iso(to)
    except BadClockSetting:
        raise
    except (ValueError, OverflowError) as error:
        raise BadInput(f"to must be {_MEANING_OF_KEY['to']}, not {to!r}") from error
    return clock.set(instant)


def _scale(clock: VirtualClock, rate: object) -> ClockReading:
    if not _is_number(rate):
        raise BadInput(f"rate must be {_MEANING_OF_KEY['rate']}, not {rate!r}")
    return clock.scale(cast("float", rate))


_DOING_OF_ACTION: Mapping[str, Callable[[VirtualClock, object], ClockReading]] = {
    "freeze": lambda clock, _: clock.freeze(),
    "resume": lambda clock, _: clock.resume(),
    "advance": _advance,
    "set": _set,
    "scale": _scale,
    "reset": lambda clock, _: clock.reset(),
}


def _length(clock: VirtualClock, by: object) -> Milliseconds:
    """Months and years are those that follow the clock's own date."""
    try:
        if _is_number(by):
            return round(cast("float", by) * 1000)
        if isinstance(by, str):
            return length(by, since=clock.now())
    except (ValueError, OverflowError) as error:
        raise BadInput(f"by must be {_MEANING_OF_KEY['by']}, not {by!r}") from error
    raise BadInput(f"by must be {_MEANING_OF_KEY['by']}, not {by!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf
