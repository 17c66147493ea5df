"""Every whole framework document of the recordings, decoded once for all tests that look at them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from contracts.launcher.histories import History
from contracts.launcher.histories import histories as histories_of
from contracts.launcher.records import Framework
from contracts.launcher.timelines import Recordings, read_recordings

FOLDER = Path("fixtures/recordings")


@cache
def recordings(folder: Path = FOLDER) -> Recordings:
    return read_recordings(folder)


@cache
def histories(folder: Path = FOLDER) -> Mapping[str, History]:
    return histories_of(recordings(folder))


def runs() -> list[list[Framework]]:
    """Stretches of one version of one incarnation without a 404 in between, of all names."""
    return [
        [look.framework for look in run if look.framework is not None]
        for history in histories().values()
        for run in history.runs()
    ]
