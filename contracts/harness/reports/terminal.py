"""The report a person reads first: what was asked, what broke, what was met. Short when all is well."""

from collections.abc import Iterator

import click

from contracts.harness.findings import Finding
from contracts.harness.lines import lines
from contracts.harness.meeting import KINDS
from contracts.harness.replaying import Replay
from contracts.harness.running import Outcome
from contracts.harness.shown import LONGEST_SHOWN

MOST_SHOWN = 25
MOST_MISSED = 5


def heading(target: str, source: str, sources: tuple[str, ...], style: str) -> Iterator[str]:
    yield f"{click.style('checking', bold=True)} {target} against {source} ({style} style)"
    yield f"real names: {'; '.join(sources) if sources else 'none: there is no control plane and no other source was given'}"


def report(outcome: Outcome, replay: Replay, fail_under: float | None) -> Iterator[str]:
    new = outcome.findings.new
    for number, finding in enumerate(new[:MOST_SHOWN], 1):
        yield ""
        yield from finding_lines(number, finding, replay)
    if len(new) > MOST_SHOWN:
        yield f"\nand {len(new) - MOST_SHOWN} more; --report ndjson has them all"
    yield ""
    if new and (world := replay.world()):
        yield f"its world: {world}"
    yield from _asked(outcome)
    yield from met(outcome)
    yield from _baseline(outcome)
    for note in outcome.notes:
        yield click.style(f"note: {note}", fg="yellow")
    if outcome.stopped:
        yield click.style(f"stopped early: {outcome.stopped}", fg="yellow")
    yield _verdict(outcome, fail_under)


def title(finding: Finding) -> str:
    return f"{finding.operation} {finding.status or 'no answer'}, {finding.rule}: {finding.what}"


def line_of(finding: Finding) -> str:
    return "api.md" if finding.line is None else f"api.md:{finding.line}"


def promise(finding: Finding) -> str | None:
    """What api.md says there."""
    if finding.line is None:
        return None
    text = lines("documented").text(finding.line)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def finding_lines(number: int, finding: Finding, replay: Replay) -> Iterator[str]:
    yield f"{click.style(f'{number}.', bold=True)} {click.style(title(finding), fg='red')}"
    times = "" if finding.seen == 1 else f", seen {finding.seen} times"
    yield f"   breaks {line_of(finding)} ({finding.rule}), known as {finding.fingerprint}{times}"
    if said := promise(finding):
        yield f"   it says:   {said}"
    if curl := replay.curl(finding):
        yield f"   see it:    {curl}"
    if again := replay.again(finding):
        yield f"   replay it: {again}"


def _asked(outcome: Outcome) -> Iterator[str]:
    phases = ", ".join(f"{phase} {count}" for phase, count in outcome.asked.items())
    share = 100 * outcome.real // outcome.requests if outcome.requests else 0
    yield (
        f"{outcome.requests} requests in {outcome.seconds:.1f} s ({phases}), {share} % about real names, "
        f"seed {outcome.plan.seed}"
    )


def met(outcome: Outcome) -> Iterator[str]:
    shares = outcome.meeting.shares()
    told = ", ".join(f"{kind} {shares[kind].met}/{shares[kind].of}" for kind in KINDS)
    yield f"met of the contract: {told}; {outcome.meeting.percent():.0f} %"
    missed = [item for item in outcome.meeting.missed() if item.kind in ("parameters", "values", "nulls")]
    if missed:
        more = f" and {len(missed) - MOST_MISSED} more" if len(missed) > MOST_MISSED else ""
        yield f"not met: {'; '.join(str(item) for item in missed[:MOST_MISSED])}{more}"
    hidden = outcome.meeting.not_provokable()
    if hidden:
        yield f"not provokable by asking: {', '.join(f'{item.operation} {item.status}' for item in hidden)}"
    settings = outcome.meeting.not_configured()
    if settings:
        yield f"only where configured: {', '.join(f'{status} ({setting})' for status, setting in settings.items())}"


def _baseline(outcome: Outcome) -> Iterator[str]:
    if outcome.findings.known:
        yield f"known and accepted: {', '.join(one.fingerprint for one in outcome.findings.known)}"
    if outcome.findings.healed:
        yield f"in the baseline, not seen any more: {', '.join(outcome.findings.healed)}"


def _verdict(outcome: Outcome, fail_under: float | None) -> str:
    new = len(outcome.findings.new)
    if new:
        ways = "one way" if new == 1 else f"{new} ways"
        return click.style(f"the contract is broken in {ways}", fg="red", bold=True)
    if fail_under is not None and outcome.meeting.percent() < fail_under:
        told = f"only {outcome.meeting.percent():.1f} % of the contract was met, less than {fail_under:g} %"
        return click.style(told, fg="red", bold=True)
    return click.style("the contract is kept", fg="green", bold=True)
