from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import LATEST
from simulator.world.arrivals import EPOCH, Arrivals

HOUR = 3_600_000
worlds = st.builds(Arrivals, st.integers(0, 5), st.integers(1, 1_000_000), st.integers(HOUR, 30 * 24 * HOUR))
instants = st.integers(0, LATEST)


@given(worlds, instants)
def test_as_many_jobs_exist_as_were_asked_for_give_or_take_one(arrivals: Arrivals, at: int) -> None:
    if at >= EPOCH + arrivals.window:
        assert abs(len(arrivals.existing(at)) - arrivals.jobs) <= 1 + arrivals.jobs // arrivals.window


@given(worlds, instants)
def test_a_job_is_in_the_range_of_existing_ones_from_its_arrival_until_it_is_forgotten(
    arrivals: Arrivals, at: int
) -> None:
    existing = arrivals.existing(at)
    for index in {existing.start - 1, existing.start, existing.stop - 1, existing.stop}:
        if index >= 0:
            assert (0 <= at - arrivals.instant(index) < arrivals.window) == (index in existing)
            assert arrivals.may_exist(index, at) or index not in existing


@given(worlds, st.integers(0, 10**12))
def test_arrivals_grow_and_stay_in_their_slot(arrivals: Arrivals, index: int) -> None:
    arrival = arrivals.instant(index)
    assert arrivals.slot(index) <= arrival <= arrivals.slot(index + 1)
    assert arrival <= arrivals.instant(index + 1)
    assert arrivals.newest(arrival) >= index
    assert arrivals.newest(arrival - 1) < index


@given(worlds, st.integers(0, 10**12))
def test_the_first_slot_from_an_instant_is_the_first(arrivals: Arrivals, index: int) -> None:
    first = arrivals.first_slot_from(arrivals.slot(index))
    assert first <= index
    assert arrivals.slot(first) == arrivals.slot(index)
    assert first == 0 or arrivals.slot(first - 1) < arrivals.slot(index)


def test_before_the_first_arrival_there_is_nothing() -> None:
    arrivals = Arrivals(seed=1, jobs=200, window=12 * HOUR)
    assert len(arrivals.existing(0)) == 0
    assert arrivals.newest(EPOCH - 1) == -1


def test_arrivals_are_where_they_have_always_been() -> None:
    arrivals = Arrivals(seed=1, jobs=200, window=12 * HOUR)
    assert arrivals.existing(1_772_366_400_000) == range(8_203_600, 8_203_800)
    assert [arrivals.instant(index) for index in (0, 1, 8_203_799)] == [345_807_654, 345_820_207, 1_772_366_391_405]
