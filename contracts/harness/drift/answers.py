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
from contracts.harness.observations import tasks_of

if TYPE_CHECKING:
    from contracts.harness.observations import Observation, Violation

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
            if _was_scaled(real, violation):
                continue
            line = where.of_law(violation.law, violation.what)
            about = f"{violation.law} {where.field_in(violation.what) or ''}"
            shown = tuple(map(str, violation.observations[-1:]))
            yield Finding(COMPARISON, "answer law", about, violation.what, f"contracts/api.md:{line}", shown)


def _was_scaled(real: Real, violation: "Violation") -> bool:
    """Tasks vanished, and those that are left are those asked for, which no answer tells: what had been asked for before
    somebody looked first, a recording need not know."""
    if violation.law != "L5" or len(violation.observations) != 2:
        return False
    before, after = violation.observations
    if not tasks_of(before.body).keys() - tasks_of(after.body).keys():
        return False
    looks = real.histories[after.name].looks
    record = next((look.framework for look in looks if look.instant == after.instant), None)
    return (
        record is not None
        and record.request is not None
        and {name: len(role.tasks) for name, role in record.task_roles.items() if role.tasks}
        == {name: role.task_number for name, role in record.request.descriptor.task_roles.items() if role.task_number}
    )


def _by_run(real: Real, answers: "Iterable[Observation]") -> "Iterable[Sequence[Observation]]":
    """A launcher does not tell which versions there were, and one that was left and entered again begins anew: so each run is
    judged by itself."""
    begins = {name: [run[0].instant for run in history.runs()] for name, history in real.histories.items()}
    found: dict[tuple[str, int], list[Observation]] = defaultdict(list)
    for one in answers:
        found[one.name, bisect_right(begins.get(one.name, []), one.instant)].append(one)
    return found.values()
