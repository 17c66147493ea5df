"""One HTML page, whole in itself: opened from a CI server's artifacts it shows everything without another request."""

from collections.abc import Iterable, Iterator
from html import escape

from contracts.clock import iso
from contracts.harness.findings import Finding
from contracts.harness.meeting import KINDS
from contracts.harness.replaying import Replay
from contracts.harness.reports.junit import printable
from contracts.harness.reports.terminal import line_of
from contracts.harness.running import Outcome
from contracts.harness.transport import Answered

LONGEST_BODY = 2_000
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1c2126; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
code, pre { font: 13px/1.4 ui-monospace, monospace } pre { background: #f3f5f7; padding: .6rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere }
.kept { color: #17692f } .broken { color: #a61b1b } article { border-left: 4px solid #a61b1b; padding-left: 1rem; margin: 1.2rem 0 }
progress { width: 12rem }
@media (prefers-color-scheme: dark) { body { color: #dde3e9; background: #15191d } pre { background: #20262c } .kept { color: #6fcf8b } .broken { color: #ff8f8f } }
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
    yield _table(
        [
            ("Server", outcome.target),
            ("Contract", f"{outcome.contract.source}, {outcome.contract.style} style"),
            ("When", f"{iso(outcome.began)}, {outcome.seconds:.1f} s"),
            ("Requests", f"{outcome.requests}, {share} % about real names"),
            ("Names", "; ".join(outcome.names.sources) or "none"),
            ("Seed", str(outcome.plan.seed)),
            *([("Stopped early", outcome.stopped)] if outcome.stopped else []),
            *([("World", world)] if (world := replay.world()) else []),
        ]
    )
    yield "<h2>What broke</h2>" if new else ""
    for finding in new:
        yield from _finding(finding, replay)
    yield from _met(outcome)
    if outcome.findings.known:
        yield "<h2>Known and accepted</h2>"
        yield _listed(f"{one.fingerprint} {one.what}" for one in outcome.findings.known)
    yield "</body></html>"


def _finding(finding: Finding, replay: Replay) -> Iterator[str]:
    yield f"<article><p><strong>{_safe(finding.operation)} {finding.status or 'no answer'}, {_safe(finding.rule)}</strong>: "
    yield f"{_safe(finding.what)}</p>"
    rows = [("Breaks", line_of(finding)), ("Known as", finding.fingerprint), ("Seen", f"{finding.seen} times")]
    yield _table(rows)
    lines = [line for line in (replay.curl(finding), replay.again(finding)) if line]
    yield f"<pre>{_safe(chr(10).join(lines))}</pre>"
    if finding.exchanges and isinstance(answer := finding.exchanges[-1].outcome, Answered):
        body = answer.body[:LONGEST_BODY].decode("utf-8", "replace")
        yield f"<details><summary>The answer</summary><pre>{_safe(body)}</pre></details>"
    yield "</article>"


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
