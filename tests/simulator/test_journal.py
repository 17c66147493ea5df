"""What people do to a world: at once, in its order, and never before it was done."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.launcher.port import NoSuchFramework
from contracts.launcher.records import LaunchClientType
from simulator import journal as journal_module
from simulator.journal import JournalFull, NameTaken, NoStep
from simulator.journal_entries import KINDS, Advance, BadEntry, Entry, Tell, decode, encode
from simulator.machine.story import Delete, Kill, Migrate, SetProgress, SetTaskNumber, Start, Stop, Submit
from simulator.simulation import Simulation
from tests.simulator.worlds import ASK, HOUR, MINUTE, START, names, shown, simulation, state, submission

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "bob~by-hand"


def _running(world: Simulation) -> str:
    """A job of the population that runs for a while yet."""
    return next(
        told.name
        for told in map(world.world.at_place, world.world.places(world.clock.now()))
        if state(world, told.name) == "APPLICATION_RUNNING"
    )


def test_a_submitted_job_lives_by_itself() -> None:
    world = simulation()
    assert world.journal.submit(NAME, submission({"user": "bob"}), LaunchClientType.WEB_UI, "10.0.0.1", "bob") == 0
    first = shown(world, NAME)
    assert first is not None
    assert first.request is not None
    assert (first.status.state.value, first.summary.user_name) == ("FRAMEWORK_WAITING", "bob")
    assert first.request.launch_client_host_name == "10.0.0.1"
    world.clock.advance(3 * HOUR)
    assert state(world, NAME) not in (None, "FRAMEWORK_WAITING")
    assert world.journal.submitted() == [NAME]


def test_before_it_was_done_it_had_not_happened() -> None:
    world = simulation()
    world.journal.submit(NAME, submission())
    world.clock.advance(-1)
    assert shown(world, NAME) is None
    assert NAME not in names(world)
    with pytest.raises(NoSuchFramework):
        world.journal.stop(NAME)
    world.clock.advance(1)
    assert NAME in names(world)


def test_an_operation_in_the_past_begins_a_new_future_and_says_how_much_is_gone() -> None:
    world = simulation()
    world.journal.submit(NAME, submission())
    world.clock.advance(HOUR)
    world.journal.stop(NAME)
    world.journal.submit("bob~other", submission())
    world.clock.advance(-HOUR // 2)
    assert world.journal.set_progress(NAME, 0.5) == 2
    world.clock.advance(HOUR)
    record = shown(world, NAME)
    assert record is not None
    assert record.request is not None
    assert record.request.descriptor.execution_type.value == "START"
    assert shown(world, "bob~other") is None


def test_what_was_done_at_the_same_instant_is_kept() -> None:
    world = simulation()
    world.journal.submit(NAME, submission())
    assert world.journal.stop(NAME) == 0
    assert world.journal.delete(NAME) == 0
    assert shown(world, NAME) is None
    assert world.journal.submit(NAME, submission()) == 0
    assert shown(world, NAME) is not None


def test_every_operation_reaches_the_framework() -> None:
    world = simulation()
    world.journal.tell(NAME, {"name": NAME, "descriptor": {"roles": {"w": {"tasks": 2, "retry": "fancy"}}}})
    world.clock.advance(5 * MINUTE)
    record = shown(world, NAME)
    assert record is not None
    container = record.task_roles["w"].tasks[1].container_id
    assert container is not None
    world.journal.migrate(NAME, container)
    world.journal.set_task_number(NAME, "w", 3)
    world.journal.set_progress(NAME, 0.25)
    world.clock.advance(5 * MINUTE)
    record = shown(world, NAME)
    assert record is not None
    assert len(record.task_roles["w"].tasks) == 3
    assert record.task_roles["w"].tasks[1].container_id not in (None, container)
    assert record.status.application_progress == 0.25
    world.journal.submit(NAME, submission({"version": 9}))
    world.clock.advance(MINUTE)
    assert world.launcher.versions(NAME, ASK).value == (1, 9)
    world.journal.stop(NAME)
    world.journal.start(NAME)
    world.clock.advance(MINUTE)
    assert state(world, NAME) != "FRAMEWORK_COMPLETED"
    world.journal.stop(NAME)
    world.clock.advance(MINUTE)
    record = shown(world, NAME)
    assert record is not None
    assert (record.status.state.value, record.status.application_exit_code) == ("FRAMEWORK_COMPLETED", -7351)
    world.journal.delete(NAME)
    assert shown(world, NAME) is None


@pytest.mark.parametrize("by_application", [True, False])
def test_an_application_is_killed_through_yarn(by_application: bool) -> None:
    world = simulation()
    world.journal.tell(NAME, {"name": NAME})
    world.clock.advance(5 * MINUTE)
    record = shown(world, NAME)
    assert record is not None
    application = record.status.application_id
    assert application is not None
    world.journal.kill(application if by_application else NAME)
    world.clock.advance(5 * MINUTE)
    record = shown(world, NAME)
    assert record is not None
    assert record.status.application_exit_code == -7303
    assert world.resource_manager.application(application, ASK).value is not None
    # What is over stays so.
    world.journal.kill(application)
    world.clock.advance(5 * MINUTE)
    assert shown(world, NAME) == record


def test_the_application_of_a_job_that_does_not_exist_yet_is_not_known() -> None:
    world = simulation()
    world.journal.tell(NAME, {"name": NAME})
    world.clock.advance(5 * MINUTE)
    record = shown(world, NAME)
    assert record is not None
    assert record.status.application_id is not None
    world.clock.advance(-6 * MINUTE)
    for wanted in (record.status.application_id, "application_1_0001", "application_x", "nobody"):
        assert world.resource_manager.application(wanted, ASK).value is None
        with pytest.raises(NoSuchFramework):
            world.journal.kill(wanted)


def test_an_application_that_was_never_submitted_is_not_killed() -> None:
    world = simulation()
    world.journal.tell(NAME, {"name": NAME})
    lived = world.journal.life(NAME, START)
    assert lived is not None
    assert lived.numbers is not None
    with pytest.raises(NoSuchFramework):
        world.journal.kill(f"application_{lived.numbers[0]}_{lived.numbers[1]:04d}")


def test_a_job_of_the_population_is_stopped_upgraded_and_deleted_like_any_other() -> None:
    world = simulation(profile="default", jobs=40)
    name = _running(world)
    before = shown(world, name)
    assert before is not None
    assert before.status.application_id is not None
    others = {other: shown(world, other) for other in names(world) if other != name}
    world.journal.submit(name, replace(submission(), version=77))
    world.clock.advance(5 * MINUTE)
    assert 77 in world.launcher.versions(name, ASK).value
    assert world.resource_manager.application(before.status.application_id, ASK).value is not None
    world.clock.advance(-5 * MINUTE)
    assert {other: shown(world, other) for other in others} == others
    world.journal.stop(name)
    world.clock.advance(5 * MINUTE)
    assert state(world, name) == "FRAMEWORK_COMPLETED"
    world.journal.delete(name)
    assert name not in names(world)
    world.clock.advance(-10 * MINUTE - 1)
    assert shown(world, name) is not None


def test_a_job_that_people_made_theirs_is_not_forgotten_with_its_window() -> None:
    world = simulation(profile="default", jobs=40)
    name = _running(world)
    base = world.world.population.named(name, START)
    assert base is not None
    world.clock.set(base.ends + HOUR)
    assert shown(world, name) is None
    world.clock.set(START)
    world.journal.submit(name, replace(submission(), version=77))
    world.clock.set(base.ends + HOUR)
    assert shown(world, name) is not None
    assert names(world).count(name) == 1
    record = shown(world, name)
    assert record is not None
    assert record.status.application_id is not None or record.status.state.value == "FRAMEWORK_WAITING"


def test_a_forgotten_name_begins_anew() -> None:
    world = simulation(profile="default", jobs=40)
    name = _running(world)
    base = world.world.population.named(name, START)
    assert base is not None
    world.clock.set(base.ends + HOUR)
    world.journal.submit(name, submission())
    record = shown(world, name)
    assert record is not None
    assert record.status.created_timestamp == base.ends + HOUR
    assert world.launcher.versions(name, ASK).value == (1,)
    world.clock.set(base.ends + 1)
    assert shown(world, name) is None
    world.clock.set(START)
    assert shown(world, name) is not None


def test_a_name_that_is_to_come_may_be_taken_before() -> None:
    world = simulation(profile="default", jobs=40)
    newest = world.world.population.places(START).stop
    told = world.world.population.at_place(newest + 3)
    world.journal.submit(told.name, submission())
    assert shown(world, told.name) is not None
    world.clock.set(told.begins + MINUTE)
    assert names(world).count(told.name) == 1


def test_the_list_stands_in_the_order_they_came() -> None:
    world = simulation(profile="default", jobs=40)
    for number in range(3):
        world.clock.advance(20 * MINUTE)
        world.journal.submit(f"bob~{number}", submission())
    now = world.clock.now()
    places = world.world.places(now)
    assert list(places) == sorted(set(places))
    assert places[-3:] == list(places)[-3:]
    begins = [world.world.at_place(place).begins for place in places]
    assert begins == sorted(begins)
    listed = names(world)
    assert {f"bob~{number}" for number in range(3)} <= set(listed)
    assert len(listed) == len(set(listed))
    with pytest.raises(IndexError):
        places[len(places)]


def test_editions_change_with_every_operation_and_never_come_back_with_other_bytes() -> None:
    world = simulation()
    world.journal.submit(NAME, submission())
    seen: dict[object, object] = {}

    def look() -> None:
        answer = world.launcher.framework(NAME, ASK)
        assert seen.setdefault(answer.edition, answer.value) == answer.value

    look()
    world.clock.advance(MINUTE)
    look()
    for number in (0.1, 0.2, 0.3):
        world.journal.set_progress(NAME, number)
        look()
        world.clock.advance(MINUTE)
        look()
        world.clock.advance(-MINUTE)
    assert len(seen) > 4


def test_a_story_is_told_for_a_name_that_is_free() -> None:
    world = simulation()
    world.journal.tell(NAME, {"name": NAME, "containers": [{"run": "PT1M", "exit": 3}]})
    with pytest.raises(NameTaken, match=NAME):
        world.journal.tell(NAME, {"name": NAME})
    world.clock.advance(10 * MINUTE)
    first = shown(world, NAME)
    assert first is not None
    assert first.status.application_exit_code == 3
    world.journal.delete(NAME)
    world.journal.tell(NAME, {"name": NAME, "descriptor": {"user": "eve"}})
    second = shown(world, NAME)
    assert second is not None
    assert second.summary.user_name == "eve"
    world.clock.advance(-MINUTE)
    assert shown(world, NAME) == first


STEPS = {
    "name": NAME,
    "descriptor": {"retry": 1},
    "steps": [
        {"name": "waits", "state": "APPLICATION_WAITING", "progression": "manual"},
        {"name": "runs", "state": "APPLICATION_RUNNING", "progression": "manual", "ends": {"exit": 3}},
        {"name": "again", "state": "APPLICATION_WAITING", "attempt": 1, "progression": "manual", "ends": "killed"},
        {"name": "over", "state": "FRAMEWORK_COMPLETED"},
    ],
}


def test_a_step_that_waits_for_a_hand_is_left_by_one_and_by_nothing_else() -> None:
    world = simulation()
    world.journal.tell(NAME, STEPS)
    with pytest.raises(NoStep, match="before its first step"):
        world.journal.advance(NAME)
    world.clock.advance(5 * HOUR)
    assert state(world, NAME) == "APPLICATION_WAITING"
    with pytest.raises(NoStep, match="after that comes runs, not over"):
        world.journal.advance(NAME, "over")
    world.journal.advance(NAME, "runs")
    with pytest.raises(NoStep, match="already"):
        world.journal.advance(NAME)
    world.clock.advance(5 * HOUR)
    assert state(world, NAME) == "APPLICATION_RUNNING"
    world.journal.advance(NAME)
    world.clock.advance(5 * HOUR)
    record = shown(world, NAME)
    assert record is not None
    assert (record.status.state.value, record.status.retries.total) == ("APPLICATION_WAITING", 1)
    world.journal.advance(NAME)
    world.clock.advance(5 * HOUR)
    record = shown(world, NAME)
    assert record is not None
    assert record.status.application_exit_code == -7303
    with pytest.raises(NoStep, match="left by itself"):
        world.journal.advance(NAME)
    world.clock.advance(-8 * HOUR)
    assert world.journal.advance(NAME, "over") == 1


def test_only_a_told_story_has_steps() -> None:
    world = simulation()
    world.journal.submit(NAME, submission())
    with pytest.raises(NoStep, match="no steps"):
        world.journal.advance(NAME)
    with pytest.raises(NoSuchFramework):
        world.journal.advance("nobody")
    with pytest.raises((NoStep, NoSuchFramework)):
        world.journal.advance(names(world)[-1])


def test_a_full_journal_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MOST_ENTRIES", 2)
    world = simulation()
    world.journal.submit(NAME, submission())
    world.journal.stop(NAME)
    with pytest.raises(JournalFull, match="reset"):
        world.journal.start(NAME)
    assert len(world.journal.ledger.entries) == 2


@pytest.mark.parametrize(
    "deed",
    [
        Submit(
            START,
            submission({"gang": True, "apart": True, "am_memory_mb": 1, "retry": "fancy 3", "roles": {"a": None}}),
        ),
        Submit(START, submission(), LaunchClientType.WEB_UI, None, "x"),
        Stop(START),
        Start(START),
        Delete(START),
        SetTaskNumber(START, "w", 3),
        SetProgress(START, 0.5),
        Migrate(START, "container_1"),
        Kill(START, "application_1_0001", from_ip="10.0.0.1"),
        Tell(START, {"name": NAME}),
        Advance(START, "waits"),
    ],
)
def test_an_entry_is_written_and_read_back(deed: Submit | Stop | Tell | Advance) -> None:
    assert decode(encode(Entry(NAME, deed))) == Entry(NAME, deed)


def test_every_kind_of_entry_is_written_under_one_word() -> None:
    assert len({kind.type for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize(
    "written",
    [
        [],
        {},
        {"do": "fly", "at": "2026-03-01T12:00:00Z", "name": NAME},
        {"do": "stop", "at": "soon", "name": NAME},
        {"do": "stop", "at": "2026-03-01T12:00:00Z", "name": 5},
        {"do": "stop", "at": "2026-03-01T12:00:00Z", "name": NAME, "more": 1},
        {"do": "submit", "at": "2026-03-01T12:00:00Z", "name": NAME, "descriptor": {}},
        {"do": ["stop"], "at": "2026-03-01T12:00:00Z", "name": NAME},
    ],
)
def test_what_is_no_entry_is_refused(written: object) -> None:
    with pytest.raises(BadEntry):
        decode(written)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "upgrade", "stop", "start", "delete", "progress", "scale", "kill", "back", "on"]),
        st.integers(0, 3),
    ),
    max_size=14,
)


def _do(world: Simulation, word: str, name: str, which: int) -> None:
    doing: dict[str, Callable[[], object]] = {
        "submit": lambda: world.journal.submit(name, submission({"retry": 1})),
        "upgrade": lambda: world.journal.submit(name, submission({"version": 2})),
        "stop": lambda: world.journal.stop(name),
        "start": lambda: world.journal.start(name),
        "delete": lambda: world.journal.delete(name),
        "progress": lambda: world.journal.set_progress(name, 0.5),
        "scale": lambda: world.journal.set_task_number(name, "main", which),
        "kill": lambda: world.journal.kill(name),
        "back": lambda: world.clock.advance(-which * MINUTE),
        "on": lambda: world.clock.advance(which * 5 * MINUTE),
    }
    doing[word]()


@settings(max_examples=40, deadline=None)
@given(DEEDS)
def test_the_world_is_a_function_of_its_journal_and_the_past_does_not_change(deeds: list[tuple[str, int]]) -> None:
    world = simulation(jobs=4)
    looks: dict[int, object] = {}
    for word, which in deeds:
        name = f"bob~{which}"
        now = world.clock.now()
        try:
            _do(world, word, name, which)
        except NoSuchFramework:
            assert shown(world, name) is None
        instants = [entry.at for entry in world.journal.ledger.entries]
        assert instants == sorted(instants)
        looks = {at: seen for at, seen in looks.items() if at < now}
        looks[world.clock.now() - 1] = None
    for at in looks:
        world.clock.set(at)
        looks[at] = [shown(world, f"bob~{which}") for which in range(4)]
    again = simulation(jobs=4)
    again.restore(world.state())
    for at in sorted(looks, reverse=True):
        again.clock.set(at)
        assert [shown(again, f"bob~{which}") for which in range(4)] == looks[at]


@pytest.mark.parametrize(
    ("short", "code"),
    [({"roles": {"w": {"memory_mb": 1 << 20}}}, -7200), ({"queue": "nobody-has-this"}, -7300), ({}, None)],
)
def test_what_no_host_holds_or_no_queue_takes_is_refused_of_a_submission_too(
    short: dict[str, Any], code: int | None
) -> None:
    world = simulation()
    world.journal.submit("me~job", submission(short))
    with world.changing():
        world.clock.advance(HOUR)
    framework = shown(world, "me~job")
    assert framework is not None
    refused = {-7200, -7300} & {framework.status.application_exit_code}
    assert refused == ({code} if code else set())


@pytest.mark.parametrize("ports", [100_000, 2**31 - 1])
def test_who_asks_for_more_ports_than_a_host_has_waits_for_them(ports: int) -> None:
    world = simulation()
    world.journal.submit("eve~greedy", submission({"roles": {"main": {"ports": {"http": ports}}}}))
    world.clock.advance(2 * HOUR)
    waiting = shown(world, "eve~greedy")
    assert waiting is not None
    (task,) = waiting.task_roles["main"].tasks
    assert (waiting.status.state.value, task.state.value) == ("APPLICATION_WAITING", "CONTAINER_REQUESTED")
    assert "eve~greedy" in names(world)
