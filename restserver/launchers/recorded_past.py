"""Which versions and attempts of a framework a recording shows, and which recorded answer tells each of them.

Kept here: an incarnation is one creation instant, a run is a stretch of looks at the same version, and the newest of each
answers (rulings 6.4). A past attempt is told by the last look that found it (6.5): the launcher's word on it just before
the retry, the upgrade or the delete, as far as the recorder saw it. An attempt that no look found is a gap: not listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.clock import Instant
from contracts.launcher.records import Framework


@dataclass(frozen=True, slots=True)
class Look:
    """One readable recorded answer: where it stands in the timeline, and whose it is."""

    position: int
    created: Instant | None
    version: int
    attempt: int


def look_at(position: int, framework: Framework) -> Look:
    status = framework.status
    return Look(position, status.created_timestamp, status.version, status.retries.total)


@dataclass(frozen=True, slots=True)
class Past:
    """What was seen of the newest incarnation: for each version its newest run, for each attempt of it its last look."""

    current_version: int | None
    """``None``: nothing was seen."""
    runs: dict[int, dict[int, int]]
    """Version to attempt to position."""

    def versions(self) -> tuple[int, ...]:
        return tuple(sorted(self.runs))

    def attempts(self, version: int | None) -> dict[int, int] | None:
        """Attempt to position; ``version`` ``None`` is the current one; ``None``: that version was not seen."""
        chosen = self.current_version if version is None else version
        return None if chosen is None else self.runs.get(chosen)


def past_of(looks: Sequence[Look]) -> Past:
    """The past as ``looks``, oldest first, show it."""
    if not looks:
        return Past(None, {})
    newest = looks[-1]
    runs: dict[int, dict[int, int]] = {}
    run: dict[int, int] = {}
    version: int | None = None
    for look in looks:
        if look.created != newest.created:
            continue
        if look.version != version:
            version, run = look.version, {}
            runs[look.version] = run  # a version entered again starts over
        run[look.attempt] = look.position
    return Past(newest.version, runs)
