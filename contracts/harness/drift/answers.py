"""Simulator to real, as clients see it: what our server makes of a real launcher's frameworks keeps schemas and laws too."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from contracts import registry
from contracts.harness.contract import our_contract
from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.sides import Present, Real
from contracts.harness.judging import Judge
from contracts.harness.laws import check
from contracts.harness.lines import lines

if TYPE_CHECKING:
    from contracts.harness.observations import Observation

COMPARISON = Comparison.SIMULATOR_REAL
PRESENTER = "restserver/answers/presenters.py"


def answers(real: Real, present: Present, styles: Sequence[str] = registry.STYLES) -> Iterator[Finding]:
    for style in styles:
        contract = our_contract(style)
        judge, where = Judge(contract), lines(style)
        kept: list[Observation] = []
        for answer in present(real, style):
            response = contract.response(answer.operation, answer.status)
            if response is None:
                what = f"{answer.operation} is answered {answer.status}, which the document does not have"
                yield Finding(
                    COMPARISON, "answer status", answer.operation, what, "restserver/errors.py", (str(answer),)
                )
                continue
            wrong = list(judge.objections(answer.operation, response, answer.body))
            for objection in wrong:
                about = f"{answer.operation} {objection.where}"
                place = f"contracts/api.md:{objection.line}, {PRESENTER}"
                yield Finding(COMPARISON, f"answer {objection.rule}", about, objection.what, place, (str(answer),))
            if not wrong:
                kept.append(answer)
        for violation in chain.from_iterable(map(check, _by_run(real, kept))):
            line = where.of_law(violation.law, violation.what)
            about = f"{violation.law} {where.field_in(violation.what) or ''}"
            shown = tuple(map(str, violation.observations[-1:]))
            yield Finding(COMPARISON, "answer law", about, violation.what, f"contracts/api.md:{line}", shown)


def _by_run(real: Real, answers: "Iterable[Observation]") -> "Iterable[Sequence[Observation]]":
    """A launcher does not tell which versions there were, and one that was left and entered again begins anew: so each run is
    judged by itself."""
    begins = {name: [run[0].instant for run in history.runs()] for name, history in real.histories.items()}
    found: dict[tuple[str, int], list[Observation]] = defaultdict(list)
    for one in answers:
        found[one.name, bisect_right(begins.get(one.name, []), one.instant)].append(one)
    return found.values()
