"""The promises as programs ask for them: a schema, a validator, the names of an answer, by operation, status and style.

Reads the derived files that lie beside this module, each once, when first asked for. jsonschema is imported only when a
validator is.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Schema: TypeAlias = dict[str, Any]  # JSON of any shape; every reader of it looks before it leaps

FOLDER = Path(__file__).parent
OPERATIONS = ("getJob", "getAttempt", "getAttempts", "getVersions")
ANY_PATH = "anyPath"
"""Taken like an operation: answers that belong to no endpoint, such as 404 for an unknown path."""
STYLES = ("documented", "portal")
ONLY_WITH = "x-only-with"
"""Of an answer: the setting without which no server gives it."""


class Message(Struct, frozen=True):
    code: str
    template: str
    """With placeholders: ``Job $jobName is not found.``"""
    pattern: str
    """What the text, placeholders filled in, matches."""


@cache
def statuses(operation: str) -> tuple[int, ...]:
    """Statuses promised for an operation, ascending; the same in both styles."""
    found = sorted(int(path.name.split(".")[1]) for path in FOLDER.glob(f"schemas/{STYLES[0]}/{operation}.*.json"))
    if not found:
        raise KeyError(operation)
    return tuple(found)


def only_with(operation: str, status: int) -> str:
    """The setting without which no server gives that answer; empty for all but a few. The same in both styles."""
    return str(schema(operation, status, STYLES[0]).get(ONLY_WITH, ""))


@cache
def schema(operation: str, status: int, style: str) -> Schema:
    """The JSON Schema of one answer. Raises ``KeyError`` if no such answer is promised. Do not change it: it is kept."""
    if style not in STYLES or status not in statuses(operation):
        raise KeyError((operation, status, style))
    return _read(f"schemas/{style}/{operation}.{status}.json")


@cache
def validator(operation: str, status: int, style: str) -> "Draft202012Validator":
    from contracts.validators import EcmaValidator  # a quarter of a second that a server need not spend

    return EcmaValidator(schema(operation, status, style))


@cache
def openapi(style: str) -> Schema:
    """The OpenAPI document of a style. Do not change it: it is kept."""
    if style not in STYLES:
        raise KeyError(style)
    return _read(f"openapi.{style}.json")


@cache
def openapi_text(style: str) -> bytes:
    """The same as committed, byte by byte."""
    if style not in STYLES:
        raise KeyError(style)
    return (FOLDER / f"openapi.{style}.json").read_bytes()


def messages(operation: str, style: str) -> Mapping[int, tuple[Message, ...]]:
    """Every error an operation promises: status to its codes and messages."""
    found: dict[int, tuple[Message, ...]] = {}
    for status in statuses(operation):
        if status >= 400:
            whole = schema(operation, status, style)
            found[status] = tuple(_messages(whole))
    return found


def field_paths(operation: str, style: str, status: int = 200) -> tuple[str, ...]:
    """Every key of an answer: ``jobStatus.retryDetails.user``, ``taskRoles.*.taskStatuses[].taskIndex``.

    ``*`` is any key, ``[]`` any item.
    """
    whole = schema(operation, status, style)
    return tuple(_paths(whole, whole, ""))


def _messages(whole: Schema) -> Iterator[Message]:
    for body in whole.get("anyOf", [whole]):
        message = body["properties"]["message"]
        for one in message.get("anyOf", [message]):
            yield Message(body["properties"]["code"]["const"], one["x-message"], one["pattern"])


def _paths(node: Schema, whole: Schema, at: str) -> Iterator[str]:
    if "$ref" in node:
        yield from _paths(whole["$defs"][node["$ref"].rpartition("/")[2]], whole, at)
    for option in node.get("anyOf", ()):
        yield from _paths(option, whole, at)
    for key, inner in node.get("properties", {}).items():
        path = f"{at}.{key}" if at else key
        yield path
        yield from _paths(inner, whole, path)
    if isinstance(node.get("additionalProperties"), dict):
        yield f"{at}.*"
        yield from _paths(node["additionalProperties"], whole, f"{at}.*")
    if "items" in node:
        yield f"{at}[]"
        yield from _paths(node["items"], whole, f"{at}[]")


def _read(name: str) -> Schema:
    found: Schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found
