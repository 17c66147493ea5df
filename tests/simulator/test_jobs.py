"""The lives a population plans come out as planned, though the launcher decides each step by its own rules."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from contracts.clock import from_iso
from contracts.launcher.records import ExitType, Framework
from simulator.launcher import Unfolded
from simulator.machine.story import Stop, Submit
from simulator.machine.timeline import Timeline, plan
from simulator.world.jobs import job
from simulator.world.lives import Life
from simulator.world.profile import Profile, RoleShape, Shape, Weighted
from simulator.world.profile_files import load
from simulator.world.world import World

NOON = from_iso("2026-03-01T12:00:00Z")
DEFAULT = replace(load("default"), upgrades=0.0)


def only(word: str) -> Weighted:
    return Weighted((word,), (1.0,))


def lives(profile: Profile, count: int = 60) -> Iterator[tuple[Timeline, Framework, Life]]:
    """Timelines, their last records, and what was planned."""
    world = World(1, count, profile)
    for place in world.places(NOON):
        told = world.at_place(place)
        timeline = plan(told.tell())
        record = timeline.at(told.ends - 1)
        behaviour = timeline.story.behaviour
        assert record is not None
        assert isinstance(behaviour, Life)
        yield timeline, record, behaviour


@pytest.mark.no_cover
@pytest.mark.parametrize("cause", ["user", "platform", "resource", "unknown"])
@pytest.mark.parametrize("ending", ["succeeded", "user", "platform", "resource", "refused"])
def test_it_is_retried_as_often_as_planned_and_ends_as_planned(ending: str, cause: str) -> None:
    profile = replace(DEFAULT, endings=only(ending), retries=1.0, retry_causes=only(cause))
    types = {
        "succeeded": {ExitType.SUCCEEDED},
        "user": {ExitType.NON_TRANSIENT, ExitType.UNKNOWN},
        "platform": {ExitType.TRANSIENT_NORMAL},
        "resource": {ExitType.TRANSIENT_CONFLICT},
        "refused": {ExitType.NON_TRANSIENT, ExitType.TRANSIENT_NORMAL, ExitType.UNKNOWN},
    }[ending]
    for timeline, record, planned in lives(profile):
        name = timeline.story.name
        retries = record.status.retries
        ((version, life),) = planned.versions.items()
        assert record.status.version == version
        assert record.status.application_exit_type in types, name
        assert retries.total == len(life.attempts) - 1, name
        counted = {
            "user": retries.non_transient,
            "platform": retries.transient_normal,
            "resource": retries.transient_conflict,
            "unknown": retries.unknown,
        }
        assert counted[cause] == retries.total, name


@pytest.mark.parametrize("ending", ["stopped", "stopped_waiting", "restarting"])
def test_what_is_to_be_stopped_runs_until_its_user_stops_it(ending: str) -> None:
    for timeline, record, _ in lives(replace(DEFAULT, endings=only(ending))):
        stop = timeline.story.operations[-1]
        assert isinstance(stop, Stop)
        assert record.status.application_exit_code == -7351
        assert record.status.completed_timestamp is not None
        assert 0 <= record.status.completed_timestamp - stop.at <= 60_000
        assert (record.status.retries.succeeded > 0) <= (ending == "restarting")


def test_upgrades_lead_through_versions_in_the_order_of_their_submissions() -> None:
    profile = replace(load("default"), upgrades=1.0, most_upgrades=3)
    down = 0
    for timeline, record, planned in lives(profile):
        submitted = [one.descriptor.version for one in timeline.story.operations if isinstance(one, Submit)]
        assert len(submitted) == len(set(submitted)) >= 2
        assert set(submitted) == set(planned.versions)
        assert record.status.version == submitted[-1]
        last = (record.status.completed_timestamp or 0) + 60_000
        assert timeline.versions(last) == tuple(sorted(submitted))
        down += submitted != sorted(submitted)
    assert down


def test_without_tasks_only_its_user_ends_a_job() -> None:
    role = RoleShape("idle", (0, 0), (1, 1), (512, 512), (0, 0), (), serves=True)
    profile = replace(DEFAULT, shapes=(Shape(1, 0.5, (role,)),), retries=0.0)
    for timeline, record, _ in lives(profile, 20):
        assert isinstance(timeline.story.operations[-1], Stop)
        assert record.status.application_exit_code == -7351


def test_where_all_roles_serve_some_still_end_the_job() -> None:
    role = RoleShape("server", (1, 2), (1, 1), (512, 512), (0, 0), (), serves=True)
    profile = replace(DEFAULT, shapes=(Shape(1, 0.0, (role,)),), retries=0.0)
    for _, record, _ in lives(profile, 20):
        assert record.status.completed_timestamp is not None


def test_with_nothing_to_retry_nothing_is_retried() -> None:
    profile = replace(DEFAULT, endings=only("succeeded"), retries=1.0, most_retries=0, most_task_retries=0)
    for _, record, _ in lives(profile, 20):
        assert record.status.retries.total == 0
        assert all(
            task.retries is not None and task.retries.total == 0
            for role in record.task_roles.values()
            for task in role.tasks
        )


def test_the_same_dice_make_the_same_job() -> None:
    user = World(1, 10, DEFAULT).population.users[0]
    assert job(DEFAULT, user, NOON, "1/job/7", 65).operations == job(DEFAULT, user, NOON, "1/job/7", 65).operations
    assert job(DEFAULT, user, NOON, "1/job/7", 65).operations != job(DEFAULT, user, NOON, "1/job/8", 65).operations


def test_a_job_too_large_to_be_kept_is_answered_all_the_same() -> None:
    role = RoleShape("mapper", (11_000, 11_000), (1, 1), (512, 512), (0, 0), (), serves=False)
    world = World(1, 1, replace(DEFAULT, shapes=(Shape(1, 0.0, (role,)),), endings=only("stopped_waiting")))
    told = world.at_place(world.places(NOON).start)
    unfolded = Unfolded()
    record = unfolded.timeline(told).at(told.begins + 1)
    assert record is not None
    assert record.summary.total_task_number == 11_000
    assert unfolded.size == 0
