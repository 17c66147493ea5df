"""Records until it is told to stop, the time is over, or nothing more can be written."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contracts.clock import Instant, Milliseconds, real_now, uptime
from contracts.harness.recording.anonymising import Anonymised, key_beside
from contracts.harness.recording.files import Limits, RecordingFiles
from contracts.harness.recording.following import SCENARIO, Ask, Following, Looked
from contracts.harness.recording.pseudonyms import Pseudonyms
from contracts.harness.recording.secrets_out import SecretsOut
from contracts.launcher.recordings import Exchange, NoRecordings, Response, exchanges, files_of

CALLS_PER_SECOND: Final = 50.0


@dataclass(frozen=True)
class Plan:
    folder: Path
    dialect: str
    interval: float
    """Seconds from the beginning of a look to that of the next."""
    lasting: Milliseconds | None
    """``None``: until it is stopped."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with every question besides ``Accept``."""
    names: tuple[str, ...] | None = None
    asks_resource_manager: bool = False
    anonymise: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass
class Recorded:
    """What came of it all."""

    looks: int = 0
    written: int = 0
    answered: int = 0
    unanswered: int = 0
    key: Path | None = None
    """Where the key of the pseudonyms is."""

    def add(self, looked: Looked) -> None:
        self.looks += 1
        self.written += looked.written
        self.unanswered += looked.unanswered
        self.answered += looked.asked - looked.unanswered


def record(
    plan: Plan,
    ask: Ask,
    stop: threading.Event,
    *,
    began: Callable[[Recorded], None] = lambda recorded: None,
    warn: Callable[[str], None] = lambda text: None,
    now: Callable[[], Instant] = real_now,
) -> Recorded:
    """Raises :class:`~contracts.harness.recording.files.NotWritten`, RecordingsError where what is there cannot be gone on from."""
    recorded = Recorded()
    files = RecordingFiles(plan.folder, SCENARIO, plan.limits)
    try:
        steps: list[Callable[[Exchange], Exchange]] = [SecretsOut(plan.headers).exchange]
        if plan.anonymise:
            recorded.key, key = key_beside(plan.folder)
            steps.append(Anonymised(Pseudonyms(key)).exchange)
        following = Following(
            dialect=plan.dialect,
            ask=_paced(ask, stop),
            clean=lambda exchange: _through(steps, exchange),
            tell=files.write,
            now=now,
            asks_resource_manager=plan.asks_resource_manager,
            names=plan.names,
            headers=dict(plan.headers),
            stopping=stop.is_set,
            tells_names=not plan.anonymise,
        )
        for path in _there_already(plan.folder):
            for exchange in exchanges(path, warn):
                following.goes_on_from(exchange)
        began(recorded)
        _look_again_and_again(plan, files, following, stop, recorded, now)
    finally:
        files.leave()
    return recorded


def _look_again_and_again(
    plan: Plan,
    files: RecordingFiles,
    following: Following,
    stop: threading.Event,
    recorded: Recorded,
    now: Callable[[], Instant],
) -> None:
    started = uptime()
    until = None if plan.lasting is None else started + plan.lasting / 1000
    while not stop.is_set():
        next_look = uptime() + plan.interval
        if files.fresh:
            following.new_file()
        recorded.add(following.look())
        files.rotate(now())
        if until is not None and next_look >= until:
            stop.wait(max(0.0, until - uptime()))
            return
        stop.wait(max(0.0, next_look - uptime()))


def _paced(ask: Ask, stop: threading.Event) -> Ask:
    """Not too many a second, whatever there is to ask."""
    free_at = 0.0

    def paced(source: str, path: str) -> Response:
        nonlocal free_at
        stop.wait(max(0.0, free_at - uptime()))
        free_at = max(uptime(), free_at) + 1 / CALLS_PER_SECOND
        return ask(source, path)

    return paced


def _through(steps: Sequence[Callable[[Exchange], Exchange]], exchange: Exchange) -> Exchange:
    for step in steps:
        exchange = step(exchange)
    return exchange


def _there_already(folder: Path) -> tuple[Path, ...]:
    try:
        return files_of(folder)
    except NoRecordings:
        return ()
