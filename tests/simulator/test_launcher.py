"""The simulated launcher and resource manager, asked through the port."""

import random
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.clock import LATEST, Instant, VirtualClock, from_iso
from contracts.launcher.port import Ask, NoSuchAttempt, NoSuchFramework, NoSuchVersion
from contracts.launcher.records import Framework
from simulator.admin.job_list import JobQuery
from simulator.admin.simulated_jobs import SimulatedJobs
from simulator.launcher import KEPT_TASKS, SimulatedLauncher, SimulatedResourceManager, Unfolded, simulated
from simulator.machine.story import DAY, HOUR, MINUTE, Cluster, Delete, Host, Story, Submit
from simulator.problems import BadInput
from simulator.world.profile_files import BadProfile, load
from simulator.world.world import Told

ASK = Ask()
NOON = from_iso("2026-03-01T12:00:00Z")
NO_INSTANT = from_iso("1970-01-01T00:00:00Z")


class Held:
    """A world of two hundred jobs and the clock it lives by."""

    def __init__(self, jobs: int = 200, at: Instant = NOON) -> None:
        self.clock = VirtualClock(at, frozen=True)
        pair: tuple[SimulatedLauncher, SimulatedResourceManager] = simulated(1, jobs, self.clock)
        self.launcher, self.manager = pair
        self.jobs = SimulatedJobs(self.launcher)

    def names(self) -> list[str]:
        return [job.name for job in self.launcher.summaries(ASK)]

    def frameworks(self) -> Iterator[Framework]:
        return (self.launcher.framework(name, ASK).value for name in self.names())


@pytest.mark.no_cover
def test_summaries_are_what_details_say_newest_first() -> None:
    held = Held()
    summaries = list(held.launcher.summaries(ASK))
    assert summaries == [held.launcher.framework(job.name, ASK).value.summary for job in summaries]
    created = [job.first_request_timestamp or 0 for job in summaries]
    assert created == sorted(created, reverse=True)


@pytest.mark.no_cover
def test_an_answer_holds_until_it_says_and_changes_its_edition_with_its_value() -> None:
    held = Held()
    for name in held.names():
        held.clock.set(NOON)
        answer = held.launcher.framework(name, ASK)
        assert answer.until is not None
        assert answer.until > NOON
        for at in (NOON + 1, answer.until - 1):
            held.clock.set(at)
            assert held.launcher.framework(name, ASK) == answer
        held.clock.set(answer.until)
        try:
            later = held.launcher.framework(name, ASK)
        except NoSuchFramework:
            continue
        assert (later.edition == answer.edition) <= (later.value == answer.value)


def test_going_back_shows_the_same_again() -> None:
    held = Held()
    name = held.names()[100]
    before = held.launcher.framework(name, ASK)
    held.clock.advance(-5 * MINUTE)
    held.clock.advance(3 * HOUR)
    held.clock.set(NOON)
    assert held.launcher.framework(name, ASK) == before


@pytest.mark.parametrize("name", ["", "alice~mnist", "-5vbh", "x" * 256])
def test_unknown_names_are_known_to_be_unknown(name: str) -> None:
    launcher = Held().launcher
    with pytest.raises(NoSuchFramework):
        launcher.framework(name, ASK)
    with pytest.raises(NoSuchFramework):
        launcher.versions(name, ASK)
    for version in (None, 3):
        with pytest.raises(NoSuchVersion) as no_version:
            launcher.attempts(name, version, ASK)
        assert no_version.value == NoSuchVersion(name, version)
        with pytest.raises(NoSuchAttempt) as no_attempt:
            launcher.attempt(name, 0, version, ASK)
        assert no_attempt.value == NoSuchAttempt(name, version, 0)


