"""Which line of api.md says what was broken: where a field, an error, an operation or what a law is about is written."""

from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from contracts import registry
from contracts.body import Array, Field, Map, Object, Ref, Type, Union
from contracts.document import read
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS
from contracts.model import Document, Operation

ABOUT_LAW: Final = {
    "L1": (GET_JOB, ("jobStatus", "subState")),
    "L2": (GET_JOB, ("jobStatus", "attemptId")),
    "L3": (GET_JOB, ("jobStatus", "completedTime")),
    "L4": (GET_JOB, ("jobStatus", "createdTime")),
    "L5": (GET_JOB, ("taskRoles", "*", "taskStatuses", 0, "taskState")),
    "L6": (GET_JOB, ("taskRoles", "*", "taskStatuses", 0, "containerId")),
    "L7": (GET_JOB, ("jobStatus", "attemptState")),
    "L8": (GET_ATTEMPTS, (0,)),
    "L9": (GET_VERSIONS, (0,)),
    "L10": (GET_ATTEMPT, ("frameworkFullDetail",)),
}
"""The field a law is mostly about; a field named in what broke is preferred."""


class Lines:
    """Reads the document when first asked."""

    def __init__(self, style: str, path: Path = registry.FOLDER / "api.md") -> None:
        self._style = style
        self._path = path

    @cached_property
    def _document(self) -> Document:
        return read(self._path)

    def of_operation(self, operation: str) -> int | None:
        found = self._operation(operation)
        return None if found is None else found.line

    def of_status(self, operation: str, status: int, code: str | None = None) -> int | None:
        """The row of an error, the body of a success; else the operation."""
        found = self._operation(operation)
        if found is not None and status == found.status:
            return found.body.line
        rows = self._document.shared if found is None else found.failures
        rows = tuple(row for row in rows if row.status == status and self._style in row.styles)
        by_code = [row.line for row in rows if row.code == code]
        return next(iter((*by_code, *(row.line for row in rows))), self.of_operation(operation))

    def of_field(self, operation: str, status: int, path: Sequence[str | int]) -> int | None:
        """The deepest key along a path in an answer; of an error, its row."""
        found = self._operation(operation)
        if found is None or status != found.status:
            return self.of_status(operation, status)
        return max(self._along(found.body, tuple(path)), default=(0, found.body.line))[1]

    def of_law(self, law: str, what: str) -> int | None:
        operation, path = ABOUT_LAW[law]
        named = self.field_in(what)
        if named is not None:
            return self._fields_by_name[named]
        found = self._operation(operation)
        assert found is not None  # noqa: S101 - the table holds operations of the document
        if path == (0,):
            path = tuple(name for name, _ in self._document.fields(found.body, self._style))
        return self.of_field(operation, found.status, path)

    def field_in(self, what: str) -> str | None:
        """The first field of a job or task that a sentence names; words that are also English do not count."""
        words = what.replace(".", " ").split()
        return next((w for w in words if w in self._fields_by_name and w not in ("name", "version", "state")), None)

    def of_header(self, name: str, status: int | None = None) -> int | None:
        named = [one for one in self._document.headers if one.name.lower() == name.lower()]
        return next((one.line for one in named if status in (None, one.status)), None)

    def of_text(self, phrase: str) -> int | None:
        """The first line that holds a phrase, for promises that stand in prose."""
        return next((number for number, line in enumerate(self._text, 1) if phrase in line), None)

    def text(self, number: int) -> str:
        """What stands there, in one line and with single spaces."""
        return " ".join(self._text[number - 1].split())

    @cached_property
    def _text(self) -> list[str]:
        return self._path.read_text(encoding="utf-8").splitlines()

    def _operation(self, identity: str) -> Operation | None:
        return next((one for one in self._document.operations if one.id == identity), None)

    @cached_property
    def _fields_by_name(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for name in ("JobStatus", "TaskStatus"):
            body = self._document.types[name].type
            if isinstance(body, Object):
                for key, entry in self._document.fields(body, self._style):
                    found.setdefault(key, entry.line)
        return found

    def _along(self, found: Type, path: tuple[str | int, ...], depth: int = 0) -> Iterator[tuple[int, int]]:
        """(depth, line) of every key passed."""
        match found:
            case Ref(name=name):
                inner = self._document.types[name].type
                if inner is not None:
                    yield from self._along(inner, path, depth)
            case Union(options=options):
                for option in options:
                    yield from self._along(option, path, depth)
            case Object() if path:
                entry = dict(self._document.fields(found, self._style)).get(str(path[0]))
                if isinstance(entry, Field):
                    yield depth + 1, entry.line
                    yield from self._along(entry.type, path[1:], depth + 1)
            case Map(value=inner) | Array(items=inner) if path:
                yield from self._along(inner, path[1:], depth)
            case _:
                return


@cache
def lines(style: str) -> Lines:
    return Lines(style)
