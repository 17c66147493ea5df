"""What may stand in the description of a fault: each key with how it is read. A wrong value is BadInput, naming the key."""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from contracts.clock import LATEST, Instant, Milliseconds, iso
from simulator.lengths import length
from simulator.problems import BadInput

LONGEST: Milliseconds = 24 * 3600 * 1000
"""Of a delay."""
Delay: TypeAlias = Callable[[random.Random], Milliseconds]
"""How long this time."""


def text(key: str, told: object) -> str:
    if not isinstance(told, str) or not told or len(told) > 1000:
        raise BadInput(f"{key} must be a text of 1 to 1000 characters, not {told!r}")
    return told


def word(key: str, told: object, words: tuple[str, ...]) -> str:
    if told not in words:
        raise BadInput(f"{key} must be one of {', '.join(words)}, not {told!r}")
    return str(told)


def whole(key: str, told: object, low: int, high: int) -> int:
    if type(told) is not int or not low <= told <= high:
        raise BadInput(f"{key} must be a whole number from {low} to {high}, not {told!r}")
    return told


def number(key: str, told: object, low: float, high: float) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not low <= told <= high:
        raise BadInput(f"{key} must be a number from {low:g} to {high:g}, not {told!r}")
    return float(told)


def time_to_live(key: str, told: object, now: Instant) -> Milliseconds:
    """Seconds, or an ISO 8601 duration; its end can still be told."""
    try:
        lasting = (
            length(told, since=now) if isinstance(told, str) else round(number(key, told, 0, LATEST / 1000) * 1000)
        )
    except ValueError as error:
        raise BadInput(f"{key} must be seconds or an ISO 8601 duration such as PT30S, not {told!r}") from error
    if lasting <= 0:
        raise BadInput(f"{key} must be longer than nothing, not {told!r}")
    if now + lasting > LATEST:
        raise BadInput(f"{key} must end before {iso(LATEST)}, and does not in {told!r}")
    return lasting


def delay(told: Mapping[str, Any]) -> Delay:
    """``fixedDelayMilliseconds``, or a ``delayDistribution`` as WireMock has it."""
    fixed, distribution = told.get("fixedDelayMilliseconds"), told.get("delayDistribution")
    if (fixed is None) == (distribution is None):
        raise BadInput("latency needs fixedDelayMilliseconds or delayDistribution, and not both")
    if distribution is None:
        milliseconds = whole("fixedDelayMilliseconds", fixed, 0, LONGEST)
        return lambda _: milliseconds
    if not isinstance(distribution, Mapping):
        raise BadInput(f"delayDistribution must be an object, not {distribution!r}")
    kind = word("delayDistribution.type", distribution.get("type"), tuple(_DISTRIBUTIONS))
    keys, make = _DISTRIBUTIONS[kind]
    unknown = set(distribution) - keys - {"type"}
    if unknown:
        raise BadInput(f"delayDistribution of type {kind} has no {', '.join(sorted(unknown))}")
    return make(distribution)


def _uniform(told: Mapping[str, Any]) -> Delay:
    lower = number("delayDistribution.lower", told.get("lower"), 0, LONGEST)
    upper = number("delayDistribution.upper", told.get("upper"), lower, LONGEST)
    return lambda dice: round(dice.uniform(lower, upper))


def _lognormal(told: Mapping[str, Any]) -> Delay:
    median = number("delayDistribution.median", told.get("median"), 1, LONGEST)
    sigma = number("delayDistribution.sigma", told.get("sigma"), 0, 10)
    most = number("delayDistribution.maxValue", told.get("maxValue", LONGEST), 0, LONGEST)
    return lambda dice: round(min(most, dice.lognormvariate(math.log(median), sigma)))


_DISTRIBUTIONS: Mapping[str, tuple[set[str], Callable[[Mapping[str, Any]], Delay]]] = {
    "lognormal": ({"median", "sigma", "maxValue"}, _lognormal),
    "uniform": ({"lower", "upper"}, _uniform),
}
