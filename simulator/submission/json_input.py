"""The text of a submission, read as the real launcher's JSON library reads it, with its messages.

Looser than our own reading of answers (``contracts.launcher.strict_json``): the last of two equal keys wins, text after the
first value is not looked at, a byte order mark is skipped. A number keeps its spelling, since it may become a text. Half of
a surrogate pair is mended: it would be told again.
"""

import json
from typing import NoReturn

from contracts.launcher.half_pairs import mended
from simulator.submission.refusals import Refused, unparsable

_SOURCE = "[Source: org.mortbay.jetty.HttpParser$Input@0; line: {line}, column: {column}]"


class Decimal(float):
    """A number with a fraction or an exponent, and how it was spelled."""

    spelling: str


def _decimal(spelling: str) -> Decimal:
    number = Decimal(spelling)
    number.spelling = spelling
    return number


def _integer(digits: str) -> int:
    # Python refuses to read thousands of digits, and no integer type of the launcher holds a hundred.
    return int(digits) if len(digits) < 100 else 10**100


def _no_constant(word: str) -> NoReturn:
    raise _Unparsable(f"Non-standard token '{word}': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS to allow")


class _Unparsable(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_decimal, parse_constant=_no_constant)


def read(body: bytes) -> object:
    """The first value of the body; ``None``, as for ``null``: the body is empty. Raises Refused."""
    try:
        text = body.decode("utf-8-sig").lstrip(" \t\r\n")
    except UnicodeDecodeError as error:
        byte = body[error.start]
        raise unparsable(f"Invalid UTF-8 start byte 0x{byte:x}", _at(1, error.start + 1)) from None
    if not text:
        return None
    try:
        value: object = _DECODER.raw_decode(text)[0]
    except json.JSONDecodeError as error:
        raise _told(text, error) from None
    except _Unparsable as error:
        raise unparsable(error.text, _at(1, 1)) from None
    except RecursionError:
        raise unparsable("the document is nested too deeply", _at(1, 1)) from None
    return mended(value, text)


def _at(line: int, column: int) -> str:
    return " at " + _SOURCE.format(line=line, column=column)


def _told(text: str, error: json.JSONDecodeError) -> Refused:
    more = _at(error.lineno, error.colno + 1)
    if error.msg.startswith("Unterminated string"):
        return unparsable("Unexpected end-of-input: was expecting closing '\"' for a string value", more)
    if error.msg.startswith("Illegal trailing comma"):  # how newer Pythons name what is expected next
        place = len(text) - len(text[error.pos + 1 :].lstrip())
        return unparsable(_unexpected(text[place], _EXPECTED["Expecting property name"]), more)
    rest = text[error.pos :].lstrip()
    if not rest:
        opening = "OBJECT" if _innermost(text) == "{" else "ARRAY"
        return unparsable(
            f"Unexpected end-of-input: expected close marker for {opening} (from {_SOURCE.format(line=1, column=0)})",
            more,
        )
    if error.msg.startswith("Invalid control character"):
        return unparsable(
            f"Illegal unquoted character ((CTRL-CHAR, code {ord(rest[0])})): has to be escaped using backslash to be "
            "included in string value",
            more,
        )
    if error.msg.startswith("Invalid \\"):
        return unparsable(f"Unrecognized character escape in {rest[:6]!r}", more)
    if error.msg == "Expecting value" and (rest[0].isalpha() or rest[0] in "_$"):
        token = rest[
            : next((i for i, letter in enumerate(rest) if not (letter.isalnum() or letter in "_$")), len(rest))
        ]
        return unparsable(f"Unrecognized token '{token}': was expecting 'null', 'true', 'false' or NaN", more)
    expected = next(told for begins, told in _EXPECTED.items() if error.msg.startswith(begins))
    return unparsable(_unexpected(rest[0], expected), more)


def _unexpected(letter: str, expected: str) -> str:
    return f"Unexpected character ('{letter}' (code {ord(letter)})): {expected}"


_EXPECTED = {
    "Expecting property name": "was expecting double-quote to start field name",
    "Expecting ':'": "was expecting a colon to separate field name and value",
    "Expecting ','": "was expecting comma to separate entries",
    "Expecting value": "expected a valid value (number, String, array, object, 'true', 'false' or 'null')",
}


def _innermost(text: str) -> str:
    """The bracket that was open last where the text ends; strings are skipped."""
    open_brackets: list[str] = []
    inside = escaped = False
    for letter in text:
        if inside:
            inside = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            inside = True
        elif letter in "{[":
            open_brackets.append(letter)
        elif letter in "}]" and open_brackets:
            open_brackets.pop()
    return open_brackets[-1] if open_brackets else "{"
