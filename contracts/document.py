"""Reads our API document strictly: what cannot be read is one error with its line, never a guess.

The document is for people first. What a program may rely on in it: endpoints are headings of level 3 that hold nothing but
```GET /path```; types are headings of level 4 that hold nothing but a name; labels such as *Operation* stand in italics;
every table and every ``js`` block is one of the kinds below, so that a slip in a table's head cannot silently drop its content.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.body import BadDocument, Notes, Object, Ref, read_body, read_notes, read_type
from contracts.markdown import Block, Cell, Fence, Heading, Paragraph, Row, Table, blocks
from contracts.model import (
    PLACEHOLDER,
    STYLES,
    Document,
    Failure,
    Header,
    NamedType,
    Operation,
    Parameter,
    Placeholder,
    Renamed,
)
from contracts.soundness import check

ENDPOINT = re.compile(r"(?P<method>[A-Z]+) (?P<path>/[^\s?]*)(?:\?(?P<query>\S+))?")
EVERYWHERE = (405, 414, 500)
"""Every endpoint says these, besides its own 200 and 404."""
RENAMED = re.compile(r"(?P<kind>request|field|status|code|message) `(?P<theirs>[^`]+)`(?: of `(?P<within>[^`]+)`)?")


@dataclass
class _Endpoint:
    """One endpoint while its section is read."""

    method: str
    path: str
    query: tuple[str, ...]
    line: int
    summary: str = ""
    prose: list[str] = field(default_factory=list)
    id: str = ""
    requested: bool = False
    parameters: dict[str, Parameter] = field(default_factory=dict)
    status: int = 0
    body: Object | None = None
    failures: list[Failure] = field(default_factory=list)
    shared: tuple[int, ...] = ()


def read(path: Path) -> Document:
    """The document in that file. Raises :class:`BadDocument`, ``OSError``."""
    return read_text(path.read_text(encoding="utf-8"), path.name)


def read_text(text: str, source: str = "api.md") -> Document:
    try:
        return _Reader().read(blocks(text))
    except BadDocument as error:
        raise BadDocument(error.line, error.says, source) from error


class _Reader:
    """Holds what has been read so far; ``_endpoint``, ``_type`` and ``_label`` say what the next block is about."""

    def __init__(self) -> None:
        self.title = ""
        self.version = ""
        self.intro = ""
        self.base_path = ""
        self.endpoints: list[_Endpoint] = []
        self.types: dict[str, NamedType] = {}
        self.shared: list[Failure] = []
        self.placeholders: dict[str, Placeholder] = {}
        self.headers: list[Header] = []
        self.renamed: list[Renamed] = []
        self._endpoint: _Endpoint | None = None
        self._type: tuple[str, int] | None = None
        self._type_notes = Notes()
        self._label = ""

    def read(self, found: Iterable[Block]) -> Document:
        line = 1
        for block in found:
            line = block.line
            match block:
                case Heading():
                    self._heading(block)
                case Paragraph():
                    self._paragraph(block)
                case Fence():
                    self._fence(block)
                case Table():
                    self._table(block)
        self._close_type(line)
        if not self.endpoints:
            raise BadDocument(line, "there is no endpoint")
        if not self.version:
            raise BadDocument(1, "there is no *Version*")
        return self._document()

    def _heading(self, heading: Heading) -> None:
        self._close_type(heading.line)
        self._label = ""
        if heading.level == 1:
            self.title = heading.text
        elif heading.level == 3 and heading.code and (found := ENDPOINT.fullmatch(heading.code)):
            query = tuple(part.partition("=")[0] for part in (found["query"] or "").split("&") if part)
            self._endpoint = _Endpoint(found["method"], found["path"], query, heading.line)
            if any((e.method, e.path) == (found["method"], found["path"]) for e in self.endpoints):
                raise BadDocument(heading.line, f"{heading.code} is described twice")
            self.endpoints.append(self._endpoint)
        elif heading.level == 4 and heading.code:
            self._unique(self.types, heading.code, heading.line)
            self._type, self._type_notes = (heading.code, heading.line), Notes()
        elif heading.code:
            raise BadDocument(
                heading.line, f"`{heading.code}` is neither an endpoint (###) nor the name of a type (####)"
            )
        else:
            self._endpoint = None

    def _paragraph(self, paragraph: Paragraph) -> None:
        if self._type:
            self._type_notes = read_notes(paragraph.text, paragraph.line)
        elif not self._endpoint:
            if paragraph.label == "Version" and len(paragraph.codes) == 1:
                self.version = paragraph.codes[0]
            elif not self.intro:
                self.intro = paragraph.text
        elif paragraph.label:
            self._labelled(self._endpoint, paragraph)
        elif paragraph.strong and not self._endpoint.summary:
            self._endpoint.summary = paragraph.strong
        else:
            self._endpoint.prose.append(paragraph.text)

    def _labelled(self, endpoint: _Endpoint, paragraph: Paragraph) -> None:
        self._label = paragraph.label
        match paragraph.label:
            case "Operation" if len(paragraph.codes) == 1:
                endpoint.id = paragraph.codes[0]
            case "Response if succeeded" if len(paragraph.codes) == 1:
                endpoint.status = _status(paragraph.codes[0], paragraph.line)
            case "As on every path" if paragraph.codes:
                endpoint.shared = tuple(_status(code, paragraph.line) for code in paragraph.codes)
            case "Request" | "Parameters" | "Responses if it failed" if not paragraph.codes:
                pass
            case _:
                raise BadDocument(paragraph.line, f"cannot read the label {paragraph.text!r}")

    def _fence(self, fence: Fence) -> None:
        if fence.info == "http" and self._endpoint and self._label == "Request":
            self._request(self._endpoint, fence)
        elif fence.info != "js":
            return
        elif self._type:
            name, line = self._type
            self.types[name] = NamedType(name, read_body(fence.text, fence.line + 1), {}, self._type_notes, line)
            self._type = None
        elif self._endpoint and self._label == "Response if succeeded" and not self._endpoint.body:
            self._endpoint.body = read_body(fence.text, fence.line + 1)
        else:
            raise BadDocument(fence.line, "this body belongs to no answer and to no type")

    def _request(self, endpoint: _Endpoint, fence: Fence) -> None:
        found = ENDPOINT.fullmatch(fence.text.strip())
        if not found or found["method"] != endpoint.method or not found["path"].endswith(endpoint.path):
            raise BadDocument(fence.line + 1, f"this is no request of {endpoint.method} {endpoint.path}")
        base = found["path"].removesuffix(endpoint.path)
        self.base_path = self.base_path or base
        if base != self.base_path:
            raise BadDocument(fence.line + 1, f"the base path was {self.base_path} before")
        endpoint.requested = True

    def _table(self, table: Table) -> None:
        if table.head not in self._TABLES:
            raise BadDocument(table.line, f"no table has the head {' | '.join(table.head)}")
        for row in table.rows:
            self._TABLES[table.head](self, row)
        if self._type and table.head == ("Value", "Meaning"):
            name, line = self._type
            values = {_code(row.cells[0], row.line): row.cells[1].text for row in table.rows}
            self.types[name] = NamedType(name, None, values, self._type_notes, line)
            self._type = None

    def _value(self, row: Row) -> None:
        if not self._type:
            raise BadDocument(row.line, "these values belong to no type")

    def _scalar(self, row: Row) -> None:
        name = _code(row.cells[0], row.line)
        self._unique(self.types, name, row.line)
        found = read_type(_code(row.cells[1], row.line), row.line)
        self.types[name] = NamedType(name, found, {}, read_notes(row.cells[2].text, row.line), row.line)

    def _parameter(self, row: Row) -> None:
        if not self._endpoint:
            raise BadDocument(row.line, "this parameter belongs to no endpoint")
        name, place = _code(row.cells[0], row.line), row.cells[1].text
        if place not in ("path", "query") or (place == "path") != name.startswith(":"):
            raise BadDocument(row.line, f"{name} in {place}: a parameter is a `:name` in path or a `name` in query")
        name = name.removeprefix(":")
        self._unique(self._endpoint.parameters, name, row.line)
        found = read_type(_code(row.cells[2], row.line), row.line)
        notes = read_notes(row.cells[3].text, row.line)
        self._endpoint.parameters[name] = Parameter(name, place, found, notes, row.line)

    def _failure(self, row: Row) -> None:
        status, style = _status(row.cells[0].text, row.line), row.cells[1].text
        if style not in (*STYLES, "both"):
            raise BadDocument(row.line, f"there is no style {style!r}")
        styles = STYLES if style == "both" else (style,)
        code, message = _code(row.cells[2], row.line), _code(row.cells[3], row.line)
        only_with = _code(row.cells[5], row.line) if len(row.cells) > 5 else ""
        found = Failure(status, styles, code, message, row.cells[4].text, row.line, only_with)
        rows = self._endpoint.failures if self._endpoint else self.shared
        if any((f.status, f.code, f.message) == (status, code, message) and set(f.styles) & set(styles) for f in rows):
            raise BadDocument(row.line, f"{status} {code} is here twice")
        if any(f.status == status and f.only_with != only_with for f in rows):
            raise BadDocument(row.line, f"{status} is answered both with and without {only_with or 'a setting'}")
        rows.append(found)

    def _placeholder(self, row: Row) -> None:
        name, pattern = _code(row.cells[0], row.line), _code(row.cells[1], row.line)
        self._unique(self.placeholders, name, row.line)
        if not (PLACEHOLDER.fullmatch(name) and len(pattern) > 2 and pattern[0] == pattern[-1] == "/"):
            raise BadDocument(row.line, "a placeholder is a `$name` with a `/pattern/`")
        notes = read_notes(row.cells[2].text, row.line)
        self.placeholders[name] = Placeholder(name, pattern[1:-1], notes, row.line)

    def _header(self, row: Row) -> None:
        if row.cells[2].text != "string":
            raise BadDocument(row.line, "a header is a string")
        notes = read_notes(row.cells[3].text, row.line)
        self.headers.append(
            Header(_code(row.cells[0], row.line), _status(row.cells[1].text, row.line), notes, row.line)
        )

    def _rename(self, row: Row) -> None:
        found = RENAMED.fullmatch(row.cells[0].text)
        if not found:
            raise BadDocument(row.line, "what was received is a kind and a name: field `x`, request `x` of `endpoint`")
        ours = _code(row.cells[1], row.line)
        self.renamed.append(Renamed(found["kind"], found["theirs"], ours, found["within"], row.cells[2].text, row.line))

    _TABLES: Mapping[tuple[str, ...], Callable[["_Reader", Row], None]] = {
        ("Value", "Meaning"): _value,
        ("Type", "Is", "Meaning"): _scalar,
        ("Parameter", "In", "Type", "Meaning"): _parameter,
        ("Status", "Style", "Code", "Message", "When"): _failure,
        ("Status", "Style", "Code", "Message", "When", "Only with"): _failure,
        ("Placeholder", "Pattern", "Stands for"): _placeholder,
        ("Header", "Status", "Type", "Meaning"): _header,
        ("As received", "Here", "Ruling"): _rename,
    }

    def _close_type(self, line: int) -> None:
        if self._type:
            raise BadDocument(line, f"{self._type[0]} is not described: neither a body nor a table of values came")

    @staticmethod
    def _unique(names: Mapping[str, object], name: str, line: int) -> None:
        if name in names:
            raise BadDocument(line, f"{name} is here twice")

    def _document(self) -> Document:
        document = Document(
            title=self.title,
            version=self.version,
            description=self.intro,
            base_path=self.base_path,
            operations=tuple(self._operation(endpoint) for endpoint in self.endpoints),
            types=self.types,
            shared=tuple(self.shared),
            placeholders=self.placeholders,
            headers=tuple(self.headers),
            renamed=tuple(self.renamed),
        )
        check(document)
        return document

    def _operation(self, endpoint: _Endpoint) -> Operation:
        def need(there: object, what: str) -> None:
            if not there:
                raise BadDocument(endpoint.line, f"{endpoint.method} {endpoint.path} has no {what}")

        need(endpoint.id, "*Operation*")
        need(endpoint.requested, "*Request*")
        need(endpoint.summary, "summary in bold")
        need(endpoint.body, "body of success")
        inherited = [failure for failure in self.shared if failure.status in endpoint.shared]
        for status in endpoint.shared:
            need(any(f.status == status for f in inherited), f"{status} to share: no row on every path has it")
        failures = sorted((*endpoint.failures, *inherited), key=lambda failure: failure.status)
        names = [part[1:] for part in endpoint.path.split("/") if part.startswith(":")]
        for name in (*names, *endpoint.query):
            need(name in endpoint.parameters, f"parameter {name} in its table")
        for parameter in endpoint.parameters.values():
            if parameter.name not in (names if parameter.place == "path" else endpoint.query):
                raise BadDocument(
                    parameter.line, f"{parameter.name} is no {parameter.place} parameter of this endpoint"
                )
        configured = {failure.status for failure in self.shared if failure.only_with}
        refusable = [400] if _refusable(endpoint.parameters.values()) else []
        for status in (404, *EVERYWHERE, *sorted(configured), *refusable):
            for style in STYLES:
                need(any(f.status == status and style in f.styles for f in failures), f"status {status} ({style})")
        assert endpoint.body is not None  # noqa: S101  needed above; this tells the type checker
        return Operation(
            id=endpoint.id,
            method=endpoint.method,
            path=endpoint.path,
            summary=endpoint.summary,
            description="\n\n".join(endpoint.prose),
            parameters=tuple(endpoint.parameters.values()),
            status=endpoint.status,
            body=endpoint.body,
            failures=tuple(failures),
            line=endpoint.line,
        )


def _refusable(parameters: Iterable[Parameter]) -> bool:
    """Whether a value can be wrong in a way that is 400; a wrong name is 404."""
    return any(not (isinstance(p.type, Ref) and p.type.name == "Name") for p in parameters)


def _code(cell: Cell, line: int) -> str:
    if cell.code is None:
        raise BadDocument(line, f"{cell.text!r} must be one `piece of code`")
    return cell.code


def _status(text: str, line: int) -> int:
    if not re.fullmatch(r"[1-5][0-9][0-9]", text):
        raise BadDocument(line, f"{text!r} is no status")
    return int(text)
