"""Every whole framework document of the recordings, decoded once for all tests that look at them."""

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from contracts.clock import Instant
from contracts.launcher import open_dialect, wire
from contracts.launcher.records import Framework
from contracts.launcher.timelines import Recordings, read_recordings

FOLDER = Path("fixtures/recordings")


@dataclass(frozen=True)
class Recorded:
    instant: Instant
    framework: Framework | None
    """``None``: not found."""


@cache
def recordings() -> Recordings:
    return read_recordings(FOLDER)


@cache
def histories() -> dict[str, list[Recorded]]:
    """Of each name, what was recorded, ascending."""
    return {
        name: [
            Recorded(
                said.instant,
                open_dialect.decode_framework(wire.parse(said.content)) if said.status == 200 else None,
            )
            for said in recordings().frameworks[name].said
            if said.status in (200, 404)  # silence says nothing
        ]
        for name in recordings().names()
    }


def runs() -> list[list[Framework]]:
    """Stretches of one version of one incarnation without a 404 in between, of all names."""
    return [
        [recorded.framework for recorded in group if recorded.framework is not None]
        for history in histories().values()
        for key, group in groupby(history, key=_run)
        if key is not None
    ]


def _run(recorded: Recorded) -> tuple[Instant | None, int] | None:
    if recorded.framework is None:
        return None
    status = recorded.framework.status
    return status.created_timestamp, status.version
