"""What people do with a job along its life: stop, start, upgrade, delete, put again, grow and shrink."""

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import ExecutionType, LaunchClientType, RetryState
from simulator.machine.story import (
    DEPLOYED,
    ContainerFate,
    ContainerRule,
    Delete,
    Migrate,
    Rules,
    SetProgress,
    SetTaskNumber,
    Start,
    Stop,
    Submit,
)
from tests.simulator.engine.lives import AC, AW, FANCY, FC, STARVED, R, S, W, told, without_launch
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    changes,
    descriptor,
    ends_with,
    role,
    settled,
    states,
    story,
)


def test_a_stop_before_any_application_takes_an_id_and_launches_nothing() -> None:
    timeline = told(story(Submit(START, descriptor()), Stop(START + 10)))
    assert states(timeline, START + 60 * S) == ["404", W, FC]
    status = settled(timeline).status
    assert (status.application_exit_code, status.application_progress) == (-7351, 0.0)
    assert status.application_id is not None
    assert (status.application_launched_timestamp, status.application_tracking_url) == (None, None)
    assert list(timeline.applications(START + 60 * S)) == []


@pytest.mark.parametrize("at", range(500, 9500, 750))
def test_a_stop_at_any_moment_ends_it_with_the_stop_code(at: int) -> None:
    timeline = told(story(Submit(START, descriptor(worker=role(2))), Stop(START + at)))
    record = settled(timeline)
    assert record.status.application_exit_code == -7351
    assert record.status.completed_timestamp == record.status.application_completed_timestamp
    assert record.status.retries == RetryState()
    assert record.summary.execution_type is ExecutionType.STOP
    shown_at_once = timeline.at(START + at)
    assert shown_at_once is not None
    assert shown_at_once.summary.execution_type is ExecutionType.STOP


def test_a_stop_during_back_off_keeps_what_the_ended_application_had() -> None:
    wanted = Submit(START, descriptor(retry=FANCY, platform=GANG, worker=role(2)))
    timeline = told(story(wanted, Stop(START + 40 * S), behaviour=STARVED))
    assert without_launch(states(timeline, START + 120 * S)) == ["404", W, AW, AC, FC]
    status = settled(timeline).status
    assert (status.application_exit_code, status.application_exit_diagnostics) == (-7351, None)
    assert (status.application_progress, status.retries) == (1.0, RetryState())
    assert status.application_launched_timestamp is not None


def test_a_start_before_the_service_saw_the_stop_cancels_it() -> None:
    cancelled = told(story(Submit(START, descriptor()), Stop(START + 10), Start(START + 20), behaviour=all_end_with(0)))
    assert settled(cancelled).status.application_exit_code == 0
    too_late = told(story(Submit(START, descriptor()), Stop(START + 10), Start(START + 9 * S)))
    assert settled(too_late).status.application_exit_code == -7351
    again = told(story(Submit(START, descriptor()), Stop(START + 10), Submit(START + 9 * S, descriptor(2))))
    assert settled(again).status.state is FrameworkState.APPLICATION_RUNNING


def test_a_stop_after_the_end_changes_only_the_request() -> None:
    timeline = told(story(Submit(START, descriptor()), Stop(START + 60 * S), behaviour=all_end_with(0)))
    record = settled(timeline)
    assert (record.status.application_exit_code, record.summary.execution_type) == (0, ExecutionType.STOP)


def test_an_upgrade_starts_afresh_up_or_down_and_the_left_versions_stay_readable() -> None:
    operations = (
        Submit(START, descriptor(1)),
        Submit(START + 13 * S, descriptor(2)),
        Submit(START + 22 * S, descriptor(1)),
    )
    timeline = told(story(*operations))
    assert timeline.versions(START + 10 * S) == (1,)
    assert timeline.versions(START + 13 * S) == (1, 2) == timeline.versions(START + 40 * S)
    left = timeline.attempt(START + 40 * S, 2, 0)
    assert left is not None
    assert left == timeline.at(START + 22 * S - 1)
    fresh = timeline.at(START + 22 * S)
    assert fresh is not None
    assert (fresh.status.state.value, fresh.status.version, fresh.task_roles) == (W, 1, {})
    assert fresh.status.created_timestamp == START
    assert timeline.attempts(START + 40 * S, 3) is None
    assert timeline.attempt(START + 40 * S, None, 1) is None
    assert timeline.attempt(START + 40 * S, 2, 1) is None


