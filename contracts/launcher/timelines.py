"""What recordings say about each framework and application, in the order of time.

Only whole answers count: ``GET /v1/Frameworks/{name}`` of the launcher, asked for as JSON, and single applications and
application lists of the resource manager. A line of another kind (parts of a framework, submissions, other paths) says
nothing here, and neither does a 400, which judges the question.

Two recordings may know the same name; their lines are merged by instant, and at equal instants the later file (by name)
and the later line win: the last thing that was seen is what is so. Bodies stay undecoded: whoever needs one decodes it.
"""

import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct, field

from contracts.clock import Instant
from contracts.launcher.framework_name import is_framework_name
from contracts.launcher.recordings import (
    LAUNCHER,
    RESOURCE_MANAGER,
    Exchange,
    Headers,
    NoRecordings,
    exchanges,
    files_of,
    name_of,
)

_FRAMEWORK_PATH = re.compile(r"/v1/Frameworks/([^/?#]+)/?")
_APPLICATION_PATH = re.compile(r"/ws/v1/cluster/apps/(application_[0-9]+_[0-9]+)/?")
_APPLICATIONS_PATH = re.compile(r"/ws/v1/cluster/apps/?(\?.*)?")


class Said(Struct, frozen=True):
    """One recorded answer."""

    instant: Instant
    recording: str
    status: int | None
    """``None``: no answer."""
    reason: str | None
    body: str
    retry_after: str | None = None
    before: Instant | None = None
    """When the same was asked last before this, and did not answer this yet; ``None``: that is not known."""

    @property
    def edition(self) -> tuple[str, Instant, int]:
        """Tells this recorded line from any other, in this folder or another one."""
        return self.recording, self.instant, zlib.crc32(self.content)

    @property
    def content(self) -> bytes:
        """The body as bytes; a lone surrogate of a damaged body is kept, for the reader of bodies to refuse."""
        return self.body.encode("utf-8", "surrogatepass")


class Timeline(Struct, frozen=True):
    """What was said about one thing, ascending by instant, repetitions left out."""

    said: tuple[Said, ...]
    instants: tuple[Instant, ...]

    def position_at(self, instant: Instant) -> int | None:
        """Where the newest answer at or before that instant stands; ``None``: nothing was recorded yet."""
        after = bisect_right(self.instants, instant)
        return after - 1 if after else None

    def next_change(self, instant: Instant) -> Instant | None:
        """The first recorded change after that instant; ``None``: the recording ends before one."""
        after = bisect_right(self.instants, instant)
        return self.instants[after] if after < len(self.instants) else None


def _timeline(said: Iterable[Said]) -> Timeline:
    kept: list[Said] = []
    for answer in sorted(said, key=lambda one: one.instant):
        if not kept or _content(kept[-1]) != _content(answer):
            kept.append(answer)
    return Timeline(tuple(kept), tuple(one.instant for one in kept))


def _content(said: Said) -> tuple[int | None, str]:
    return said.status, said.body


class Recordings(Struct, frozen=True):
    """A folder of recordings (or one file), indexed. :func:`read_recordings` makes it."""

    path: Path
    first: Instant
    last: Instant
    """The first and last instants at which anything was recorded."""
    frameworks: Mapping[str, Timeline]
    applications: Mapping[str, Timeline]
    """By application id, as asked for one by one."""
    application_lists: Timeline
    cut_off: tuple[str, ...] = ()
    """What had to be left out at the ends of files, a line each."""

    def names(self) -> tuple[str, ...]:
        """Every framework that was ever seen, ascending; a name that was only asked for in vain is none."""
        return tuple(
            sorted(name for name, line in self.frameworks.items() if any(one.status == 200 for one in line.said))
        )

    def instants(self, name: str | None = None) -> tuple[Instant, ...]:
        """When anything changed, ascending: of that framework, or of any."""
        if name is not None:
            return self.frameworks[name].instants if name in self.frameworks else ()
        return tuple(sorted({instant for line in self.frameworks.values() for instant in line.instants}))

    def recording_of(self, name: str, instant: Instant) -> str | None:
        """The recording that tells of a framework at that instant (before its first line: will tell); ``None`` if none ever does."""
        timeline = self.frameworks.get(name)
        if timeline is None:
            return None
        return timeline.said[timeline.position_at(instant) or 0].recording


class _Index(Struct):
    instants: list[Instant] = field(default_factory=list)
    frameworks: dict[str, list[Said]] = field(default_factory=dict)
    applications: dict[str, list[Said]] = field(default_factory=dict)
    application_lists: list[Said] = field(default_factory=list)

    def add(self, recording: str, exchange: Exchange) -> None:
        self.instants.append(exchange.instant)
        if exchange.request.method != "GET" or exchange.response.status == 400:
            return
        if exchange.source == LAUNCHER:
            name = framework_asked_for(exchange)
            if name is not None:
                self.frameworks.setdefault(name, []).append(_said(recording, exchange))
        elif exchange.source == RESOURCE_MANAGER:
            if found := _APPLICATION_PATH.fullmatch(exchange.request.path):
                self.applications.setdefault(found[1], []).append(_said(recording, exchange))
            elif exchange.response.status == 200 and _APPLICATIONS_PATH.fullmatch(exchange.request.path):
                self.application_lists.append(_said(recording, exchange))


def read_recordings(path: Path, beside: Callable[[str, Exchange], None] = lambda name, exchange: None) -> Recordings:
    """Reads and indexes a folder of recordings, or one; ``beside`` gets each exchange with the name of its recording, for what
    no timeline keeps. Raises NoRecordings and UnreadableRecording."""
    index = _Index()
    cut_off: list[str] = []
    for file in files_of(path):
        recording = name_of(file)
        for exchange in exchanges(file, cut_off.append):
            index.add(recording, exchange)
            beside(recording, exchange)
    if not index.instants:
        raise NoRecordings(path, "nothing was recorded in it")
    return Recordings(
        path=path,
        first=min(index.instants),
        last=max(index.instants),
        frameworks={name: _timeline(said) for name, said in index.frameworks.items()},
        applications={id_: _timeline(said) for id_, said in index.applications.items()},
        application_lists=_timeline(index.application_lists),
        cut_off=tuple(cut_off),
    )


def framework_asked_for(exchange: Exchange) -> str | None:
    """The framework that this exchange asks for as a whole and as JSON, as the server itself would; else ``None``."""
    found = _FRAMEWORK_PATH.fullmatch(exchange.request.path)
    if found is None or not _wants_json(exchange.request.headers):
        return None
    name = unquote(found[1])
    return name if is_framework_name(name) else None


def _wants_json(headers: Headers) -> bool:
    accepted = ",".join(_values(headers, "accept"))
    return not accepted or any(kind in accepted for kind in ("application/json", "application/*", "*/*"))


def _values(headers: Headers, name: str) -> Iterator[str]:
    for key, value in headers.items():
        if key.lower() == name:
            yield from value if isinstance(value, list) else (value,)


def _said(recording: str, exchange: Exchange) -> Said:
    response = exchange.response
    return Said(
        instant=exchange.instant,
        recording=recording,
        status=response.status,
        reason=response.reason,
        body=response.body or "",
        retry_after=next(_values(response.headers, "retry-after"), None),
        before=exchange.before,
    )
