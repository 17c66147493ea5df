"""The page people read at ``/docs``: an OpenAPI document as one HTML page, complete in itself, without scripts or the internet."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from contracts import registry
from contracts.outline import type_words
from contracts.registry import Schema

PAGE = Path(__file__).with_name("docs_page.html")
_TEMPLATE = PAGE.read_text(encoding="utf-8")
_STYLE = _TEMPLATE.partition("<style>")[2].partition("</style>")[0]
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser lets the page do (Content Security Policy): show its own style, and nothing else."""


def docs_page(style: str) -> str:
    """The page of our own document, in that style of answer."""
    return page_of(registry.openapi(style))


def page_of(openapi: Schema) -> str:
    """The page of an OpenAPI document that was derived here."""
    operations = [
        (method.upper(), path, operation)
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
    ]
    types = openapi["components"]["schemas"]
    contents = [(operation["operationId"], f"{method} {path}") for method, path, operation in operations]
    return Template(_TEMPLATE).substitute(
        title=escape(openapi["info"]["title"]),
        version=escape(openapi["info"]["version"]),
        style=escape(openapi["x-answer-style"]),
        base=escape(openapi["servers"][0]["url"]),
        description=_prose(openapi["info"]["description"]),
        contents="".join(
            f'<li><a href="#{name}"><code>{escape(text)}</code></a></li>'
            for name, text in [*contents, ("types", "Types")]
        ),
        operations="\n".join(_operation(method, path, operation) for method, path, operation in operations),
        types="\n".join(_type(name, schema) for name, schema in types.items()),
    )


def _operation(method: str, path: str, operation: Schema) -> str:
    parts = [
        f'<section aria-labelledby="{operation["operationId"]}">',
        f'<h2 id="{operation["operationId"]}"><code>{method} {escape(path)}</code></h2>',
        f"<p><strong>{_prose(operation['summary'])}</strong> <span class=soft>{operation['operationId']}</span></p>",
    ]
    if "description" in operation:
        parts.append(f"<p>{_prose(operation['description'])}</p>")
    rows = [
        [
            f"<code>{escape(parameter['name'])}</code>",
            _type_link(parameter["schema"]),
            parameter["in"] + ("" if parameter["required"] else ", optional"),
            _prose(parameter["description"]),
        ]
        for parameter in operation["parameters"]
    ]
    parts += ["<h3>Parameters</h3>", _table(["Parameter", "Type", "In", "Meaning"], rows)]
    parts += [_response(status, response) for status, response in operation["responses"].items()]
    return "\n".join([*parts, "</section>"])


def _response(status: str, response: Schema) -> str:
    content = response["content"]["application/json"]
    parts = [
        f'<h3 class="{"good" if status < "400" else "bad"}">{status}</h3>',
        f"<p>{_prose(response['description'])}</p>",
    ]
    for name, header in response.get("headers", {}).items():
        parts.append(f"<p>Header <code>{escape(name)}</code>: {_prose(header['description'])}</p>")
    if status < "400":
        parts.append(_fields(content["schema"]))
    else:
        rows = [
            [
                f"<code>{escape(body['properties']['code']['const'])}</code>",
                f"<code>{escape(message['x-message'])}</code>",
            ]
            for body in content["schema"].get("anyOf", [content["schema"]])
            for message in body["properties"]["message"].get("anyOf", [body["properties"]["message"]])
        ]
        parts.append(_table(["Code", "Message"], rows))
    examples = content.get("examples", {"": {"value": content.get("example")}})
    for example in examples.values():
        text = escape(json.dumps(example["value"], indent=2, ensure_ascii=False))
        parts.append(f"<details><summary>Example</summary><pre>{text}</pre></details>")
    return "\n".join(parts)


def _type(name: str, schema: Schema) -> str:
    parts = [f'<h3 id="type-{name}"><code>{name}</code></h3>', f"<p>{_prose(schema.get('description', ''))}</p>"]
    if "properties" in schema:
        parts.append(_fields(schema))
    else:
        parts.append(f"<p><code>{escape(type_words(schema))}</code></p>")
    return "\n".join(parts)


def _fields(schema: Schema) -> str:
    rows = [
        [f"<code>{escape(path)}</code>", _type_link(node), _prose(node.get("description", ""))]
        for path, node in _walk(schema, "")
    ]
    return _table(["Key", "Type", "Meaning"], rows)


def _walk(node: Schema, at: str) -> Iterator[tuple[str, Schema]]:
    """Every key below, down to types that have a name: those are told in their own place."""
    for key, inner in node.get("properties", {}).items():
        path = f"{at}.{key}" if at else key
        yield path, inner
        yield from _walk(inner, path)


def _type_link(node: Schema) -> str:
    text = escape(_words(node))
    for name in sorted(set(_names(node))):
        text = re.sub(rf"\b{name}\b", f'<a href="#type-{name}">{name}</a>', text)
    return f"<code>{text}</code>"


def _words(node: Schema) -> str:
    if "object" not in node.get("type", ()):
        return type_words(node)
    rest = node.get("additionalProperties")
    words = f"object of {type_words(rest)}" if isinstance(rest, dict) else "object"
    return f"{words} | null" if "null" in node["type"] else words


def _names(node: Schema) -> Iterator[str]:
    if "$ref" in node:
        yield node["$ref"].rpartition("/")[2]
    for inner in (*node.get("anyOf", ()), node.get("items"), node.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _names(inner)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return (
        f"<table><thead><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr></thead>"
        f"<tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"
    )


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
