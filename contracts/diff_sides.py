"""One side of a comparison: an api.md, an OpenAPI document (JSON), or a git revision, as OpenAPI documents by style.

What cannot be read is one error that names the side, never a guess.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from jsonschema import Draft202012Validator

from contracts.body import BadDocument
from contracts.document import read_text
from contracts.openapi import openapi
from contracts.registry import STYLES, Schema

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
Side: TypeAlias = Mapping[str, Schema]
"""Style to OpenAPI document; the style is empty where the document does not say one."""

_OPERATION = {
    "type": "object",
    "required": ["responses"],
    "properties": {
        "parameters": {"items": {"type": "object", "anyOf": [{"required": ["$ref"]}, {"required": ["name", "in"]}]}},
        "responses": {"type": "object", "additionalProperties": {"type": "object"}},
    },
}
READABLE = {
    "type": "object",
    "required": ["openapi", "paths"],
    "properties": {
        "paths": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": dict.fromkeys(METHODS, _OPERATION),
            },
        },
        "servers": {"items": {"required": ["url"]}},
    },
}
"""What a comparison counts on; the rest of an OpenAPI document may be as it likes."""


class UnreadableSide(Exception):
    def __init__(self, side: str, says: str) -> None:
        super().__init__(f"{side}: {says}")


def side(name: str, folder: Path) -> Side:
    """``name`` is a file if there is one called so, otherwise a revision of the repository that ``folder`` is in."""
    path = Path(name)
    if not path.is_file():
        return _of_document(_at_revision(name, folder), name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSide(name, str(error)) from error
    return _of_openapi(text, name) if path.suffix == ".json" else _of_document(text, name)


def in_common(old: Side, new: Side) -> list[tuple[str, Schema, Schema]]:
    """Pairs to compare: of the same style, and a document without a style with the usual one of the other side."""
    if shared := [style for style in (*STYLES, "") if style in old and style in new]:
        return [(style, old[style], new[style]) for style in shared]
    (first, *_), (second, *_) = old, new
    if "" not in (first, second):
        raise UnreadableSide("the two sides", f"one has the style {first}, the other the style {second}")
    return [(first or second, old[first], new[second])]


def _of_document(text: str, name: str) -> Side:
    try:
        document = read_text(text, name)
    except BadDocument as error:
        raise UnreadableSide(name, str(error)) from error
    # Through JSON, so that it is exactly what a file of it would hold.
    return {style: json.loads(json.dumps(openapi(document, style))) for style in STYLES}


def _of_openapi(text: str, name: str) -> Side:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableSide(name, f"this is no JSON: {error}") from error
    for wrong in Draft202012Validator(READABLE).iter_errors(found):
        raise UnreadableSide(name, f"this is no OpenAPI document: {wrong.json_path}: {wrong.message[:200]}")
    return {str(found.get("x-answer-style", "")): found}


def _at_revision(revision: str, folder: Path) -> str:
    git = shutil.which("git")
    if git is None:
        raise UnreadableSide(revision, "there is no such file, and no git to ask for a revision")
    asked = [git, "-C", str(folder), "show", "--end-of-options", f"{revision}:./api.md"]
    done = subprocess.run(asked, capture_output=True, check=False)  # noqa: S603 # git itself, and the revision is no option
    if done.returncode:
        says = (done.stderr.decode(errors="replace").strip().splitlines() or ["git does not say why"])[0]
        raise UnreadableSide(revision, f"there is no such file, and as a revision: {says}")
    return done.stdout.decode("utf-8", errors="replace")
