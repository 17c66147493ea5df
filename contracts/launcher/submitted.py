"""What a launcher accepts in a submission: its JSON library turns numbers, texts and flags into one another.

Source: the recordings' answer to open question 6 of the launcher fact sheet.
"""

import math
from enum import StrEnum
from typing import TypeVar

from contracts.launcher.wire import FLAG, INTEGER, INTEGER_OR_DIGITS, TEXT, Kind, Wrong, as_is, found

E = TypeVar("E", bound=StrEnum)


def _read_text(value: object) -> str:
    return str(value) if type(value) is int or type(value) is float else TEXT.read(value)


def _read_integer(value: object) -> int:
    if isinstance(value, float):
        return INTEGER.read(float(math.trunc(value)))
    return INTEGER_OR_DIGITS.read(value.strip() if isinstance(value, str) else value)


def _read_flag(value: object) -> bool:
    if type(value) is int:
        return value != 0
    if isinstance(value, str) and value.strip() in ("true", "false"):
        return value.strip() == "true"
    return FLAG.read(value)


SUBMITTED_TEXT = Kind(_read_text, as_is)
SUBMITTED_INTEGER = Kind(_read_integer, as_is)
SUBMITTED_FLAG = Kind(_read_flag, as_is)


def submitted_word(enum: type[E]) -> Kind[E]:
    """By its word or by its place; UNKNOWN only where the launcher itself has that word first (LaunchClientType)."""
    members = [member for place, member in enumerate(enum) if place == 0 or member.name != "UNKNOWN"]
    words: dict[object, E] = {member.value: member for member in members}

    def read(value: object) -> E:
        if isinstance(value, str) and value in words:
            return words[value]
        if type(value) is int and 0 <= value < len(members):
            return members[value]
        raise Wrong("a word that is not known" if isinstance(value, str) else found(value))

    return Kind(read, lambda member: member.value)
