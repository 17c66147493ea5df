"""NDJSON: a line for the run, one for each request, one for each finding, one for what was met; for programs."""

import json
from collections.abc import Iterator

from contracts.clock import iso
from contracts.harness.findings import Exchange, Finding
from contracts.harness.replaying import Replay
from contracts.harness.running import Outcome
from contracts.harness.transport import Unanswered


def text(outcome: Outcome, replay: Replay) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in _lines(outcome, replay))


def _lines(outcome: Outcome, replay: Replay) -> Iterator[dict[str, object]]:
    yield {
        "event": outcome.command,
        "target": outcome.target,
        "contract": outcome.contract.source,
        "style": outcome.contract.style,
        "seed": outcome.plan.seed,
        "phases": list(outcome.plan.phases),
        "began": iso(outcome.began),
        "names": list(outcome.names.sources),
    }
    for exchange in outcome.exchanges:
        yield _exchange(exchange)
    for finding in (*outcome.findings.new, *outcome.findings.known):
        yield _finding(finding, replay, known=finding.fingerprint in outcome.findings.accepted)
    yield {
        "event": "met",
        **{kind: {"met": share.met, "of": share.of} for kind, share in outcome.meeting.shares().items()},
        "percent": round(outcome.meeting.percent(), 1),
        "missed": [str(item) for item in outcome.meeting.missed()],
        "notProvokable": [str(item) for item in outcome.meeting.not_provokable()],
    }
    yield {
        "event": "end",
        "requests": outcome.requests,
        "real": outcome.real,
        "seconds": round(outcome.seconds, 3),
        "stopped": outcome.stopped or None,
        "findings": len(outcome.findings.new),
    }


def _exchange(exchange: Exchange) -> dict[str, object]:
    answer = exchange.outcome
    told: dict[str, object] = {
        "event": "request",
        "number": exchange.number,
        "phase": exchange.phase,
        "operation": exchange.operation,
        "method": exchange.request.method,
        "target": exchange.request.target,
        "status": answer.status,
        "milliseconds": round(answer.seconds * 1000, 3),
    }
    return told | ({"unanswered": answer.kind, "what": answer.what} if isinstance(answer, Unanswered) else {})


def _finding(finding: Finding, replay: Replay, *, known: bool) -> dict[str, object]:
    return {
        "event": "finding",
        "fingerprint": finding.fingerprint,
        "known": known,
        "operation": finding.operation,
        "status": finding.status,
        "rule": finding.rule,
        "where": finding.where,
        "what": finding.what,
        "line": finding.line,
        "seen": finding.seen,
        "requests": [exchange.number for exchange in finding.exchanges],
        "curl": replay.curl(finding),
        "replay": replay.again(finding),
    }
