"""Simulator to real, in what happens: laws, tables and the retry rule on every history, and each history replayed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contracts.clock import iso
from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.sides import Difference, NotReplayable, Real, Simulated
from contracts.harness.drift.texts import odd_texts, own_words
from contracts.launcher.histories import History
from contracts.launcher.laws_of_records import breaches_between, breaches_of
from contracts.launcher.records import Framework

COMPARISON = Comparison.SIMULATOR_REAL
LONGEST = 400
MODULE_OF_LAW: Mapping[str, str] = {
    "L1": "contracts/launcher/lifecycle.py",
    "L2": "simulator/machine/retry.py",
    "L3": "simulator/machine/engine.py",
    "L4": "simulator/machine/engine.py",
    "L5": "contracts/launcher/lifecycle.py",
    "L6": "simulator/machine/master.py",
    "L7": "simulator/machine/view.py",
    "L10": "simulator/machine/view.py",
    "null": "contracts/launcher/nullness.py",
    "tasks": "simulator/machine/view.py",
}
MODULE_OF_DIFFERENCE: Mapping[str, str] = {
    "steps": "simulator/machine/engine.py",
    "retries": "simulator/machine/retry.py",
    "exit type": "contracts/launcher/exits.py",
    "exit description": "contracts/launcher/exits.py",
    "exit diagnostics": "simulator/machine/diagnostics.py",
    "trigger message": "simulator/machine/completion.py",
    "trigger role": "simulator/machine/completion.py",
}


def laws(real: Real, untold: frozenset[str]) -> Iterator[Finding]:
    """Each record by itself, and each with the next one of its run."""
    for name, history in real.histories.items():
        for look in history.looks:
            if look.framework is None:
                continue
            example = (f"{name} at {iso(look.instant)}",)
            for breach in breaches_of(look.framework, untold):
                yield _broken(breach.law, breach.about, breach.what, example)
            for odd in odd_texts(look.framework):
                yield Finding(COMPARISON, "text", odd.about, odd.what, "simulator/machine/diagnostics.py", example)
        for run in history.runs():
            for before, after in pairwise(run):
                if before.framework is not None and after.framework is not None:
                    example = (f"{name} from {iso(before.instant)} to {iso(after.instant)}",)
                    for breach in breaches_between(before.framework, after.framework):
                        yield _broken(breach.law, breach.about, breach.what, example)


def _broken(law: str, about: str, what: str, example: tuple[str, ...]) -> Finding:
    rule = law if law in ("null", "tasks") else f"law {law}"
    return Finding(COMPARISON, rule, about, what, MODULE_OF_LAW[law], example)


def words_worth_knowing(real: Real) -> tuple[str, ...]:
    records = (record for history in real.histories.values() for record in history.records())
    return tuple(sorted({note for record in records for note in own_words(record)}))


@dataclass
class Replays:
    """What came of replaying every history."""

    findings: list[Finding] = field(default_factory=list)
    shown: list[Framework] = field(default_factory=list)
    """By our replays."""
    same: list[tuple[History, Sequence[Framework]]] = field(default_factory=list)
    """The histories that were seen whole and came out the same, each with what was shown."""
    notes: list[str] = field(default_factory=list)
    """What was not judged, and why."""


def replays(real: Real, simulated: Simulated) -> Replays:
    found = Replays()
    notes: Counter[str] = Counter()
    for name, history in real.histories.items():
        try:
            replay = simulated.replay(history)
        except NotReplayable as missing:
            notes[f"not replayed, since {missing}"] += 1
            continue
        found.shown += replay.shown
        if not replay.differences:
            found.same += [] if replay.made_up else [(history, replay.shown)]
        elif replay.excuse is not None:
            notes[f"not judged by their replay, since {replay.excuse}"] += 1
        else:
            found.findings.append(_otherwise(name, history, replay.differences))
    found.notes += [f"{count} of {len(real.histories)} histories: {why}" for why, count in notes.items()]
    return found


def _otherwise(name: str, history: History, differences: Sequence[Difference]) -> Finding:
    """One finding for each history: the first difference is the cause of the others more often than not."""
    first, *others = differences
    more = f"; {', '.join(other.what for other in others)} differ too" if others else ""
    text = str(first)
    what = f"{text if len(text) <= LONGEST else f'{text[:LONGEST]}...'}{more}"
    module = MODULE_OF_DIFFERENCE.get(first.what, "simulator/machine/view.py")
    example = (f"{name} until {iso(history.looks[-1].instant)}",)
    return Finding(COMPARISON, "replay", f"{first.what} {name}", what, module, example)
