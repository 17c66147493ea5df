"""Recordings changed in ways that leave them true: the same launcher, as another poller, another clock or another set-up saw it."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import structs

from contracts.clock import Instant, Milliseconds, VirtualClock
from contracts.launcher import open_dialect
from contracts.launcher.port import Ask, NoSuchFramework
from contracts.launcher.recordings import LAUNCHER, Exchange, Request, Response, exchanges, files_of, name_of, to_line
from simulator.simulation import Simulation

Files = Mapping[str, Sequence[Exchange]]
"""By the name of the recording."""
Change = Callable[[Files], Files]
_INSTANT = re.compile(r"(?<![_\d])1[67]\d{11}(?![_\d])")
"""Milliseconds since the epoch as a launcher tells them, and none that are part of an id."""
_GANG = re.compile(r"(?<=outstanding Tasks after timeout )\d+(?=s)")


def read(folder: Path, every: int = 1) -> Files:
    """All recordings of a folder, or only every so manieth."""
    return {name_of(file): list(exchanges(file, lambda _: None)) for file in files_of(folder)[::every]}


def write(files: Files, folder: Path) -> Path:
    for name, lines in files.items():
        if lines:
            (folder / f"{name}.jsonl").write_text("".join(f"{to_line(one)}\n" for one in lines))
    return folder


def each(change: Callable[[Sequence[Exchange]], Iterable[Exchange]]) -> Change:
    return lambda files: {name: list(change(lines)) for name, lines in files.items() if lines}


def thinned(interval: Milliseconds) -> Change:
    """One look at each thing so often, and only what had changed by then."""
    return each(lambda lines: sorted(_thinned(lines, interval), key=lambda one: one.instant))


def _thinned(lines: Sequence[Exchange], interval: Milliseconds) -> Iterator[Exchange]:
    asked: dict[tuple[str, str, str], list[Exchange]] = defaultdict(list)
    for one in lines:
        if one.request.method != "GET":
            yield one
        else:
            asked[one.source, one.request.path, json.dumps(dict(one.request.headers))].append(one)
    for answers in asked.values():
        latest: dict[Instant, Exchange] = {}
        for one in sorted(answers, key=lambda one: one.instant):
            latest[-(-one.instant // interval) * interval] = one
        yield from (structs.replace(one, instant=looked, before=None) for looked, one in latest.items())


def first(part: float) -> Change:
    return each(lambda lines: [one for one in lines if one.instant <= _at(lines, part)])


def last(part: float) -> Change:
    return each(lambda lines: [one for one in lines if one.instant >= _at(lines, 1 - part)])


def _at(lines: Sequence[Exchange], part: float) -> float:
    begin, end = min(one.instant for one in lines), max(one.instant for one in lines)
    return begin + (end - begin) * part


def slower(factor: int) -> Change:
    """A launcher all of whose intervals are so much longer."""

    def change(lines: Sequence[Exchange]) -> Iterator[Exchange]:
        origin = min(one.instant for one in lines)

        def body(text: str) -> str:
            later = _INSTANT.sub(lambda found: str(origin + (int(found[0]) - origin) * factor), text)
            return _GANG.sub(lambda found: str(int(found[0]) * factor), later)

        for one in lines:
            yield _retold(one, body, instant=origin + (one.instant - origin) * factor)

    return each(change)


def missed(part: float) -> Change:
    """A poller that lost so much of what it saw, by chance."""
    dice = random.Random(part)
    return each(lambda lines: [one for one in lines if one.request.method != "GET" or dice.random() > part])


def by_another_clock(off: Milliseconds) -> Change:
    """A poller whose clock is not the launcher's."""
    return each(lambda lines: [structs.replace(one, instant=one.instant + off) for one in lines])


def shifted(by: Milliseconds) -> Change:
    def body(text: str) -> str:
        return _INSTANT.sub(lambda found: str(int(found[0]) + by), text)

    return each(lambda lines: [_retold(one, body, instant=one.instant + by) for one in lines])


