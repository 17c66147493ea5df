"""Validators of JSON Schema whose patterns mean what JSON Schema means by them: those of ECMA-262.

There ``$`` is the end of a text. In Python it is the place before a last line feed, too, so that a message with one after it
would pass for the message. What else differs between the two kinds of pattern, no contract here makes use of.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

_PART = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
"""An escaped letter, a set of letters, or the end."""


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_PART.sub(lambda part: r"\Z" if part[0] == "$" else part[0], pattern))


def _pattern(
    validator: Draft202012Validator, pattern: str, instance: object, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    del schema
    if validator.is_type(instance, "string") and not _compiled(pattern).search(str(instance)):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


EcmaValidator: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]  # jsonschema's own has no types
    Draft202012Validator, {"pattern": _pattern}
)
