"""What must hold inside an API document as a whole: every name is defined once and used, no key is there twice."""

from collections.abc import Iterator

from contracts.body import BadDocument, Object, Ref, Scalar, Spread, Type
from contracts.model import PLACEHOLDER, STYLES, Document, Failure, inner_types


def check(document: Document) -> None:
    """Raises :class:`BadDocument` for the first thing that does not hold."""
    used = _check_names(document)
    for name, named in document.types.items():
        if name not in used:
            raise BadDocument(named.line, f"nothing is of the type {name}")
    for body in _objects(document):
        _check_keys(document, body)
    _check_operations(document)
    _check_placeholders(document)


def _roots(document: Document) -> Iterator[Type]:
    for operation in document.operations:
        yield operation.body
        yield from (parameter.type for parameter in operation.parameters)
    yield from (named.type for named in document.types.values() if named.type)


def _every(found: Type) -> Iterator[Type]:
    yield found
    for inner in inner_types(found):
        yield from _every(inner)


def _objects(document: Document) -> Iterator[Object]:
    for root in _roots(document):
        yield from (found for found in _every(root) if isinstance(found, Object))


def _check_names(document: Document) -> set[str]:
    used: set[str] = set()
    for root in _roots(document):
        for found in _every(root):
            spreads = [e for e in found.entries if isinstance(e, Spread)] if isinstance(found, Object) else []
            names: list[Ref | Spread] = [found] if isinstance(found, Ref) else [*spreads]
            for name in names:
                if name.name not in document.types:
                    raise BadDocument(name.line, f"there is no type {name.name}")
                used.add(name.name)
            for spread in spreads:
                if not isinstance(document.types[spread.name].type, Object):
                    raise BadDocument(spread.line, f"{spread.name} has no keys that could be put here")
    for own, named in document.types.items():
        if own in _reached(document, named.type):
            raise BadDocument(named.line, f"{own} is made of itself")
    return used


def _reached(document: Document, start: Type | None) -> set[str]:
    """Names of all types that one is made of."""
    seen: set[str] = set()
    waiting = [start] if start else []
    while waiting:
        for found in _every(waiting.pop()):
            inner_names = [found.name] if isinstance(found, Ref) else []
            if isinstance(found, Object):
                inner_names += [entry.name for entry in found.entries if isinstance(entry, Spread)]
            for name in inner_names:
                if name not in seen:
                    seen.add(name)
                    inner = document.types[name].type
                    waiting += [inner] if inner else []
    return seen


def _check_keys(document: Document, body: Object) -> None:
    for style in STYLES:
        seen: set[str] = set()
        for key, entry in document.fields(body, style):
            if key in seen:
                raise BadDocument(entry.line, f"{key} is here twice")
            seen.add(key)


def _check_operations(document: Document) -> None:
    ids: set[str] = set()
    for operation in document.operations:
        if operation.id in ids or not operation.id.isidentifier():
            raise BadDocument(operation.line, f"{operation.id} does not name one operation only")
        ids.add(operation.id)
        for parameter in operation.parameters:
            found = parameter.type
            named = document.types[found.name].type if isinstance(found, Ref) else found
            if not (isinstance(named, Scalar) and named.word == "string"):
                raise BadDocument(parameter.line, f"{parameter.name} must be a kind of string")
    statuses = {200, *(f.status for f in _failures(document))}
    for header in document.headers:
        if header.status not in statuses:
            raise BadDocument(header.line, f"nothing is answered with {header.status}")


def _failures(document: Document) -> Iterator[Failure]:
    for operation in document.operations:
        yield from operation.failures
    yield from document.shared


def _check_placeholders(document: Document) -> None:
    used: set[str] = set()
    for failure in _failures(document):
        for name in PLACEHOLDER.findall(failure.message):
            if name not in document.placeholders:
                raise BadDocument(failure.line, f"nothing says what {name} stands for")
            used.add(name)
    for name, placeholder in document.placeholders.items():
        if name not in used:
            raise BadDocument(placeholder.line, f"{name} is in no message")
