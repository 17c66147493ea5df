"""The bytes of the public launcher: its JSON library's printer, to the blank.

Success bodies are pretty: two spaces a level, `` : `` between key and value, ``{ }`` and ``[ ]`` when empty, arrays on the
line they began on. Error bodies are compact. No line ends the text.

Source: the recordings; the test renders every recorded framework body again, byte for byte.
"""

import math
import re
from decimal import Decimal


def render(document: object) -> str:
    """A success body."""
    parts: list[str] = []
    _pretty(document, "\n", parts)
    return "".join(parts)


def render_compact(document: object) -> str:
    """An error body."""
    if isinstance(document, dict):
        return "{" + ",".join(f"{_text(key)}:{render_compact(value)}" for key, value in document.items()) + "}"
    if isinstance(document, list):
        return "[" + ",".join(render_compact(value) for value in document) + "]"
    return _scalar(document)


def _pretty(value: object, line: str, parts: list[str]) -> None:
    """``line`` is the line break with the indentation of the object around."""
    if isinstance(value, dict):
        if not value:
            parts.append("{ }")
            return
        inner = line + "  "
        opening = "{"
        for key, item in value.items():
            parts.append(f"{opening}{inner}{_text(key)} : ")
            _pretty(item, inner, parts)
            opening = ","
        parts.append(f"{line}}}")
    elif isinstance(value, list):
        opening = "[ "
        for item in value:
            parts.append(opening)
            _pretty(item, line, parts)
            opening = ", "
        parts.append(" ]" if value else "[ ]")
    else:
        parts.append(_scalar(value))


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, int):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _decimal(number: float) -> str:
    """As Java prints it: plain from 0.001 to 10 million, else with an exponent, ``1.0E-4``."""
    if not math.isfinite(number):
        raise ValueError(f"{number} is no JSON value")
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    figures = "".join(map(str, digits))
    power = len(figures) - 1 + int(exponent)
    return f"{'-' if sign else ''}{figures[0]}.{figures[1:] or '0'}E{power}"


def _text(text: str) -> str:
    return f'"{_TO_ESCAPE.sub(_escaped, text)}"'


_TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04X}"
