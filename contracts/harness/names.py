"""Where real names come from: without them nearly every answer is a 404, and nothing is proved.

A check takes all sources it is given, and says what each had. A launcher comes in as a function, since the harness knows
none.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from contracts.clock import Instant
from contracts.harness.control import ControlPlane, ListedJob, NoControl
from contracts.launcher.recordings import RecordingsError
from contracts.launcher.timelines import read_recordings

T = TypeVar("T")

MOST: Final = 500
"""Names of one source; more prove no more."""


class BadNames(ValueError):
    """A source that was asked for and has no names to give. One line."""


@dataclass(frozen=True)
class RealName:
    name: str
    created: Instant = 0
    """0: not known."""
    attempt: int = 0
    """One that it surely has."""

    @property
    def encoded(self) -> str:
        return quote(self.name, safe="~")


@dataclass(frozen=True)
class Names:
    known: tuple[RealName, ...]
    sources: tuple[str, ...]
    """A sentence each: where names came from, or why not."""


def gathered(
    control: ControlPlane | None,
    launcher: Callable[[], Iterable[ListedJob]] | None,
    file: Path | None,
    recordings: Path | None,
) -> Names:
    """All names, those of the control plane first, each once. Raises :class:`BadNames`."""
    found: dict[str, RealName] = {}
    sources: list[str] = []

    def take(names: Iterable[RealName], source: str) -> None:
        count = 0
        for one in names:
            if count == MOST:
                break
            found.setdefault(one.name, one)
            count += 1
        sources.append(f"{count} from {source}")

    if control is not None:
        try:
            take(_varied_names(control.jobs(MOST)), f"the control plane of {control.client.target.url}")
        except NoControl as error:
            sources.append(f"none from the control plane: {error}")
    if launcher is not None:
        take(_varied_names(launcher()), "the launcher")
    if file is not None:
        take(map(RealName, _of_file(file)), str(file))
    if recordings is not None:
        take(_of_recordings(recordings), f"the recordings in {recordings}")
    return Names(tuple(found.values()), tuple(sources))


def _varied_names(jobs: Iterable[ListedJob]) -> list[RealName]:
    return [RealName(job.name, job.created, job.attempt) for job in varied(list(jobs), lambda job: job.shows)]


def varied(items: Sequence[T], kind: Callable[[T], Hashable]) -> list[T]:
    """The first of each kind, then the second of each kind ...: a few of them show as much as there is to be seen."""
    places: dict[Hashable, int] = {}
    ranked = []
    for item in items:
        place = places[kind(item)] = places.get(kind(item), -1) + 1
        ranked.append((place, item))
    return [item for _, item in sorted(ranked, key=lambda one: one[0])]


def _of_file(path: Path) -> list[str]:
    """One name a line; ``#`` begins a comment."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadNames(f"{path}: {error}") from error
    names = [line.partition("#")[0].strip() for line in lines]
    if not any(names):
        raise BadNames(f"{path}: there are no names in it")
    return [name for name in names if name]


def _of_recordings(path: Path) -> list[RealName]:
    try:
        recordings = read_recordings(path)
    except RecordingsError as error:
        raise BadNames(str(error)) from error
    return [RealName(name, recordings.instants(name)[0]) for name in recordings.names()]
