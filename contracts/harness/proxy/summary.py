"""What the proxy says at its end: what passed by, what broke, what of the contract was met."""

from collections.abc import Iterator

import click

from contracts.harness.proxy.watching import BAD_REQUESTS, Watch
from contracts.harness.replaying import Replay
from contracts.harness.reports.terminal import MOST_SHOWN, finding_lines, met
from contracts.harness.running import Outcome


def summary(outcome: Outcome, watch: Watch, replay: Replay) -> Iterator[str]:
    new = outcome.findings.new
    for number, finding in enumerate(new[:MOST_SHOWN], 1):
        yield ""
        yield from finding_lines(number, finding, replay)
    if len(new) > MOST_SHOWN:
        yield f"\nand {len(new) - MOST_SHOWN} more; --report ndjson has them all"
    yield ""
    beside = watch.passed - watch.of_api
    yield f"{watch.of_api} requests passed by in {outcome.seconds:.1f} s{f', and {beside} beside the API' if beside else ''}"
    if watch.not_judged:
        yield f"{watch.not_judged} answers were not judged: too large, or in an encoding that is not known here"
    if watch.of_api:
        yield from met(outcome)
    for note in outcome.notes:
        yield click.style(f"note: {note}", fg="yellow")
    yield _verdict(outcome)


def _verdict(outcome: Outcome) -> str:
    broken = [one for one in outcome.findings.new if not one.rule.startswith("request:")]
    asked = [one for one in outcome.findings.new if one.rule.startswith("request:")]
    if broken:
        ways = "one way" if len(broken) == 1 else f"{len(broken)} ways"
        return click.style(f"the server breaks the contract in {ways}", fg="red", bold=True)
    if asked:
        told = f"the server keeps the contract; its clients do not (--tolerate {BAD_REQUESTS} lets them)"
        return click.style(told, fg="red", bold=True)
    if not outcome.asked:
        return click.style("nothing passed by, so nothing is proved", fg="yellow", bold=True)
    return click.style("the contract is kept", fg="green", bold=True)
