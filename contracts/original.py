"""Reads an API document as people write them: JavaScript-like bodies with comments, prose for values, commas forgotten.

What it gives is what such a document can be held to: endpoints, request lines, parameters, statuses, error codes and messages,
and the paths of keys. Values are not read, since what stands there is rarely one. Only a body whose braces make no sense is an
error, with its line; everything else that is not understood is prose.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from contracts.body import BadDocument
from contracts.markdown import Fence, Heading, Paragraph, blocks

GRAMMAR = r"""
start: value+
?value: object | array | text
object: "{" (pair | mark | ",")* "}"
pair: KEY ":" (value | ",")
mark: DOTS
array: "[" (value | ",")* "]"
text: (STRING | WORDS | DOTS)+

KEY.3: /("[^"\n]*"|'[^'\n]*'|\[[^\]\n]*\]|<[^>\n]*>|[\w$][\w$.\- ]*?)\??(?=[ \t]*:)/
STRING.2: /"(\\.|[^"\\])*"|'(\\.|[^'\\\n])*'|`[^`]*`/
DOTS.2: /\.\.\.|…/
WORDS: /([^\s{}\[\],"'`\/.…]|\/(?![\/*])|\.(?!\.\.))((?!\s\/\/|\s\/\*)[^{}\[\],\n])*/
COMMENT.4: /\/\/[^\n]*|\/\*([^*]|\*(?!\/))*\*\/|(?<=\s)#[^\n]*/
%ignore COMMENT
%ignore /[\s;]+/
"""
METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
REQUEST = re.compile(rf"^\s*({METHODS})\s+(\S+)", re.MULTILINE)
ENDPOINT = re.compile(rf"({METHODS})\s+(/\S*)")
STATUS = re.compile(
    r"^\s*(?:HTTP/[\d.]+\s+|Status(?:\s+code)?\s*:?\s*|HTTP\s+)?`?([1-5]\d\d)\b[^{\n]*$", re.MULTILINE | re.IGNORECASE
)
STATUS_IN_PROSE = re.compile(
    r"\W*(?:(?:status|response|returns?|http|errors?|success|failure)\b.*?)?(?<![\d.])([1-5]\d\d)\b", re.IGNORECASE
)
ABOUT_A_RESPONSE = re.compile(r"\W*(?:status|response|request)\b", re.IGNORECASE)
MOST_BRACES_FORGOTTEN = 8


@dataclass(frozen=True, order=True)
class Item:
    """One thing a document says."""

    line: int
    kind: str
    """``endpoint``, ``request``, ``parameter``, ``status``, ``code``, ``message`` or ``field``."""
    endpoint: str
    """``GET /jobs/:jobName``, without query and base path."""
    status: int | None
    name: str


def read(path: Path) -> list[Item]:
    """Everything that document says. Raises :class:`BadDocument`, ``OSError``, ``UnicodeDecodeError``."""
    return read_text(path.read_text(encoding="utf-8-sig"), path.name)


def read_text(text: str, source: str) -> list[Item]:
    items: dict[tuple[str, str, int | None, str], Item] = {}
    for item in _items(text, source):
        items.setdefault((item.kind, item.endpoint, item.status, item.name), item)
    if not items:
        raise BadDocument(1, "no endpoint is described here", source)
    return list(items.values())


def _items(text: str, source: str) -> Iterator[Item]:
    endpoint = ""
    status: int | None = None
    for block in blocks(text):
        match block:
            case Heading() if found := ENDPOINT.search((block.code or block.text).replace("`", "")):
                endpoint, status = f"{found[1]} {_path(found[2])}", None
                yield Item(block.line, "endpoint", endpoint, None, endpoint)
                yield from _parameters(block.line, endpoint, found[2])
            case Heading(level=1 | 2):  # another part of the document
                endpoint = ""
            case Heading() | Paragraph() if endpoint:
                spoken = STATUS_IN_PROSE.match(block.text)
                if spoken or ABOUT_A_RESPONSE.match(block.text):
                    status = int(spoken[1]) if spoken else None
                if spoken:
                    yield Item(block.line, "status", endpoint, status, spoken[1])
            case Fence() if endpoint:
                yield from _fence(block, endpoint, status, source)
            case _:
                pass


def _path(path: str) -> str:
    """Without the query; ``{name}`` and ``<name>`` as ``:name``."""
    return re.sub(r"[{<](\w+)[}>]", r":\1", path.partition("?")[0])


def _parameters(line: int, endpoint: str, path: str) -> Iterator[Item]:
    for part in path.partition("?")[2].split("&"):
        if name := part.partition("=")[0]:
            yield Item(line, "parameter", endpoint, None, name)


def _fence(fence: Fence, endpoint: str, status: int | None, source: str) -> Iterator[Item]:
    text, line = fence.text, fence.line + 1
    start = re.search(r"^\s*[{\[]", text, re.MULTILINE)
    head, body = (text[: start.start()], text[start.start() :]) if start else (text, "")
    for found in REQUEST.finditer(head):
        yield Item(
            line + head.count("\n", 0, found.start(1)), "request", endpoint, None, f"{found[1]} {_path(found[2])}"
        )
        yield from _parameters(line, endpoint, found[2])
        status = None
        if start:
            return  # the body of a request is no answer
    if said := STATUS.search(head):
        status = int(said[1])
        yield Item(line + head.count("\n", 0, said.start(1)), "status", endpoint, status, said[1])
    if start and status:
        first = line + head.count("\n")
        tree = _parse(body, first, source)
        keys = list(_keys(tree, "", first))
        if status >= 400:
            yield from _failure(tree, keys, endpoint, status)
        else:
            yield from (Item(at, "field", endpoint, status, path) for path, at in keys)


def _failure(tree: "Tree[Token]", keys: list[tuple[str, int]], endpoint: str, status: int) -> Iterator[Item]:
    texts = dict(_texts(tree))
    for path, at in keys:
        if path in ("code", "message") and path in texts:
            yield Item(at, path, endpoint, status, texts[path])
        else:
            yield Item(at, "field", endpoint, status, path)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", propagate_positions=True)


def _parse(text: str, line: int, source: str) -> "Tree[Token]":
    for _ in range(MOST_BRACES_FORGOTTEN):
        try:
            return _parser().parse(text)
        except UnexpectedToken as error:
            closing = sorted(error.accepts & {"RBRACE", "RSQB"}) if error.token.type == "$END" else []
            if not closing:
                raise _unreadable(error, text, line, source) from error
            text += "}" if closing[0] == "RBRACE" else "]"
        except UnexpectedInput as error:
            raise _unreadable(error, text, line, source) from error
    raise BadDocument(line, "this body is not closed", source)


def _unreadable(error: UnexpectedInput, text: str, line: int, source: str) -> BadDocument:
    rest = text[error.pos_in_stream :].strip().splitlines()
    return BadDocument(line + error.line - 1, f"cannot read {rest[0][:60] if rest else 'the end'!r} here", source)


def _keys(tree: "Tree[Token]", at: str, line: int) -> Iterator[tuple[str, int]]:
    """Paths of all keys below, as :func:`contracts.registry.field_paths` spells them."""
    for child in tree.children:
        if not isinstance(child, Tree):
            continue
        if child.data == "pair":
            key = child.children[0]
            assert isinstance(key, Token)  # noqa: S101  the grammar says so
            name = _name(key)
            path = f"{at}.{name}" if at else name
            yield path, line + (key.line or 1) - 1
            yield from _keys(child, path, line)
        elif child.data == "array":
            yield f"{at}[]", line + child.meta.line - 1
            yield from _keys(child, f"{at}[]", line)
        else:
            yield from _keys(child, at, line)


def _texts(tree: "Tree[Token]") -> Iterator[tuple[str, str]]:
    """Key and text of the outermost pairs whose value is a text."""
    for body in tree.children:
        for pair in body.children if isinstance(body, Tree) else ():
            if isinstance(pair, Tree) and pair.data == "pair" and len(pair.children) == 2:
                key, value = pair.children
                if isinstance(value, Tree) and value.data == "text":
                    yield _name(key), _plain(str(value.children[0]))


def _name(key: "Token | Tree[Token]") -> str:
    """A key that only stands for one (``[name]``, ``<name>``, ``$name``) is ``*``."""
    name = str(key).strip().removesuffix("?").strip()
    if name[0] in "[<$" or re.fullmatch(r"[\"'][<{$].*", name):
        return "*"
    return _plain(name)


def _plain(text: str) -> str:
    text = text.strip()
    if text[0] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text[1:-1] if text[0] in "'`" else text
