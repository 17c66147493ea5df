"""The checklist of lives: every path a framework and its tasks can take, each told once."""

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState, IllegalTransition, TaskState
from contracts.launcher.records import (
    CompletionPolicy,
    ExecutionType,
    ExitType,
    FrameworkDescriptor,
    LaunchClientType,
    PlatformParameters,
    Ports,
    Resource,
    RetryPolicy,
    RetryState,
)
from simulator.machine.engine import Machine
from simulator.machine.story import (
    DEPLOYED,
    ApplicationFate,
    ApplicationRule,
    ContainerFate,
    ContainerRule,
    Crashed,
    Delete,
    Exit,
    Killed,
    Lost,
    MasterFailed,
    Migrate,
    Refused,
    Rules,
    SetProgress,
    SetTaskNumber,
    Start,
    Stop,
    Story,
    Submit,
)
from simulator.machine.timeline import Timeline, plan
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    breaches,
    changes,
    descriptor,
    ends_with,
    role,
    settled,
    states,
    story,
    treated,
)

S = 1000
FANCY = RetryPolicy(fancy=True)
W, C, L, AW, R, AC, FC = (
    "FRAMEWORK_WAITING",
    "APPLICATION_CREATED",
    "APPLICATION_LAUNCHED",
    "APPLICATION_WAITING",
    "APPLICATION_RUNNING",
    "APPLICATION_COMPLETED",
    "FRAMEWORK_COMPLETED",
)


def told(story_told: Story, until: int = 600 * S) -> Timeline:
    """Planned, and held to every law along the way."""
    timeline = plan(story_told)
    assert breaches(timeline, START + until) == []
    return timeline


def without_launch(shown: list[str]) -> list[str]:
    """States between two looks may be jumped over: those two always are but for luck."""
    return [state for state in shown if state not in (C, L)]


# --- waiting --------------------------------------------------------------------------------------------------------


def test_a_job_waits_runs_and_succeeds() -> None:
    timeline = told(story(behaviour=all_end_with(0)))
    assert without_launch(states(timeline, START + 60 * S)) == ["404", W, AW, R, FC]
    status = settled(timeline).status
    assert (status.application_exit_code, status.application_exit_type) == (0, ExitType.SUCCEEDED)
    assert (status.application_exit_diagnostics, status.application_progress) == (None, 1.0)
    assert status.application_exit_trigger_message is not None
    assert status.application_exit_trigger_task_role_name is None


def test_a_gang_starts_only_when_all_its_containers_are_there() -> None:
    rules = Rules(containers=(ContainerRule(ContainerFate(allocation=12 * S), index=1),))
    timeline = told(story(Submit(START, descriptor(platform=GANG, worker=role(2))), behaviour=rules))
    held = timeline.at(START + 10 * S)
    assert held is not None
    assert [task.state for task in tasks_of(held).values()] == [
        TaskState.CONTAINER_ALLOCATED,
        TaskState.CONTAINER_REQUESTED,
    ]
    assert held.status.state is FrameworkState.APPLICATION_WAITING
    together = {task.container_launched_timestamp for task in tasks_of(settled(timeline, 60 * S)).values()}
    assert max(filter(None, together)) - min(filter(None, together)) < 50


STARVED = Rules(
    containers=(ContainerRule(ContainerFate(allocation=None), attempt=0, index=1),), usual_container=ends_with(0)
)


def test_a_gang_that_gets_no_room_times_out() -> None:
    timeline = told(story(Submit(START, descriptor(platform=GANG, worker=role(2))), behaviour=STARVED))
    status = settled(timeline).status
    assert (status.application_exit_code, status.application_exit_type) == (-7252, ExitType.TRANSIENT_CONFLICT)
    assert status.application_exit_diagnostics == "Still waiting for 1 outstanding Tasks after timeout 30s"
    assert status.retries == RetryState()


def test_a_fancy_framework_backs_off_after_a_conflict_and_tries_again() -> None:
    timeline = told(story(Submit(START, descriptor(retry=FANCY, platform=GANG, worker=role(2))), behaviour=STARVED))
    assert without_launch(states(timeline, START + 120 * S))[:6] == ["404", W, AW, AC, AW, R]
    past, now = timeline.attempt(START + 120 * S, None, 0), settled(timeline)
    assert past is not None
    assert now.status.retries == RetryState(total=1, transient_conflict=1)
    ended = past.status.application_completed_timestamp
    again = now.status.application_launched_timestamp
    assert ended is not None
    assert again is not None
    assert 20 * S <= again - ended < 22 * S, "the first back-off is exactly the floor"


