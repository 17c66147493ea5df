"""The sides that come from outside: a simulator, and a real launcher as far as somebody looked at it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from contracts.clock import Instant, Milliseconds
from contracts.harness.observations import Observation
from contracts.launcher import open_dialect, private_dialect, wire
from contracts.launcher.histories import History, Look, with_looks_before
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import ExitType, Framework, RetryPolicy, RetryState
from contracts.launcher.timelines import Said


@dataclass(frozen=True, slots=True)
class Codec:
    """How one dialect is read and written."""

    decode: Callable[[object], Framework]
    encode: Callable[[Framework], Mapping[str, object]]
    seen: Callable[[Framework], Framework]
    exact: bool
    """Whether a document that was read can be written again word by word."""


DIALECTS: Mapping[str, Codec] = {
    "open": Codec(open_dialect.decode_framework, open_dialect.encode_framework, open_dialect.seen, exact=True),
    "private": Codec(
        private_dialect.decode_framework, private_dialect.encode_framework, private_dialect.seen, exact=False
    ),
}


RECOVERY: Milliseconds = 15_000
"""A launcher that answers again is not at once up to date with everything."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch in which nobody heard the launcher: nothing is known of how long anything took."""

    begins: Instant
    ends: Instant
    recording: str | None = None
    """Whose silence it was; ``None``: everybody's."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    name: str
    instant: Instant
    error: LauncherUnreadable


@dataclass(frozen=True)
class Real:
    """A launcher as it was seen: every whole answer about each framework, in the order of time."""

    title: str
    dialect: str
    said: Mapping[str, Sequence[Said]]
    silences: Sequence[Silence] = ()
    applications: Mapping[str, Sequence[Said]] = field(default_factory=dict)
    """What the resource manager said of each application; empty where nobody asked it."""

    @property
    def codec(self) -> Codec:
        return DIALECTS[self.dialect]

    def documents(self) -> Iterator[tuple[str, Instant, object]]:
        """Every answer that is JSON, as it came."""
        for name, answers in self.said.items():
            for one in answers:
                if one.status == 200:
                    try:
                        yield name, one.instant, wire.parse(one.content)
                    except LauncherUnreadable:
                        continue  # told by `read`

    @cached_property
    def read(self) -> tuple[Mapping[str, History], Sequence[Unreadable]]:
        """The histories, and the answers that are none."""
        histories: dict[str, History] = {}
        unreadable: list[Unreadable] = []
        for name, answers in with_looks_before(self.said).items():
            looks: list[Look] = []
            for one in answers:
                try:
                    look = self._look(one)
                except LauncherUnreadable as error:
                    unreadable.append(Unreadable(name, one.instant, error))
                    continue
                looks += [look] if look is not None else []
            if any(look.framework is not None for look in looks):
                histories[name] = History(name, tuple(looks))
        return histories, unreadable

    @property
    def histories(self) -> Mapping[str, History]:
        return self.read[0]

    def _look(self, said: Said) -> Look | None:
        if said.status == 404:
            return Look(said.instant, None, said.before)
        if said.status != 200:
            return None
        return Look(said.instant, self.codec.decode(wire.parse(said.content)), said.before)

    def recording_of(self, name: str) -> str:
        """Where a framework was seen first."""
        return self.said[name][0].recording

    def was_silent(self, begins: Instant, ends: Instant, recording: str) -> bool:
        """Whether somewhere between two instants nobody who made this recording heard it."""
        return any(
            silence.begins < ends and begins < silence.ends
            for silence in self.silences
            if silence.recording in (None, recording)
        )


class Decision(Protocol):
    @property
    def retry(self) -> bool: ...

    @property
    def retries(self) -> RetryState: ...


class Difference(Protocol):
    @property
    def what(self) -> str: ...


class Pace(Protocol):
    """The intervals of a launcher that decide how long things take, in milliseconds."""

    @property
    def service_request_pull(self) -> Milliseconds: ...
    @property
    def service_rm_resync(self) -> Milliseconds: ...
    @property
    def am_status_push(self) -> Milliseconds: ...
    @property
    def web_status_pull(self) -> Milliseconds: ...
    @property
    def conflict_back_off_min(self) -> Milliseconds: ...
    @property
    def conflict_back_off_max(self) -> Milliseconds: ...
    @property
    def gang_timeout(self) -> Milliseconds: ...


class NotReplayable(Exception):
    """A history that does not tell enough to be replayed. The message says what is missing."""


@dataclass(frozen=True)
class Replay:
    """What a replay showed."""

    differences: Sequence[Difference]
    shown: Sequence[Framework]
    """Our records, one at each change."""
    excuse: str | None = None
    """Why the differences say little; ``None``: they say what they say."""
    made_up: bool = False
    """Whether something had to be made up that nobody had seen, whatever came out."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """The simulator, and the server over it."""

    title: str
    answers: Callable[[str], Iterable[Observation]]
    """Of a style: what the server says about a world of jobs, looked at through time."""
    records: Callable[[], Iterable[Framework]]
    """What the launcher tells of that world."""
    replay: Callable[[History], Replay]
    """Raises :class:`NotReplayable`."""
    decide: Callable[[RetryPolicy, ExitType, RetryState], Decision]
    """The retry rule."""
    paces: Mapping[str, Pace]
    """The intervals that are known of launchers, by name; with a profile named, those of that."""
    any_pace: bool = True
    """Whether a launcher may have others: with a profile named, it may not."""


Present = Callable[[Real, str], Iterable[Observation]]
"""What our server answers about the frameworks of a launcher, in a style: at every look at each."""

Json = Any
"""A document of another program: whoever reads it looks before it leaps."""
