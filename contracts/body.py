"""Type words and bodies of the API document, as a tree: ``integer >= 0 | null``, ``{ name: string  // meaning }``.

The grammar below is the whole language. A comment belongs to the key beside or above it and may carry, in this order, a mark
of the portal style, the meaning, and an example: ``// portal only; memory it holds; e.g. 20480``. Every node knows its line.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

GRAMMAR = r"""
?type: single | union
union: single ("|" single)+
?single: word | literal | object | map | array
word: NAME (REGEX | ">=" NUMBER | NUMBER ".." NUMBER)?
literal: STRING | NUMBER
object: "{" COMMENT* (field | spread)* open? "}"
map: "{" "[" NAME+ "]" ":" type "}"
array: "[" type "]"
field: NAME ":" type ","? COMMENT*
spread: "..." NAME ","?
open: "..."

NAME: /[A-Za-z_][A-Za-z0-9_]*/
NUMBER: /-?[0-9]+(\.[0-9]+)?/
STRING: /"[^"\\\n]*"/
REGEX: /\/\^(\\.|\[(\\.|[^\]\\\n])*\]|[^\/\\\n\[])*\$\//
COMMENT: /\/\/[^\n]*/
%import common.WS
%ignore WS
"""
EXAMPLE = re.compile(r"(?:^|\s)e\.g\.\s+(\S.*)$", re.DOTALL)
MARK = re.compile(r"portal(?: (?P<only>only)|: (?P<name>[A-Za-z_][A-Za-z0-9_]*))(?:;\s*|$)")
ELSEWHERE = "..."
"""Inside an example: the example of the type itself, as in ``{"worker": ...}``."""


class BadDocument(ValueError):
    """The document says something that cannot be read. ``line`` counts from 1."""

    def __init__(self, line: int, says: str, source: str = "api.md") -> None:
        super().__init__(f"{source}:{line}: {says}")
        self.line, self.says, self.source = line, says, source


class NoExample:
    """Stands where no example is given: ``None`` is one."""


NO_EXAMPLE = NoExample()


@dataclass(frozen=True)
class Notes:
    """What the comments of a key say."""

    text: str = ""
    example: object = NO_EXAMPLE
    portal_only: bool = False
    portal_name: str | None = None


@dataclass(frozen=True)
class Scalar:
    """``string``, ``integer``, ``number`` or ``null``, with a range or a pattern."""

    word: str
    line: int
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class Literal:
    value: object
    line: int


@dataclass(frozen=True)
class Ref:
    """A type that has a name."""

    name: str
    line: int


@dataclass(frozen=True)
class Field:
    name: str
    type: "Type"
    notes: Notes
    line: int


@dataclass(frozen=True)
class Spread:
    """``...JobStatus``: all keys of that type."""

    name: str
    line: int


@dataclass(frozen=True)
class Object:
    entries: tuple[Field | Spread, ...]
    open: bool
    line: int


@dataclass(frozen=True)
class Map:
    key: str
    value: "Type"
    line: int


@dataclass(frozen=True)
class Array:
    items: "Type"
    line: int


@dataclass(frozen=True)
class Union:
    options: tuple["Type", ...]
    line: int


Type: TypeAlias = Scalar | Literal | Ref | Object | Map | Array | Union

SCALARS = ("string", "integer", "number", "null")


def read_type(text: str, line: int) -> Type:
    """A type; ``line`` is where the text begins. Raises :class:`BadDocument`."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise BadDocument(_error_line(error, text, line), _complaint(error, text)) from error
    found, comments = _type(tree, line)
    if comments:
        raise BadDocument(line, "a comment must stand beside or below the key it is about")
    return found


def read_body(text: str, line: int) -> Object:
    """The body of an answer, which is an object."""
    found = read_type(text, line)
    if not isinstance(found, Object):
        raise BadDocument(line, "a body must be an object")
    return found