def test_errors_carry_the_version_they_are_about() -> None:
    held = Held()
    framework = next(held.frameworks())
    name, version = framework.summary.name, framework.summary.version
    with pytest.raises(NoSuchAttempt) as attempt:
        held.launcher.attempt(name, 99, None, ASK)
    assert attempt.value == NoSuchAttempt(name, version, 99)
    with pytest.raises(NoSuchVersion) as other:
        held.launcher.attempts(name, 77, ASK)
    assert other.value == NoSuchVersion(name, 77)
    with pytest.raises(NoSuchAttempt) as of_other:
        held.launcher.attempt(name, 0, 77, ASK)
    assert of_other.value == NoSuchAttempt(name, 77, 0)


class OneTold:
    """A source of one framework with a story of its own: as scenarios and submitted jobs will be."""

    def __init__(self, story: Story) -> None:
        begins = story.operations[0].at
        self._told = Told("one", story.name, "alice", 0, begins, begins + DAY, lambda: story)

    def edition_of(self, name: str) -> object:
        return None

    def named(self, name: str, at: Instant) -> Told | None:
        return self._told if name == self._told.name and self._told.begins <= at < self._told.ends else None

    def with_application(self, application_id: str, at: Instant) -> Told | None:
        return self._told

    def places(self, at: Instant) -> range:
        return range(1)

    def at_place(self, place: int) -> Told:
        return self._told


def test_a_framework_its_user_deleted_is_gone_everywhere() -> None:
    descriptor = next(Held().frameworks()).request
    assert descriptor is not None
    story = Story(
        "mine",
        Cluster(NOON - DAY, (Host("node", "10.0.0.1"),)),
        (Submit(NOON, descriptor.descriptor), Delete(NOON + HOUR)),
    )
    clock = VirtualClock(NOON + MINUTE, frozen=True)
    launcher = SimulatedLauncher(OneTold(story), clock, Unfolded())
    answer = launcher.framework("mine", ASK)
    assert launcher.versions("mine", ASK).value == (answer.value.status.version,)
    clock.set(NOON + HOUR)
    assert list(launcher.summaries(ASK)) == []
    assert SimulatedJobs(launcher).page(JobQuery()).jobs == ()
    for ask in (launcher.framework, launcher.versions):
        with pytest.raises(NoSuchFramework):
            ask("mine", ASK)
    with pytest.raises(NoSuchVersion) as no_version:
        launcher.attempts("mine", None, ASK)
    assert no_version.value == NoSuchVersion("mine", None)
    with pytest.raises(NoSuchAttempt) as no_attempt:
        launcher.attempt("mine", 0, None, ASK)
    assert no_attempt.value == NoSuchAttempt("mine", None, 0)


def test_names_come_and_go() -> None:
    held = Held()
    name = held.names()[0]
    held.clock.advance(DAY)
    with pytest.raises(NoSuchFramework):
        held.launcher.framework(name, ASK)
    held.clock.set(NO_INSTANT)
    assert held.names() == []
    with pytest.raises(NoSuchFramework):
        held.launcher.framework(name, ASK)


def test_it_is_always_ready() -> None:
    Held(at=NO_INSTANT).launcher.ready(ASK)


@pytest.mark.no_cover
def test_all_it_lists_is_answered() -> None:
    held = Held()
    for name in held.names():
        for version in held.launcher.versions(name, ASK).value:
            for attempt in held.launcher.attempts(name, version, ASK).value:
                told = held.launcher.attempt(name, attempt, version, ASK).value
                assert (told.status.version, told.status.retries.total) == (version, attempt)


