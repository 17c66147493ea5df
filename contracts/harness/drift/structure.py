"""Simulator to real, in what documents are made of: keys, types, words, and what is null in which state.

A document of the real launcher is read and written again as the simulator would write it: every key, word and kind of
value that comes out otherwise is one that only one of the two has. Null-ness is compared state by state: what the real one
shows and the simulator never does; and attempt by attempt, where a history was replayed and the same came out.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from contracts.clock import iso
from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.sides import Codec, Json, Real
from contracts.harness.shown import shown
from contracts.launcher.exits import STOP_TASK_CODES
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.nullness import TOLD_OF_FRAMEWORK, TOLD_OF_OUTLIVED, TOLD_OF_TASK, Told
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import Framework, FrameworkStatus, TaskStatus

COMPARISON = Comparison.SIMULATOR_REAL
MAPS = frozenset({"aggregatedTaskRoleStatuses", "taskRoles", "TaskRoles", "portDefinitions", "migrateTaskRequests"})
"""Objects whose keys are names that somebody chose."""
ENOUGH_LOOKS = 5
"""So often a state must have been looked at before "never" says anything about it."""

OUTLIVED, SUCCEEDED = " (outlived)", " (succeeded)"
TOLD: Mapping[str, Told] = {
    **{state.value: told for state, told in TOLD_OF_FRAMEWORK.items()},
    **{state.value: told for state, told in TOLD_OF_TASK.items()},
    **{f"{state.value}{OUTLIVED}": TOLD_OF_OUTLIVED for state in TOLD_OF_TASK},
}

Nullness = Counter[tuple[str, str, bool]]
"""State, field, whether it was null: how often."""


def unreadable(real: Real, module: str) -> Iterator[Finding]:
    for one in real.read[1]:
        where = re.sub(r"\[\d+\]", "[]", _without_names(one.error.path))
        what = f"{where}: {one.error.found} cannot be read, which the simulator never tells"
        yield Finding(COMPARISON, "type", where, what, module, (f"{one.name} at {iso(one.instant)}",))


def _without_names(path: str) -> str:
    return re.sub(rf"\b({'|'.join(MAPS)})\.[^.\[]+", r"\1.*", path)


def documents(real: Real, module: str) -> Iterator[Finding]:
    for name, instant, document in real.documents():
        for rule, where, what in _departures(document, real.codec):
            yield Finding(COMPARISON, rule, where, what, module, (f"{name} at {iso(instant)}",))


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
        found.update(_nulls(_state_of_framework(record.status), record.status))
        for task in tasks_of(record).values():
            found.update(_nulls(_state_of(task), task))
    return found


def _state_of_framework(status: FrameworkStatus) -> str:
    return f"{status.state.value}{_how_it_ended(status.application_exit_code)}"


def _state_of(task: TaskStatus) -> str:
    return f"{task.state.value}{_how_it_ended(task.container_exit_code)}"


def _how_it_ended(code: int | None) -> str:
    """A success has no diagnostics, and what outlived its application has little of anything."""
    if code in STOP_TASK_CODES:
        return OUTLIVED
    return SUCCEEDED if code == 0 else ""


def _nulls(state: str, record: FrameworkStatus | TaskStatus) -> Iterator[tuple[str, str, bool]]:
    return ((state, field, getattr(record, field) is None) for field in record.__struct_fields__)


def nulls_of_real(real: Nullness, ours: Nullness) -> Iterator[Finding]:
    """What the real one shows and the simulator never does."""
    for state, field, null in sorted(real.keys() - ours.keys()):
        if may_be(state, field, null):
            continue
        how = "null" if null else "set"
        other = "never is so there" if (state, field, not null) in ours else "never shows that state"
        what = f"{state}: {field} is {how} in {real[state, field, null]} looks; in the simulator it {other}"
        yield Finding(COMPARISON, "null", f"{state} {field} {how} real", what, "simulator/machine/view.py")


def not_shown(real: Nullness, ours: Nullness) -> Iterator[str]:
    """What the real one shows lawfully, and the simulator did not show in this world: worth a story, and no drift."""
    for state, field, null in sorted(real.keys() - ours.keys()):
        if may_be(state, field, null):
            how = "null" if null else "set"
            yield f"{state}: {field} is {how}, as it may be; no framework of this simulated world shows it so"


def may_be(state: str, field: str, null: bool) -> bool:
    """Whether the tables of null-ness allow it."""
    told = TOLD.get(state.removesuffix(SUCCEEDED))
    if told is None:
        return False
    return field not in told.always if null else field in told.always | told.perhaps


Place = tuple[object, ...]
"""Version and attempt, and of a task its role, index and attempt."""


def nulls_of_replay(real: Iterable[Framework], replayed: Iterable[Framework]) -> Nullness:
    """Of one history, in what one attempt showed in one state: what is always null in its replay and never was, and the
    other way round; how often it was looked at. The last element tells which it is in the replay."""
    seen, ours = _by_place(real), _by_place(replayed)
    found: Nullness = Counter()
    for place, looked_at in seen.items():
        for (state, field, null), looks in looked_at.items():
            there = ours.get(place, Counter())
            other = (state, field, not null)
            if other not in looked_at and other in there and (state, field, null) not in there:
                found[other] += looks
    return found


def nulls_of_replays(found: Nullness) -> Iterator[Finding]:
    """Where it was looked at often enough."""
    for (state, field, null), looks in sorted(found.items()):
        if looks >= ENOUGH_LOOKS:
            how, other = ("null", "set") if null else ("set", "null")
            what = f"{state}: {field} is {how} in the simulator where the real one had it {other}, in all {looks} looks"
            yield Finding(COMPARISON, "null", f"{state} {field} {how} simulated", what, "simulator/machine/view.py")


def _by_place(records: Iterable[Framework]) -> dict[Place, Nullness]:
    found: dict[Place, Nullness] = defaultdict(Counter)
    for record in records:
        attempt = (record.status.version, record.status.retries.total)
        found[attempt].update(_nulls(_state_of_framework(record.status), record.status))
        for (role, index), task in tasks_of(record).items():
            place = (*attempt, role, index, 0 if task.retries is None else task.retries.total)
            found[place].update(_nulls(_state_of(task), task))
    return found
