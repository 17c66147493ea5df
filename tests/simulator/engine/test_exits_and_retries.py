"""What user code ends with: exit codes, their types, and the retries that follow."""

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import ExitType, RetryPolicy, RetryState
from simulator.machine.story import ContainerRule, Rules, Stop, Submit
from tests.simulator.engine.lives import AC, FANCY, FC, S, told
from tests.simulator.telling import CLUSTER, START, all_end_with, descriptor, ends_with, role, settled, story

EXIT_TYPES = {
    0: ExitType.SUCCEEDED,
    1: ExitType.UNKNOWN,
    134: ExitType.UNKNOWN,
    137: ExitType.TRANSIENT_NORMAL,
    139: ExitType.NON_TRANSIENT,
    193: ExitType.TRANSIENT_NORMAL,
    194: ExitType.NON_TRANSIENT,
    255: ExitType.UNKNOWN,
}


@pytest.mark.parametrize(("code", "exit_type"), EXIT_TYPES.items())
def test_an_exit_code_has_the_type_of_its_spec(code: int, exit_type: ExitType) -> None:
    record = settled(told(story(behaviour=all_end_with(code))))
    (task,) = tasks_of(record).values()
    assert (task.container_exit_code, task.container_exit_type) == (code, exit_type)
    assert record.status.application_exit_type is exit_type


def test_without_a_user_exit_spec_every_positive_code_is_unknown() -> None:
    timeline = told(story(behaviour=all_end_with(193), cluster=replace(CLUSTER, user_exit_spec=False)))
    assert settled(timeline).status.application_exit_type is ExitType.UNKNOWN


@pytest.mark.parametrize(
    ("policy", "code", "retries"),
    [
        (RetryPolicy(False, 2), 7, RetryState(total=2, retried=2, unknown=2)),
        (RetryPolicy(False, 2), 193, RetryState(total=2, retried=2, transient_normal=2)),
        (RetryPolicy(False, 2), 194, RetryState(total=2, retried=2, non_transient=2)),
        (RetryPolicy(True, 2), 7, RetryState(total=2, retried=2, unknown=2)),
        (RetryPolicy(True, 2), 194, RetryState()),
        (RetryPolicy(False, 0), 193, RetryState()),
        (RetryPolicy(False, -1), 0, RetryState()),
    ],
)
def test_both_levels_count_retries_made(policy: RetryPolicy, code: int, retries: RetryState) -> None:
    framework = settled(told(story(Submit(START, descriptor(retry=policy)), behaviour=all_end_with(code, S))))
    assert framework.status.retries == retries
    assert framework.status.state is FrameworkState.FRAMEWORK_COMPLETED
    task_level = settled(
        told(story(Submit(START, descriptor(worker=role(retry=policy))), behaviour=all_end_with(code, S)))
    )
    assert tasks_of(task_level)["worker", 0].retries == retries
    assert task_level.status.retries == RetryState()


@pytest.mark.parametrize(("policy", "code"), [(FANCY, 193), (RetryPolicy(False, -1), 7), (RetryPolicy(False, -2), 0)])
def test_an_endless_retry_goes_on_until_it_is_stopped(policy: RetryPolicy, code: int) -> None:
    wanted = Submit(START, descriptor(retry=policy))
    timeline = told(story(wanted, Stop(START + 120 * S), behaviour=all_end_with(code, S)))
    record = settled(timeline)
    assert record.status.application_exit_code == -7351
    assert record.status.retries.total > 10
    assert timeline.attempts(START + 600 * S) == tuple(range(record.status.retries.total + 1))


def test_a_transient_failure_can_be_followed_by_success() -> None:
    rules = Rules(
        containers=(ContainerRule(ends_with(193), attempt=0), ContainerRule(ends_with(193), attempt=1)),
        usual_container=ends_with(0),
    )
    timeline = told(story(Submit(START, descriptor(retry=FANCY)), behaviour=rules))
    assert settled(timeline).status.retries == RetryState(total=2, transient_normal=2)
    ends = [timeline.attempt(START + 600 * S, None, attempt) for attempt in range(3)]
    assert [past and past.status.application_exit_code for past in ends] == [193, 193, 0]
    assert [past and past.status.state.value for past in ends] == [AC, AC, FC]