def kinds_of(framework: Framework, versions: int) -> set[str]:
    """What a page can see in this job that it does not see in every job."""
    status, summary = framework.status, framework.summary
    tasks = [task for role in framework.task_roles.values() for task in role.tasks]
    diagnostics, code = status.application_exit_diagnostics or "", status.application_exit_code
    kinds = {
        "several roles": len(framework.task_roles) > 1,
        "several tasks": len(tasks) > 3,
        "an empty role": any(not role.tasks for role in framework.task_roles.values()),
        "ports": any(task.container_ports for task in tasks),
        "gpus": any(task.container_gpus for task in tasks),
        "retried tasks": any(task.retries is not None and task.retries.total for task in tasks),
        "stderr": "Last 4096 bytes of stderr" in diagnostics,
        "a runtime error": "[PAI_RUNTIME_ERROR_START]" in diagnostics,
        "a launcher's own error": (code or 0) < 0 and "Exception" in diagnostics,
        "unicode in diagnostics": not diagnostics.isascii(),
        "unicode in the description": not (summary.description or "").isascii(),
        "user retries": status.retries.non_transient > 0,
        "platform retries": status.retries.transient_normal > 0,
        "resource retries": status.retries.transient_conflict > 0,
        "unknown retries": status.retries.unknown > 0,
        "restarts": status.retries.succeeded > 0,
        "versions": versions > 1,
        "a group by description": "GroupTag" in (summary.description or ""),
        "success with failed tasks": code == 0 and any((task.container_exit_code or 0) > 0 for task in tasks),
        "stopped before it ran": code == -7351 and status.application_launched_timestamp is None,
        "refused": code in (-7300, -7301, -7302),
    }
    return {f"exit {code}", *(kind for kind, is_there in kinds.items() if is_there)}


@pytest.mark.no_cover
def test_every_promised_kind_of_life_is_there() -> None:
    held = Held(1200)
    seen: set[str] = set()
    for framework in held.frameworks():
        seen |= kinds_of(framework, len(held.launcher.versions(framework.summary.name, ASK).value))
    codes = (0, 1, 127, 139, 194, -7111, -7122, -7252, -7303, -7351, -7353, None)
    assert seen >= {
        "several roles", "several tasks", "an empty role", "ports", "gpus", "retried tasks", "stderr", "a runtime error",
        "a launcher's own error", "unicode in diagnostics", "unicode in the description", "user retries",
        "platform retries", "resource retries", "unknown retries", "restarts", "versions", "a group by description",
        "success with failed tasks", "stopped before it ran", "refused", *(f"exit {code}" for code in codes),
    }  # fmt: skip


@pytest.mark.no_cover
def test_applications_of_the_resource_manager_are_those_of_the_frameworks() -> None:
    held = Held()
    known = {application.id: application for application in held.manager.applications(0, ASK)}
    for framework in held.frameworks():
        application_id = framework.status.application_id
        if application_id in known:
            figures = held.manager.application(application_id, ASK)
            assert figures.value == known[application_id].figures
            assert known[application_id].name.startswith(f"[{framework.summary.name}]_")
    assert len(known) > 200
    late = list(held.manager.applications(NOON - HOUR, ASK))
    assert {one.id for one in late} == {one.id for one in known.values() if one.started_timestamp >= NOON - HOUR}


@pytest.mark.no_cover
def test_figures_of_a_running_application_are_alive_and_those_of_a_finished_one_stay() -> None:
    held = Held()
    running = finished = False
    for application in list(held.manager.applications(0, ASK)):
        held.clock.set(NOON)
        answer = held.manager.application(application.id, ASK)
        if application.finished_timestamp is not None:
            finished = True
            assert answer.until is not None
            held.clock.set(answer.until - 1)
            assert held.manager.application(application.id, ASK) == answer
        elif answer.value is not None and answer.value.running_containers:
            running = True
            assert answer.until is None
    assert running
    assert finished


@pytest.mark.parametrize("application_id", ["", "application_1_0001", "application_1771804132156_0000", "nonsense"])
def test_unknown_applications_have_no_figures(application_id: str) -> None:
    assert Held().manager.application(application_id, ASK).value is None


@pytest.mark.no_cover
def test_an_application_that_is_not_yet_there_has_no_figures() -> None:
    held = Held()
    ids = [application.id for application in held.manager.applications(0, ASK)]
    held.clock.set(NOON - 3 * HOUR)
    answers = [held.manager.application(one, ASK).value for one in ids]
    assert None in answers


