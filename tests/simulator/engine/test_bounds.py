"""What bounds a life, and steps that the tables do not know."""

import pytest
from msgspec.structs import replace

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.lifecycle import FrameworkState, IllegalTransition
from contracts.launcher.records import ExecutionType, FrameworkDescriptor, PlatformParameters, RetryPolicy
from simulator.machine.engine import Machine
from simulator.machine.story import Submit
from simulator.machine.timeline import plan
from tests.simulator.engine.lives import FC, S, W, told
from tests.simulator.telling import START, all_end_with, descriptor, role, settled, states, story


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
    operations = (Submit(START, descriptor(1)), Submit(START + 993, descriptor(2)), Submit(START + 1992, descriptor(1)))
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
