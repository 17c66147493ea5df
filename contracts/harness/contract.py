"""The contract a server is judged by, as an OpenAPI document tells it: ours of one style, or another of the same API.

Operations are known by the shape of their paths, so that another document may call its parameters and operations
otherwise. Whatever a document says more than ours is judged as it says; what it leaves open stays open.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

from contracts import registry
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS
from contracts.pointers import DanglingReference, followed

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Schema: TypeAlias = dict[str, Any]
"""JSON of any shape, as in the registry."""

ANY_PATH: Final = registry.ANY_PATH
SHAPES: Final[Mapping[tuple[str, ...], str]] = {
    ("jobs", "*"): GET_JOB,
    ("frameworks", "*", "attempts", "*"): GET_ATTEMPT,
    ("frameworks", "*", "attempts"): GET_ATTEMPTS,
    ("frameworks", "*", "versions"): GET_VERSIONS,
}
EXTRA_KEYS: Final = "extra-keys"
USUAL_BASE: Final = "/api/v2"


class BadContract(ValueError):
    """A document that is no OpenAPI document of this API. One line."""


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    role: str
    """``name``, ``attempt`` or ``version``: what it means, whatever it is called."""
    pattern: re.Pattern[str] | None

    def allows(self, text: str) -> bool:
        return self.pattern is None or (self.pattern.search(text) is not None and not text.endswith("\n"))


@dataclass(frozen=True)
class Error:
    """One error body a status promises; ``template`` has placeholders: ``Job $jobName is not found.``"""

    code: str
    template: str


@dataclass(frozen=True)
class Response:
    status: int
    media_types: tuple[str, ...]
    required_headers: tuple[str, ...]
    schema: Schema = field(hash=False)
    """Complete in itself."""
    only_with: str = ""
    """The setting without which no server gives this answer; a server may have it."""

    @cached_property
    def validator(self) -> "Draft202012Validator":
        from contracts.validators import EcmaValidator

        return EcmaValidator(self.schema)

    @cached_property
    def errors(self) -> tuple[Error, ...]:
        return tuple(_errors(self.schema))


@dataclass(frozen=True)
class Operation:
    id: str
    path: str
    """As in the document: ``/jobs/{jobName}``."""
    parameters: tuple[Parameter, ...]
    responses: Mapping[int, Response] = field(hash=False)

    def parameter(self, role: str) -> Parameter | None:
        return next((one for one in self.parameters if one.role == role), None)


@dataclass(frozen=True)
class Contract:
    style: str
    base: str
    """Path before every path of an operation: ``/api/v2``."""
    operations: Mapping[str, Operation]
    any_path: Mapping[int, Response]
    """Answers of no endpoint; empty where the document does not speak of them."""
    openapi: Schema
    """What cases are generated from."""
    is_ours: bool
    source: str
    tolerate: tuple[str, ...] = ()

    def response(self, operation: str, status: int) -> Response | None:
        found = self.any_path if operation == ANY_PATH else self.operations[operation].responses
        return found.get(status)

    def only_configured(self, operation: str) -> frozenset[int]:
        """Statuses that a server may give to any request, if it is configured so."""
        found = self.any_path if operation == ANY_PATH else self.operations[operation].responses
        return frozenset(status for status, response in found.items() if response.only_with)

    def path_of(self, operation: str, name: str, attempt: str = "", version: str | None = None) -> str:
        """The target of an operation; the values are already percent-encoded."""
        values = {"name": name, "attempt": attempt}
        path = self.base + self.operations[operation].path
        for parameter in self.operations[operation].parameters:
            if parameter.place == "path":
                path = path.replace(f"{{{parameter.name}}}", values[parameter.role])
        return path if version is None else f"{path}?version={version}"


def our_contract(style: str, tolerate: Sequence[str] = ()) -> Contract:
    any_path = {
        status: _response(
            status,
            registry.schema(ANY_PATH, status, style),
            {},
            ("application/json",),
            _required(status),
            tolerate,
            registry.only_with(ANY_PATH, status),
        )
        for status in registry.statuses(ANY_PATH)
    }
    return _contract(registry.openapi(style), style, any_path, "api.md", tuple(tolerate), is_ours=True)


def contract_of_file(path: Path, style: str, tolerate: Sequence[str] = ()) -> Contract:
    """Raises :class:`BadContract`, ``OSError``."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else YAML(typ="safe", pure=True).load(text)
    except (ValueError, YAMLError, RecursionError) as error:  # a day that no calendar has is a ValueError
        raise BadContract(f"{path} is neither JSON nor YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise BadContract(f"{path} is no OpenAPI 3 document")
    try:
        return _contract(document, style, {}, path.name, tuple(tolerate), is_ours=False)
    except DanglingReference as error:
        raise BadContract(f"{path} cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise BadContract(f"{path} cannot be read: {type(error).__name__} {error}") from error


def _contract(
    document: Schema,
    style: str,
    any_path: Mapping[int, Response],
    source: str,
    tolerate: tuple[str, ...],
    *,
    is_ours: bool,
) -> Contract:
    document, base = _based(document)
    operations: dict[str, Operation] = {}
    for path, item in document["paths"].items():
        shape = tuple("*" if part.startswith("{") else part for part in path.strip("/").split("/"))
        if shape in SHAPES and "get" in item:
            operations[SHAPES[shape]] = _operation(document, SHAPES[shape], path, item, is_ours, tolerate)
    missing = [identity for identity in SHAPES.values() if identity not in operations]
    if missing:
        raise BadContract(f"{source} does not describe all of this API: {', '.join(missing)} is missing")
    return Contract(style, base, operations, any_path, document, is_ours, source, tolerate)


def _based(document: Schema) -> tuple[Schema, str]:
    """The document with its paths below the base path, whether it has that in its server or in each path; and the base."""
    servers = document.get("servers")
    base = urlsplit(servers[0]["url"]).path.rstrip("/") if servers else ""
    if all(path.startswith(f"{USUAL_BASE}/") for path in document["paths"] if "{" in path):
        paths = {path.removeprefix(USUAL_BASE): item for path, item in document["paths"].items()}
        return {**document, "paths": paths}, base + USUAL_BASE
    return document, base if servers else USUAL_BASE


def _operation(
    document: Schema, identity: str, path: str, item: Schema, is_ours: bool, tolerate: tuple[str, ...]
) -> Operation:
    raw = item["get"]
    parameters = [followed(one, document) for one in (*item.get("parameters", ()), *raw.get("parameters", ()))]
    in_path = re.findall(r"{([^}]+)}", path)
    roles = dict(zip(in_path, ("name", "attempt"), strict=False)) | {"version": "version"}
    found = tuple(
        Parameter(one["name"], one["in"], roles[one["name"]], _pattern(document, one.get("schema", {})))
        for one in parameters
        if one["in"] in ("path", "query") and one["name"] in roles
    )
    responses = {
        int(status): _of_document(document, int(status), followed(one, document), is_ours, tolerate)
        for status, one in raw["responses"].items()
        if status.isdigit()
    }
    return Operation(identity, path, found, responses)


def _of_document(document: Schema, status: int, raw: Schema, is_ours: bool, tolerate: tuple[str, ...]) -> Response:
    content = raw.get("content", {})
    media: Schema = next((one for name, one in content.items() if "json" in name), {})
    required = tuple(
        name for name, one in raw.get("headers", {}).items() if followed(one, document).get("required") is True
    )
    if is_ours:
        required = _required(status)
    components = {"components": document.get("components", {})}
    only_with = str(raw.get(registry.ONLY_WITH, ""))
    return _response(status, media.get("schema", {}), components, tuple(content), required, tolerate, only_with)


_REQUIRED_HEADERS: Final = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",)}


def _required(status: int) -> tuple[str, ...]:
    """Of the headers the document names, those that an answer cannot do without."""
    return _REQUIRED_HEADERS.get(status, ())


def _response(
    status: int,
    schema: Schema,
    more: Schema,
    media_types: tuple[str, ...],
    headers: tuple[str, ...],
    tolerate: Sequence[str],
    only_with: str = "",
) -> Response:
    whole = {**schema, **more}
    tolerant = EXTRA_KEYS in tolerate
    return Response(status, media_types, headers, _readable(whole, tolerant), only_with)


def _readable(node: Any, tolerant: bool) -> Any:
    """``nullable`` of OpenAPI 3.0 in the words of JSON Schema; extra keys allowed if they are to be tolerated."""
    if isinstance(node, list):
        return [_readable(one, tolerant) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: _readable(value, tolerant) for key, value in node.items()}
    if tolerant and found.get("additionalProperties") is False:
        del found["additionalProperties"]
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found


def _pattern(document: Schema, schema: Schema) -> re.Pattern[str] | None:
    found = followed(schema, document)
    if found.get("type") == "integer":
        return re.compile(r"^-?[0-9]+$")
    return re.compile(found["pattern"]) if "pattern" in found else None


def _errors(schema: Schema) -> Iterator[Error]:
    for body in schema.get("anyOf", [schema]):
        properties = body.get("properties", {})
        code = properties.get("code", {}).get("const")
        message = properties.get("message", {})
        for one in message.get("anyOf", [message]):
            if code is not None and "x-message" in one:
                yield Error(code, one["x-message"])
