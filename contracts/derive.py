"""The API document as JSON Schemas (2020-12) and OpenAPI 3.1: everything a program reads of it, and whether that is stale.

One schema per operation, status and style, each complete in itself; the same bytes whenever and wherever they are derived.
Objects are closed unless the document opens them with ``...``. ``x-message`` keeps the template that a message's pattern was
made of, ``x-only-with`` the setting without which no server gives the answer.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from contracts.body import Array, BadDocument, Field, Literal, Map, Notes, Object, Ref, Scalar, Type, Union
from contracts.model import PLACEHOLDER, STYLES, Document, Failure
from contracts.samples import has_own_example

Json = dict[str, object]

ANY_PATH = "anyPath"
"""Stands for an operation where a failure belongs to no endpoint."""
DEFS = "#/$defs/"
SPECIAL = frozenset(r"\^$.|?*+()[]{}")


def derived_files(document: Document) -> dict[str, str]:
    """Every derived file: path below the package to content."""
    from contracts.openapi import openapi  # it is made of the functions here

    files = {f"openapi.{style}.json": _text(openapi(document, style)) for style in STYLES}
    for style in STYLES:
        for operation, status in promised(document):
            files[f"schemas/{style}/{operation}.{status}.json"] = _text(schema(document, operation, status, style))
    return files


def promised(document: Document) -> list[tuple[str, int]]:
    """Every (operation, status) the document promises."""
    pairs = {(o.id, status) for o in document.operations for status in (o.status, *(f.status for f in o.failures))}
    return sorted(pairs | {(ANY_PATH, failure.status) for failure in document.shared})


def failures(document: Document, operation: str, status: int, style: str) -> list[Failure]:
    rows = (
        document.shared if operation == ANY_PATH else next(o.failures for o in document.operations if o.id == operation)
    )
    return [row for row in rows if row.status == status and style in row.styles]


def schema(document: Document, operation: str, status: int, style: str) -> Json:
    """The schema of one answer, complete in itself."""
    head: Json = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:restserver:contract:{style}:{operation}:{status}",
        "title": f"{operation} {status} ({style})",
    }
    found = next((o for o in document.operations if o.id == operation and o.status == status), None)
    if found is None:
        rows = failures(document, operation, status, style)
        return head | only_with(rows) | failure_schema(document, rows)
    body = type_schema(document, found.body, style, DEFS)
    definitions: Json = {
        name: named_schema(document, name, style, DEFS) for name in reached(document, found.body, style)
    }
    return head | {"description": found.summary} | body | ({"$defs": definitions} if definitions else {})


def reached(document: Document, found: Type, style: str) -> list[str]:
    """Names of the types that one is made of in that style, in the document's order; spread ones are written out."""
    names: set[str] = set()
    waiting = [found]
    while waiting:
        match waiting.pop():
            case Ref(name=name) if name not in names:
                names.add(name)
                if inner := document.types[name].type:
                    waiting.append(inner)
            case Object() as body:
                waiting += [entry.type for _, entry in document.fields(body, style)]
            case Map(value=inner) | Array(items=inner):
                waiting.append(inner)
            case Union(options=options):
                waiting += options
            case _:
                pass
    return [name for name in document.types if name in names]


def type_schema(document: Document, found: Type, style: str, refs: str) -> Json:
    """``refs`` is where schemas with a name are: ``#/$defs/``."""
    match found:
        case Scalar():
            return _scalar_schema(found)
        case Literal():
            return {"const": found.value}
        case Ref():
            return {"$ref": f"{refs}{found.name}"}
        case Object():
            fields = dict(document.fields(found, style))
            return {
                "type": "object",
                "properties": {key: _field_schema(document, entry, style, refs) for key, entry in fields.items()},
                "required": list(fields),
                "additionalProperties": found.open,
            }
        case Map():
            return {"type": "object", "additionalProperties": type_schema(document, found.value, style, refs)}
        case Array():
            return {"type": "array", "items": type_schema(document, found.items, style, refs)}
        case Union():
            return _union_schema([type_schema(document, option, style, refs) for option in found.options])


def named_schema(document: Document, name: str, style: str, refs: str) -> Json:
    named = document.types[name]
    if named.type:
        return _described(type_schema(document, named.type, style, refs), named.notes)
    meanings = "; ".join(f"{value}: {meaning}" for value, meaning in named.values.items())
    notes = Notes(f"{named.notes.text}. {meanings}", named.notes.example)
    return _described({"type": "string", "enum": list(named.values)}, notes)


