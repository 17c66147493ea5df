"""All comparisons put together: what was compared, what was found, what somebody lives with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.clock import Instant
from contracts.harness.drift import (
    answers,
    applications,
    behaviour,
    delays,
    document_to_schemas,
    retries,
    schemas_to_simulator,
    structure,
)
from contracts.harness.drift.findings import Compared, Comparison, Finding, distinct
from contracts.harness.drift.sides import Present, Real, Simulated
from contracts.harness.drift.waivers import Judged, Waiver, judge
from contracts.launcher.nullness import set_fields
from contracts.launcher.records import Framework, FrameworkStatus, TaskStatus

MODULE_OF_DIALECT = {"open": "contracts/launcher/open_dialect.py", "private": "contracts/launcher/private_dialect.py"}


@dataclass(frozen=True)
class Drift:
    compared: tuple[Compared, ...]
    judged: Judged

    @property
    def found(self) -> tuple[Finding, ...]:
        """What fails: open findings, and waivers that are not in order."""
        return (*self.judged.open, *self.judged.about_waivers)


def compare(
    folder: Path,
    simulated: Simulated,
    real: Real | None,
    present: Present,
    waivers: Sequence[Waiver],
    now: Instant,
) -> Drift:
    compared = (
        document_to_schemas.compare(folder),
        schemas_to_simulator.compare(simulated),
        Compared(Comparison.SIMULATOR_REAL, None) if real is None else simulator_to_real(simulated, real, present),
    )
    found = [finding for one in compared for finding in one.findings]
    ran = frozenset(one.comparison for one in compared if one.looked_at is not None)
    return Drift(compared, judge(found, waivers, now, ran))


def simulator_to_real(simulated: Simulated, real: Real, present: Present) -> Compared:
    module = MODULE_OF_DIALECT[real.dialect]
    world = [real.codec.seen(record) for record in simulated.records()]
    replayed = behaviour.replays(real, simulated)
    ours = structure.nullness([*world, *map(real.codec.seen, replayed.shown)])
    otherwise = (
        structure.nulls_of_replay(history.records(), map(real.codec.seen, shown)) for history, shown in replayed.same
    )
    odd_delays, unjudged_delays = delays.delays(real, simulated.paces, others=simulated.any_pace)
    seen = structure.nullness(record for history in real.histories.values() for record in history.records())
    parts: Iterable[Iterable[Finding]] = (
        structure.unreadable(real, module),
        structure.documents(real, module),
        structure.nulls_of_real(seen, ours),
        structure.nulls_of_replays(sum(otherwise, structure.Nullness())),
        behaviour.laws(real, _untold(world)),
        retries.retries(real, simulated),
        odd_delays,
        applications.applications(real),
        replayed.findings,
        answers.answers(real, present),
    )
    findings = (finding for part in parts for finding in part)
    looks = sum(len(history.looks) for history in real.histories.values())
    looked_at = f"{real.title}: {len(real.histories)} frameworks, {looks} looks, {len(real.applications)} applications"
    return Compared(
        Comparison.SIMULATOR_REAL,
        looked_at,
        distinct(findings),
        (*replayed.notes, *unjudged_delays, *structure.not_shown(seen, ours), *behaviour.words_worth_knowing(real)),
    )


def _untold(world: Sequence[Framework]) -> frozenset[str]:
    """Fields of statuses and tasks that a dialect never tells, whatever happens."""
    told: set[str] = set()
    for record in world:
        tasks = [task for role in record.task_roles.values() for task in role.tasks]
        told |= set_fields(record.status).union(*map(set_fields, tasks))
    known = {*FrameworkStatus.__struct_fields__, *TaskStatus.__struct_fields__}
    return frozenset(known - told)
