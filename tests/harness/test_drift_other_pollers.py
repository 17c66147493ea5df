"""Whoever looks less often, begins late or ends early has recorded the same launcher: nothing has drifted."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from contracts.clock import Instant, Milliseconds
from contracts.harness.drift import comparing
from contracts.harness.drift.sides import Real
from contracts.launcher.timelines import Said
from tests.harness.drifted import changed, everything, found, nobody, real_of, side
from tests.harness.test_drift_real import SUCCEEDED, moved

pytestmark = pytest.mark.proof

Poller = Callable[[Sequence[Said]], Sequence[Said]]


def every(interval: Milliseconds, offset: Milliseconds = 0, *, tells: bool = True) -> Poller:
    """Looks once in a while, and writes down what is new; ``tells``: and when it had looked before."""

    def poll(answers: Sequence[Said]) -> Sequence[Said]:
        kept: list[Said] = []
        before: Instant | None = None
        for instant in range(answers[0].instant + offset, answers[-1].instant + 2 * interval, interval):
            now = [one for one in answers if one.instant <= instant][-1]
            if not kept or (now.status, now.body) != (kept[-1].status, kept[-1].body):
                kept.append(structs.replace(now, instant=instant, before=before if tells else None))
            before = instant
        return kept

    return poll


def part(begin: float, end: float) -> Poller:
    def cut(answers: Sequence[Said]) -> Sequence[Said]:
        return answers[int(len(answers) * begin) : max(int(len(answers) * begin) + 1, int(len(answers) * end))]

    return cut


def seen_by(poller: Poller, real: Real) -> Real:
    return replace(real, said={name: poller(answers) for name, answers in real.said.items()})


@pytest.mark.parametrize(
    "poller",
    [
        every(1500, tells=False),
        every(3000, 1200),
        every(8000, 1600, tells=False),
        every(20_000, 8000),
        part(0, 0.6),
        part(0.2, 0.8),
        part(0.4, 1),
    ],
)
def test_the_same_launcher_looked_at_otherwise_has_not_drifted(poller: Poller) -> None:
    assert {one: finding.what for one, finding in found(seen_by(poller, everything())).items()} == {}


def test_a_launcher_that_drifted_has_drifted_for_those_who_look_seldom_too() -> None:
    late = moved("applicationLaunchedTimestamp", 60_000)
    assert any("/delay/" in one for one in found(seen_by(every(3000, tells=False), changed(real_of(SUCCEEDED), late))))


def test_what_had_to_be_made_up_is_told_as_a_note() -> None:
    compared = comparing.simulator_to_real(side(), seen_by(every(8000, 1600), everything()), nobody)
    assert any("looked at too seldom" in note for note in compared.notes)
