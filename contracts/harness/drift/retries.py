"""Simulator to real, in the retry rule: each retry that was seen must be one the rule makes, each end one it does not retry.

The rule is the simulator's (``simulator.machine.retry.decide``); the policy, the counters before and the kind of exit are the
real launcher's. Where two looks have more than one retry between them, their order is not known, and replays judge.
"""

from collections.abc import Iterator, Mapping
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
            for look in run:
                yield from judge.end(name, look)
            for before, after in pairwise(run):
                yield from judge.step(name, before, after)


class _Judge:
    def __init__(self, simulated: Simulated) -> None:
        self._decide = simulated.decide

    def end(self, name: str, look: Look) -> Iterator[Finding]:
        """What is over must be something that the rule does not retry."""
        record = look.framework
        if record is None or record.request is None:
            return
        status, request = record.status, record.request
        kind, code, ended = status.application_exit_type, status.application_exit_code, status.completed_timestamp
        if (
            status.state is FrameworkState.FRAMEWORK_COMPLETED
            and kind is not None
            and code not in STOP_FRAMEWORK_CODES
            # Who asked for another policy after the end changed nothing.
            and ended is not None
            and request.last_request_timestamp <= ended
        ):
            yield from self._over("framework", name, look, request.descriptor.retry_policy, kind, status.retries)
        for task in tasks_of(record).values():
            policy = _task_policy(record, task)
            if (
                task.state is TaskState.TASK_COMPLETED
                and task.container_exit_type is not None
                and task.container_exit_code not in STOP_TASK_CODES
                and task.retries is not None
                and policy is not None
                and task.completed_timestamp is not None
                and request.last_request_timestamp <= task.completed_timestamp
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
        if after.total != before.total + 1:
            return
        kinds = [
            kind for counter, kind in TYPE_OF_COUNTER.items() if getattr(after, counter) > getattr(before, counter)
        ]
        if seen is not None and seen not in kinds:
            text = f"a {what} was retried after {seen}, and counted as {' and '.join(kinds)}"
            yield Finding(COMPARISON, "retry rule", f"{what} counted {seen}", text, RULE, example)
        for kind in kinds:
            decision = self._decide(policy, kind, before)
            if not decision.retry or decision.retries != after:
                text = (
                    f"a {what} was retried after {kind} under {_words(policy)}: the counters went from {before} to {after},"
                    f" the rule says {decision.retries if decision.retry else 'no retry'}"
                )
                yield Finding(COMPARISON, "retry rule", f"{what} retried {kind} {_words(policy)}", text, RULE, example)


def _task_policy(record: Framework, task: TaskStatus) -> RetryPolicy | None:
    role = None if record.request is None else record.request.descriptor.task_roles.get(task.task_role_name)
    return None if role is None else role.task_retry_policy


def _words(policy: RetryPolicy) -> str:
    return f"{'fancy' if policy.fancy else 'plain'} {policy.max_retry_count}"
