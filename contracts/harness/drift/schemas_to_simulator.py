"""Schemas to simulator: what one has and the other never shows, in keys, types, values and null-ness, in both styles.

The simulated world is looked at through time. What a schema forbids is found answer by answer; what a schema allows and no
answer ever shows, at the end. Some things no launcher can be made to show: they are written down once, with the coverage of
checks (``contracts/harness/unshown.json``), and showing one of them all the same is a finding too.
"""

from collections.abc import Iterator, Sequence

from contracts import registry
from contracts.harness.contract import Contract, our_contract
from contracts.harness.drift.findings import Compared, Comparison, Finding, distinct
from contracts.harness.drift.sides import Simulated
from contracts.harness.judging import Judge
from contracts.harness.lines import Lines, lines
from contracts.harness.meeting import Item, Meeting, unshown

COMPARISON = Comparison.SCHEMAS_SIMULATOR
PRESENTER = "restserver/answers/presenters.py"
SUCCESS = 200
NEVER_SHOWN = frozenset({"values", "nulls", "keywords"})


def compare(simulated: Simulated, styles: Sequence[str] = registry.STYLES) -> Compared:
    found: list[Finding] = []
    count = 0
    for style in styles:
        contract = our_contract(style)
        meeting, judge = Meeting(contract), Judge(contract)
        for answer in simulated.answers(style):
            count += 1
            found += _judged(contract, judge, meeting, answer.operation, answer.status, answer.body, str(answer))
        found += _missed(meeting, lines(style))
        found += _shown_after_all(meeting, style)
    return Compared(COMPARISON, f"{simulated.title}: {count} answers in both styles", distinct(found))


def _judged(
    contract: Contract, judge: Judge, meeting: Meeting, operation: str, status: int, body: object, example: str
) -> Iterator[Finding]:
    response = contract.response(operation, status)
    if response is None:
        what = f"{operation} is answered {status}, which the document does not have"
        yield Finding(COMPARISON, "status", f"{operation} {status}", what, "restserver/errors.py", (example,))
        return
    wrong = list(judge.objections(operation, response, body))
    for objection in wrong:
        place = f"contracts/api.md:{objection.line}, {PRESENTER}"
        where = f"{operation} {status} {objection.where}"
        yield Finding(COMPARISON, objection.rule, where, f"{operation} {status}: {objection.what}", place, (example,))
    if not wrong:
        meeting.answered(operation, status, body)


def _missed(meeting: Meeting, where: Lines) -> Iterator[Finding]:
    promised = [
        item for item in meeting.expected() - meeting.met if item.kind in NEVER_SHOWN and item.status == SUCCESS
    ]
    for item in sorted(promised):
        place = f"contracts/api.md:{_line(where, item)}, simulator/profiles"
        what = f"{item.operation} {item.place or 'body'}: the schema has {item.value!r}, the simulator never shows it"
        yield Finding(COMPARISON, "never-shown", str(item), what, place)


def _shown_after_all(meeting: Meeting, style: str) -> Iterator[Finding]:
    listed = unshown(style)
    for item in sorted(meeting.met):
        if f"{item.kind} {item}" in listed:
            what = f"{item} is listed as what the simulator never shows, and it shows it"
            yield Finding(COMPARISON, "shown-after-all", str(item), what, "contracts/harness/unshown.json")


def _line(where: Lines, item: Item) -> int | None:
    path = [0 if part == "[]" else part for part in item.place.replace("[]", ".[]").split(".") if part]
    return where.of_field(item.operation, item.status, path)
