"""``restserver contract strength``: wrong answers made on purpose are noticed, and what is not noticed is told."""

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from contracts import registry
from contracts.harness import strength_cli
from contracts.harness.observations import GET_ATTEMPT, GET_JOB, Observation
from contracts.harness.strength import Seen, Strength, killed_by, try_bugs, try_mutants, untouched
from contracts.harness.strength_bugs import BUGS, Bug
from contracts.harness.strength_mutants import KINDS, mutants
from contracts.harness.strength_promises import TOLD_OF_INFO, TOLD_OF_JOB, TOLD_OF_TASK, broken_promises
from contracts.launcher.port import Ask
from contracts.launcher.records import Framework
from restserver.assembling.simulated_worlds import world_of_strength
from restserver.cli import restserver
from restserver.worlds import served

STYLE = "documented"


@cache
def healthy() -> tuple[Seen, ...]:
    return tuple(served(world_of_strength(quick=True), STYLE)(untouched))


def unchanged(change: Callable[[Framework], Framework]) -> Sequence[Seen]:
    """A server that no mistake of a dialect reaches."""
    del change
    return healthy()


def one_of(operation: str, status: int = 200) -> Seen:
    """The one that says the most."""
    found = [one for one in healthy() if (one.answer.operation, one.answer.status) == (operation, status)]
    return max(found, key=lambda one: len(repr(one.answer.body)))


@pytest.mark.parametrize("style", ["documented", pytest.param("portal", marks=pytest.mark.proof)])
def test_the_contract_notices_every_mistake(style: str) -> None:
    result = CliRunner().invoke(
        restserver, ["contract", "strength", "--quick", "--style", style, "-v"], standalone_mode=False
    )
    lines = result.output.splitlines()
    assert lines[-1] == "0 survivors", result.output
    assert result.return_value == 0
    assert len(BUGS) >= 25
    assert all(any(bug.name in line for line in lines) for bug in BUGS)
    for killer in ("schema of", "law L7", "promise: containerIp"):
        assert killer in result.output


def test_nobody_objects_to_answers_without_a_mistake() -> None:
    assert killed_by(STYLE, healthy()) is None


def test_names_of_mistakes_are_used_once() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert all((bug.of_record is None) != (bug.of_answer is None) for bug in BUGS)


@pytest.mark.parametrize("style", registry.STYLES)
def test_every_answer_wrong_at_a_single_point_is_refused_by_the_judge(style: str) -> None:
    kinds = set()
    for operation in registry.OPERATIONS:
        for status, messages in registry.messages(operation, style).items():
            for message in messages[:1]:
                text = message.template.replace("$frameworkVersion", "1").replace("$frameworkAttemptId", "2")
                body: object = {"code": message.code, "message": text}
                if not registry.validator(operation, status, style).is_valid(body):
                    continue  # a template with more places than these two
                for mutant in mutants(operation, style, status, body):
                    kinds.add(mutant.kind)
                    judge = registry.validator(mutant.operation, mutant.status, style)
                    assert not judge.is_valid(mutant.body), mutant
    assert kinds >= {"wrong code", "wrong message", "wrong status", "dropped", "extra key"}


def test_every_kind_of_single_point_is_tried() -> None:
    found = Strength()
    try_mutants(STYLE, [one.answer for one in healthy()], found)
    assert found.survivors == []
    assert set(found.mutants) == set(KINDS)


def test_every_key_of_a_job_is_tried() -> None:
    body = one_of(GET_JOB).answer.body
    paths = {mutant.path for mutant in mutants(GET_JOB, STYLE, 200, body)}
    assert paths >= set(registry.field_paths(GET_JOB, STYLE)) - FREE


FREE = {
    "jobStatus.appExitMessages.runtime.*",
    "taskRoles.*.taskStatuses[].containerPorts.*",
    "jobStatus.appExitSpec.code",
    "jobStatus.appExitMessages.runtime",
}
"""Below what may be null, empty or anything."""


def test_what_nobody_notices_survives_and_is_told() -> None:
    def another_tag(seen: Observation, body: dict[str, Any]) -> None:
        if seen.operation == GET_ATTEMPT and seen.status == 200:
            body["frameworkInfo"]["jobStatus"]["appTag"] = "another"

    found = Strength()
    bugs = [Bug("another tag", of_answer=another_tag), Bug("nothing at all", of_record=untouched)]
    try_bugs(STYLE, unchanged, found, bugs)
    tag, nothing = f"{STYLE} another tag", f"{STYLE} nothing at all: changed no answer"
    assert found.survivors == [tag, nothing]
    assert strength_cli.report(found, {}, verbose=False)[-3:] == [f"SURVIVED: {tag}", f"SURVIVED: {nothing}", "2 survivors"]  # fmt: skip
    accepted = {tag: "tags are free", nothing: "it is nothing", "gone": "it was there"}
    assert found.unaccepted(accepted) == []
    assert strength_cli.report(found, accepted, verbose=False)[-4:] == [
        f"accepted: {tag}: tags are free",
        f"accepted: {nothing}: it is nothing",
        "accepted, but killed: gone",
        "0 survivors",
    ]


