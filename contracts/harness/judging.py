"""Judges one answer: that it came whole, that its status fits the request, that its body is what the document promises.

Rules have names a reader can look up; each finding says the line of api.md it is about. A body is judged by the compiled
validator first; only where that one objects does jsonschema, which is the judge, say what is wrong and where.
"""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from cachetools import LRUCache

from contracts.harness.contract import Contract, Response
from contracts.harness.echoes import echoes
from contracts.harness.expectations import NO_BODY, Expectation
from contracts.harness.findings import Exchange, Finding, Objection
from contracts.harness.lines import Lines, lines
from contracts.harness.shown import LONGEST_SHOWN, place_of, shown
from contracts.harness.transport import Answered, Unanswered

if TYPE_CHECKING:
    from jsonschema import ValidationError

MOST_KEPT: Final = 8 * 1024 * 1024
"""Bytes of bodies; as objects they take several times that."""


@dataclass(frozen=True)
class Verdict:
    body: object
    """Decoded, if it is as its schema says; else ``None``."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    body: object
    wrong: tuple[Objection, ...]
    size: int
    """Bytes."""


def _size(judged: _Judged) -> int:
    return judged.size


@dataclass
class Judge:
    contract: Contract
    _known: "LRUCache[tuple[str, int, bytes], _Judged]" = field(default_factory=lambda: LRUCache(MOST_KEPT, _size))
    """Of bodies that were judged before: a poller gets the same bytes again and again."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def lines(self) -> Lines:
        return lines(self.contract.style)

    def judge(self, exchange: Exchange, expected: Expectation) -> Verdict:
        answer, operation = exchange.outcome, exchange.operation
        if isinstance(answer, Unanswered):
            late = Objection(f"answer: {answer.kind}", "", answer.what, self.lines.of_operation(operation))
            return Verdict(None, (late.to(exchange),))
        found = list(self._status(operation, expected, answer))
        body: object = None
        response = self.contract.response(operation, answer.status)
        if response is not None and answer.status not in NO_BODY and expected.method != "HEAD":
            found += self._headers(answer, response)
            body, wrong = self._body(operation, answer, response)
            found += wrong or echoes(operation, expected, answer, response, body, self.lines)
            body = None if wrong else body
        return Verdict(body, tuple(objection.to(exchange) for objection in found))

    def judge_head(self, exchange: Exchange, expected: Expectation) -> tuple[Finding, ...]:
        """Of an answer whose body cannot be looked at."""
        answer, found = exchange.outcome, list[Objection]()
        if isinstance(answer, Answered):
            found += self._status(exchange.operation, expected, answer)
            response = self.contract.response(exchange.operation, answer.status)
            if response is not None and answer.status not in NO_BODY and expected.method != "HEAD":
                found += self._headers(answer, response)
        return tuple(objection.to(exchange) for objection in found)

    def _status(self, operation: str, expected: Expectation, answer: Answered) -> Iterator[Objection]:
        status = answer.status
        documented = self.contract.response(operation, status) is not None
        if status in self.contract.only_configured(operation):
            return  # a token is wanted, or there were too many requests: that fits every one
        if expected.statuses and status not in expected.statuses:
            fitting = sorted(expected.statuses)
            to = f" to {shown(answer.header('location'))}" if 300 <= status < 400 else ""
            what = f"answered {status}{to}, but {expected.why}: {' or '.join(map(str, fitting))} is promised"
            rule = "status: unexpected" if documented else "status: undocumented"
            yield Objection(rule, str(fitting[0]), what, self.lines.of_status(operation, fitting[0]))
        elif not documented and status not in NO_BODY:
            what = f"answered {status}, which the document does not have"
            yield Objection("status: undocumented", "", what, self.lines.of_operation(operation))

    def _headers(self, answer: Answered, response: Response) -> Iterator[Objection]:
        for name in response.required_headers:
            if answer.header(name.lower()) is None:
                yield Objection("header: missing", name, f"there is no header {name}", self.lines.of_header(name))
        allow = answer.header("allow")
        if answer.status == 405 and allow is not None and "GET" not in re.split(r"\s*,\s*", allow.upper()):
            yield Objection(
                "header: wrong", "Allow", f"Allow is {shown(allow)}, without GET", self.lines.of_header("Allow")
            )
        if not response.media_types:
            return
        said = answer.header("content-type") or ""
        media, _, parameters = said.partition(";")
        if media.strip().lower() not in response.media_types:
            what = f"Content-Type is {shown(said)}, not {' or '.join(response.media_types)}"
            yield Objection("answer: content type", "", what, self.lines.of_text("as `application/json`"))
        charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", parameters, re.IGNORECASE)
        if charset and charset[1].lower() not in ("utf-8", "utf8"):
            what = f"Content-Type says the charset is {shown(charset[1])}; bodies are UTF-8"
            yield Objection("answer: charset", "", what, self.lines.of_text("Bodies are UTF-8"))

    def _body(self, operation: str, answer: Answered, response: Response) -> tuple[object, tuple[Objection, ...]]:
        key = (operation, answer.status, hashlib.sha256(answer.body).digest())
        with self._lock:
            known = self._known.get(key)
        if known is None:
            body, wrong = self._judged_body(operation, answer, response)
            known = _Judged(body, tuple(wrong), len(answer.body))
            if known.size <= MOST_KEPT:
                with self._lock:
                    self._known[key] = known
        return known.body, known.wrong

    def _judged_body(self, operation: str, answer: Answered, response: Response) -> tuple[object, list[Objection]]:
        try:
            text = answer.body.decode("utf-8")
        except UnicodeDecodeError as error:
            what = f"the body is not UTF-8 at byte {error.start}"
            return None, [Objection("answer: charset", "", what, self.lines.of_text("Bodies are UTF-8"))]
        try:
            body = json.loads(text, parse_constant=_no_number, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            begin = f": it begins with {shown(text[:40])}" if text else ": it is empty"
            what = f"the body is not JSON ({' '.join(str(error).split())}){begin}"
            return None, [Objection("answer: not JSON", "", what, self.lines.of_status(operation, answer.status))]
        return body, list(self.objections(operation, response, body))

    def objections(self, operation: str, response: Response, body: object) -> Iterator[Objection]:
        """What the schema of an answer says against a body that is JSON."""
        if allows(response, body):
            return
        missing: dict[tuple[str | int, ...], list[ValidationError]] = {}
        for error in response.validator.iter_errors(body):
            deepest = _deepest(error)
            if deepest.validator == "required":
                missing.setdefault(tuple(deepest.absolute_path), []).append(deepest)
            else:
                yield self._objection(operation, response.status, body, deepest, [], _objection(deepest))
        for errors in missing.values():
            keys = [key for error in errors for key in _keys_named(error)]
            what = f"keys that are always there are missing: {', '.join(keys)}"
            yield self._objection(operation, response.status, body, errors[0], keys, what)

    def _objection(
        self, operation: str, status: int, body: object, error: "ValidationError", keys: Sequence[str], what: str
    ) -> Objection:
        """``keys``: those that are missing; the line is that of the first."""
        path = list(error.absolute_path)
        if status >= 400:
            code = body.get("code") if isinstance(body, dict) else None
            line = self.lines.of_status(operation, status, str(code))
        else:
            line = self.lines.of_field(operation, status, [*path, *keys[:1]])
        schema_path = (*error.absolute_schema_path, *([",".join(sorted(keys))] if keys else []))
        where = "/".join("*" if isinstance(part, int) else str(part) for part in schema_path)
        return Objection(f"schema: {error.validator}", where, f"{place_of(path)}: {what}", line)


def allows(response: Response, body: object) -> bool:
    """Whether a body is as its schema says; by the compiled validator, where it is installed."""
    compiled = _COMPILED.get(id(response))
    if compiled is None or compiled[0] is not response:
        compiled = (response, _validity(response))
        _COMPILED[id(response)] = compiled
    try:
        return compiled[1](body)
    except ValueError:  # a number or text that the compiled one cannot take; the judge can
        return False


def _validity(response: Response) -> Callable[[object], bool]:
    try:
        import jsonschema_rs
    except ModuleNotFoundError:  # it comes with the extra, and judging one answer at a time does without it
        return response.validator.is_valid
    return jsonschema_rs.validator_for(response.schema).is_valid


_COMPILED: dict[int, tuple[Response, Callable[[object], bool]]] = {}


def _deepest(error: "ValidationError") -> "ValidationError":
    """Of alternatives, the objection of the one that fits best: the objection that goes deepest."""
    while error.context:
        objections = [
            one
            for one in error.context
            if one.validator not in ("const", "type") or len(one.absolute_path) > len(error.absolute_path)
        ]
        if not objections:
            return error
        error = max(objections, key=lambda one: len(one.absolute_path))
    return error


def _keys_named(error: "ValidationError") -> list[str]:
    """The key that is missing: jsonschema has an error for each."""
    return [key for key in _listed(error) if error.message.startswith(f"{key!r} ")]


def _objection(error: "ValidationError") -> str:
    value = shown(error.instance)
    match error.validator:
        case "additionalProperties":
            return f"keys the document does not have: {shown(_extra_keys(error))}"
        case "type":
            wanted = error.validator_value
            return f"{value} is not of type {' or '.join([wanted] if isinstance(wanted, str) else _listed(error))}"
        case "enum":
            return f"{value} is not one of {', '.join(_listed(error))}"
        case "const":
            return f"{value} is not {shown(error.validator_value)}"
        case "pattern":
            template = error.schema.get("x-message") if isinstance(error.schema, dict) else None
            return (
                f"{value} is not {shown(template)}" if template else f"{value} does not match {error.validator_value}"
            )
        case _:
            return error.message if len(error.message) < LONGEST_SHOWN else f"{value} breaks {error.validator}"


def _extra_keys(error: "ValidationError") -> list[str]:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    return [key for key in error.instance if key not in known] if isinstance(error.instance, dict) else []


def _listed(error: "ValidationError") -> list[str]:
    value = error.validator_value
    return [str(one) for one in value] if isinstance(value, list) else []


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found
