"""For each law a server that breaks it and nothing else, over time that the check itself moves; and ones that break none."""

import re

import pytest

from contracts.harness.laws import LAWS
from tests.contracts.told_jobs import CREATED, attempt_1, detail, task
from tests.harness.scripted import Scripted, scripted
from tests.harness.served_app import checked

DONE = detail("FrameworkCompleted", task(0, "SUCCEEDED"))
RUNNING = detail("ApplicationRunning", task())
LATE = 25
"""Minutes; the check looks several times before and after."""

KEEPING = {
    "a plain life": Scripted([(0, detail("FrameworkWaiting")), (1, RUNNING), (120, DONE)]),
    "a retry": Scripted([(0, detail()), (LATE, attempt_1("ApplicationRunning", task(containerId="container_1_0002_01_000002")))]),
    "not there at first": Scripted([(0, None), (5, RUNNING)]),
    "gone in the end": Scripted([(0, RUNNING), (120, None)]),
    "more versions": Scripted([(0, RUNNING)], versions=[0, 1]),
}  # fmt: skip

BREAKING = {
    "L1": Scripted([(0, detail()), (LATE, detail("ApplicationCreated", appLaunchedTime=CREATED + 20))]),
    "L2": Scripted([(0, detail()), (LATE, detail(appId="application_1_0009"))]),
    "L3": Scripted([(0, DONE), (LATE, detail("FrameworkCompleted", task(0, "SUCCEEDED"), appExitDiagnostics="!"))]),
    "L4": Scripted([(0, detail()), (LATE, detail(createdTime=CREATED + 1))]),
    "L5": Scripted([(0, detail()), (LATE, detail(appLaunchedTime=CREATED + 21))]),
    "L6": Scripted([(0, RUNNING), (LATE, detail("ApplicationRunning", task(containerLaunchedTimestamp=CREATED + 31)))]),
    "L7": Scripted([(0, detail("ApplicationRunning", appExitCode=1))]),
    "L8": Scripted([(0, attempt_1("ApplicationRunning"))], unanswered_attempts=frozenset({0})),
    "L8 over time": Scripted([(0, attempt_1("ApplicationRunning"))], attempts=[(0, [0, 1]), (LATE, [1])]),
    "L9": Scripted([(0, RUNNING)], versions=[2]),
    "L9 of one version": Scripted([(0, RUNNING)], versions=[0, 1], versions_without_attempts=frozenset({0})),
    "L10": Scripted([(0, RUNNING)], current_attempt={"appliedMemoryMB": 1}),
}


def test_every_law_is_broken_by_some_server() -> None:
    assert {name.split()[0] for name in BREAKING} == set(LAWS)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", BREAKING)
def test_a_server_that_breaks_one_law_is_caught_by_that_law(name: str) -> None:
    law = name.split()[0]
    with scripted(BREAKING[name]) as url:
        code, output = checked(url, "--phases", "stateful", "-n", "600")
    assert code == 1, output
    rules = set(re.findall(r"^\d+\. .*?, ([a-z]+(?:: [a-z]+| L\d+)):", output, re.MULTILINE))
    assert rules == {f"law {law}"}, output
    assert re.search(rf"breaks api\.md:\d+ \(law {law}\)", output)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", KEEPING)
def test_a_server_that_keeps_the_laws_is_not_caught(name: str) -> None:
    with scripted(KEEPING[name]) as url:
        code, output = checked(url, "--phases", "stateful", "-n", "600")
    assert code == 0, output
    assert "stateful" in output
