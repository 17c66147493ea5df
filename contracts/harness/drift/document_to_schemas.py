"""Document to schemas: files that are not as api.md says, and in what: the promise itself, or only its wording."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.body import BadDocument, Object
from contracts.derive import derived_files, stale
from contracts.document import read
from contracts.harness.drift.findings import Compared, Comparison, Finding, distinct
from contracts.harness.drift.sides import Json
from contracts.harness.lines import Lines
from contracts.harness.shown import shown
from contracts.model import STYLES, Document

COMPARISON = Comparison.DOCUMENT_SCHEMAS
WORDING = frozenset({"description", "title", "summary", "examples", "example"})
_NAMED = re.compile(r".*/(?:\$defs|schemas)/([^/]+)(.*)")
_ANSWER = re.compile(r".*/paths/(/.*?)/get/responses/(\d+)/content/.*?/schema(.*)")


def compare(folder: Path) -> Compared:
    """``folder`` holds api.md and what is derived from it."""
    try:
        document = read(folder / "api.md")
    except (BadDocument, OSError, UnicodeDecodeError) as error:
        broken = Finding(
            COMPARISON, "unreadable", "api.md", f"the document cannot be read: {error}", "contracts/api.md"
        )
        return Compared(COMPARISON, "a document that cannot be read", (broken,))
    files = derived_files(document)
    looked_at = f"api.md, {len(document.operations)} endpoints, and {len(files)} files derived from it"
    return Compared(COMPARISON, looked_at, distinct(_findings(document, files, folder)))


def _findings(document: Document, files: dict[str, str], folder: Path) -> Iterator[Finding]:
    for name, how in stale(document, folder).items():
        if how != "stale":
            what = "is derived from nothing" if how == "extra" else "is missing"
            yield Finding(COMPARISON, how, name, f"{name} {what}", "restserver contract derive", (name,))
            continue
        try:
            committed: Json = json.loads((folder / name).read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            yield Finding(
                COMPARISON, "unreadable", name, f"{name} cannot be read: {error}", "restserver contract derive"
            )
            continue
        differences = list(_differences(json.loads(files[name]), committed, ""))
        for pointer, ours, theirs in differences:
            yield _finding(document, folder, name, pointer, ours, theirs)
        if not differences:
            what = f"{name} says the same in other bytes"
            yield Finding(COMPARISON, "layout", name, what, "restserver contract derive", (name,))


_NOT_THERE = object()


def _differences(ours: Json, theirs: Json, at: str) -> Iterator[tuple[str, Json, Json]]:
    """Pointer, what the document says, what the file says."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from _differences(ours.get(key, _NOT_THERE), theirs.get(key, _NOT_THERE), f"{at}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for position, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _differences(one, other, f"{at}/{position}")
    elif ours != theirs:
        yield at, ours, theirs


def _finding(document: Document, folder: Path, name: str, pointer: str, ours: Json, theirs: Json) -> Finding:
    owner, rest = _owner(document, name, pointer)
    keys = [_key(part) for part in rest.split("/") if part and part != "properties"]
    path = ".".join(map(str, keys)).replace(".0", "[]")
    rule = "wording" if any(key in WORDING for key in keys) else "schema"
    what = f"{owner} {path}: the document says {_said(ours)}, the schema {_said(theirs)}"
    place = f"contracts/api.md:{_line(document, folder, owner, keys)}"
    return Finding(COMPARISON, rule, f"{owner}.{path}", what, place, (name,))


def _owner(document: Document, name: str, pointer: str) -> tuple[str, str]:
    """What a place in a file is about: a type with a name, else an answer of an operation; and the place within."""
    if named := _NAMED.fullmatch(pointer):
        return named[1], named[2]
    if answer := _ANSWER.fullmatch(pointer):
        shape = re.sub(r":(\w+)", r"{\1}", answer[1])
        found = next(
            (one.id for one in document.operations if shape.endswith(re.sub(r":(\w+)", r"{\1}", one.path))), shape
        )
        return found, answer[3]
    return name.split("/")[-1].split(".")[0], pointer


def _key(part: str) -> str | int:
    """As a path in an answer has it."""
    return 0 if part == "items" else "*" if part == "additionalProperties" else part


def _said(value: Json) -> str:
    return "nothing" if value is _NOT_THERE else shown(value)


def _line(document: Document, folder: Path, owner: str, keys: Sequence[str | int]) -> int:
    """Of the field, else of the type or the endpoint."""
    named = document.types.get(owner)
    if named is not None:
        fields: dict[str, int] = {}
        if isinstance(named.type, Object):
            for style in STYLES:
                fields |= {key: entry.line for key, entry in document.fields(named.type, style)}
        return next((fields[key] for key in keys if isinstance(key, str) and key in fields), named.line)
    operation = next((one for one in document.operations if one.id == owner), None)
    if operation is None:
        return 1
    found = (Lines(style, folder / "api.md").of_field(owner, operation.status, keys) for style in STYLES)
    return max((line for line in found if line is not None), default=operation.line)
