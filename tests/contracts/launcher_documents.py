"""Documents of real and deployed launchers, as tests read them."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from contracts.launcher import open_dialect, wire
from contracts.launcher.recordings import Exchange, exchanges, files_of
from contracts.launcher.records import Framework

RECORDINGS = Path("fixtures/recordings")
DEPLOYED = Path("fixtures/launcher-documents")


def _no_warning(text: str) -> None:
    raise AssertionError(text)


@cache
def answered() -> tuple[Exchange, ...]:
    """Every successful GET of the recordings."""
    return tuple(
        exchange
        for path in files_of(RECORDINGS)
        for exchange in exchanges(path, _no_warning)
        if exchange.response.status == 200 and exchange.request.method == "GET" and exchange.response.body
    )


def framework_bodies() -> Iterator[tuple[str, str]]:
    """Scenario and body of every whole framework."""
    for exchange in answered():
        path = exchange.request.path.rstrip("/")
        if exchange.source == "launcher" and path.startswith("/v1/Frameworks/") and path.count("/") == 3:
            yield exchange.scenario, exchange.response.body or ""


@cache
def recorded_frameworks() -> tuple[tuple[str, Framework], ...]:
    return tuple(
        (scenario, open_dialect.decode_framework(wire.parse(body.encode()))) for scenario, body in framework_bodies()
    )


@cache
def deployed(dialect: str) -> tuple[dict[str, object], ...]:
    """Documents that a deployed server was given: path, body, and the resource manager's answers beside them."""
    with gzip.open(DEPLOYED / f"{dialect}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)
