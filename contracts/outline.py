"""A JSON Schema as people read it: one key a line, its type in the document's words, its meaning beside it."""

import textwrap
from collections.abc import Iterator

from contracts.registry import ONLY_WITH, Schema

WIDTH = 120
MEANING_AT = 52


def outline(schema: Schema) -> Iterator[str]:
    """The lines of an answer's schema, its named types after it."""
    yield schema["title"]
    if "description" in schema:
        yield from textwrap.wrap(schema["description"], WIDTH)
    if ONLY_WITH in schema:
        yield f"Only on a server with {schema[ONLY_WITH]}."
    yield ""
    yield from _lines("", schema, 0)
    for name, named in schema.get("$defs", {}).items():
        yield ""
        yield from textwrap.wrap(f"{name}: {named.get('description', '')}".rstrip(": "), WIDTH)
        yield from _lines("", {**named, "description": ""}, 1)


def type_words(node: Schema) -> str:
    """``integer >= 0 | null``; of an object only that it is one."""
    if "$ref" in node:
        return str(node["$ref"].rpartition("/")[2])
    if "const" in node:
        return _literal(node["const"])
    if "anyOf" in node:
        return " | ".join(type_words(option) for option in node["anyOf"])
    if "enum" in node:
        return " | ".join(node["enum"])
    words = [node["type"]] if isinstance(node["type"], str) else node["type"]
    return " | ".join(_scalar_words(word, node) for word in words)


def _lines(key: str, node: Schema, depth: int) -> Iterator[str]:
    indent = "  " * depth
    label = f"{indent}{key}: " if key else indent
    if "properties" in node or node.get("type") == "object":
        yield from _beside(f"{label}{{", node)
        for name, inner in node.get("properties", {}).items():
            yield from _lines(name, inner, depth + 1)
        rest = node.get("additionalProperties")
        if isinstance(rest, dict):
            yield from _lines("[any key]", rest, depth + 1)
        elif rest:
            yield f"{indent}  ..."
        yield f"{indent}}}{' | null' if 'null' in node['type'] else ''}"
    elif "anyOf" in node and any("properties" in option for option in node["anyOf"]):
        for number, option in enumerate(node["anyOf"]):
            if number:
                yield f"{indent}or"
            yield from _lines(key, option, depth)
    else:
        yield from _beside(f"{label}{type_words(node)}", node)


def _beside(words: str, node: Schema) -> Iterator[str]:
    """The meaning beside the words, or below them where they are long."""
    meaning = node.get("description", "") if "title" not in node else ""
    if not meaning:
        yield words
        return
    lines = textwrap.wrap(meaning, WIDTH - MEANING_AT)
    if len(words) >= MEANING_AT:
        yield words
    else:
        yield f"{words:{MEANING_AT}}{lines.pop(0)}"
    yield from (" " * MEANING_AT + line for line in lines)


def _scalar_words(word: str, node: Schema) -> str:
    if word == "array":
        return f"[ {type_words(node['items'])} ]"
    if word == "string" and "pattern" in node:
        return f"string /{node['pattern']}/"
    if word in ("integer", "number") and "maximum" in node:
        return f"{word} {node['minimum']}..{node['maximum']}"
    if word in ("integer", "number") and "minimum" in node:
        return f"{word} >= {node['minimum']}"
    return word


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
