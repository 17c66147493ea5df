"""The counters of attempts that nobody saw."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.launcher.records import ExitType, RetryState
from restserver.history.endings import counters_between

COUNTERS = ("succeeded", "transient_normal", "transient_conflict", "non_transient", "unknown")
EXITS = tuple(ExitType)


def raised(before: RetryState, exits: list[ExitType]) -> list[RetryState]:
    """What a launcher counts: each exit raises its counter."""
    states = [before]
    for one in exits:
        counts = {name: getattr(states[-1], name) for name in COUNTERS}
        counts[one.value.lower()] += 1
        states.append(RetryState(total=states[-1].total + 1, retried=states[-1].retried + 1, **counts))
    return states


@given(st.lists(st.sampled_from(EXITS), min_size=1, max_size=6), st.data())
def test_counters_never_fall_and_add_up_to_the_attempt(exits: list[ExitType], data: st.DataObject) -> None:
    truth = raised(RetryState(), exits)
    known = [data.draw(st.sampled_from([one, None])) for one in exits]
    between = counters_between(truth[0], truth[-1], known)
    states = [truth[0], *between, truth[-1]]
    assert len(states) == len(truth)
    for number, (before, after) in enumerate(pairwise(states), 1):
        assert all(getattr(before, name) <= getattr(after, name) for name in (*COUNTERS, "retried"))
        assert after.total == number == sum(getattr(after, name) for name in COUNTERS)
    if None not in known:
        assert states == truth


def test_counters_that_do_not_add_up_are_filled_with_unknown() -> None:
    (between,) = counters_between(RetryState(), RetryState(total=2), [None, None])
    assert between == RetryState(total=1, unknown=1)