def test_many_threads_get_what_one_gets() -> None:
    one, many = Held(60), Held(60)
    names = one.names() * 4
    random.Random(1).shuffle(names)
    alone = [one.launcher.framework(name, ASK) for name in names]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda name: many.launcher.framework(name, ASK), names)) == alone


@pytest.mark.no_cover
def test_memory_is_bounded_by_what_was_asked_recently() -> None:
    held = Held(1_000_000)
    jobs = held.launcher.summaries(ASK)
    tracemalloc.start()
    try:
        for _ in zip(range(300), jobs, strict=False):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * 2**20
    assert held.launcher.unfolded.size <= KEPT_TASKS


def test_a_profile_can_be_named_given_or_wrong() -> None:
    clock = VirtualClock(NOON, frozen=True)
    by_name, _ = simulated(1, 10, clock, "default")
    by_value, _ = simulated(1, 10, clock, load("default"))
    assert list(by_name.summaries(ASK)) == list(by_value.summaries(ASK))
    with pytest.raises(BadProfile):
        simulated(1, 10, clock, "no such profile")


@pytest.mark.no_cover
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_lead_through_all_jobs_once(order: str) -> None:
    held = Held()
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = held.jobs.page(JobQuery(limit=33, cursor=cursor, order="newest" if order == "newest" else "oldest"))
        names += [job.name for job in page.jobs]
        assert page.total == 200
        assert page.scanned == len(page.jobs)
        cursor = page.cursor
        if cursor is None:
            break
    assert names == (held.names() if order == "newest" else held.names()[::-1])


@pytest.mark.no_cover
def test_pages_stay_whole_while_time_passes() -> None:
    held = Held()
    names = held.names()
    first = held.jobs.page(JobQuery(limit=50))
    held.clock.advance(HOUR)
    second = held.jobs.page(JobQuery(limit=50, cursor=first.cursor))
    assert [job.name for job in (*first.jobs, *second.jobs)] == names[:100]


def test_a_far_offset_into_a_million_jobs_reads_only_its_page() -> None:
    held = Held(1_000_000)
    page = held.jobs.page(JobQuery(limit=3, offset=900_000))
    assert (len(page.jobs), page.scanned, page.total) == (3, 3, 1_000_000)
    assert held.jobs.page(JobQuery(offset=2_000_000)).jobs == ()


@pytest.mark.no_cover
def test_a_search_gives_up_after_a_while_and_says_where_to_go_on() -> None:
    held = Held(1_000_000)
    page = held.jobs.page(JobQuery(name="no-such-name"))
    assert (page.jobs, page.scanned, page.total) == ((), 1000, None)
    assert page.cursor is not None
    assert held.jobs.page(JobQuery(name="no-such-name", cursor=page.cursor)).cursor != page.cursor


def test_searches_find_what_a_look_at_everything_finds() -> None:
    held = Held()
    everything = list(held.launcher.summaries(ASK))
    user = everything[0].user_name
    found = held.jobs.page(JobQuery(limit=200, user=user)).jobs
    assert list(found) == [job for job in everything if job.user_name == user]
    prefix = everything[0].name[:3]
    found = held.jobs.page(JobQuery(limit=200, name=prefix)).jobs
    assert list(found) == [job for job in everything if job.name.startswith(prefix)]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "٣", "9" * 30])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(BadInput, match="cursor"):
        Held().jobs.page(JobQuery(cursor=cursor))


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_cursor_from_elsewhere_is_an_empty_or_a_whole_list(order: str) -> None:
    jobs = Held().jobs
    kind = JobQuery(limit=1000, order="newest" if order == "newest" else "oldest")
    counts = {len(jobs.page(JobQuery(limit=1000, cursor=cursor, order=kind.order)).jobs) for cursor in ("0", "9" * 15)}
    assert counts == {0, 200}


def test_everything_is_told_at_the_last_instant_that_a_clock_can_show() -> None:
    held = Held(jobs=40, at=LATEST)
    assert len(list(held.frameworks())) > 30
    assert len(list(held.manager.applications(0, ASK))) > 30
