"""The real side, recorded: a folder of recordings as what was said, and the stretches in which nothing was."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from contracts.clock import Instant, Milliseconds
from contracts.harness.drift.sides import RECOVERY, Real, Silence
from contracts.launcher.recordings import LAUNCHER, Exchange, files_of
from contracts.launcher.timelines import read_recordings

BEFORE_THE_ANSWER: Milliseconds = 2_000
"""Who answers was there for so long at least."""


def recorded(path: Path) -> Real:
    """Recordings hold whole answers of the open dialect. Raises NoRecordings, UnreadableRecording."""
    answers: dict[str, list[_Answer]] = defaultdict(list)

    def beside(recording: str, exchange: Exchange) -> None:
        if exchange.source == LAUNCHER:
            answers[recording].append((exchange.instant, exchange.response.status))

    recordings, files = read_recordings(path, beside), files_of(path)
    names = recordings.names()
    title = f"{len(files)} {'recording' if len(files) == 1 else 'recordings'} in {path}"
    return Real(
        title,
        "open",
        {name: recordings.frameworks[name].said for name in names},
        tuple(chain.from_iterable(_silences(recording, given) for recording, given in answers.items())),
        {name: line.said for name, line in recordings.applications.items()},
    )


_Answer: TypeAlias = tuple[Instant, int | None]
"""When, and with which status; ``None``: none came."""


def _silences(recording: str, answers: Iterable[_Answer]) -> Iterator[Silence]:
    """From the last answer of the launcher to the next one, wherever it gave none, or an error of its own, in between. Before
    the first one nobody knows of it."""
    heard = begins = None
    for instant, status in sorted(answers, key=itemgetter(0)):
        if status is None or status >= 500:
            begins = begins or heard or instant
            continue
        if heard is None:
            yield Silence(0, instant - BEFORE_THE_ANSWER, recording)
        if begins is not None:
            yield Silence(begins, instant + RECOVERY)
        heard, begins = instant, None
    if begins is not None:
        yield Silence(begins, begins + RECOVERY)
