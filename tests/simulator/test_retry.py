"""The retry decision, row by row (launcher fact sheet, 4.1)."""

import pytest

from contracts.launcher.records import ExitType, RetryPolicy, RetryState
from simulator.machine.retry import COUNTER_OF_EXIT_TYPE, decide

OK, TN, TC, NT, UN = (
    ExitType.SUCCEEDED,
    ExitType.TRANSIENT_NORMAL,
    ExitType.TRANSIENT_CONFLICT,
    ExitType.NON_TRANSIENT,
    ExitType.UNKNOWN,
)
FAILURES = (TN, TC, NT, UN)


def plain_rows() -> list[tuple[int, ExitType, int, bool]]:
    """max, exit type, retries made, whether it is retried."""
    rows = [(-2, exit_type, 7, True) for exit_type in ExitType]
    rows += [(-1, exit_type, 7, exit_type is not OK) for exit_type in ExitType]
    rows += [(2, exit_type, made, made < 2) for exit_type in FAILURES for made in (0, 1, 2)]
    rows += [(0, exit_type, 0, False) for exit_type in ExitType]
    return [*rows, (2, OK, 0, False)]


@pytest.mark.parametrize(("limit", "exit_type", "made", "retried"), plain_rows())
def test_a_plain_policy_follows_the_normal_rule_for_every_exit_type(
    limit: int, exit_type: ExitType, made: int, retried: bool
) -> None:
    before = RetryState(total=made, retried=made, unknown=made)
    decision = decide(RetryPolicy(False, limit), exit_type, before)
    assert (decision.retry, decision.back_off) == (retried, False)
    if retried:
        counter = COUNTER_OF_EXIT_TYPE[exit_type]
        assert decision.retries.retried == decision.retries.total == made + 1
        assert getattr(decision.retries, counter) == getattr(before, counter) + 1
    else:
        assert decision.retries == before, "counters count retries made, not exits seen"


@pytest.mark.parametrize("limit", [-2, -1, 0, 3])
def test_a_fancy_policy_always_retries_what_is_transient_and_counts_it_apart(limit: int) -> None:
    normal = decide(RetryPolicy(True, limit), TN, RetryState())
    assert normal.retry
    assert not normal.back_off
    assert normal.retries == RetryState(total=1, transient_normal=1)
    conflict = decide(RetryPolicy(True, limit), TC, RetryState())
    assert conflict.retry
    assert conflict.back_off
    assert conflict.retries == RetryState(total=1, transient_conflict=1)


@pytest.mark.parametrize("limit", [-2, -1, 0, 3])
def test_a_fancy_policy_never_retries_what_is_permanent(limit: int) -> None:
    decision = decide(RetryPolicy(True, limit), NT, RetryState())
    assert not decision.retry
    assert decision.retries == RetryState()


@pytest.mark.parametrize(("limit", "exit_type", "made", "retried"), [row for row in plain_rows() if row[1] in (OK, UN)])
def test_a_fancy_policy_follows_the_normal_rule_for_the_rest(
    limit: int, exit_type: ExitType, made: int, retried: bool
) -> None:
    before = RetryState(total=made + 5, retried=made, unknown=made, transient_normal=5)
    assert decide(RetryPolicy(True, limit), exit_type, before).retry is retried