def renamed(files: Files) -> Files:
    """Frameworks of another user, with other names."""
    return each(lambda lines: [_retold(one, _rename) for one in lines])(files)


def _rename(text: str) -> str:
    return text.replace("alice~", "zoe.other~anew-")


def _retold(one: Exchange, body: Callable[[str], str], *, instant: Instant | None = None) -> Exchange:
    response = structs.replace(one.response, body=None if one.response.body is None else body(one.response.body))
    request = structs.replace(one.request, path=_rename(one.request.path) if body is _rename else one.request.path)
    return structs.replace(one, instant=one.instant if instant is None else instant, request=request, response=response)


def reordered(files: Files) -> Files:
    """The files in another order, and the lines of each."""
    dice = random.Random(7)
    names = list(files)
    dice.shuffle(names)
    return {
        f"{number:04}-{name}": dice.sample(list(files[name]), len(files[name])) for number, name in enumerate(names)
    }


def in_one_file(files: Files) -> Files:
    """Several frameworks seen by one poller."""
    every = [one for lines in files.values() for one in lines]
    return {"everything": sorted(every, key=lambda one: one.instant)}


def only_frameworks(files: Files) -> Files:
    """Nobody asked the resource manager, and nobody recorded what was submitted."""
    return each(lambda lines: [one for one in lines if one.source == LAUNCHER and one.request.method == "GET"])(files)


def together(*changes: Change) -> Change:
    def change(files: Files) -> Files:
        for one in changes:
            files = one(files)
        return files

    return change


CHANGES: Mapping[str, Change] = {
    "a look every second": thinned(1_000),
    "a look every 3 s": thinned(3_000),
    "a look every 10 s": thinned(10_000),
    "a look every minute": thinned(60_000),
    "the first 60 %": first(0.6),
    "the first 30 %": first(0.3),
    "the last 60 %": last(0.6),
    "the last 30 %": last(0.3),
    "twice as slow": slower(2),
    "five times as slow": slower(5),
    "ten times as slow": slower(10),
    "half of it missed": missed(0.5),
    "by a clock that is ahead": by_another_clock(1_500),
    "by a clock that is behind": by_another_clock(-1_500),
    "a year later": shifted(365 * 86_400_000),
    "renamed": renamed,
    "reordered": reordered,
    "in one file": in_one_file,
    "only frameworks": only_frameworks,
    "seldom looked at, slow, and from the middle": together(slower(3), thinned(5_000), last(0.7)),
    "seldom looked at, in one file, cut off": together(thinned(2_000), in_one_file, first(0.8)),
}


@cache
def simulated(profile: str, seed: int, interval: Milliseconds) -> Files:
    """What a poller sees of our own simulator: jobs of a profile, and every shipped story."""
    at, length = 1_795_465_000_000, 2 * 3_600_000
    clock = VirtualClock(at, frozen=True)
    simulation = Simulation(seed, 15, clock, profile)
    begins = {told.name: told.begins for told in map(simulation.world.at_place, simulation.world.places(at))}
    return {name: list(_looks(simulation, clock, name, begin, length, interval)) for name, begin in begins.items()}


def _looks(
    simulation: Simulation, clock: VirtualClock, name: str, begin: Instant, length: Milliseconds, interval: Milliseconds
) -> Iterator[Exchange]:
    before: tuple[int, str] | None = None
    request = Request("GET", f"/v1/Frameworks/{name}", {"accept": "application/json"}, None)
    instant = begin - interval
    while instant < begin + length:
        clock.set(instant)
        until = None
        try:
            answer = simulation.launcher.framework(name, Ask())
            said, until = (200, json.dumps(open_dialect.encode_framework(answer.value))), answer.until
        except NoSuchFramework:
            said = (404, "{}")
        if said != before:
            before = said
            yield Exchange("simulated", instant, LAUNCHER, request, Response(said[0], None, {}, said[1]))
        # Until something changes there is nothing to see.
        instant += interval if until is None else max(interval, -(-(until - instant) // interval) * interval)