def test_an_upgrade_after_the_end_runs_again_and_the_same_version_never_does() -> None:
    same = told(story(Submit(START, descriptor()), Submit(START + 60 * S, descriptor()), behaviour=all_end_with(3)))
    before, after = same.at(START + 59 * S), same.at(START + 200 * S)
    assert before is not None
    assert after is not None
    assert before.status == after.status
    other = told(story(Submit(START, descriptor()), Submit(START + 60 * S, descriptor(2)), behaviour=all_end_with(3)))
    assert without_launch(states(other, START + 200 * S)) == ["404", W, AW, R, FC, W, AW, R, FC]


def test_a_delete_is_seen_at_once_and_putting_it_again_is_a_new_incarnation() -> None:
    operations = (Submit(START, descriptor()), Delete(START + 8700), Submit(START + 14_700, descriptor()))
    timeline = told(story(*operations, behaviour=Rules(usual_container=ContainerFate(run=60 * S))))
    for question in (timeline.at, timeline.versions, timeline.attempts):
        assert question(START + 8700) is None
    assert timeline.attempt(START + 8700, None, 0) is None
    again = timeline.at(START + 14_700)
    assert again is not None
    assert (again.status.state.value, again.status.created_timestamp) == (W, START + 14_700)
    applications = list(timeline.applications(START + 60 * S))
    assert [application.state for application in applications] == ["KILLED", "RUNNING"]
    assert timeline.application(START + 60 * S, applications[0].id) == applications[0]
    assert timeline.application(START + 60 * S, "application_1_0001") is None


def test_delete_and_put_within_one_pull_revives_the_old_status() -> None:
    operations = (Submit(START, descriptor()), Delete(START + 30_100), Submit(START + 30_200, descriptor()))
    timeline = told(story(*operations, behaviour=all_end_with(4)))
    record = settled(timeline)
    assert (record.status.application_exit_code, record.status.created_timestamp) == (4, START)
    assert record.summary.first_request_timestamp == START + 30_200


def test_a_delete_and_an_upgrade_during_back_off_end_it() -> None:
    wanted = Submit(START, descriptor(retry=FANCY, platform=GANG, worker=role(2)))
    deleted = told(story(wanted, Delete(START + 40 * S), behaviour=STARVED))
    assert states(deleted, START + 200 * S)[-2:] == [AC, "404"]
    assert len(list(deleted.applications(START + 200 * S))) == 1
    upgraded = told(story(wanted, Submit(START + 40 * S, descriptor(2)), behaviour=STARVED))
    assert settled(upgraded).status.version == 2
    assert upgraded.attempts(START + 200 * S, 1) == (0,)


def test_an_end_while_no_request_stands_is_decided_when_one_is_back() -> None:
    """The application ends between a delete and a put that the service sees as one change in place."""
    cluster = replace(CLUSTER, intervals=DEPLOYED)
    for delete in range(30_000, 70_000, 1500):
        operations = (Submit(START, descriptor()), Delete(START + delete), Submit(START + delete + 1400, descriptor()))
        timeline = told(story(*operations, behaviour=all_end_with(1, 20 * S), cluster=cluster))
        assert settled(timeline).status.state is FrameworkState.FRAMEWORK_COMPLETED


def test_a_completed_framework_vanishes_after_its_retention() -> None:
    cluster = replace(CLUSTER, intervals=replace(CLUSTER.intervals, completed_retention=100 * S))
    timeline = told(story(behaviour=all_end_with(0), cluster=cluster))
    assert states(timeline, START + 600 * S)[-2:] == [FC, "404"]
    assert timeline.next_change(START + 600 * S) is None
    kept = story(
        Submit(START, descriptor(), LaunchClientType.DATA_DEPLOYMENT), behaviour=all_end_with(0), cluster=cluster
    )
    assert settled(told(kept)).status.state is FrameworkState.FRAMEWORK_COMPLETED


