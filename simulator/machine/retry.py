"""The retry decision: one rule for frameworks and tasks (launcher fact sheet, 4.1).

Counters count retries made, not exits seen: a decision to end hands back the counters unchanged.
"""

from msgspec import Struct
from msgspec.structs import replace

from contracts.launcher.records import ExitType, RetryPolicy, RetryState

RETRY_ALWAYS = -2
"""Success included."""
RETRY_EVERY_FAILURE = -1

COUNTER_OF_EXIT_TYPE = {
    ExitType.SUCCEEDED: "succeeded",
    ExitType.TRANSIENT_NORMAL: "transient_normal",
    ExitType.TRANSIENT_CONFLICT: "transient_conflict",
    ExitType.NON_TRANSIENT: "non_transient",
    ExitType.UNKNOWN: "unknown",
}


class Decision(Struct, frozen=True):
    retry: bool
    retries: RetryState
    """As they are after it."""
    back_off: bool = False
    """A framework waits before it; a task never does."""


def decide(policy: RetryPolicy, exit_type: ExitType, retries: RetryState) -> Decision:
    if policy.fancy and exit_type is ExitType.TRANSIENT_NORMAL:
        return Decision(True, counted(retries, exit_type, against_the_limit=False))
    if policy.fancy and exit_type is ExitType.TRANSIENT_CONFLICT:
        return Decision(True, counted(retries, exit_type, against_the_limit=False), back_off=True)
    if policy.fancy and exit_type is ExitType.NON_TRANSIENT:
        return Decision(False, retries)
    if _normal_rule(policy.max_retry_count, exit_type, retries.retried):
        return Decision(True, counted(retries, exit_type, against_the_limit=True))
    return Decision(False, retries)


def _normal_rule(limit: int, exit_type: ExitType, retried: int) -> bool:
    if limit == RETRY_ALWAYS:
        return True
    if exit_type is ExitType.SUCCEEDED:
        return False
    return limit == RETRY_EVERY_FAILURE or retried < limit


def counted(retries: RetryState, exit_type: ExitType, *, against_the_limit: bool) -> RetryState:
    counter = COUNTER_OF_EXIT_TYPE[exit_type]
    return replace(
        retries,
        total=retries.total + 1,
        retried=retries.retried + against_the_limit,
        **{counter: getattr(retries, counter) + 1},
    )
