"""A world is seed, profile and instant, and nothing else."""

import subprocess
import sys
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock import VirtualClock, from_iso
from contracts.launcher.port import Ask, NoSuchFramework
from contracts.states import job_state
from simulator.launcher import simulated
from simulator.machine.story import HOUR
from simulator.machine.timeline import plan
from simulator.world.arrivals import EPOCH
from simulator.world.jobs import MOST_APPLICATIONS
from simulator.world.profile_files import load, shipped
from simulator.world.world import WEEK, Told, World, newest_first

NOON = from_iso("2026-03-01T12:00:00Z")
ASK = Ask()
DEFAULT = load("default")


def world(jobs: int = 200, seed: int = 1) -> World:
    return World(seed, jobs, DEFAULT)


def all_told(of: World, at: int = NOON) -> list[Told]:
    told = list(newest_first(of, at))
    assert told
    return told


@pytest.mark.parametrize(
    "at", [NOON, NOON + 7 * WEEK, from_iso("9999-01-01T00:00:00Z"), from_iso("1971-01-01T00:00:00Z")]
)
def test_every_name_leads_to_its_own_job(at: int) -> None:
    here = world()
    for told in all_told(here, at):
        assert here.named(told.name, at) is not None
        assert told.begins <= at < told.ends
        assert here.named(told.name, told.begins - 1) is None
        assert here.named(told.name, told.ends) is None


@pytest.mark.no_cover
def test_every_application_id_leads_to_its_own_job() -> None:
    here = world()
    for at in (NOON, EPOCH + 2931 * WEEK, EPOCH + 2931 * WEEK + 5 * HOUR):
        for told in all_told(here, at):
            for application in plan(told.tell()).applications(at):
                found = here.with_application(application.id, at)
                assert found is not None
                assert found.name == told.name


@pytest.mark.parametrize(
    "application_id",
    [
        "",
        "application_1_1",
        "application_1772366400000_0001",
        "application_0_0001",
        "application_x_0001",
        "application_999999999999999_999999999999999",
        "application_１_0001",
        "job_1_0001",
    ],
)
def test_other_application_ids_lead_nowhere(application_id: str) -> None:
    assert world().with_application(application_id, NOON) is None


def test_numbers_of_a_week_fit_where_yarn_keeps_them_even_with_a_million_jobs() -> None:
    here = World(1, 1_000_000, DEFAULT)
    told = here.at_place(here.places(NOON).stop - 1)
    numbers = [told.tell().behaviour.application_number(count) for count in (0, MOST_APPLICATIONS - 1)]
    assert 0 < numbers[0] < numbers[1] < 2**31


@pytest.mark.no_cover
@pytest.mark.parametrize("name", shipped())
def test_every_life_ends_before_it_is_forgotten(name: str) -> None:
    here = World(3, 300, load(name))
    for told in all_told(here):
        timeline = plan(told.tell())
        end = timeline.at(told.ends - 1)
        assert end is not None
        assert end.status.completed_timestamp is not None, told.name
        assert sum(1 for _ in timeline.applications(told.ends)) < MOST_APPLICATIONS


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.proof) for seed in (2, 3))])
def test_something_of_everything_is_there_at_any_instant(seed: int) -> None:
    clock = VirtualClock(NOON, frozen=True)
    launcher, _ = simulated(seed, 200, clock)
    for _ in range(6):
        clock.advance(5 * HOUR + 123_456)
        jobs = list(launcher.summaries(ASK))
        states = Counter(job_state(job.state, job.application_exit_code) for job in jobs)
        assert min(states[state] for state in ("WAITING", "RUNNING", "FAILED", "SUCCEEDED", "STOPPED")) >= 3, states
        assert sum(job.retries.total > 0 for job in jobs) >= 10
        assert sum(not job.user_name.isascii() for job in jobs) >= 5
        assert sum(job.name.startswith(("JD_", "MPJD_")) for job in jobs) >= 1
        assert sum(any(tag.startswith("GID-") for tag in job.tags) for job in jobs) >= 1
        assert len(jobs) in (199, 200, 201)


QUESTIONS = """
import hashlib, sys
from contracts.clock import VirtualClock
from contracts.launcher.port import Ask
from simulator.launcher import simulated
clock = VirtualClock({at}, frozen=True)
launcher, manager = simulated({seed}, {jobs}, clock)
answers = [launcher.framework(job.name, Ask()) for job in launcher.summaries(Ask())]
told = repr([(answer.value, answer.edition, answer.until) for answer in answers])
told += repr(sorted(map(repr, manager.applications(0, Ask()))))
print(hashlib.sha256(told.encode()).hexdigest())
"""


def told_by_another_process(hash_seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", QUESTIONS.format(at=NOON, seed=5, jobs=40)],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_other_processes_tell_the_same() -> None:
    assert told_by_another_process("1") == told_by_another_process("2")


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(-3 * 24, 12)), min_size=1, max_size=40))
@settings(max_examples=15, deadline=None)
def test_the_order_of_questions_changes_nothing(questions: list[tuple[int, int]]) -> None:
    """Two worlds, one asked in this order and one in the other, each question twice."""
    names = [told.name for told in all_told(world(30))]
    answers = []
    for order in (questions, questions[::-1]):
        clock = VirtualClock(NOON, frozen=True)
        launcher, _ = simulated(1, 30, clock)
        told: dict[tuple[int, int], object] = {}
        for place, quarters in [*order, *order]:
            clock.set(NOON + quarters * HOUR // 4)
            name = names[place % len(names)]
            try:
                told[place, quarters] = launcher.framework(name, ASK), launcher.attempts(name, None, ASK)
            except NoSuchFramework:
                told[place, quarters] = None
        answers.append(told)
    assert answers[0] == answers[1]


def test_a_million_jobs_start_as_fast_as_a_hundred() -> None:
    def seconds(jobs: int) -> float:
        begin = time.perf_counter()
        launcher, _ = simulated(1, jobs, VirtualClock(NOON, frozen=True))
        for _, job in zip(range(20), launcher.summaries(ASK), strict=False):
            launcher.framework(job.name, ASK)
        return time.perf_counter() - begin

    seconds(100)
    few = min(seconds(100) for _ in range(3))
    many = min(seconds(1_000_000) for _ in range(3))
    assert many < 3 * few + 0.05