def test_the_task_number_goes_up_down_to_zero_and_up_again() -> None:
    steps = {10: 4, 17: 1, 23: 0, 28: 2}
    operations = [SetTaskNumber(START + at * S, "worker", number) for at, number in steps.items()]
    timeline = told(story(Submit(START, descriptor(worker=role(2))), *operations))
    for at, number in steps.items():
        record = timeline.at(START + (at + 5) * S - 100)
        assert record is not None
        assert len(tasks_of(record)) == record.summary.total_task_number == number
    assert without_launch(states(timeline, START + 60 * S)) == ["404", W, AW, R, AW, R]
    assert len(tasks_of(settled(timeline))) == 2


def test_shrinking_a_waiting_gang_lets_the_rest_start_and_growing_arms_the_timeout_again() -> None:
    wanted = Submit(START, descriptor(platform=GANG, worker=role(2)))
    shrunk = told(story(wanted, SetTaskNumber(START + 10 * S, "worker", 1), behaviour=STARVED))
    assert settled(shrunk).status.application_exit_code == 0
    alone = Submit(START, descriptor(platform=GANG, worker=role(1)))
    grown = told(
        story(
            alone,
            SetTaskNumber(START + 10 * S, "worker", 2),
            behaviour=Rules(containers=(ContainerRule(ContainerFate(allocation=None), index=1),)),
        )
    )
    assert settled(grown).status.application_exit_code == -7252


def test_an_unknown_role_or_name_is_not_changed() -> None:
    timeline = told(story(Stop(START), Submit(START + 1, descriptor()), SetTaskNumber(START + 2, "none", 9)))
    record = settled(timeline)
    assert record.summary.total_task_number == 1
    assert record.summary.last_request_timestamp == START + 1


def test_the_same_version_again_adds_roles_and_keeps_the_tasks_of_a_role_taken_out() -> None:
    operations = (
        Submit(START, descriptor()),
        Submit(START + 10 * S, descriptor(worker=role(), extra=role())),
        Submit(START + 20 * S, descriptor(worker=role(memory_mb=256))),
    )
    rules = Rules(containers=(ContainerRule(ends_with(0, 30 * S), role="extra"),))
    timeline = told(story(*operations, behaviour=rules))
    record = settled(timeline)
    assert set(record.task_roles) == {"worker", "extra"}
    assert tasks_of(record)["extra", 0].container_exit_code == 0
    assert record.status.state is FrameworkState.APPLICATION_RUNNING


def test_progress_is_told_from_a_tenth_on_and_may_fall() -> None:
    given = (0.3, 0.35, 0.39, 0.41, 0.2, 0.15, 0.0, 1.0, 0.95)
    operations = [SetProgress(START + (7 + 4 * n) * S, progress) for n, progress in enumerate(given)]
    timeline = told(story(Submit(START, descriptor()), *operations))
    shown: list[float] = []
    for _, record in changes(timeline, START + 60 * S):
        progress = None if record is None else record.status.application_progress
        if progress is not None and (not shown or shown[-1] != progress):
            shown.append(progress)
    assert shown == [0.0, 0.3, 0.41, 0.2, 0.0, 1.0]


def test_a_migrated_container_goes_elsewhere_or_fails_its_task() -> None:
    name = "container_1795464678844_0001_01_000002"
    operations = (Migrate(START + 10 * S, name), Migrate(START + 12 * S, "container_none"))
    plain = settled(told(story(Submit(START, descriptor(worker=role(2))), *operations)))
    assert (plain.status.application_exit_code, plain.status.application_exit_diagnostics) == (-7153, None)
    fancy = told(story(Submit(START, descriptor(worker=role(2, retry=FANCY))), *operations))
    record = settled(fancy)
    assert record.status.state is FrameworkState.APPLICATION_RUNNING
    task = tasks_of(record)["worker", 0]
    assert task.retries == RetryState(total=1, transient_normal=1)
    assert (task.container_id or "").endswith("_01_000004")
    assert record.request is not None
    assert record.request.migrate_task_requests == {}
