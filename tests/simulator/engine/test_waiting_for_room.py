"""Waiting: for a container, for a whole gang, for a master, for room that never comes."""

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import ExitType, PlatformParameters, Resource, RetryPolicy, RetryState
from simulator.machine.story import ApplicationFate, ContainerFate, ContainerRule, Rules, Stop, Submit
from tests.simulator.engine.lives import AC, AW, FANCY, FC, STARVED, R, S, W, told, without_launch
from tests.simulator.telling import (
    CLUSTER,
    GANG,
    START,
    all_end_with,
    descriptor,
    role,
    settled,
    states,
    story,
    treated,
)


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
