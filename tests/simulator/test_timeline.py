"""Laws over stories that nobody wrote: whatever is asked for and whatever the world does, every answer keeps them."""

import gc
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher.lifecycle import TaskState
from contracts.launcher.records import CompletionPolicy, PlatformParameters, Ports, RetryPolicy
from simulator.dice import dice
from simulator.machine.story import (
    DEPLOYED,
    FAST,
    ApplicationEnd,
    ApplicationFate,
    ApplicationKey,
    ContainerFate,
    ContainerKey,
    Crashed,
    Delete,
    Exit,
    Killed,
    Lost,
    MasterFailed,
    Migrate,
    Operation,
    Refused,
    SetProgress,
    SetTaskNumber,
    Start,
    Stop,
    Story,
    Submit,
)
from simulator.machine.timeline import Timeline, plan
from tests.simulator.telling import CLUSTER, GANG, START, breaches, changes, descriptor, role, story

HOUR = 3_600_000
CODES = (0, 0, 0, 1, 137, 139, 193, 194, -7120, -7122, -7111, -7112)


@dataclass(frozen=True)
class Rolled:
    """A world that does anything at all."""

    seed: int

    def _dice(self, *parts: object) -> random.Random:
        return dice("behaviour", self.seed, *parts)

    def application_number(self, count: int) -> int:
        return 40 + 7 * count

    def application(self, key: ApplicationKey) -> ApplicationFate:
        rolls = self._dice(key)
        after = rolls.randint(0, 60_000)
        ends: list[ApplicationEnd | None] = [
            Refused(rolls.choice((-7300, -7301, -7302))),
            Killed(after),
            Lost(after),
            Crashed(after),
            MasterFailed(rolls.choice((-7251, -7200, -7250)), "sentence", after),
        ]
        end = rolls.choice([*ends, *[None] * 6])
        return ApplicationFate(
            upload=rolls.randint(100, 3000),
            am_start=rolls.choice((500, 2200, 2200, 20_000, None)),
            end=end,
            diagnostics_after=rolls.choice((0, 0, 0, 7000, None)),
        )

    def container(self, key: ContainerKey) -> ContainerFate:
        rolls = self._dice(key)
        code = rolls.choice(CODES)
        return ContainerFate(
            allocation=rolls.choice((300, 1000, 1000, 15_000, 45_000, None)),
            start=rolls.randint(0, 2000),
            run=rolls.choice((0, 900, 5000, 30_000, None)),
            exit=Exit(code, "words\n"),
            ends_in=rolls.choice(
                (TaskState.CONTAINER_RUNNING,) * 5 + (TaskState.CONTAINER_ALLOCATED, TaskState.CONTAINER_LAUNCHED)
            ),
        )


policies = st.builds(RetryPolicy, st.booleans(), st.sampled_from((-2, -1, 0, 0, 1, 3)))
completions = st.builds(CompletionPolicy, st.sampled_from((None, 1, 1, 2)), st.sampled_from((None, None, 1, 2)))
roles = st.builds(
    lambda tasks, retry, completion, ports, gpus: role(
        tasks, retry=retry, completion=completion, port_definitions=ports, gpu_number=gpus
    ),
    st.integers(0, 4),
    policies,
    completions,
    st.sampled_from(({}, {"ssh": Ports(1), "web": Ports(2, 8080)})),
    st.sampled_from((0, 0, 1, 3)),
)
descriptors = st.builds(
    lambda version, retry, gang, first, others: descriptor(
        version, retry=retry, platform=GANG if gang else descriptor().platform, worker=first, **others
    ),
    st.integers(1, 3),
    policies,
    st.booleans(),
    roles,
    st.dictionaries(st.sampled_from(("ps", "chief")), roles, max_size=1),
)
waits = st.integers(0, 90_000) | st.sampled_from((0, 1, 100, 999))
acts = st.one_of(
    st.builds(lambda wanted: lambda at: Submit(at, wanted), descriptors),
    st.sampled_from((Stop, Start, Delete)),
    st.builds(lambda number: lambda at: SetTaskNumber(at, "worker", number), st.integers(0, 5)),
    st.builds(lambda progress: lambda at: SetProgress(at, progress), st.floats(0, 1, width=32)),
    st.builds(
        lambda number: lambda at: Migrate(at, f"container_{CLUSTER.started}_0040_01_{number:06d}"), st.integers(2, 4)
    ),
)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    at: Instant = START
    operations: list[Operation] = [Submit(at, draw(descriptors))]
    for wait, act in draw(st.lists(st.tuples(waits, acts), max_size=5)):
        at += wait
        operations.append(act(at))
    intervals = draw(st.sampled_from((FAST, FAST, replace(FAST, completed_retention=60_000), DEPLOYED)))
    return story(
        *operations,
        behaviour=Rolled(draw(st.integers(0, 10_000))),
        cluster=replace(CLUSTER, intervals=intervals),
        seed=str(draw(st.integers(0, 100))),
        most_applications=12,
        most_containers=60,
    )