def test_a_plain_framework_retries_a_conflict_at_once() -> None:
    wanted = descriptor(retry=RetryPolicy(False, 1), platform=GANG, worker=role(2))
    timeline = told(story(Submit(START, wanted), behaviour=STARVED))
    assert AC not in states(timeline, START + 120 * S)
    assert settled(timeline).status.retries == RetryState(total=1, retried=1, transient_conflict=1)


@pytest.mark.parametrize(("cpus", "what"), [(1, "memory"), (99, "virtual cores")])
def test_a_task_no_node_can_hold_is_refused_at_once(cpus: int, what: str) -> None:
    cluster = replace(CLUSTER, node_cpu_number=40)
    big = role(memory_mb=102_400 if cpus == 1 else 128, cpu_number=cpus)
    timeline = told(story(Submit(START, descriptor(small=role(), big=big)), cluster=cluster))
    record = settled(timeline)
    assert record.status.application_exit_code == -7200
    assert (record.status.application_exit_diagnostics or "").startswith(
        f"Invalid resource request, requested {what} < 0, or requested {what} > max configured"
    )
    assert {task.container_exit_code for task in tasks_of(record).values()} == {-7400}


def test_a_master_no_node_can_hold_is_refused_at_submission() -> None:
    platform = PlatformParameters(am_resource=Resource(1, 102_400))
    status = settled(told(story(Submit(START, descriptor(platform=platform))))).status
    assert status.application_exit_code == -7300
    assert (status.application_launched_timestamp, status.application_tracking_url) == (None, None)
    assert status.application_progress == 0.0


def test_an_unknown_queue_is_refused_at_submission() -> None:
    cluster = replace(CLUSTER, queues=frozenset({"default"}))
    timeline = told(story(Submit(START, descriptor(platform=PlatformParameters(queue="none"))), cluster=cluster))
    assert "to unknown queue: none" in (settled(timeline).status.application_exit_diagnostics or "")
    known = told(story(cluster=cluster, behaviour=all_end_with(0)))
    assert settled(known).status.application_exit_code == 0


def test_a_starved_task_asks_again_and_again_and_then_just_waits() -> None:
    timeline = told(story(behaviour=Rules(usual_container=ContainerFate(allocation=None))))
    record = timeline.at(START + 30 * 24 * 3600 * S)
    assert record is not None
    assert [task.state for task in tasks_of(record).values()] == [TaskState.CONTAINER_REQUESTED]
    assert timeline.next_change(START + 30 * 24 * 3600 * S) is None


def test_a_container_may_come_late_or_only_when_there_is_room() -> None:
    late = ContainerFate(allocation=0, not_before=START + 100 * S, run=S)
    record = settled(told(story(behaviour=Rules(usual_container=late))))
    (task,) = tasks_of(record).values()
    assert task.container_launched_timestamp is not None
    assert START + 100 * S <= task.container_launched_timestamp < START + 101 * S


def test_a_master_that_gets_no_container_waits_until_it_is_stopped() -> None:
    timeline = told(
        story(Submit(START, descriptor()), Stop(START + 20 * S), behaviour=treated(ApplicationFate(am_start=None)))
    )
    assert without_launch(states(timeline, START + 60 * S)) == ["404", W, AW, FC]
    (application,) = timeline.applications(START + 60 * S)
    assert (application.state, application.progress) == ("KILLED", 0.0)


# --- losing ---------------------------------------------------------------------------------------------------------


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


# --- user code ------------------------------------------------------------------------------------------------------

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


# --- endings --------------------------------------------------------------------------------------------------------


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


# --- operations -----------------------------------------------------------------------------------------------------


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


# --- shapes ---------------------------------------------------------------------------------------------------------


def test_ports_and_gpus_are_told_as_the_launcher_spells_them() -> None:
    wanted = descriptor(worker=role(2, gpu_number=2, port_definitions={"ssh": Ports(1), "web": Ports(2, 8080)}))
    record = settled(told(story(Submit(START, wanted))))
    for task in tasks_of(record).values():
        assert (task.container_ports or "").startswith("web:8080,8081;ssh:")
        assert task.container_gpus is not None
        assert task.container_gpus.bit_count() == 2
    assert record.summary.total_gpu_number == 4


