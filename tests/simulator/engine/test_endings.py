"""How tasks together end a job."""

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import CompletionPolicy
from simulator.machine.story import ContainerRule, Rules, SetTaskNumber, Submit
from tests.simulator.engine.lives import S, told
from tests.simulator.telling import START, all_end_with, descriptor, ends_with, role, settled, story


def test_one_failed_task_ends_the_others_with_the_launchers_code() -> None:
    rules = Rules(containers=(ContainerRule(ends_with(12), role="ps"),))
    record = settled(told(story(Submit(START, descriptor(ps=role(), worker=role(2))), behaviour=rules)))
    assert record.status.application_exit_code == 12
    assert record.status.application_exit_trigger_task_role_name == "ps"
    assert [task.container_exit_code for task in tasks_of(record).values()] == [12, -7400, -7400]


def test_enough_succeeded_tasks_end_the_job() -> None:
    rules = Rules(containers=(ContainerRule(ends_with(0), role="worker", index=0),))
    wanted = descriptor(ps=role(), worker=role(2, completion=CompletionPolicy(1, 1)))
    record = settled(told(story(Submit(START, wanted), behaviour=rules)))
    status = record.status
    assert (status.application_exit_code, status.application_exit_diagnostics) == (0, "")
    assert status.application_exit_trigger_message == (
        "SucceededTaskCount 1 has reached MinSucceededTaskCount 1 in TaskRole [worker]"
    )
    assert sorted(task.container_exit_code or 0 for task in tasks_of(record).values()) == [-7400, -7400, 0]


def test_all_failed_without_a_limit_is_a_success() -> None:
    wanted = descriptor(worker=role(2, completion=CompletionPolicy(None)))
    status = settled(told(story(Submit(START, wanted), behaviour=all_end_with(3)))).status
    assert (status.application_exit_code, status.application_exit_trigger_task_index) == (0, None)


def test_a_job_without_tasks_waits_for_ever_and_lists_its_empty_role() -> None:
    timeline = told(story(Submit(START, descriptor(worker=role(0)))))
    record = settled(timeline)
    assert record.status.state is FrameworkState.APPLICATION_WAITING
    assert record.task_roles["worker"].tasks == ()
    first = timeline.at(START + 3 * S)
    assert first is not None
    assert first.task_roles == {}, "nothing before the first push"


def test_a_job_without_tasks_runs_once_it_gets_some() -> None:
    wanted = Submit(START, descriptor(worker=role(0)))
    timeline = told(story(wanted, SetTaskNumber(START + 20 * S, "worker", 1), behaviour=all_end_with(0)))
    assert settled(timeline).status.application_exit_code == 0
