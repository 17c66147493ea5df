"""Periods, back-off and dice."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.dice import dice
from simulator.machine.delays import back_off, last_tick, next_tick, progress_as_told
from simulator.machine.story import DEPLOYED, FAST, SECOND


@given(st.integers(0, 10**13), st.integers(0, 10**13), st.integers(1, 10**6))
def test_the_next_tick_is_after_an_instant_and_the_last_is_not(instant: int, phase: int, period: int) -> None:
    following, last = next_tick(instant, phase, period), last_tick(instant, phase, period)
    assert last <= instant < following == last + period
    assert (following - phase) % period == 0


CEILINGS = {0: 600, 1: 1100, 2: 1600, 3: 2100, 4: 2600, 5: 3100, 6: 3600, 7: 3600, 60: 3600}


@pytest.mark.parametrize(("conflicts", "ceiling"), CEILINGS.items())
def test_the_back_off_rises_with_each_conflict_to_its_ceiling(conflicts: int, ceiling: int) -> None:
    rolls = random.Random(5)
    rolled = {back_off(conflicts, DEPLOYED, rolls) for _ in range(3000)}
    assert min(rolled) >= 600 * SECOND
    assert max(rolled) <= ceiling * SECOND
    assert max(rolled) > (600 + (ceiling - 600) * 0.9) * SECOND or ceiling == 600
    assert all(delay % SECOND == 0 for delay in rolled)


def test_the_first_conflict_waits_exactly_the_floor() -> None:
    assert {back_off(0, FAST, random.Random(seed)) for seed in range(20)} == {20 * SECOND}


@pytest.mark.parametrize(
    ("fraction", "told"), [(0, 0.0), (1, 1.0), (0.5, 0.5), (1 / 3, 0.33333334), (2 / 3, 0.6666667), (0.1, 0.1)]
)
def test_progress_is_told_as_a_short_float_of_32_bits(fraction: float, told: float) -> None:
    assert progress_as_told(fraction) == told


@given(st.floats(0, 1))
def test_telling_progress_twice_changes_nothing(fraction: float) -> None:
    assert progress_as_told(progress_as_told(fraction)) == progress_as_told(fraction)


def test_dice_are_their_names() -> None:
    assert dice("a", 1).random() == dice("a", 1).random() != dice("a", 2).random()