def test_the_figures_of_a_running_application_are_its_containers_and_its_master() -> None:
    wanted = descriptor(worker=role(3, memory_mb=1024))
    rules = Rules(containers=(ContainerRule(ContainerFate(allocation=None), index=2),))
    timeline = told(story(Submit(START, wanted), behaviour=rules))
    (waiting,) = timeline.applications(START + 2 * S)
    assert (waiting.state, waiting.figures.pending_containers, waiting.figures.allocated_mb) == ("ACCEPTED", 1, 0)
    (running,) = timeline.applications(START + 60 * S)
    figures = running.figures
    assert (figures.running_containers, figures.pending_containers) == (3, 1)
    assert (figures.allocated_mb, figures.allocated_vcores) == (4096 + 2048, 3)
    assert figures.queue_usage_percentage == 5.0
    assert running.tracking_url == f"http://rm.cluster.example:8088/proxy/{running.id}/"


def test_a_finished_application_keeps_its_report_for_those_who_come_late() -> None:
    timeline = told(story(Submit(START, descriptor()), Delete(START + 60 * S), behaviour=all_end_with(2)))
    (application,) = timeline.applications(START + 100 * S)
    assert application.state == "FINISHED"
    assert application.final_status == "FAILED"
    assert '"applicationExitCode" : 2,' in application.diagnostics
    assert application.name == "[alice~job]_[1]_[UNKNOWN]_[127.0.0.1]_[UNKNOWN]"
    assert application.figures.allocated_mb == 0


# --- bounds and tables ----------------------------------------------------------------------------------------------


def test_an_endless_life_is_ended_by_a_full_cluster() -> None:
    wanted = descriptor(retry=RetryPolicy(False, -2), worker=role(retry=RetryPolicy(False, 1)))
    year = 365 * 24 * 3600 * S
    few = plan(story(Submit(START, wanted), behaviour=all_end_with(1, S), most_applications=5))
    record = few.at(START + year)
    assert record is not None
    assert record.status.retries.total == 5
    assert few.next_change(START + year) is None
    starving = plan(story(Submit(START, wanted), behaviour=all_end_with(1, S), most_containers=3))
    record = starving.at(START + year)
    assert record is not None
    assert record.status.retries.total == 1


def test_an_illegal_step_raises_and_changes_nothing() -> None:
    machine = Machine(story())
    machine.agenda.run_to(START + 5 * S)
    written = list(machine.statuses)
    entry = machine.statuses[0][1]
    assert entry is not None
    done = replace(entry, status=replace(entry.status, state=FrameworkState.FRAMEWORK_COMPLETED))
    with pytest.raises(IllegalTransition):
        machine._stop(START + 5 * S, machine.requests[-1][1] or pytest.fail("no request"), done)
    assert machine.statuses == written


def test_the_same_story_gives_the_same_bytes_and_other_dice_other_hosts() -> None:
    wanted = Submit(START, descriptor(worker=role(20)))
    one, same, other = (settled(plan(story(wanted, seed=seed))) for seed in ("a", "a", "b"))
    assert repr(one) == repr(same)
    assert [task.container_host for task in tasks_of(one).values()] != [
        task.container_host for task in tasks_of(other).values()
    ]


def test_a_descriptor_that_stops_from_birth_never_runs() -> None:
    stopped: FrameworkDescriptor = replace(descriptor(), execution_type=ExecutionType.STOP)
    assert states(told(story(Submit(START, stopped))), START + 60 * S) == ["404", W, FC]


def test_antiaffinity_spreads_tasks_over_hosts() -> None:
    platform = PlatformParameters(antiaffinity_allocation=True)
    record = settled(told(story(Submit(START, descriptor(platform=platform, worker=role(3))))))
    assert len({task.container_host for task in tasks_of(record).values()}) == 3


def test_a_version_left_and_entered_again_between_two_looks_never_shows_its_old_status() -> None:
    operations = (
        Submit(START, descriptor(1)),
        Submit(START + 993, descriptor(2)),
        Submit(START + 1992, descriptor(1)),
    )
    timeline = told(story(*operations))
    record = timeline.at(START + 1992)
    assert record is not None
    assert (record.status.state.value, record.status.application_id) == (W, None)


def test_of_two_submissions_at_one_instant_only_the_last_was_ever_there() -> None:
    operations = (
        Submit(START, descriptor(2)),
        Submit(START + 1722, descriptor(1)),
        Submit(START + 1722, descriptor(2)),
    )
    timeline = told(story(*operations))
    assert timeline.versions(START + 60 * S) == (2,)
    assert len(list(timeline.applications(START + 60 * S))) == 1