@pytest.mark.no_cover
@given(stories())
@settings(max_examples=150, deadline=None)
def test_every_record_of_every_story_keeps_the_laws(told: Story) -> None:
    assert breaches(plan(told), START + HOUR, most=250) == []


@pytest.mark.no_cover
@given(stories(), st.lists(st.integers(-1000, 600_000), min_size=1, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_questions_and_asking_again_change_nothing(
    told: Story, offsets: list[int], order: random.Random
) -> None:
    straight = plan(told)
    expected = {offset: _everything(straight, START + offset) for offset in sorted(offsets)}
    mixed = plan(told)
    questions = offsets * 2
    order.shuffle(questions)
    for offset in questions:
        if order.random() < 0.3:
            mixed.next_change(START + offset)
        assert _everything(mixed, START + offset) == expected[offset]


def _everything(timeline: Timeline, instant: Instant) -> object:
    return (
        timeline.at(instant),
        timeline.edition(instant),
        timeline.versions(instant),
        timeline.attempts(instant),
        list(timeline.applications(instant)),
        timeline.next_change(instant),
    )


@given(stories(), st.integers(0, 300_000))
@settings(max_examples=60, deadline=None)
def test_what_is_done_later_leaves_the_past_as_it_was(told: Story, offset: int) -> None:
    later = max(START + offset, told.operations[-1].at)
    more = replace(told, operations=(*told.operations, Stop(later), Submit(later, descriptor(9))))
    before, after = plan(told), plan(more)
    for instant in range(START, later, max(1, (later - START) // 20)):
        assert before.at(instant) == after.at(instant)
        assert list(before.applications(instant)) == list(after.applications(instant))


@given(stories())
@settings(max_examples=40, deadline=None)
def test_a_record_holds_until_the_next_change_and_editions_say_so(told: Story) -> None:
    timeline, again = plan(told), plan(told)
    seen = list(changes(timeline, START + HOUR, most=80))
    for (instant, record), following in zip(seen, [at for at, _ in seen[1:]] + [None], strict=True):
        for other in {instant, (instant + (following or instant)) // 2, (following or instant + 1) - 1}:
            assert again.at(other) == record
            assert again.edition(other) == timeline.edition(instant)


@pytest.mark.no_cover
def test_a_dropped_timeline_leaves_nothing_for_the_collector() -> None:
    """Among a million jobs many are dropped every second, and searching for what holds itself would stop every answer."""
    wanted = descriptor(retry=RetryPolicy(True, 2), worker=role(3, retry=RetryPolicy(True, 2)))
    lives = [
        story(Submit(START, replace(wanted, platform=platform)), Stop(START + 400_000), behaviour=Rolled(seed))
        for seed in range(20)
        for platform in (PlatformParameters(), GANG)
    ]

    def asked_and_dropped() -> None:
        for told in lives:
            timeline = plan(told)
            for later in (5_000, 120_000, 500_000):
                _everything(timeline, START + later)

    asked_and_dropped()  # what is kept for ever is made by the first
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        asked_and_dropped()
        gc.collect()
        assert [each for each in gc.garbage if type(each).__module__.startswith(("simulator.", "json."))] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
