"""Would the contract notice? Wrong answers, made on purpose, are judged by schemas, laws and promises; what passes is a survivor.

A survivor is a hole: it is closed in the contract, or accepted by name with a reason in ``ACCEPTED``. An acceptance that is not
needed any more is reported too, so that the list cannot rot. A mistake that changed no answer was not tried, and survives.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from contracts import registry
from contracts.harness.laws import check
from contracts.harness.observations import Observation
from contracts.harness.strength_bugs import BUGS, Bug
from contracts.harness.strength_mutants import Mutant, mutants
from contracts.harness.strength_promises import broken_promises
from contracts.launcher.records import Framework

ACCEPTED: Mapping[str, str] = {}
"""Survivor to the reason why it may live."""

RICHEST = 6


@dataclass(frozen=True, eq=False)
class Seen:
    """An answer, and what the launcher truly told for it."""

    answer: Observation
    told: Framework | None


Served: TypeAlias = Callable[[Callable[[Framework], Framework]], Sequence[Seen]]
"""The same questions again, over a launcher whose records are changed so."""


@dataclass
class Strength:
    """What was tried, and who killed it."""

    mutants: Counter[str] = field(default_factory=Counter)
    """Killed ones, by kind."""
    bugs: dict[tuple[str, str], str] = field(default_factory=dict)
    """Style and name to its killer."""
    survivors: list[str] = field(default_factory=list)

    def unaccepted(self, accepted: Mapping[str, str]) -> list[str]:
        return [name for name in self.survivors if name not in accepted]

    def needless(self, accepted: Mapping[str, str]) -> list[str]:
        return [name for name in accepted if name not in self.survivors]


def untouched(told: Framework) -> Framework:
    return told


def try_mutants(style: str, answers: Iterable[Observation], into: Strength) -> None:
    """Every single point of every kind of answer; of two answers that are wrong at the same point, one is tried."""
    tried: set[str] = set()
    for answer in _richest(answers):
        for mutant in mutants(answer.operation, style, answer.status, answer.body):
            # The same point may be wrong in several ways, and each is tried once.
            key = f"{mutant}: {_value_at(mutant)}"
            if key in tried:
                continue
            tried.add(key)
            if allowed(mutant.operation, style, mutant.status, mutant.body):
                into.survivors.append(str(mutant))
            else:
                into.mutants[mutant.kind] += 1


def _richest(answers: Iterable[Observation]) -> Iterator[Observation]:
    """Of each kind of answer those that say the most: every point there can be is in one of them."""
    by_kind: dict[tuple[str, int], dict[str, Observation]] = {}
    for one in answers:
        by_kind.setdefault((one.operation, one.status), {})[json.dumps(one.body, default=dict)] = one
    for texts in by_kind.values():
        yield from (texts[text] for text in sorted(texts, key=len, reverse=True)[:RICHEST])


def try_bugs(style: str, served: Served, into: Strength, bugs: Sequence[Bug] = BUGS) -> None:
    healthy = served(untouched)
    for bug in bugs:
        found = healthy if bug.of_record is None else served(bug.of_record)
        wrong = [Seen(bug.answer(one.answer), one.told) for one in found]
        if _same(healthy, wrong):
            into.survivors.append(f"{style} {bug.name}: changed no answer")
        elif killer := killed_by(style, wrong):
            into.bugs[style, bug.name] = killer
        else:
            into.survivors.append(f"{style} {bug.name}")


def killed_by(style: str, seen: Sequence[Seen]) -> str | None:
    """``schema``, the law or the promise that does not allow these answers; ``None``: nobody objects."""
    answers = [one.answer for one in seen]
    for one in answers:
        if not allowed(one.operation, style, one.status, one.body):
            return f"schema of {one.operation} {one.status}"
    if violations := check(answers):
        return f"law {violations[0].law}"
    for told in seen:
        for promise in broken_promises(told.answer, told.told):
            return f"promise: {promise}"
    return None


def allowed(operation: str, style: str, status: int, body: object) -> bool:
    return bool(_validator(operation, status, style).is_valid(body))


@cache
def _validator(
    operation: str, status: int, style: str
) -> Any:  # jsonschema-rs has no type for its validators in common
    import jsonschema_rs

    return jsonschema_rs.validator_for(registry.schema(operation, status, style))


def _value_at(mutant: Mutant) -> str:
    """What is wrong at the point, where one kind can be wrong in several ways."""
    several = {"retyped", "out of range", "wrong message", "wrong code"}
    return "" if mutant.kind not in several else _shape(_at(mutant.body, mutant.path))


def _at(body: Any, path: str) -> object:
    for key in path.replace("[]", ".[]").split(".") if path else ():
        body = body[0] if key == "[]" else next(iter(body.values())) if key == "*" else body[key]
    return body


def _shape(value: object) -> str:
    return json.dumps(value) if not isinstance(value, str) else f"text of {len(value)}"


def _same(healthy: Sequence[Seen], wrong: Sequence[Seen]) -> bool:
    return [one.answer.body for one in healthy] == [one.answer.body for one in wrong]
