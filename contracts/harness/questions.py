"""What to ask: the examples of a document, what its words cover, and whatever fits or misses them.

Schemathesis makes the cases out of the OpenAPI document. A hook of ours puts real names into most of them, since a name it
makes up is never one that exists; and by hand come the questions no generator of requests asks, such as a target of 9 KB.

Every list of questions is a function of the contract, the names, the seed and a number, and of nothing else: asked again
with the same, the same questions come in the same order.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from contracts.harness.contract import Contract, Operation
from contracts.harness.expectations import expectation
from contracts.harness.names import RealName
from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS
from contracts.harness.transport import Pairs, Request

if TYPE_CHECKING:
    from schemathesis.schemas import APIOperation

Case: TypeAlias = "schemathesis.Case[Any]"
Described: TypeAlias = "APIOperation[Any, Any, Any, Any]"

NOBODY: Final = "no-such-job~0"
"""A name that can exist, and hardly does."""
REAL_SHARE: Final = 0.75
"""Of the fuzzed requests; the others keep the name that was made up."""
METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")
_SILENT: Final = hypothesis.settings(
    deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@dataclass(frozen=True)
class Question:
    request: Request
    real: bool
    """Whether it is about a name that exists."""


def examples(contract: Contract, names: Sequence[RealName], seed: int) -> Iterator[Question]:
    """What the document shows, then every operation for every real name."""
    shown = [
        _request(contract, case)
        for described, _ in _described(contract)
        for strategy in described.get_strategies_from_examples()
        for case in _drawn(strategy, 1, seed)
    ]
    yield from (Question(request, real=False) for request in dict.fromkeys(shown))
    for name in names:
        for operation in contract.operations.values():
            yield Question(_get(contract, operation, name.encoded, str(name.attempt)), real=True)
            if operation.id == GET_ATTEMPT:
                yield Question(_get(contract, operation, name.encoded, "0", "1"), real=True)


def coverage(contract: Contract, names: Sequence[RealName], seed: int) -> Iterator[Question]:
    """What provokes each status, then the values at the edge of each parameter's words, for name after name."""
    for request in _by_hand(contract, names):
        if contract.is_ours or expectation(contract, request).statuses:
            yield Question(request, real=bool(names) and names[0].encoded in request.target)
    described = list(_described(contract))
    for name in names or (RealName(NOBODY),):
        for one, operation in described:
            for case in _covering(one, seed):
                real = _with_name(case, operation, name) and bool(names)
                request = _request(contract, case)
                if _is_asked(contract, request):
                    yield Question(request, real)


def fuzzing(contract: Contract, names: Sequence[RealName], seed: int, most: int) -> Iterator[Question]:
    """Requests that fit the document, and a quarter that do not."""
    described = list(_described(contract))
    for position, (one, operation) in enumerate(described):
        share = most // len(described) + (position < most % len(described))
        for mode, count in ((GenerationMode.POSITIVE, share - share // 4), (GenerationMode.NEGATIVE, share // 4)):
            strategy = one.as_strategy(generation_mode=mode)
            for number, case in enumerate(_drawn(strategy, count, seed)):
                dice = Random(f"{seed} {operation.id} {mode} {number}")  # noqa: S311 - repeatable on purpose
                real = bool(names) and dice.random() < REAL_SHARE
                if real:
                    real = _with_name(case, operation, dice.choice(names), dice)
                request = _request(contract, case)
                if _is_asked(contract, request):
                    yield Question(request, real)


def needed(contract: Contract, names: Sequence[RealName]) -> int:
    """How many questions provoke every status that can be."""
    return sum(
        1 for request in _by_hand(contract, names) if contract.is_ours or expectation(contract, request).statuses
    )


def _is_asked(contract: Contract, request: Request) -> bool:
    """Methods a server may not know as such, and what another document says nothing of, are left alone."""
    if request.method in ("TRACE", "QUERY", "CONNECT"):
        return False
    return contract.is_ours or bool(expectation(contract, request).statuses)


def _by_hand(contract: Contract, names: Sequence[RealName]) -> Iterator[Request]:
    name = names[0].encoded if names else NOBODY
    for operation in contract.operations.values():
        good = _get(contract, operation, name, "0")
        yield good
        yield _get(contract, operation, NOBODY, "0")
        for method in METHODS:
            yield Request(method, good.target)
        yield Request("HEAD", good.target)
        yield Request("OPTIONS", good.target)
        yield Request("GET", f"{good.target}?x={'x' * 9000}")
        for unsound in ("a%20b", "%FF", "%C3%A4", "%2E%2E", "a%00b", "x" * 257):
            yield _get(contract, operation, unsound, "0")
        yield _get(contract, operation, "a%2Fb", "0")
        if operation.id == GET_ATTEMPT:
            for attempt in ("latest", "-1", "1.0", "12345678901", "%EF%BC%91", "%20"):
                yield _get(contract, operation, name, attempt)
            yield _get(contract, operation, name, "00")
        if operation.id in (GET_ATTEMPT, GET_ATTEMPTS):
            for version in ("", "latest", "1.0", "12345678901", "%EF%BC%91", "1&version=2", "+1"):
                yield _get(contract, operation, name, "0", version)
            yield _get(contract, operation, name, "0", "1")
            yield _get(contract, operation, name, "0", "2147483648")
        yield Request("GET", f"{good.target}?unknown=1")
    for path in ("/jobs", "/jobs/", "/nothing", f"/frameworks/{name}", f"/frameworks/{name}/attempts/", ""):
        yield Request("GET", contract.base + path)


def _get(contract: Contract, operation: Operation, name: str, attempt: str, version: str | None = None) -> Request:
    if operation.parameter("version") is None:
        version = None
    return Request("GET", contract.path_of(operation.id, name, attempt, version))


def _described(contract: Contract) -> Iterator[tuple[Described, Operation]]:
    """Each operation as Schemathesis knows it, and as we do."""
    by_path = {operation.path: operation for operation in contract.operations.values()}
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(contract.openapi, default=str)))
    for result in schema.get_all_operations():
        if isinstance(result, Ok):
            one = result.ok()
            if one.method.upper() == "GET" and one.path in by_path:
                yield one, by_path[one.path]


