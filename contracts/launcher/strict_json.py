"""What a JSON body of a launcher may be: strict, bounded, and never an error but LauncherUnreadable."""

import json
from typing import NoReturn

from contracts.launcher.half_pairs import mended
from contracts.launcher.port import LauncherUnreadable

DEEPEST = 64
"""Levels of nesting; a framework has ten."""
_INT64 = range(-(2**63), 2**63)


def parse(body: bytes) -> object:
    """Strict JSON: no duplicate keys, no NaN, no number beyond 64 bits, no deeper than 64 levels, UTF-8 (with or without a mark);
    half of a surrogate pair is mended.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LauncherUnreadable("$", "a body that is not UTF-8") from None
    if not text.strip():
        raise LauncherUnreadable("$", "an empty body")
    try:
        document: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise LauncherUnreadable("$", f"no JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise LauncherUnreadable("$", f"a document deeper than {DEEPEST} levels") from None
    _check_depth(document)
    return mended(document, text)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() gives None, which is the point
        raise LauncherUnreadable("$", f"an object with the key {short(twice)} twice")
    return result


def _parse_int(digits: str) -> int:
    number = int(digits) if len(digits) <= 20 else None
    if number is None or number not in _INT64:
        raise LauncherUnreadable("$", "an integer beyond 64 bits")
    return number


def _parse_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise LauncherUnreadable("$", "a number beyond all bounds")
    return number


def _no_constant(word: str) -> NoReturn:
    raise LauncherUnreadable("$", f"{word}, which is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_parse_int, parse_float=_parse_float, parse_constant=_no_constant
)


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(DEEPEST + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return
        level = [item for each in containers for item in (each.values() if isinstance(each, dict) else each)]
    raise LauncherUnreadable("$", f"a document deeper than {DEEPEST} levels")


def short(text: str) -> str:
    """A text of a launcher, quoted and bounded."""
    return json.dumps(text if len(text) <= 40 else text[:40] + "...", ensure_ascii=False)
