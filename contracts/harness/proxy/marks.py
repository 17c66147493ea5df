"""How violations are shown to the client: the header that Prism made known, and problem documents (RFC 9457)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import h11

from contracts.harness.expectations import Expectation
from contracts.harness.findings import Finding
from contracts.harness.proxy.passing_on import Raw
from contracts.harness.transport import TIME_OUT

VIOLATIONS: Final = b"sl-violations"
NOT_JUDGED: Final = b"sl-not-judged"
LONGEST: Final = 4096
"""Bytes of the header; clients and servers between allow 8 KiB for all of them."""

STATUS_OF_FAULT: Final[Mapping[str, int]] = {"path": 404, "method": 405, "length": 414, "parameter": 422}
STATUS_OF_ANSWER: Final = 502

_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "request": ("request", "target"),
    "status": ("response", "statusCode"),
    "header": ("response", "headers"),
}


def mark(findings: Sequence[Finding]) -> Raw:
    """The header; nothing where nothing is wrong."""
    if not findings:
        return []
    told = violations(findings)
    while len(text := json.dumps(told)) > LONGEST and len(told) > 1:
        more = len(findings) - len(told) + 2
        told = [*told[:-2], {"severity": "Information", "code": "more", "message": f"and {more} more"}]
    return [(VIOLATIONS, text.encode())]


def violations(findings: Iterable[Finding]) -> list[dict[str, object]]:
    return [
        {
            "location": list(_PLACES.get(finding.rule.partition(":")[0], ("response", "body"))),
            "severity": "Error",
            "code": finding.rule,
            "message": finding.what[:1000],
            **({} if finding.line is None else {"line": f"api.md:{finding.line}"}),
        }
        for finding in findings
    ]


def problem(status: int, detail: str, findings: Sequence[Finding], more: Raw | None = None) -> tuple[h11.Event, ...]:
    """An answer of the proxy itself."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if findings:
        document["validation"] = violations(findings)
    body = json.dumps(document).encode()
    headers = [
        (b"Content-Type", b"application/problem+json"),
        (b"Content-Length", str(len(body)).encode()),
        *mark(findings),
        *(more or []),
    ]
    reason = HTTPStatus(status).phrase.encode()
    return h11.Response(status_code=status, headers=headers, reason=reason), h11.Data(data=body), h11.EndOfMessage()


def refusal(expected: Expectation, findings: Sequence[Finding]) -> tuple[h11.Event, ...]:
    """Of a request that breaks the contract."""
    allow: Raw = [(b"Allow", b"GET, HEAD, OPTIONS")] if expected.fault == "method" else []
    detail = f"The request breaks the contract and was not passed on: {expected.why}."
    return problem(STATUS_OF_FAULT[expected.fault], detail, findings, allow)


def failure(kind: str, what: str, findings: Sequence[Finding]) -> tuple[h11.Event, ...]:
    """Where the server gave no whole answer."""
    return problem(504 if kind == TIME_OUT else 502, f"The server behind the proxy failed: {what}.", findings)
