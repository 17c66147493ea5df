"""A launcher that replays recorded documents: what a real one answered, at an instant of a clock (rulings 6.9).

It knows what was seen, and nothing else:

* A framework is what its newest whole answer at or before the instant says. Not recorded yet, it is unknown; seen to vanish
  (404), it is unknown from then on; a recorded "no answer" is LauncherUnavailable, and an error the launcher's own refusal,
  until the next answer.
* Past attempts and versions are those the recording shows at or before the instant. Ruled here, in the spirit of 6.2 and 6.5:
  they stay answered after the framework vanished, as a history would go on answering after the launcher forgot; only the
  job detail is gone. A version left out is then the one last followed.
* The resource manager is what was recorded of it, by the same clock: an application as it was last asked for by itself; one
  that was never asked for so, as the newest list shows it.

Nothing is promised after the last line: ``until`` is the instant of the next recorded change, or ``None``.
"""

from collections.abc import Hashable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

from contracts.clock import Clock, Instant
from contracts.launcher import open_dialect, resource_manager, wire
from contracts.launcher.port import (
    Answer,
    Ask,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
    T,
)
from contracts.launcher.records import Application, Figures, Framework, Summary
from contracts.launcher.timelines import Recordings, Said, Timeline
from restserver.launchers.recorded_past import Look, Past, look_at, past_of

KEPT_DOCUMENTS = 512
"""Decoded answers kept, the ones asked for last; a page that lists every job of a large folder still fits."""

SHIPPED = Path(__file__).parent / "recordings"
"""The folder of recordings that come with the package."""


class RecordedLauncher:
    """Replays ``recordings`` as of ``clock``. Starts without decoding anything; thread-safe."""

    def __init__(self, recordings: Recordings, clock: Clock) -> None:
        self._recordings = recordings
        self._clock = clock
        self._decoded = lru_cache(maxsize=KEPT_DOCUMENTS)(_framework)
        self._looks: dict[str, tuple[Look, ...]] = {}

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        now = self._clock.now()
        timeline = self._timeline(name)
        said = _said(timeline, now)
        if said is None or not _found(said):
            raise NoSuchFramework(name)
        return self._answer(self._decoded(name, said), said.edition, timeline, now)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        now = self._clock.now()
        timeline = self._timeline(name)
        past = self._past(name, timeline, now)
        position = (past.attempts(version) or {}).get(attempt)
        if position is None:
            raise NoSuchAttempt(name, past.current_version if version is None else version, attempt)
        said = timeline.said[position]
        return self._answer(self._decoded(name, said), said.edition, timeline, now)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        now = self._clock.now()
        timeline = self._timeline(name)
        past = self._past(name, timeline, now)
        attempts = past.attempts(version)
        if attempts is None:
            raise NoSuchVersion(name, past.current_version if version is None else version)
        listed = tuple(sorted(attempts))
        return self._answer(listed, listed, timeline, now)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        now = self._clock.now()
        timeline = self._timeline(name)
        listed = self._past(name, timeline, now).versions()
        if not listed:
            raise NoSuchFramework(name)
        return self._answer(listed, listed, timeline, now)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        """Of every framework that can be answered now; one that cannot is left out."""
        for name in self._recordings.names():
            try:
                yield self.framework(name, ask).value.summary
            except LauncherError:
                continue

    def ready(self, ask: Ask) -> None:
        """Always: what was recorded is at hand."""

    def recording_of(self, name: str) -> str | None:
        """The recording that tells of a framework now; ``None`` if none does."""
        return self._recordings.recording_of(name, self._clock.now())

    def _answer(self, value: T, edition: Hashable, timeline: Timeline, now: Instant) -> Answer[T]:
        """Holds as long as nothing else was recorded by then, earlier or later."""
        position, clock = timeline.position_at(now), self._clock
        return Answer(
            value, edition, timeline.next_change(now), holds=lambda: timeline.position_at(clock.now()) == position
        )

    def _timeline(self, name: str) -> Timeline:
        return self._recordings.frameworks.get(name, _NOTHING)

    def _past(self, name: str, timeline: Timeline, now: Instant) -> Past:
        said = _said(timeline, now)
        if said is not None and _found(said):
            self._decoded(name, said)  # while the launcher's newest word is unreadable, nobody knows what is current
        newest = timeline.position_at(now)
        if newest is None:
            return past_of(())
        return past_of([look for look in self._looks_at(name, timeline) if look.position <= newest])

    def _looks_at(self, name: str, timeline: Timeline) -> tuple[Look, ...]:
        """Four numbers per recorded answer, made at the first question about a framework's past and kept."""
        looks = self._looks.get(name)
        if looks is None:
            looks = self._looks[name] = tuple(_readable_looks(name, timeline))
        return looks


