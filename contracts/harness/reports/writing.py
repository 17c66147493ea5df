"""Writes one report to a file; no secret that was sent is in it, whoever repeated it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from contracts.harness.redacting import without
from contracts.harness.replaying import Replay
from contracts.harness.reports import har, junit, ndjson, page
from contracts.harness.running import Outcome

Writer = Callable[[Outcome, Replay], str]

WRITERS: Final[Mapping[str, Writer]] = {"junit": junit.text, "har": har.text, "ndjson": ndjson.text, "html": page.text}


def write_report(kind: str, path: Path, outcome: Outcome, replay: Replay, secrets: Sequence[str]) -> None:
    path.write_text(without(WRITERS[kind](outcome, replay), secrets), encoding="utf-8")
