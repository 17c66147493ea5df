"""Stories as values, and rules as behaviour."""

import pytest

from contracts.launcher.lifecycle import TaskState
from simulator.machine.story import (
    ApplicationFate,
    ApplicationKey,
    ApplicationRule,
    ContainerFate,
    ContainerKey,
    ContainerRule,
    Delete,
    Rules,
    Story,
    Submit,
)
from tests.simulator.telling import CLUSTER, START, descriptor, story

KEY = ApplicationKey(version=2, attempt=1, count=5)


def test_operations_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="in time order"):
        Story("x", CLUSTER, (Delete(START + 1), Submit(START, descriptor())))


def test_a_story_without_behaviour_is_treated_as_usual() -> None:
    told = story()
    assert told.behaviour.application(KEY) == ApplicationFate()
    assert told.behaviour.container(ContainerKey(KEY, "worker", 0, 0)) == ContainerFate()


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({}, True),
        ({"version": 2}, True),
        ({"version": 1}, False),
        ({"attempt": 1, "count": 5}, True),
        ({"attempt": 0}, False),
        ({"count": 4}, False),
    ],
)
def test_an_application_rule_matches_what_it_names(rule: dict[str, int], matches: bool) -> None:
    special = ApplicationFate(upload=1)
    rules = Rules(applications=(ApplicationRule(special, **rule),))
    assert (rules.application(KEY) == special) is matches


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({}, True),
        ({"version": 2, "attempt": 1, "role": "worker", "index": 3, "task_attempt": 2}, True),
        ({"version": 1}, False),
        ({"attempt": 2}, False),
        ({"role": "ps"}, False),
        ({"index": 0}, False),
        ({"task_attempt": 0}, False),
    ],
)
def test_a_container_rule_matches_what_it_names(rule: dict[str, object], matches: bool) -> None:
    special = ContainerFate(ends_in=TaskState.CONTAINER_LAUNCHED)
    rules = Rules(containers=(ContainerRule(special, **rule), ContainerRule(ContainerFate(start=9))))  # type: ignore[arg-type] # rows of names
    fate = rules.container(ContainerKey(KEY, "worker", 3, 2))
    assert fate == (special if matches else ContainerFate(start=9))


def test_applications_are_numbered_on_from_the_first() -> None:
    assert [Rules(first_application=40).application_number(count) for count in range(3)] == [40, 41, 42]