def _covering(described: Described, seed: int) -> Iterator[Case]:
    described.schema.config.seed = seed
    yield from described.schema.iter_coverage_cases(
        operation=described,
        generation_modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
        generation_config=described.schema.config.generation_for(operation=described),
    )


def _drawn(strategy: "st.SearchStrategy[Case]", count: int, seed: int) -> list[Case]:
    drawn: list[Case] = []
    if count == 0:
        return drawn

    @hypothesis.seed(seed)
    @hypothesis.settings(_SILENT, max_examples=count)
    @given(case=strategy)
    def draw(case: Case) -> None:
        drawn.append(case)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what cannot be generated, which is then not asked
        try:
            draw()
        except HypothesisException:
            return drawn
    return list(islice(drawn, count))


def _with_name(case: Case, operation: Operation, name: RealName, dice: Random | None = None) -> bool:
    """Puts the name where the case has one that could exist; with dice also an attempt and a version that may exist."""
    parameters = {parameter.role: parameter for parameter in operation.parameters}
    path = dict(case.path_parameters or {})
    place = parameters.get("name")
    if place is None or (dice is None and not place.allows(str(path.get(place.name, "")))):
        return False
    path[place.name] = name.encoded
    if dice is not None:
        attempt, version = parameters.get("attempt"), parameters.get("version")
        if attempt is not None and dice.random() < 0.7:
            path[attempt.name] = str(dice.choice((0, 0, 0, 1, 2)))
        query = dict(case.query or {})
        if version is not None and version.name in query and dice.random() < 0.7:
            query[version.name] = str(dice.choice((0, 1, 1, 1, 2, 3)))
        elif version is not None and dice.random() < 0.3:
            query.pop(version.name, None)
        case.query = query
    case.path_parameters = path
    return True


def _request(contract: Contract, case: Case) -> Request:
    path = quote(case.formatted_path, safe="%/~!$&'()*+,;=:@")
    query = "&".join(_pairs(case.query or {}))
    headers: Pairs = tuple((str(name), str(value)) for name, value in (case.headers or {}).items())
    return Request(case.method.upper(), contract.base + path + (f"?{query}" if query else ""), _sendable(headers))


def _pairs(query: Mapping[str, object]) -> Iterator[str]:
    for key, value in query.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            text = one if isinstance(one, str) else json.dumps(one, default=str)
            yield f"{quote(key, safe='', errors='replace')}={quote(text, safe='', errors='replace')}"


def _sendable(headers: Pairs) -> Pairs:
    """A header with a line break is none that can be sent."""
    return tuple(
        (name, value) for name, value in headers if name.isascii() and name.isprintable() and value.isprintable()
    )
