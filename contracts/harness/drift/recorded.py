"""The real side, recorded: a folder of recordings as what was said, and the stretches in which nothing was."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from contracts.clock import Milliseconds
from contracts.harness.drift.sides import RECOVERY, Real, Silence
from contracts.launcher.recordings import LAUNCHER, exchanges, files_of, name_of
from contracts.launcher.timelines import read_recordings

BEFORE_THE_ANSWER: Milliseconds = 2_000
"""Who answers was there for so long at least."""


def recorded(path: Path) -> Real:
    """Recordings hold whole answers of the open dialect. Raises NoRecordings, UnreadableRecording."""
    recordings = read_recordings(path)
    files = files_of(path)
    names = recordings.names()
    title = f"{len(files)} {'recording' if len(files) == 1 else 'recordings'} in {path}"
    return Real(
        title,
        "open",
        {name: recordings.frameworks[name].said for name in names},
        tuple(chain.from_iterable(_silences(file) for file in files)),
        {name: line.said for name, line in recordings.applications.items()},
    )


def _silences(file: Path) -> Iterator[Silence]:
    """From the last answer of the launcher to the next one, wherever it gave none, or an error of its own, in between. Before
    the first one nobody knows of it."""
    heard = begins = None
    name = name_of(file)
    asked = (one for one in exchanges(file, lambda _: None) if one.source == LAUNCHER)
    for one in sorted(asked, key=lambda one: one.instant):
        if one.response.status is None or one.response.status >= 500:
            begins = begins or heard or one.instant
            continue
        if heard is None:
            yield Silence(0, one.instant - BEFORE_THE_ANSWER, name)
        if begins is not None:
            yield Silence(begins, one.instant + RECOVERY)
        heard, begins = one.instant, None
    if begins is not None:
        yield Silence(begins, begins + RECOVERY)
