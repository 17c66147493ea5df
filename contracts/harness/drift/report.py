"""The page a person reads: per comparison whether anything was found, what, and where to look; and the same for machines."""

from collections.abc import Iterator

import click

from contracts.harness.drift.comparing import Drift
from contracts.harness.drift.findings import Compared, Comparison, Finding

MOST_SHOWN = 12
"""Of one comparison; --json has them all."""
TITLES = {
    Comparison.DOCUMENT_SCHEMAS: "document to schemas",
    Comparison.SCHEMAS_SIMULATOR: "schemas to simulator",
    Comparison.SIMULATOR_REAL: "simulator to real",
    Comparison.WAIVERS: "waivers",
}


def page(drift: Drift) -> Iterator[str]:
    for compared in drift.compared:
        yield from _comparison(compared, drift)
    about_waivers = drift.judged.about_waivers
    if about_waivers or drift.judged.waived:
        yield from _section(TITLES[Comparison.WAIVERS], f"{len(drift.judged.waived)} in use", about_waivers)
    yield ""
    yield _verdict(drift)


def _comparison(compared: Compared, drift: Drift) -> Iterator[str]:
    title = TITLES[compared.comparison]
    if compared.looked_at is None:
        yield f"{click.style('-', fg='yellow')} {title}: the real side was not given (--recordings or --launcher-url)"
        return
    open_ = [one for one in drift.judged.open if one.comparison is compared.comparison]
    yield from _section(title, compared.looked_at, open_)
    for finding, waiver in drift.judged.waived:
        if finding.comparison is compared.comparison:
            yield f"    waived until {waiver.expires}: {finding.id} ({waiver.reason})"
    for note in compared.notes:
        yield f"    note: {note}"


def _section(title: str, looked_at: str, findings: "list[Finding] | tuple[Finding, ...]") -> Iterator[str]:
    mark = click.style("✗", fg="red") if findings else click.style("✓", fg="green")
    count = f"{len(findings)} found" if findings else "no drift"
    yield f"{mark} {click.style(title, bold=True)}: {count} ({looked_at})"
    for finding in findings[:MOST_SHOWN]:
        yield from _finding(finding)
    if len(findings) > MOST_SHOWN:
        yield f"    and {len(findings) - MOST_SHOWN} more; --json has them all"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"    {click.style(_plain(finding.what), fg='red')}"
    seen = "" if finding.seen == 1 else f", seen {finding.seen} times"
    shown_by = f"; shown by {', '.join(finding.examples)}" if finding.examples else ""
    yield f"      {finding.id}{seen}"
    yield f"      see {finding.place}{_plain(shown_by)}"


def _plain(text: str) -> str:
    """On one line, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _verdict(drift: Drift) -> str:
    if not drift.found:
        waived = f", {len(drift.judged.waived)} waived" if drift.judged.waived else ""
        return click.style(f"no drift{waived}", fg="green", bold=True)
    ways = "one way" if len(drift.found) == 1 else f"{len(drift.found)} ways"
    return click.style(f"drifted in {ways}", fg="red", bold=True)


def document(drift: Drift) -> dict[str, object]:
    """As JSON."""
    return {
        "drifted": bool(drift.found),
        "comparisons": [
            {
                "comparison": one.comparison.value,
                "given": one.looked_at is not None,
                "lookedAt": one.looked_at,
                "notes": list(one.notes),
            }
            for one in drift.compared
        ],
        "findings": [_as_json(one) for one in drift.found],
        "waived": [
            {**_as_json(finding), "reason": waiver.reason, "expires": waiver.expires.isoformat()}
            for finding, waiver in drift.judged.waived
        ],
    }


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "comparison": finding.comparison.value,
        "rule": finding.rule,
        "where": finding.where,
        "what": finding.what,
        "place": finding.place,
        "examples": list(finding.examples),
        "seen": finding.seen,
    }
