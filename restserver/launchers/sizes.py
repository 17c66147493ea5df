"""What a record costs in memory: what the interpreter says of each part, each part counted once."""

import sys
from collections.abc import Mapping
from enum import Enum

from msgspec import Struct
from msgspec.structs import astuple

_FREE = (type, Enum, bool, type(None))
"""There anyway, whoever refers to it."""


def size_of(value: object) -> int:
    """Bytes of a tree of records, tuples, mappings and plain values. Parts that occur twice in it are there once."""
    seen: set[int] = set()
    rest = [value]
    size = 0
    while rest:
        part = rest.pop()
        if id(part) in seen or isinstance(part, _FREE):
            continue
        seen.add(id(part))
        size += sys.getsizeof(part)
        if isinstance(part, str | bytes | int | float):
            continue
        if isinstance(part, Mapping):
            rest += part.keys()
            rest += part.values()
        elif isinstance(part, tuple | list | set | frozenset):
            rest += part
        elif isinstance(part, Struct):
            rest += astuple(part)
    return size