def failure_schema(document: Document, rows: Iterable[Failure]) -> Json:
    """The error body of one status: one closed object per code, one pattern per message."""
    objects: list[Json] = []
    by_code: dict[str, list[Failure]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    for code, same in by_code.items():
        messages: list[Json] = [
            {"type": "string", "pattern": message_pattern(document, row.message), "x-message": row.message}
            for row in same
        ]
        objects.append(
            {
                "description": " ".join(row.when for row in same),
                "type": "object",
                "properties": {"code": {"const": code}, "message": _one_or_any(messages)},
                "required": ["code", "message"],
                "additionalProperties": False,
            }
        )
    return _one_or_any(objects)


def only_with(rows: Iterable[Failure]) -> Json:
    """Of the failures of one status, which come with a setting together or not at all."""
    settings = {row.only_with for row in rows if row.only_with}
    return {"x-only-with": ", ".join(sorted(settings))} if settings else {}


def message_pattern(document: Document, message: str) -> str:
    """A regular expression (of JavaScript and Python alike) for the whole message."""
    parts: list[str] = []
    end = 0
    for found in PLACEHOLDER.finditer(message):
        parts += [_literally(message[end : found.start()]), f"(?:{document.placeholders[found.group()].pattern})"]
        end = found.end()
    return f"^{''.join(parts)}{_literally(message[end:])}$"


def check_examples(document: Document) -> None:
    """Raises :class:`BadDocument` where an example is not of the type it stands beside."""
    for named in document.types.values():
        _check_example(document, named_schema(document, named.name, "portal", DEFS), named.notes, named.line)
        if isinstance(named.type, Object):
            _check_examples_in(document, named.type)
    for operation in document.operations:
        _check_examples_in(document, operation.body)
        for parameter in operation.parameters:
            found = type_schema(document, parameter.type, "portal", DEFS)
            _check_example(document, found, parameter.notes, parameter.line)


def write(document: Document, folder: Path) -> list[str]:
    """Writes what is stale or missing and removes what is no longer derived; says which files that were."""
    changed = stale(document, folder)
    files = derived_files(document)
    for name in changed:
        path = folder / name
        if name in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return list(changed)


def stale(document: Document, folder: Path) -> dict[str, str]:
    """Files that are not as the document says, and what is wrong with each: ``stale``, ``missing`` or ``extra``."""
    files = derived_files(document)
    wrong: dict[str, str] = {}
    for name, text in files.items():
        path = folder / name
        if not path.is_file():
            wrong[name] = "missing"
        elif path.read_bytes() != text.encode():
            wrong[name] = "stale"
    there = {
        p.relative_to(folder).as_posix() for p in (*folder.glob("schemas/**/*.json"), *folder.glob("openapi.*.json"))
    }
    return dict(sorted((wrong | dict.fromkeys(there - files.keys(), "extra")).items()))


def _field_schema(document: Document, entry: Field, style: str, refs: str) -> Json:
    return _described(type_schema(document, entry.type, style, refs), entry.notes)


def _described(found: Json, notes: Notes) -> Json:
    head: Json = {"description": notes.text} if notes.text else {}
    return head | found | ({"examples": [notes.example]} if has_own_example(notes) else {})


def _scalar_schema(found: Scalar) -> Json:
    parts = {"minimum": found.minimum, "maximum": found.maximum, "pattern": found.pattern}
    return {"type": found.word} | {key: value for key, value in parts.items() if value is not None}


def _union_schema(options: list[Json]) -> Json:
    """``integer >= 0 | null`` becomes one schema of two types, as people would write it; anything else an ``anyOf``."""
    others = [option for option in options if option != {"type": "null"}]
    if len(others) == 1 and len(options) == 2 and isinstance(others[0].get("type"), str):
        return others[0] | {"type": [others[0]["type"], "null"]}
    return {"anyOf": options}


def _one_or_any(options: list[Json]) -> Json:
    return options[0] if len(options) == 1 else {"anyOf": options}


def _literally(text: str) -> str:
    return "".join(f"\\{c}" if c in SPECIAL else c for c in text)


def _check_examples_in(document: Document, body: Object) -> None:
    for _, entry in document.fields(body, "portal"):
        found = type_schema(document, entry.type, "portal", DEFS)
        _check_example(document, found, entry.notes, entry.line)
        if isinstance(entry.type, Object):
            _check_examples_in(document, entry.type)


def _check_example(document: Document, found: Json, notes: Notes, line: int) -> None:
    from jsonschema import Draft202012Validator  # heavy, and only needed here

    if not has_own_example(notes):
        return
    definitions = {name: named_schema(document, name, "portal", DEFS) for name in document.types}
    for error in Draft202012Validator(found | {"$defs": definitions}).iter_errors(notes.example):
        raise BadDocument(line, f"the example {json.dumps(notes.example)} does not fit: {error.message}")


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
