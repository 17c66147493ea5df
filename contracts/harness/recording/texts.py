"""Rewrites the texts of a JSON document in place: what is not rewritten stays as it was, byte for byte, numbers and spaces too.

Reading and writing the document anew would not do so, and what a launcher says is to be kept as it said it.
"""

import json
import re
from collections.abc import Callable
from typing import Final, TypeAlias

Rewrite: TypeAlias = Callable[[str, str], str]
"""From the key that a text stands under (of an item of a list: that of the list; of none: empty) and the text."""
RewriteKey: TypeAlias = Callable[[str, str], str]
"""From the key of the object that a key is in, and the key."""

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)


def rewritten(document: str, text: Rewrite, key: RewriteKey) -> str:
    """A document that is no JSON is one text."""
    try:
        json.loads(document)
    except (ValueError, RecursionError):
        return text("", document)
    parts: list[str] = []
    end = 0
    for place, found, is_key, under in _strings(document):
        old = json.loads(document[place:found])
        new = key(under, old) if is_key else text(under, old)
        if new != old:
            parts += [document[end:place], json.dumps(new, ensure_ascii=document.isascii())]
            end = found
    return "".join([*parts, document[end:]])


def _strings(document: str) -> "list[tuple[int, int, bool, str]]":
    """Each text: where it begins and ends, whether it is a key, and the key it stands under."""
    strings: list[tuple[int, int, bool, str]] = []
    under: list[str] = [""]
    """The key that each open container stands under."""
    in_object: list[bool] = [False]
    key, at_key = "", False
    for token in _TOKEN.finditer(document):
        match token[0][0]:
            case "{" | "[" as opening:
                under.append(key)
                in_object.append(opening == "{")
                at_key = opening == "{"
            case "}" | "]":
                key = under.pop()
                at_key = not in_object.pop()
            case ",":
                at_key = in_object[-1]
                key = under[-1]
            case ":":
                at_key = False
            case _:
                strings.append((token.start(), token.end(), at_key, under[-1] if at_key else key))
                if at_key:
                    key = json.loads(token[0])
    return strings
