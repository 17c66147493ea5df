"""What a contract expects of one request, worked out from the request alone: its operation, and the statuses that fit.

This is what a schema cannot say: that a bad version is 400 and not an empty 200, that an unknown path has another code
than an unknown job. The order is the document's: the length of the target, the path, the method, the name, the parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from contracts.harness.contract import ANY_PATH, SHAPES, Contract, Operation
from contracts.harness.transport import Request

LONGEST_TARGET: Final = 8 * 1024
NO_BODY: Final = frozenset({204, 304})
OPEN: Final[frozenset[int]] = frozenset()
"""Any status the contract documents."""


@dataclass(frozen=True)
class Expectation:
    operation: str
    statuses: frozenset[int]
    """That fit the request; empty where the contract does not say."""
    why: str
    name: str | None = None
    """As asked for, decoded; ``None`` where that cannot be done, or there is none."""
    attempt: str | None = None
    version: str | None = None
    invalid: Mapping[str, str] = field(default_factory=dict)
    """Parameters that are none, and what was given for them."""
    path: str = ""
    method: str = "GET"
    fault: str = ""
    """What is wrong with the request, in a word; empty: nothing is."""


def expectation(contract: Contract, request: Request) -> Expectation:
    raw_path, _, query = request.target.partition("?")
    path = unquote_to_bytes(raw_path).decode("utf-8", "replace")
    operation, values = _operation_at(contract, path)
    identity = ANY_PATH if operation is None else operation.id
    if len(request.target) > LONGEST_TARGET:
        return _expected(contract, identity, {414}, "the target is longer than 8192 bytes", path, request, "length")
    if operation is None:
        return _expected(contract, ANY_PATH, {404}, "there is no such path", path, request, "path")
    if request.method == "OPTIONS":
        return _expected(contract, identity, {204}, "OPTIONS tells the methods", path, request)
    if request.method not in ("GET", "HEAD"):
        return _expected(contract, identity, {405}, f"{request.method} is not allowed here", path, request, "method")
    return _of_values(contract, operation, path, values, query, request)


def _of_values(
    contract: Contract, operation: Operation, path: str, values: dict[str, str], query: str, request: Request
) -> Expectation:
    given: dict[str, list[str]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        given.setdefault(key, []).append(value)
    texts = {
        parameter.name: [values[parameter.role]] for parameter in operation.parameters if parameter.place == "path"
    }
    texts |= {p.name: given[p.name] for p in operation.parameters if p.place == "query" and p.name in given}
    invalid = {
        parameter.name: ", ".join(texts[parameter.name])
        for parameter in operation.parameters
        if parameter.name in texts
        and (len(texts[parameter.name]) > 1 or not parameter.allows(texts[parameter.name][0]))
    }
    name = operation.parameter("name")
    asked_version = given.get("version", [])
    if name is not None and name.name in invalid:
        statuses, why = {404}, "no job can have that name"
    elif invalid:
        statuses, why = {400}, f"{', '.join(invalid)} cannot be read"
    else:
        statuses, why = {200, 404, 500}, "the request is a good one"
        if request.method == "GET" and any(key.lower() == "if-none-match" for key, _ in request.headers):
            statuses |= {304}
    found = _expected(contract, operation.id, statuses, why, path, request)
    return Expectation(
        found.operation,
        found.statuses,
        why,
        None if "�" in values["name"] else values["name"],
        values.get("attempt"),
        asked_version[0] if len(asked_version) == 1 else None,
        {key: value for key, value in invalid.items() if name is None or key != name.name},
        path,
        request.method,
        "parameter" if invalid else "",
    )


def _expected(
    contract: Contract, operation: str, statuses: set[int], why: str, path: str, request: Request, fault: str = ""
) -> Expectation:
    documented = contract.any_path if operation == ANY_PATH else contract.operations[operation].responses
    if not contract.is_ours and not statuses & documented.keys():
        statuses = set()  # that document says nothing of such requests
    return Expectation(operation, frozenset(statuses), why, path=path, method=request.method, fault=fault)


def _operation_at(contract: Contract, path: str) -> tuple[Operation | None, dict[str, str]]:
    prefix = f"{contract.base}/"
    if not path.startswith(prefix):
        return None, {}
    parts = tuple(path.removeprefix(prefix).split("/"))
    for shape, identity in SHAPES.items():
        if identity not in contract.operations or len(shape) != len(parts):
            continue
        values = [part for expected, part in zip(shape, parts, strict=True) if expected == "*"]
        fixed = all(expected in ("*", part) for expected, part in zip(shape, parts, strict=True))
        if fixed and all(values):
            return contract.operations[identity], dict(zip(("name", "attempt"), values, strict=False))
    return None, {}
