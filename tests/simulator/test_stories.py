"""Each shipped story comes to what its name says, at the instant the world begins."""

import json
from dataclasses import dataclass
from functools import cache

import pytest

from contracts.clock import VirtualClock
from simulator.simulation import Simulation
from simulator.told.scenario_files import NAMESPACE, SCHEMA, SHIPPED, ShippedScenarios, jobs_in
from simulator.told.words import INTERVAL_NAMES
from tests.simulator.worlds import ASK, HOUR, START, names, shown

W, C, L, AW, R = (
    "FRAMEWORK_WAITING",
    "APPLICATION_CREATED",
    "APPLICATION_LAUNCHED",
    "APPLICATION_WAITING",
    "APPLICATION_RUNNING",
)
D, AC, F = "APPLICATION_RETRIEVING_DIAGNOSTICS", "APPLICATION_COMPLETED", "FRAMEWORK_COMPLETED"


@dataclass(frozen=True)
class Comes:
    """What a page sees of it."""

    state: str
    code: int | None = None
    attempt: int = 0
    versions: tuple[int, ...] = (1,)
    tasks: str | None = None
    """States, and exit codes where there are any; ``None``: not the point of the story."""


STORIES = {
    "framework-waiting": Comes(W),
    "application-created": Comes(C),
    "application-launched": Comes(L),
    "waiting-for-the-master": Comes(AW, tasks=""),
    "waiting-for-resources": Comes(AW, tasks="CONTAINER_REQUESTED " * 3),
    "gang-half-allocated": Comes(AW, tasks="CONTAINER_ALLOCATED CONTAINER_ALLOCATED CONTAINER_REQUESTED"),
    "container-launching": Comes(AW, tasks="CONTAINER_LAUNCHED"),
    "running": Comes(R, tasks="CONTAINER_RUNNING"),
    "running-with-several-roles": Comes(R, tasks="CONTAINER_RUNNING " * 6),
    "running-partly": Comes(R, tasks="TASK_COMPLETED 0 TASK_COMPLETED 1 CONTAINER_REQUESTED CONTAINER_RUNNING"),
    "many-tasks": Comes(R, tasks="CONTAINER_RUNNING " * 64),
    "no-tasks": Comes(AW, tasks=""),
    "progress-set": Comes(R),
    "retrieving-diagnostics": Comes(D),
    "backing-off": Comes(AC, -7252),
    "succeeded": Comes(F, 0, tasks="TASK_COMPLETED 0"),
    "all-done": Comes(F, 0, tasks="TASK_COMPLETED 0 " * 4),
    "enough-succeeded": Comes(
        F, 0, tasks="TASK_COMPLETED -7400 TASK_COMPLETED 0 TASK_COMPLETED 0 TASK_COMPLETED -7400"
    ),
    "any-failed": Comes(F, 1, tasks="TASK_COMPLETED -7400 TASK_COMPLETED -7400 TASK_COMPLETED 1 TASK_COMPLETED -7400"),
    "failed-with-an-unknown-exit-code": Comes(F, 42),
    "failed-with-a-known-exit-code": Comes(F, 194),
    "failed-without-a-word": Comes(F, 1),
    "failed-in-other-scripts": Comes(F, 1),
    "runtime-error-report": Comes(F, 1),
    "segmentation-fault": Comes(F, 139),
    "killed-by-a-signal": Comes(F, 137),
    "out-of-memory": Comes(F, -7122),
    "disk-failed": Comes(F, -7102),
    "preempted": Comes(F, -7120),
    "container-expired": Comes(F, -7112),
    "start-refused-by-the-node": Comes(F, -7150),
    "refused-by-the-queue": Comes(F, -7300),
    "resource-manager-unreachable": Comes(F, -7301),
    "larger-than-any-node": Comes(F, -7200),
    "master-larger-than-any-node": Comes(F, -7300),
    "source-not-found": Comes(F, -7251),
    "gang-timeout": Comes(F, -7252),
    "killed-through-yarn": Comes(F, -7303),
    "application-lost": Comes(F, -7350),
    "master-crashed": Comes(F, -7353),
    "diagnostics-lost": Comes(F, -7352),
    "retried-then-succeeded": Comes(F, 0, 2),
    "retried-until-failed": Comes(F, 1, 2),
    "running-after-retries": Comes(R, None, 2),
    "restarting-for-ever": Comes(R, None, 5),
    "failure-not-worth-a-retry": Comes(F, 139),
    "preempted-then-succeeded": Comes(F, 0, 1),
    "node-lost-then-succeeded": Comes(F, 0, 1),
    "gang-timeout-then-succeeded": Comes(F, 0, 1),
    "task-retried-then-succeeded": Comes(F, 0, 0, tasks="TASK_COMPLETED 0 " * 2),
    "waiting-again": Comes(AW, tasks="CONTAINER_REQUESTED"),
    "stopped-before-launch": Comes(F, -7351, tasks=""),
    "stopped-while-waiting": Comes(F, -7351, tasks="TASK_COMPLETED -7400"),
    "stopped-while-running": Comes(F, -7351, tasks="TASK_COMPLETED -7400 " * 2),
    "stopped-while-backing-off": Comes(F, -7351),
    "stop-taken-back": Comes(R),
    "upgraded": Comes(R, versions=(1, 2)),
    "downgraded": Comes(R, versions=(7, 8)),
    "several-attempts-and-versions": Comes(R, None, 2, (1, 2, 3)),
    "submitted-again": Comes(R, versions=(2,)),
    "scaled-up": Comes(R, tasks="CONTAINER_RUNNING " * 5),
    "scaled-down": Comes(R, tasks="CONTAINER_RUNNING " * 2),
    "scaled-to-zero": Comes(AW, tasks=""),
    "migrated": Comes(R, tasks="CONTAINER_RUNNING " * 2),
    "migrated-and-failed": Comes(F, -7153, tasks="TASK_COMPLETED -7400 TASK_COMPLETED -7153"),
    "node-lost": Comes(F, -7111, tasks="TASK_COMPLETED -7400 TASK_COMPLETED -7111"),
    "container-lost": Comes(R, tasks="CONTAINER_RUNNING " * 2),
    "master-started-again": Comes(R, tasks="CONTAINER_RUNNING " * 2),
    "unknown-node-label": Comes(F, -7200, tasks="TASK_COMPLETED -7400"),
    "waiting-for-a-host-of-its-own": Comes(R, tasks="CONTAINER_RUNNING CONTAINER_RUNNING CONTAINER_REQUESTED"),
    "in-a-job-group": Comes(R),
    "by-hand": Comes(AW, tasks="CONTAINER_REQUESTED"),
}


