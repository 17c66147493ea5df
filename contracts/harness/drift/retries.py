"""Simulator to real, in the retry rule: each retry that was seen must be one the rule makes, each end one it does not retry.

The rule is the simulator's (``simulator.machine.retry.decide``); the policy, the counters before and the kind of exit are the
real launcher's. Where two looks have more than one retry between them, their order is not known, and makes no difference. A launcher follows the policy that it read last, and tells at once the one that was asked for: where
another may have been asked for, nothing is judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from contracts.clock import iso
from contracts.harness.drift.findings import Comparison, Finding
from contracts.harness.drift.sides import Real, Simulated
from contracts.launcher.exits import STOP_FRAMEWORK_CODES, STOP_TASK_CODES
from contracts.launcher.histories import Look
from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import ExitType, Framework, RetryPolicy, RetryState, TaskStatus

COMPARISON = Comparison.SIMULATOR_REAL
RULE = "simulator/machine/retry.py"
TYPE_OF_COUNTER: Mapping[str, ExitType] = {
    "succeeded": ExitType.SUCCEEDED,
    "transient_normal": ExitType.TRANSIENT_NORMAL,
    "transient_conflict": ExitType.TRANSIENT_CONFLICT,
    "non_transient": ExitType.NON_TRANSIENT,
    "unknown": ExitType.UNKNOWN,
}


def retries(real: Real, simulated: Simulated) -> Iterator[Finding]:
    judge = _Judge(simulated)
    for name, history in real.histories.items():
        for run in history.runs():
            if not _one_policy(run):
                continue
            for look in run:
                yield from judge.end(name, look)
            for before, after in pairwise(run):
                yield from judge.step(name, before, after)


def _one_policy(run: Sequence[Look]) -> bool:
    """Whether nothing was asked for but what is told at the first look; a stop, or its taking back, is no other policy."""
    requests = [look.framework.request for look in run if look.framework is not None]
    told = [request for request in requests if request is not None]
    if len(told) < len(requests) or not told:
        return False
    first = told[0].descriptor
    return told[0].first_request_timestamp == told[0].last_request_timestamp and all(
        one.descriptor.retry_policy == first.retry_policy and one.descriptor.task_roles == first.task_roles
        for one in told
    )


class _Judge:
    def __init__(self, simulated: Simulated) -> None:
        self._decide = simulated.decide

    def end(self, name: str, look: Look) -> Iterator[Finding]:
        """What is over must be something that the rule does not retry."""
        record = look.framework
        if record is None or record.request is None:
            return
        status, request = record.status, record.request
        kind, code = status.application_exit_type, status.application_exit_code
        if status.state is FrameworkState.FRAMEWORK_COMPLETED and kind is not None and code not in STOP_FRAMEWORK_CODES:
            yield from self._over("framework", name, look, request.descriptor.retry_policy, kind, status.retries)
        for task in tasks_of(record).values():
            policy = _task_policy(record, task)
            if (
                task.state is TaskState.TASK_COMPLETED
                and task.container_exit_type is not None
                and task.container_exit_code not in STOP_TASK_CODES
                and task.retries is not None
                and policy is not None
            ):
                yield from self._over("task", name, look, policy, task.container_exit_type, task.retries)

    def step(self, name: str, before: Look, after: Look) -> Iterator[Finding]:
        """A retry must be one that the rule makes, and raise the counters that the rule raises."""
        old, new = before.framework, after.framework
        if old is None or new is None or old.request is None or old.request != new.request:
            return
        example = (f"{name} from {iso(before.instant)} to {iso(after.instant)}",)
        policy, seen = old.request.descriptor.retry_policy, old.status.application_exit_type
        yield from self._counted("framework", example, policy, old.status.retries, new.status.retries, seen)
        if old.status.application_id != new.status.application_id:
            return
        now = tasks_of(new)
        for place, task in tasks_of(old).items():
            other, task_policy = now.get(place), _task_policy(old, task)
            if (
                other is not None
                and other.created_timestamp == task.created_timestamp
                and task.retries is not None
                and other.retries is not None
                and task_policy is not None
            ):
                yield from self._counted("task", example, task_policy, task.retries, other.retries)

    def _over(
        self, what: str, name: str, look: Look, policy: RetryPolicy, kind: ExitType, counted: RetryState
    ) -> Iterator[Finding]:
        if self._decide(policy, kind, counted).retry:
            text = f"a {what} ended with {kind} after {counted.total} retries under {_words(policy)}, which retries it"
            example = (f"{name} at {iso(look.instant)}",)
            yield Finding(COMPARISON, "retry rule", f"{what} ended {kind} {_words(policy)}", text, RULE, example)

    def _counted(
        self,
        what: str,
        example: tuple[str, ...],
        policy: RetryPolicy,
        before: RetryState,
        after: RetryState,
        seen: ExitType | None = None,
    ) -> Iterator[Finding]:
        """``seen``: the exit that was retried, if a look caught it."""
        rises = {kind: getattr(after, one) - getattr(before, one) for one, kind in TYPE_OF_COUNTER.items()}
        if after.total <= before.total or min(rises.values()) < 0 or sum(rises.values()) != after.total - before.total:
            return  # no retry, or one that the laws judge
        kinds = [kind for kind, rise in rises.items() if rise]
        if seen is not None and seen not in kinds:
            text = f"a {what} was retried after {seen}, and counted as {' and '.join(kinds)}"
            yield Finding(COMPARISON, "retry rule", f"{what} counted {seen}", text, RULE, example)
        said = self._after(policy, before, rises)
        if after != said:
            text = (
                f"a {what} was retried after {' and '.join(kinds)} under {_words(policy)}: the counters went from {before}"
                f" to {after}, the rule says {'no retry' if said is None else said}"
            )
            about = f"{what} retried {' '.join(kinds)} {_words(policy)}"
            yield Finding(COMPARISON, "retry rule", about, text, RULE, example)

    def _after(self, policy: RetryPolicy, before: RetryState, rises: Mapping[ExitType, int]) -> RetryState | None:
        """Where the rule leads over so many exits of each kind; ``None``: it does not retry them all. A retry counts against
        the limit or does not, whatever came before it, so that any order leads there, or none."""
        state = before
        for kind in (kind for kind, rise in rises.items() for _ in range(rise)):
            decision = self._decide(policy, kind, state)
            if not decision.retry:
                return None
            state = decision.retries
        return state


def _task_policy(record: Framework, task: TaskStatus) -> RetryPolicy | None:
    role = None if record.request is None else record.request.descriptor.task_roles.get(task.task_role_name)
    return None if role is None else role.task_retry_policy


def _words(policy: RetryPolicy) -> str:
    return f"{'fancy' if policy.fancy else 'plain'} {policy.max_retry_count}"
