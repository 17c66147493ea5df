"""One HTML page, whole in itself: opened from a CI server's artifacts it shows everything without another request."""

from collections.abc import Iterable, Iterator
from html import escape

from contracts.clock import iso
from contracts.harness.contract import ANY_PATH
from contracts.harness.findings import Finding
from contracts.harness.meeting import KINDS
from contracts.harness.replaying import Replay
from contracts.harness.reports.junit import printable
from contracts.harness.reports.terminal import line_of, promise
from contracts.harness.running import Outcome
from contracts.harness.transport import Answered

LONGEST_BODY = 2_000
STYLE = """
:root { color-scheme: light dark; --ink: #1c2126; --soft: #5d6873; --paper: #fff; --shade: #f3f5f7; --line: #d8dee4; --good: #17692f; --bad: #a61b1b; --goodbg: #e4f3e8; --badbg: #fbe6e6 }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3e9; --soft: #97a3af; --paper: #15191d; --shade: #20262c; --line: #39424b; --good: #6fcf8b; --bad: #ff8f8f; --goodbg: #1b3323; --badbg: #3d2022 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto 4rem; max-width: 64rem; padding: 0 1.2rem; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.5rem; margin: 1.5rem 0; padding: .9rem 1.2rem; border-radius: .5rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
h1.kept { color: var(--good); background: var(--goodbg) } h1.broken { color: var(--bad); background: var(--badbg) }
table { border-collapse: collapse } td, th { padding: .2rem 1.1rem .2rem 0; text-align: left; vertical-align: top; font-weight: normal } th { color: var(--soft) }
code, pre, blockquote { font: 13px/1.5 ui-monospace, monospace } pre { background: var(--shade); padding: .6rem .8rem; border-radius: .3rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0 }
article { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: .3rem; padding: .8rem 1rem; margin: 1rem 0 } article h3 { font-size: 1rem; margin: 0 } article p { margin: .3rem 0 }
blockquote { margin: .5rem 0; padding: .3rem .8rem; border-left: 3px solid var(--line); overflow-wrap: anywhere } small, .soft { color: var(--soft) } summary { cursor: pointer }
.grid td, .grid th { border: 1px solid var(--line); padding: .25rem .8rem } .grid td { text-align: center; min-width: 3.2rem } .grid .kept { color: var(--good); background: var(--goodbg) } .grid .broken { color: var(--bad); background: var(--badbg) } .grid .soft { font-size: 12px }
progress { width: 14rem; height: .7rem; accent-color: var(--good); vertical-align: middle }
"""


def text(outcome: Outcome, replay: Replay) -> str:
    return "\n".join(_page(outcome, replay)) + "\n"


def _page(outcome: Outcome, replay: Replay) -> Iterator[str]:
    new = outcome.findings.new
    verdict = f"broken in {len(new)} way{'s' if len(new) > 1 else ''}" if new else "kept"
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>The contract is {verdict}</title><style>{STYLE}</style></head><body>"
    yield f'<h1 class="{"broken" if new else "kept"}">The contract is {verdict}</h1>'
    share = 100 * outcome.real // outcome.requests if outcome.requests else 0
    phases = ", ".join(f"{phase} {count}" for phase, count in outcome.asked.items())
    yield _table(
        [
            ("Server", outcome.target),
            ("Contract", f"{outcome.contract.source}, {outcome.contract.style} style"),
            ("When", f"{iso(outcome.began)}, {outcome.seconds:.1f} s"),
            ("Requests", f"{outcome.requests}, {share} % about real names: {phases}"),
            ("Names", "; ".join(outcome.names.sources) or "none"),
            ("Seed", str(outcome.plan.seed)),
            *([("Stopped early", outcome.stopped)] if outcome.stopped else []),
            *([("World", world)] if (world := replay.world()) else []),
        ]
    )
    yield from _grid(outcome)
    yield "<h2>What broke</h2>" if new else ""
    for finding in new:
        yield from _finding(finding, replay)
    yield from _met(outcome)
    if outcome.findings.known:
        yield "<h2>Known and accepted</h2>"
        yield _listed(f"{one.fingerprint} {one.what}" for one in outcome.findings.known)
    yield "</body></html>"


def _finding(finding: Finding, replay: Replay) -> Iterator[str]:
    yield f"<article><h3>{_safe(finding.operation)} {finding.status or 'no answer'}, {_safe(finding.rule)}</h3>"
    times = "once" if finding.seen == 1 else f"{finding.seen} times"
    yield f"<p>{_safe(finding.what)}</p>"
    if said := promise(finding):
        yield f"<blockquote><small>{line_of(finding)}</small> {_safe(said)}</blockquote>"
    if curl := replay.curl(finding):
        yield f"<small>see it</small><pre>{_safe(curl)}</pre>"
    if again := replay.again(finding):
        yield f"<small>replay it</small><pre>{_safe(again)}</pre>"
    if finding.exchanges and isinstance(answer := finding.exchanges[-1].outcome, Answered):
        body = answer.body[:LONGEST_BODY].decode("utf-8", "replace")
        yield f"<details><summary>The answer</summary><pre>{_safe(body)}</pre></details>"
    yield f"<small>known as {finding.fingerprint}, seen {times}</small></article>"


def _grid(outcome: Outcome) -> Iterator[str]:
    """Every operation with every status it documents: what was met, what broke, and what was not there to be met."""
    meeting, contract = outcome.meeting, outcome.contract
    documented = {(item.operation, item.status) for item in meeting.all if item.kind == "statuses"}
    columns = sorted({status for _, status in documented})
    spoiled = {(one.operation, one.status) for one in outcome.findings.new}
    met = {(item.operation, item.status) for item in meeting.met if item.kind == "statuses"}
    heads = "".join(f"<th>{status}</th>" for status in columns)
    yield f'<h2>Operations and statuses</h2><table class="grid"><tr><th></th>{heads}</tr>'
    for operation in (*contract.operations, ANY_PATH):
        cells = []
        for status in columns:
            place = operation, status
            setting = getattr(contract.response(operation, status), "only_with", "")
            if place not in documented:
                cells.append("<td></td>")
            elif place in spoiled:
                cells.append('<td class="broken">broken</td>')
            elif place in met:
                cells.append('<td class="kept">kept</td>')
            else:
                cells.append(f'<td class="soft">{_safe(f"only with {setting}" if setting else "not met")}</td>')
        yield f"<tr><th>{_safe(operation)}</th>{''.join(cells)}</tr>"
    yield "</table>"


def _met(outcome: Outcome) -> Iterator[str]:
    yield f"<h2>What of the contract was met: {outcome.meeting.percent():.0f} %</h2><table>"
    for kind in KINDS:
        share = outcome.meeting.shares()[kind]
        bar = f'<progress max="{max(share.of, 1)}" value="{share.met}"></progress>'
        yield f"<tr><td>{kind}</td><td>{bar}</td><td>{share.met} of {share.of}</td></tr>"
    yield "</table>"
    for title, items in (("Not met", outcome.meeting.missed()), ("Not provokable", outcome.meeting.not_provokable())):
        if items:
            yield f"<details><summary>{title}: {len(items)}</summary>{_listed(map(str, items))}</details>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{_safe(name)}</th><td>{_safe(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _listed(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li><code>{_safe(item)}</code></li>' for item in items)}</ul>"


def _safe(text: str) -> str:
    return escape(printable(text))
