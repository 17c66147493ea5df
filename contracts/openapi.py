"""The OpenAPI 3.1 document of one style, its examples included."""

from contracts.body import NO_EXAMPLE
from contracts.derive import Json, failure_schema, failures, named_schema, only_with, reached, type_schema
from contracts.model import Document, Failure, Operation, Parameter
from contracts.samples import error_sample, sample

REFS = "#/components/schemas/"
BEARER = "bearer"
"""Name of the security scheme that 401 belongs to."""


def openapi(document: Document, style: str) -> Json:
    names: set[str] = set()
    for operation in document.operations:
        names.update(reached(document, operation.body, style))
        for parameter in operation.parameters:
            names.update(reached(document, parameter.type, style))
    return {
        "openapi": "3.1.0",
        "info": {"title": document.title, "version": document.version, "description": document.description},
        "x-answer-style": style,
        "servers": [{"url": document.base_path, "description": "this server"}],
        "paths": {
            _path(operation.path): {"get": _operation(document, operation, style)} for operation in document.operations
        },
        "components": {
            "schemas": {name: named_schema(document, name, style, REFS) for name in document.types if name in names},
            **_security_schemes(document),
        },
    }


def _security_schemes(document: Document) -> Json:
    """The document's 401 wants a bearer token; an operation may be called without where the server wants none."""
    when = [row.when for row in document.shared if row.status == 401]
    if not when:
        return {}
    return {"securitySchemes": {BEARER: {"type": "http", "scheme": "bearer", "description": " ".join(when)}}}


def _path(path: str) -> str:
    return "/".join(f"{{{part[1:]}}}" if part.startswith(":") else part for part in path.split("/"))


def _operation(document: Document, operation: Operation, style: str) -> Json:
    responses: Json = {str(operation.status): _success(document, operation, style)}
    for status in sorted({failure.status for failure in operation.failures}):
        rows = failures(document, operation.id, status, style)
        responses[str(status)] = _failure(document, rows)
    with_token: Json = {"security": [{}, {BEARER: []}]} if _security_schemes(document) else {}
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        **({"description": operation.description} if operation.description else {}),
        "parameters": [_parameter(document, parameter, style) for parameter in operation.parameters],
        "responses": responses,
        **with_token,
    }


def _parameter(document: Document, parameter: Parameter, style: str) -> Json:
    found: Json = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.notes.text,
        "schema": type_schema(document, parameter.type, style, REFS),
    }
    return found if parameter.notes.example is NO_EXAMPLE else found | {"example": parameter.notes.example}


def _success(document: Document, operation: Operation, style: str) -> Json:
    body = type_schema(document, operation.body, style, REFS)
    return _response(document, operation.status, operation.summary, body, [sample(document, operation.body, style)])


def _failure(document: Document, rows: list[Failure]) -> Json:
    setting = only_with(rows)
    when = " ".join(row.when for row in rows) + "".join(
        f" Only on a server with `{name}`." for name in setting.values()
    )
    examples: list[object] = [error_sample(document, row) for row in rows]
    return _response(document, rows[0].status, when, failure_schema(document, rows), examples) | setting


def _response(document: Document, status: int, description: str, body: Json, examples: list[object]) -> Json:
    headers: Json = {}
    for header in document.headers:
        if header.status == status:
            headers[header.name] = {"description": header.notes.text, "schema": {"type": "string"}}
    content: Json = {"schema": body}
    if len(examples) == 1:
        content["example"] = examples[0]
    else:
        content["examples"] = {f"example{number}": {"value": value} for number, value in enumerate(examples, 1)}
    return {
        "description": description,
        **({"headers": headers} if headers else {}),
        "content": {"application/json": content},
    }