@pytest.mark.no_cover
def test_a_survivor_is_exit_1() -> None:
    command = strength_cli.strength_command(lambda _style, _quick: nullcontext(unchanged))
    result = CliRunner().invoke(command, ["--style", STYLE], standalone_mode=False)
    assert result.return_value == 1
    assert "SURVIVED: documented seconds for milliseconds, everywhere: changed no answer" in result.output


def test_an_answer_that_its_schema_refuses_is_told_by_its_schema() -> None:
    seen = one_of(GET_JOB)
    body: dict[str, dict[str, Any]] = {"jobStatus": {}, "taskRoles": {}}
    wrong = Observation(seen.answer.instant, GET_JOB, seen.answer.name, None, None, 200, body)
    assert killed_by(STYLE, [Seen(wrong, seen.told)]) == "schema of getJob 200"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strength_cli, "NEEDED", "no_such_module")
    command = strength_cli.strength_command(lambda _style, _quick: nullcontext(unchanged))
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 2
    assert "restserver[check]" in result.output


@pytest.mark.parametrize("field", [*TOLD_OF_JOB, "appliedCpuNumber", "appliedMemoryMB"])
def test_each_field_of_a_job_is_what_was_told(field: str) -> None:
    seen = one_of(GET_JOB)
    body: dict[str, Any] = copy.deepcopy(dict(seen.answer.body))
    assert list(broken_promises(seen.answer, seen.told)) == []
    assert list(broken_promises(_with(seen.answer, body, body["jobStatus"], field), seen.told)) == [field]


@pytest.mark.parametrize("field", [*TOLD_OF_INFO, "latestAttemptId"])
def test_each_field_of_a_summary_is_what_was_told(field: str) -> None:
    seen = one_of(GET_ATTEMPT)
    body: dict[str, Any] = copy.deepcopy(dict(seen.answer.body))
    wrong = _with(seen.answer, body, body["frameworkInfo"]["jobStatus"], field)
    assert list(broken_promises(wrong, seen.told)) == [f"frameworkInfo {field}"]


@pytest.mark.parametrize("field", [*TOLD_OF_TASK, "containerPorts", "retryDetails.platform"])
def test_each_field_of_a_task_is_what_was_told(field: str) -> None:
    seen = one_of(GET_JOB)
    body: dict[str, Any] = copy.deepcopy(dict(seen.answer.body))
    task = next(iter(body["taskRoles"].values()))["taskStatuses"][0]
    (promise,) = broken_promises(_with(seen.answer, body, task, field), seen.told)
    assert promise in (field, "task retryDetails")


def test_roles_and_tasks_that_are_left_out_are_missed() -> None:
    seen = one_of(GET_JOB)
    assert seen.told
    name, role = next(iter(seen.told.task_roles.items()))
    fewer = replace(seen.told, task_roles={**seen.told.task_roles, name: replace(role, tasks=role.tasks[1:])})
    assert list(broken_promises(seen.answer, fewer)) == ["taskStatuses"]
    assert list(broken_promises(seen.answer, replace(seen.told, task_roles={}))) == ["taskRoles"]


def test_what_is_applied_for_is_summed_up_where_the_launcher_does_not() -> None:
    seen = one_of(GET_JOB)
    assert seen.told
    unsummed = replace(seen.told.summary, total_cpu_number=None, total_memory_mb=None)
    assert list(broken_promises(seen.answer, replace(seen.told, summary=unsummed))) == []


def test_a_launcher_read_with_a_mistake_lists_the_same_frameworks() -> None:
    launcher = world_of_strength(quick=True).launcher
    launcher.ready(Ask())
    assert len(list(launcher.summaries(Ask()))) >= 10


def _with(answer: Observation, body: Any, part: dict[str, Any], field: str) -> Observation:
    """The same, with something else in that field of that part of the body."""
    *steps, last = field.split(".")
    for step in steps:
        part = part[step]
    part[last] = -77
    return Observation(answer.instant, answer.operation, answer.name, None, answer.attempt, 200, body)
