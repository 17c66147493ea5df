"""A Markdown text as the few kinds of block an API document is made of, each with its line (counted from 1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass(frozen=True)
class Cell:
    """A stretch of inline text."""

    text: str
    """As written, code between backticks."""
    code: str | None
    """Its code, if it is nothing but one piece of code."""


@dataclass(frozen=True)
class Heading:
    level: int
    text: str
    code: str | None
    line: int


@dataclass(frozen=True)
class Paragraph:
    text: str
    label: str
    """What it begins with in italics, if it does."""
    strong: str
    """What it says in bold, if it begins so."""
    codes: tuple[str, ...]
    """Every piece of code in it."""
    line: int


@dataclass(frozen=True)
class Fence:
    info: str
    text: str
    line: int


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    line: int


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    line: int


Block: TypeAlias = Heading | Paragraph | Fence | Table


def blocks(text: str) -> Iterator[Block]:
    """Headings, paragraphs (those of lists too), code blocks and tables, in order."""
    tokens = _parser().parse(text)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        line = token.map[0] + 1 if token.map else 0
        match token.type:
            case "heading_open":
                cell = _cell(tokens[at + 1])
                yield Heading(int(token.tag[1:]), cell.text, cell.code, line)
            case "paragraph_open":
                yield _paragraph(tokens[at + 1], line)
            case "fence" | "code_block":
                info = token.info.split()
                yield Fence(info[0].lower() if info else "", token.content, line)
            case "table_open":
                end = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
                yield _table(tokens[at:end], line)
                at = end
        at += 1


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def _paragraph(inline: Token, line: int) -> Paragraph:
    children = [child for child in inline.children or [] if child.type != "text" or child.content.strip()]
    return Paragraph(
        text=_text(inline.children or []),
        label=_inside(children, "em"),
        strong=_inside(children, "strong"),
        codes=tuple(child.content for child in children if child.type == "code_inline"),
        line=line,
    )


def _inside(children: Sequence[Token], kind: str) -> str:
    if not children or children[0].type != f"{kind}_open":
        return ""
    end = next(i for i, child in enumerate(children) if child.type == f"{kind}_close")
    return _text(children[1:end]).strip()


def _table(tokens: Sequence[Token], line: int) -> Table:
    rows: list[Row] = []
    cells: list[Cell] = []
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            cells = []
        elif token.type == "inline":
            cells.append(_cell(token))
        elif token.type == "tr_close":
            opening = next(t for t in reversed(tokens[:at]) if t.type == "tr_open")
            rows.append(Row(tuple(cells), opening.map[0] + 1 if opening.map else line))
    head, *body = rows
    return Table(tuple(cell.text for cell in head.cells), tuple(body), line)


def _cell(inline: Token) -> Cell:
    children = inline.children or []
    alone = len(children) == 1 and children[0].type == "code_inline"
    return Cell(_text(children), children[0].content if alone else None)


def _text(children: Sequence[Token]) -> str:
    parts: list[str] = []
    for child in children:
        if child.type == "code_inline":
            parts.append(f"`{child.content}`")
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        else:
            parts.append(child.content)
    return "".join(parts).strip()
