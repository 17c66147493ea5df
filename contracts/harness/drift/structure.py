"""Simulator to real, in what documents are made of: keys, types, words, and what is null in which state.

A document of the real launcher is read and written again as the simulator would write it: every key, word and kind of
value that comes out otherwise is one that only one of the two has. Null-ness is compared state by state, both ways: what the
real one shows and the simulator never does; and what our replays of the same histories show and the real one never did.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.sides import Codec, Json, Real
from contracts.harness.shown import shown
from contracts.launcher.exits import STOP_TASK_CODES
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import Framework, FrameworkStatus, TaskStatus

COMPARISON = Comparison.SIMULATOR_REAL
MAPS = frozenset({"aggregatedTaskRoleStatuses", "taskRoles", "TaskRoles", "portDefinitions", "migrateTaskRequests"})
"""Objects whose keys are names that somebody chose."""
ENOUGH_LOOKS = 5
"""So often a state must have been looked at before "never" says anything about it."""

Nullness = Counter[tuple[str, str, bool]]
"""State, field, whether it was null: how often."""


def unreadable(real: Real, module: str) -> Iterator[Finding]:
    for one in real.read[1]:
        where = re.sub(r"\[\d+\]", "[]", _without_names(one.error.path))
        what = f"{where}: {one.error.found} cannot be read, which the simulator never tells"
        yield Finding(COMPARISON, "type", where, what, module, (f"{one.name} at {one.instant}",))


def _without_names(path: str) -> str:
    return re.sub(rf"\b({'|'.join(MAPS)})\.[^.\[]+", r"\1.*", path)


def documents(real: Real, module: str) -> Iterator[Finding]:
    for name, instant, document in real.documents():
        for rule, where, what in _departures(document, real.codec):
            yield Finding(COMPARISON, rule, where, what, module, (f"{name} at {instant}",))


def _departures(document: Json, codec: Codec) -> Iterator[tuple[str, str, str]]:
    try:
        again = codec.encode(codec.decode(document))
    except LauncherUnreadable:
        return  # told by `unreadable`
    yield from _differing(document, again, "$", exact=codec.exact)


def _differing(real: Json, ours: Json, at: str, *, exact: bool) -> Iterator[tuple[str, str, str]]:
    if isinstance(real, dict) and isinstance(ours, dict):
        names = at.rpartition(".")[2] in MAPS
        for key in {**real, **ours}:
            below = f"{at}.{'*' if names else key}"
            if key not in ours:
                yield "key", below, f"{below} is a key of the real one that the simulator never tells"
            elif key not in real:
                yield "key", below, f"{below} is a key of the simulator that the real one does not tell"
            else:
                yield from _differing(real[key], ours[key], below, exact=exact)
    elif isinstance(real, list) and isinstance(ours, list):
        for one, other in zip(real, ours, strict=False):
            yield from _differing(one, other, f"{at}[]", exact=exact)
    elif exact and (real != ours or type(real) is not type(ours)):
        rule = "word" if isinstance(real, str) and isinstance(ours, str) else "type"
        yield rule, at, f"{at}: the real one says {shown(real)}, which the simulator would tell as {shown(ours)}"


def nullness(records: Iterable[Framework]) -> Nullness:
    found: Nullness = Counter()
    for record in records:
        status = record.status
        found.update(_nulls(f"{status.state.value}{_how_it_ended(status.application_exit_code)}", status))
        for task in tasks_of(record).values():
            found.update(_nulls(f"{task.state.value}{_how_it_ended(task.container_exit_code)}", task))
    return found


def _how_it_ended(code: int | None) -> str:
    """A success has no diagnostics, and what outlived its application has little of anything."""
    if code in STOP_TASK_CODES:
        return " (outlived)"
    return " (succeeded)" if code == 0 else ""


def _nulls(state: str, record: FrameworkStatus | TaskStatus) -> Iterator[tuple[str, str, bool]]:
    return ((state, field, getattr(record, field) is None) for field in record.__struct_fields__)


def nulls_of_real(real: Nullness, ours: Nullness) -> Iterator[Finding]:
    """What the real one shows and the simulator never does."""
    for state, field, null in sorted(real.keys() - ours.keys()):
        how = "null" if null else "set"
        other = "never is so there" if (state, field, not null) in ours else "never shows that state"
        what = f"{state}: {field} is {how} in {real[state, field, null]} looks; in the simulator it {other}"
        yield Finding(COMPARISON, "null", f"{state} {field} {how} real", what, "simulator/machine/view.py")


def nulls_of_replays(real: Nullness, replayed: Nullness) -> Iterator[Finding]:
    """What the same histories, replayed, show and the real one never did, where it was looked at often enough."""
    for state, field, null in sorted(replayed.keys() - real.keys()):
        looks = real[state, field, not null]
        if looks >= ENOUGH_LOOKS:
            how, other = ("null", "set") if null else ("set", "null")
            what = f"{state}: {field} may be {how} in the simulator; the real one had it {other} in all {looks} looks"
            yield Finding(COMPARISON, "null", f"{state} {field} {how} simulated", what, "simulator/machine/view.py")