class RecordedResourceManager:
    """The resource manager as it was recorded, by the same clock."""

    def __init__(self, recordings: Recordings, clock: Clock) -> None:
        self._recordings = recordings
        self._clock = clock
        self._listed = lru_cache(maxsize=16)(_applications)

    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        now = self._clock.now()
        timeline = self._recordings.applications.get(application_id)
        if timeline is None:
            return self._from_list(application_id, now)
        said = _said(timeline, now)
        until = timeline.next_change(now)
        if said is None or said.status != 200:
            return Answer(None, None, until)
        try:
            return Answer(resource_manager.decode_figures(wire.parse(said.content)), said.edition, until)
        except LauncherUnreadable:
            return Answer(None, None, until)

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        """Every application that was seen by now, each as it was seen last."""
        now = self._clock.now()
        newest: dict[str, tuple[Instant, Application]] = {}
        for seen, application in self._seen_last(now):
            if application.id not in newest or newest[application.id][0] < seen:
                newest[application.id] = seen, application
        yield from (application for _, application in newest.values() if application.started_timestamp >= since)

    def _seen_last(self, now: Instant) -> Iterator[tuple[Instant, Application]]:
        for timeline in self._recordings.applications.values():
            yield from islice(self._seen(timeline, now), 1)
        yield from self._seen(self._recordings.application_lists, now)

    def _from_list(self, application_id: str, now: Instant) -> Answer[Figures | None]:
        lists = self._recordings.application_lists
        until = lists.next_change(now)
        for seen, application in self._seen(lists, now):
            if application.id == application_id:
                return Answer(application.figures, seen, until)
        return Answer(None, None, until)

    def _seen(self, timeline: Timeline, now: Instant) -> Iterator[tuple[Instant, Application]]:
        """The applications in the answers by now, newest answer first; one that cannot be read shows none."""
        for said in reversed(timeline.said[: _count(timeline, now)]):
            if said.status == 200:
                try:
                    listed = self._listed(said)
                except LauncherUnreadable:
                    continue
                yield from ((said.instant, application) for application in listed)


_NOTHING = Timeline((), ())


def _said(timeline: Timeline, now: Instant) -> Said | None:
    position = timeline.position_at(now)
    return None if position is None else timeline.said[position]


def _count(timeline: Timeline, now: Instant) -> int:
    position = timeline.position_at(now)
    return 0 if position is None else position + 1


def _found(said: Said) -> bool:
    """Whether it tells of the framework, or that there is none. Raises what the launcher would have been: away, or refusing."""
    if said.status == 200:
        return True
    if said.status is None:
        raise LauncherUnavailable(
            f"The launcher did not answer when this was recorded ({said.reason or 'no reason known'})."
        )
    message = open_dialect.decode_error(said.content)
    if said.status == 404 and message is not None:
        return False
    raise LauncherRefused(said.status, None if message is None else open_dialect.plain(message), said.retry_after)


def _framework(name: str, said: Said) -> Framework:
    framework = open_dialect.decode_framework(wire.parse(said.content))
    if framework.summary.name != name:
        raise LauncherUnreadable("$", "the answer about another framework")
    return framework


def _applications(said: Said) -> tuple[Application, ...]:
    document = wire.parse(said.content)
    if isinstance(document, dict) and "app" in document:
        # One that was asked for by itself is a list of one, unwrapped.
        document = {"apps": {"app": [document["app"]]}}
    return resource_manager.decode_applications(document)


def _readable_looks(name: str, timeline: Timeline) -> Iterator[Look]:
    for position, said in enumerate(timeline.said):
        if said.status == 200:
            try:
                yield look_at(position, _framework(name, said))
            except LauncherUnreadable:
                continue
