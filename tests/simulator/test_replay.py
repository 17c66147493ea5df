"""A replay is no echo: what the simulated launcher would not have done is told as a difference."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from contracts.launcher.histories import History
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.records import ExitType, Framework, RetryState
from simulator.machine.story import DEPLOYED, FAST, Delete, Migrate, SetProgress, Start, Stop, Submit
from simulator.machine.timeline import plan
from simulator.replay.asked import operations
from simulator.replay.happened import CODE_OF_COUNTER, happened
from simulator.replay.replaying import NotTold, replay, story_of
from simulator.replay.setting import Unknowns, unknowns
from tests.contracts.recorded_records import histories

SUCCEEDED = "alice~s01b-succeed-2tasks"
RETRIED = "alice~s03f-fw-plain-max2-transient"
STOPPED = "alice~s05a-stop-while-running"

Change = Callable[[Framework], Framework]


def changed(name: str, change: Change, *, only_last: bool = False) -> History:
    history = histories()[name]
    last = history.looks[-1]
    looks = tuple(
        look
        if look.framework is None or (only_last and look is not last)
        else replace(look, framework=change(look.framework))
        for look in history.looks
    )
    return replace(history, looks=looks)


def with_status(**values: object) -> Change:
    return lambda record: replace(record, status=replace(record.status, **values))


def one_retry_more(record: Framework) -> Framework:
    retries = record.status.retries
    more = replace(retries, total=retries.total + 1, unknown=retries.unknown + 1)
    return replace(record, status=replace(record.status, retries=more))


def tasks_succeeded(record: Framework) -> Framework:
    roles = {
        name: replace(role, tasks=tuple(replace(task, container_exit_type=ExitType.SUCCEEDED) for task in role.tasks))
        for name, role in record.task_roles.items()
    }
    return replace(record, task_roles=roles)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        (RETRIED, one_retry_more, "retries"),
        (RETRIED, with_status(application_exit_type=ExitType.NON_TRANSIENT), "exit type"),
        (RETRIED, with_status(application_exit_description="It ended"), "exit description"),
        (RETRIED, with_status(application_exit_trigger_task_role_name="ps"), "trigger role"),
        (RETRIED, with_status(application_exit_diagnostics="Something else"), "exit diagnostics"),
        (RETRIED, tasks_succeeded, "tasks"),
        (RETRIED, with_status(state=FrameworkState.APPLICATION_COMPLETED), "state"),
        (SUCCEEDED, with_status(application_exit_code=-7303), "exit code"),
        (SUCCEEDED, with_status(application_tracking_url=None), "has a tracking url"),
        (SUCCEEDED, with_status(application_progress=0.5), "progress"),
        (STOPPED, with_status(application_exit_code=0), "exit code"),
    ],
)
def test_a_changed_end_is_told_as_a_difference(name: str, change: Change, what: str) -> None:
    found = replay(changed(name, change, only_last=True)).differences
    assert what in {difference.what for difference in found}, [str(difference) for difference in found]


def test_a_state_that_lies_on_no_way_is_told_as_a_difference() -> None:
    history = histories()[SUCCEEDED]
    waiting = next(look for look in history.looks if look.framework is not None)
    strange = replace(history, looks=(*history.looks, replace(waiting, instant=history.looks[-1].instant + 1)))
    (steps, *_) = replay(strange).differences
    assert steps.what == "steps"
    assert str(steps).startswith("steps: recorded (1, 0, ")


def test_an_attempt_that_the_policy_forbids_is_told_as_a_difference() -> None:
    def never_again(record: Framework) -> Framework:
        assert record.request is not None
        policy = replace(record.request.descriptor.retry_policy, max_retry_count=1)
        descriptor = replace(record.request.descriptor, retry_policy=policy)
        return replace(record, request=replace(record.request, descriptor=descriptor))

    assert {one.what for one in replay(changed(RETRIED, never_again)).differences} >= {"steps", "retries"}


def test_a_launcher_that_does_not_tell_what_it_was_asked_cannot_be_replayed() -> None:
    with pytest.raises(NotTold, match="what was asked for"):
        replay(changed(SUCCEEDED, lambda record: replace(record, request=None)))


def test_a_beginning_that_nobody_saw_is_made_up_from_the_counters() -> None:
    history = histories()[RETRIED]
    third = next(
        i for i, look in enumerate(history.looks) if look.framework and look.framework.status.retries.total == 2
    )
    late = replace(history, looks=history.looks[third:])
    assert replay(late).differences == ()
    assert [happened(late, FAST).runs[0].code_of_application(attempt) for attempt in (0, 1)] == [193, 193]


def test_unseen_ends_of_several_kinds_are_each_told_once() -> None:
    history = histories()[RETRIED]
    mixed = RetryState(total=2, retried=2, unknown=1, non_transient=1)
    last = next(look for look in reversed(history.looks) if look.framework is not None)
    assert last.framework is not None
    record = replace(last.framework, status=replace(last.framework.status, retries=mixed))
    (run,) = happened(replace(history, looks=(replace(last, framework=record),)), FAST).runs
    assert {run.code_of_application(attempt) for attempt in (0, 1)} == {
        CODE_OF_COUNTER["unknown"],
        CODE_OF_COUNTER["non_transient"],
    }


def test_a_migration_that_nobody_saw_asked_for_is_read_out_of_the_container_it_ended() -> None:
    history = histories()["alice~s09c-migrate-plain"]
    late = replace(history, looks=history.looks[-1:])
    assert [type(operation) for operation in operations(late.looks)] == [Submit, Migrate]
    assert replay(late).differences == ()


def test_what_people_did_is_read_out_of_the_requests() -> None:
    def kinds(name: str) -> list[type]:
        return [type(operation) for operation in operations(histories()[name].looks)]

    assert kinds(SUCCEEDED) == [Submit]
    assert kinds(STOPPED)[:2] == [Submit, Stop]
    assert Delete in kinds("alice~s07a-delete-while-running-resubmit")
    assert Delete in kinds("alice~s07b-delete-and-put-at-once")
    assert Start in kinds(STOPPED)  # taken back after the end: nothing comes of it
    assert Migrate in kinds("alice~s09c-migrate-plain")
    assert SetProgress in kinds("alice~s09e-application-progress-threshold")


def test_the_launcher_is_tried_at_every_pace_the_likely_first() -> None:
    tried = list(unknowns(histories()[SUCCEEDED]))
    paces = [(one.intervals.service_rm_resync, one.phase, one.lag) for one in tried[:2]]
    assert paces == [(FAST.service_rm_resync, 0, 0), (DEPLOYED.service_rm_resync, 0, 0)]
    assert len(set(tried)) == len(tried)


def test_what_a_launcher_says_of_its_settings_is_believed() -> None:
    told = next(iter(unknowns(histories()["alice~s08w1-gang-timeout-plain"]))).intervals
    assert told.gang_timeout == 30_000
    waited = next(iter(unknowns(histories()["alice~s08w2-gang-timeout-fancy-backoff"]))).intervals
    assert waited.conflict_back_off_min == waited.conflict_back_off_max
    assert 20_000 <= waited.conflict_back_off_min <= 60_000


def test_a_framework_never_launched_is_told_too() -> None:
    history = histories()["ct-test"]
    assert history.looks[0].framework is not None
    assert history.looks[0].framework.status.application_id is None
    timeline = plan(story_of(history, Unknowns(FAST)))
    assert timeline.at(history.looks[0].instant) is not None


def test_containers_are_told_where_and_when_they_were_launched() -> None:
    history = histories()[SUCCEEDED]
    timeline = plan(story_of(history, Unknowns(FAST)))
    ours = timeline.at(history.looks[-1].instant)
    real = history.records()[-1]
    assert ours is not None
    for role, told in real.task_roles.items():
        for task, mine in zip(told.tasks, ours.task_roles[role].tasks, strict=True):
            assert mine.state is task.state is TaskState.TASK_COMPLETED
            assert mine.container_launched_timestamp is not None
            assert task.container_launched_timestamp is not None
            assert abs(mine.container_launched_timestamp - task.container_launched_timestamp) < 2000


def test_who_looks_only_after_a_stop_knows_that_there_was_a_start() -> None:
    history = histories()[STOPPED]
    assert [type(one) for one in operations(history.looks[-1:])] == [Submit, Stop]
    assert replay(replace(history, looks=history.looks[-1:])).differences == ()