@cache
def world() -> Simulation:
    return Simulation(1, 5, VirtualClock(START, frozen=True), scenarios=ShippedScenarios())


@pytest.mark.parametrize("story", STORIES)
def test_a_shipped_story_comes_to_what_its_name_says(story: str) -> None:
    framework = shown(world(), f"{NAMESPACE}{story}")
    assert framework is not None
    tasks = " ".join(
        f"{task.state.value} {'' if task.container_exit_code is None else task.container_exit_code}".strip()
        for role in framework.task_roles.values()
        for task in role.tasks
    )
    wanted = STORIES[story]
    assert wanted == Comes(
        framework.status.state.value,
        framework.status.application_exit_code,
        framework.status.retries.total,
        world().launcher.versions(framework.status.name, ASK).value,
        None if wanted.tasks is None else tasks and tasks + wanted.tasks[len(wanted.tasks.rstrip()) :],
    )


def test_the_deleted_one_was_there_and_is_not_any_more() -> None:
    assert shown(world(), f"{NAMESPACE}deleted") is None
    assert f"{NAMESPACE}deleted" not in names(world())
    before = Simulation(1, 5, VirtualClock(START, frozen=True))
    before.clock.advance(-int(5.5 * HOUR))
    assert shown(before, f"{NAMESPACE}deleted") is not None


def test_particular_stories_show_their_particulars() -> None:
    progress = shown(world(), f"{NAMESPACE}progress-set")
    assert progress is not None
    assert progress.status.application_progress == 0.42
    grouped = shown(world(), f"{NAMESPACE}in-a-job-group")
    assert grouped is not None
    assert grouped.summary.tags[0].startswith("GID-")
    migrated = shown(world(), f"{NAMESPACE}migrated")
    assert migrated is not None
    assert [task.retries.transient_normal for task in migrated.task_roles["worker"].tasks if task.retries] == [0, 1]
    scripts = shown(world(), f"{NAMESPACE}failed-in-other-scripts")
    assert scripts is not None
    assert "图像" in (scripts.status.application_exit_diagnostics or "")


def test_every_shipped_story_is_told_in_the_table_and_passes_the_checks() -> None:
    files = sorted(SHIPPED.glob("*.yaml"))
    assert {file.stem for file in files} == {*STORIES, "deleted"}
    for file in files:
        (job,) = jobs_in(file.read_bytes(), str(file))
        assert job.name == f"{NAMESPACE}{file.stem}"
        assert job.about.endswith((".", "?"))
        assert file.read_text("utf-8").startswith("# yaml-language-server: $schema=story.schema.json\n")


def test_the_schema_knows_every_interval() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    (_, mapping) = schema["$defs"]["job"]["properties"]["intervals"]["oneOf"]
    assert set(mapping["properties"]) == {"like", *INTERVAL_NAMES}


def test_the_stories_stay_as_they_are_for_months() -> None:
    later = Simulation(1, 5, VirtualClock(START, frozen=True))
    later.clock.advance(90 * 24 * HOUR)
    for story, comes in STORIES.items():
        framework = shown(later, f"{NAMESPACE}{story}")
        assert framework is not None
        if story not in ("restarting-for-ever", "by-hand"):
            assert framework.status.state.value == comes.state, story