def read_notes(text: str, line: int) -> Notes:
    """Mark, meaning and example of one comment or table cell."""
    mark = MARK.match(text)
    if mark:
        text = text[mark.end() :]
    example: object = NO_EXAMPLE
    if found := EXAMPLE.search(text):
        text = text[: found.start()]
        try:
            example = json.loads(re.sub(r":\s*\.\.\.", f': "{ELSEWHERE}"', found.group(1)))
        except ValueError as error:
            raise BadDocument(line, f"the example {found.group(1)!r} is not JSON") from error
    return Notes(
        text=text.strip().rstrip(";").rstrip(),
        example=example,
        portal_only=bool(mark and mark["only"]),
        portal_name=mark["name"] if mark else None,
    )


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="type", parser="lalr", propagate_positions=True)


def _type(tree: "Tree[Token]", line: int) -> tuple[Type, list[str]]:
    """The type, and the comments behind the brace that opens it: they belong to the key that has this type."""
    here = line + tree.meta.line - 1
    tokens = list(_tokens(tree))
    match str(tree.data):
        case "word":
            return _word(tokens, here), []
        case "literal":
            return Literal(json.loads(tokens[0]), here), []
        case "map":
            return Map(" ".join(tokens), _only(tree, line), here), []
        case "array":
            return Array(_only(tree, line), here), []
        case "object":
            entries: list[Field | Spread] = []
            for child in _trees(tree):
                if child.data == "field":
                    entries.append(_field(child, line))
                elif child.data == "spread":
                    (name,) = _tokens(child)
                    entries.append(Spread(str(name), line + child.meta.line - 1))
            is_open = any(child.data == "open" for child in _trees(tree))
            return Object(tuple(entries), is_open, here), [str(token) for token in tokens]
        case _:
            both = [_type(child, line) for child in _trees(tree)]
            return Union(tuple(t for t, _ in both), here), [c for _, comments in both for c in comments]


def _field(tree: "Tree[Token]", line: int) -> Field:
    name, *comments = _tokens(tree)
    (child,) = _trees(tree)
    found, inner = _type(child, line)
    here = line + tree.meta.line - 1
    text = " ".join(comment.removeprefix("//").strip() for comment in (*inner, *comments))
    return Field(str(name), found, read_notes(text, here), here)


def _word(tokens: list[Token], line: int) -> Scalar | Ref:
    name, *rest = tokens
    if name not in SCALARS:
        if rest:
            raise BadDocument(line, f"{name} has a name of its own and takes no range or pattern here")
        return Ref(str(name), line)
    if not rest:
        return Scalar(str(name), line)
    if rest[0].type == "REGEX":
        if name != "string":
            raise BadDocument(line, f"{name} takes no pattern")
        return Scalar(str(name), line, pattern=rest[0][1:-1].replace(r"\/", "/"))
    if name not in ("integer", "number"):
        raise BadDocument(line, f"{name} takes no range")
    bounds = [json.loads(token) for token in rest]
    return Scalar(str(name), line, minimum=bounds[0], maximum=bounds[1] if len(bounds) > 1 else None)


def _only(tree: "Tree[Token]", line: int) -> Type:
    (child,) = _trees(tree)
    found, comments = _type(child, line)
    if comments:
        raise BadDocument(
            line + tree.meta.line - 1, "give this object a name: there is no key its comment could be about"
        )
    return found


def _tokens(tree: "Tree[Token]") -> Iterator[Token]:
    return (child for child in tree.children if isinstance(child, Token))


def _trees(tree: "Tree[Token]") -> Iterator["Tree[Token]"]:
    return (child for child in tree.children if isinstance(child, Tree))


def _error_line(error: UnexpectedInput, text: str, line: int) -> int:
    return line + (len(text.splitlines()) if _at_end(error) else int(error.line)) - 1


def _complaint(error: UnexpectedInput, text: str) -> str:
    if _at_end(error):
        return "this ends too early: a type is missing, or a brace or bracket is not closed"
    return f"cannot read {text[error.pos_in_stream :].splitlines()[0].strip()[:60]!r} here"


def _at_end(error: UnexpectedInput) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type == "$END"
