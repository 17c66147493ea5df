"""Losing: applications, masters and containers that crash, expire or are killed by others."""

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import TaskState
from simulator.machine.story import (
    DEPLOYED,
    ApplicationFate,
    ApplicationRule,
    ContainerFate,
    ContainerRule,
    Crashed,
    Exit,
    Killed,
    Lost,
    MasterFailed,
    Refused,
    Rules,
    Submit,
)
from tests.simulator.engine.lives import STARVED, S, told
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    descriptor,
    ends_with,
    role,
    settled,
    states,
    story,
    treated,
)


def test_an_application_that_the_resource_manager_forgot_is_lost() -> None:
    timeline = told(story(behaviour=treated(ApplicationFate(end=Lost(9 * S)))))
    status = settled(timeline).status
    assert (status.application_exit_code, status.application_exit_diagnostics) == (-7350, None)
    assert list(timeline.applications(START + 60 * S)) == []


@pytest.mark.parametrize(("after", "progress"), [(9 * S, 1.0), (S, 0.0)])
def test_an_application_killed_through_yarn_says_by_whom(after: int, progress: float) -> None:
    timeline = told(story(behaviour=treated(ApplicationFate(end=Killed(after, "bob")))))
    status = settled(timeline).status
    assert (status.application_exit_code, status.application_progress) == (-7303, progress)
    assert status.application_exit_diagnostics == f"Application {status.application_id} was killed by user bob"


def test_a_master_that_crashes_until_yarn_gives_up_leaves_no_report() -> None:
    timeline = told(story(behaviour=treated(ApplicationFate(end=Crashed(9 * S)))))
    record = settled(timeline)
    assert (record.status.application_exit_code, record.status.application_progress) == (-7353, 0.0)
    (application,) = timeline.applications(START + 60 * S)
    assert (application.state, application.final_status) == ("FAILED", "FAILED")
    assert f"[{application.diagnostics}]" in (record.status.application_exit_diagnostics or "")
    assert (application.figures.am_container_logs or "").endswith("_03_000001/alice")
    (task,) = tasks_of(record).values()
    assert task.container_exit_code == -7400


def test_a_master_that_fails_for_good_reports_why() -> None:
    timeline = told(story(behaviour=treated(ApplicationFate(end=MasterFailed(-7251, "File does not exist: /x", 2500)))))
    status = settled(timeline).status
    assert (status.application_exit_code, status.application_progress) == (-7251, 1.0)
    assert (status.application_exit_diagnostics or "").splitlines()[0] == "File does not exist: /x"


def test_a_master_that_is_started_again_changes_nothing_that_anybody_sees_of_running_tasks() -> None:
    wanted = Submit(START, descriptor(worker=role(3)))
    late = ContainerRule(ContainerFate(allocation=20 * S), index=2)
    starting = ContainerRule(ContainerFate(allocation=S, start=10 * S), index=1)
    rules = Rules((ApplicationRule(ApplicationFate(end=MasterFailed(-7250, "oops", 8 * S))),), (late, starting))
    timeline = told(story(wanted, behaviour=rules))
    before, after = timeline.at(START + 10 * S), timeline.at(START + 60 * S)
    assert before is not None
    assert after is not None
    assert before.status.application_id == after.status.application_id
    assert tasks_of(before)["worker", 0] == tasks_of(after)["worker", 0]
    assert tasks_of(after)["worker", 1].state is TaskState.CONTAINER_RUNNING
    assert (tasks_of(after)["worker", 2].container_id or "").endswith("_02_000002")


def test_a_gang_survives_that_its_master_is_started_again() -> None:
    rules = Rules(
        (ApplicationRule(ApplicationFate(end=MasterFailed(-7201, "oops", 5 * S))),),
        (ContainerRule(ContainerFate(allocation=9 * S, run=S), index=1),),
        usual_container=ContainerFate(run=S),
    )
    timeline = told(story(Submit(START, descriptor(platform=GANG, worker=role(2))), behaviour=rules))
    assert settled(timeline).status.application_exit_code == 0


@pytest.mark.parametrize("code", [-7111, -7120, -7122, -7100, -7110, -7123])
def test_a_container_lost_for_any_cause_ends_a_plain_job_with_that_cause(code: int) -> None:
    timeline = told(story(behaviour=all_end_with(code)))
    record = settled(timeline)
    assert record.status.application_exit_code == code
    figures = next(timeline.applications(START + 60 * S)).figures
    assert figures.num_non_am_container_preempted == (code == -7120)


def test_a_held_container_expires_before_the_gang_gives_up() -> None:
    cluster = replace(CLUSTER, intervals=replace(DEPLOYED, container_expiry=90 * S))
    timeline = told(story(Submit(START, descriptor(platform=GANG, worker=role(2))), behaviour=STARVED, cluster=cluster))
    record = settled(timeline)
    assert record.status.application_exit_code == -7112
    assert record.status.application_exit_diagnostics == "Container expired since it was unused"
    assert tasks_of(record)["worker", 0].container_launched_timestamp is None


def test_a_container_can_end_before_it_was_ever_started() -> None:
    refused = ContainerFate(run=S, exit=Exit(-7150), ends_in=TaskState.CONTAINER_LAUNCHED)
    record = settled(told(story(behaviour=Rules(usual_container=refused))))
    assert record.status.application_exit_code == -7150
    expired = ContainerFate(run=S, exit=Exit(-7112), ends_in=TaskState.CONTAINER_ALLOCATED)
    record = settled(told(story(behaviour=Rules(usual_container=expired))))
    assert tasks_of(record)["worker", 0].container_launched_timestamp is None


def test_diagnostics_that_come_late_keep_the_framework_retrieving_and_then_are_there() -> None:
    late = treated(ApplicationFate(diagnostics_after=7 * S), ends_with(1))
    timeline = told(story(behaviour=late))
    assert "APPLICATION_RETRIEVING_DIAGNOSTICS" in states(timeline, START + 60 * S)
    assert settled(timeline).status.application_exit_code == 1


@pytest.mark.parametrize(("code", "ends"), [(1, -7352), (0, 0)])
def test_diagnostics_that_never_come_are_given_up(code: int, ends: int) -> None:
    timeline = told(story(behaviour=treated(ApplicationFate(diagnostics_after=None), ends_with(code))))
    status = settled(timeline).status
    assert status.application_exit_code == ends
    assert (status.application_exit_diagnostics or "").startswith("Cannot get more exit info")


@pytest.mark.parametrize("code", [-7300, -7301, -7302])
def test_a_submission_can_fail_in_each_way(code: int) -> None:
    timeline = told(story(behaviour=treated(ApplicationFate(end=Refused(code, "no")))))
    assert settled(timeline).status.application_exit_code == code
    assert list(timeline.applications(START + 60 * S)) == []
