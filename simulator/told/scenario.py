"""A told story: what one named framework does, in the launcher's words, and the checks that it can.

A document becomes a :class:`Job`; a job, an instant and what hands have done become a :class:`~simulator.machine.story.Story`. Whether
the launcher comes along the steps of a story is not reckoned but tried: the machine itself lives it once, a hand advancing
it every ten minutes, and the first step that it does not come to is what is wrong.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds, from_iso
from contracts.launcher.open_request import decode_descriptor
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import FrameworkDescriptor
from simulator.journal_entries import Advance
from simulator.lengths import length
from simulator.machine.story import (
    DAY,
    MINUTE,
    ApplicationRule,
    Cluster,
    ContainerRule,
    Delete,
    EndContainers,
    Host,
    Intervals,
    Kill,
    MakeRoom,
    Migrate,
    Operation,
    Rules,
    SetProgress,
    SetTaskNumber,
    Start,
    Stop,
    Story,
    Submit,
)
from simulator.machine.timeline import Timeline, plan
from simulator.submission.short_descriptor import in_the_launchers_words
from simulator.told import steps as story_steps
from simulator.told import words as story_words
from simulator.told.steps import IllegalStep, Step
from simulator.told.words import BadStory, Keys

MOST_APPLICATIONS = 64
HORIZON: Milliseconds = 400 * DAY
"""A story that has not come to its end by then does not come to it."""
_HAND: Milliseconds = 10 * MINUTE


class Ground(Struct, frozen=True):
    """Where stories take place."""

    started: Instant
    first_application: int
    hosts: tuple[Host, ...]
    resource_manager: str
    gpus_per_host: int

    def cluster(self, intervals: Intervals) -> Cluster:
        return Cluster(
            started=self.started,
            hosts=self.hosts,
            intervals=intervals,
            resource_manager=self.resource_manager,
            node_gpu_number=self.gpus_per_host,
        )


class Job(Struct, frozen=True):
    """One told story."""

    name: str
    about: str
    starts: str
    descriptor: FrameworkDescriptor
    intervals: Intervals
    cluster: Mapping[str, Any]
    applications: tuple[ApplicationRule, ...]
    containers: tuple[ContainerRule, ...]
    operations: tuple[Mapping[str, Any], ...]
    steps: tuple[Step, ...]
    tags: tuple[str, ...]
    digest: str

    @property
    def user_name(self) -> str:
        return self.descriptor.user_name

    def begins(self, started: Instant) -> Instant:
        """``started``: when the world did."""
        if self.starts[:1].isdigit():
            return from_iso(self.starts)
        return max(0, started + length(self.starts))

    def story(self, begins: Instant, ground: Ground, advances: Sequence[Advance] = ()) -> Story:
        applications, containers = story_steps.rules(self.steps)
        story = Story(
            name=self.name,
            cluster=_cluster(ground.cluster(self.intervals), self.cluster),
            operations=(Submit(begins, self.descriptor),),
            behaviour=Rules(
                (*self.applications, *applications), (*self.containers, *containers), ground.first_application
            ),
            seed=f"story/{self.name}",
            tags=self.tags,
            most_applications=MOST_APPLICATIONS,
        )
        planned = [(begins + story_words.length_of(told["at"]), told) for told in self.operations]
        for at, told in sorted(planned, key=lambda each: each[0]):
            story = _and(story, _operation(at, told, self.descriptor, story))
        for advance in advances:
            if advance.step in {step.name for step in self.steps}:  # or else the file was changed meanwhile
                story = _and(story, story_steps.left(self.steps, advance.step, advance.at))
        return story

    def step_at(self, timeline: Timeline, at: Instant) -> int | None:
        """The last step that it came to; ``None``: none yet."""
        return _came_to(self.steps, timeline, at)


def _and(story: Story, operation: Operation) -> Story:
    operations = sorted((*story.operations, operation), key=lambda each: each.at)
    return replace(story, operations=tuple(operations))


def _came_to(steps: Sequence[Step], timeline: Timeline, at: Instant) -> int | None:
    came = -1
    wanted = [(step.state, place.attempt) for step, place in zip(steps, story_steps.places(steps), strict=True)]
    for shown in timeline.states(at):
        if came + 1 < len(steps) and wanted[came + 1] == shown:
            came += 1
    return None if came < 0 else came


# --- from documents -------------------------------------------------------------------------------------------------


def job_of(document: Mapping[str, Any]) -> Job:
    """A document that the schema found right. Raises BadStory for what no schema can say, but see :func:`tried`."""
    short = document.get("descriptor", {})
    for key in ("intervals", "applications", "containers", "operations", "steps"):
        story_words.judge_lengths((key,), document.get(key))
    steps = tuple(story_words.step(step) for step in document.get("steps", ()))
    try:
        story_steps.places(steps)
    except IllegalStep as error:
        raise BadStory(("steps", error.position), str(error)) from error
    names = [step.name for step in steps]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise BadStory(("steps", position), f"step {position + 1} ({name}): an earlier step has that name")
    return Job(
        name=document["name"],
        about=document.get("about", ""),
        starts=_starts(document.get("starts", "PT0S")),
        descriptor=_descriptor(("descriptor",), short),
        intervals=story_words.intervals(document.get("intervals", "deployed")),
        cluster=document.get("cluster", {}),
        applications=tuple(story_words.application(rule) for rule in document.get("applications", ())),
        containers=tuple(story_words.container(rule) for rule in document.get("containers", ())),
        operations=tuple(
            _judged(("operations", position), told, short)
            for position, told in enumerate(document.get("operations", ()))
        ),
        steps=steps,
        tags=tuple(document.get("tags", ())),
        digest=blake2b(json.dumps(document, sort_keys=True).encode(), digest_size=12).hexdigest(),
    )


def tried(job: Job) -> Job:
    """The job, if the launcher comes to each of its steps. Raises BadStory for the first it does not come to."""
    begins = 365 * DAY
    advances: list[Advance] = []
    at = begins
    ground = Ground(begins - DAY, 1, (Host("node-01.cluster.example", "10.240.0.1"),) * 3, "rm.cluster.example:8088", 8)
    while job.steps:
        timeline = plan(job.story(begins, ground, advances))
        at = _rest(timeline, at)
        came = _came_to(job.steps, timeline, at)
        if came is not None and came + 1 == len(job.steps):
            break
        waits = came is not None and job.steps[came].by_hand and len(advances) <= came
        if came is None or not waits or any(advance.step == job.steps[came].name for advance in advances):
            position = 0 if came is None else came + 1
            shown = [state.value for state, _ in timeline.states(at)[-1:]]
            raise BadStory(
                ("steps", position),
                f"step {position + 1} ({job.steps[position].name}): the launcher does not come to "
                f"{job.steps[position].state.value}; it stays in {shown[-1] if shown else 'nothing'}, or passes in between two looks",
            )
        at += _HAND
        advances.append(Advance(at, job.steps[came].name))
    if not job.steps:
        job.story(begins, ground)
    return job


def _rest(timeline: Timeline, at: Instant) -> Instant:
    """When nothing happens any more by itself."""
    limit = at + HORIZON
    while (change := timeline.next_change(at)) is not None and change < limit:
        at = change
    return at


def _starts(text: str) -> str:
    try:
        from_iso(text) if text[:1].isdigit() else length(text)
    except ValueError as error:
        raise BadStory(
            ("starts",), f"{text!r} is neither an instant nor an ISO 8601 duration of fixed length"
        ) from error
    return text


def _descriptor(keys: Keys, short: Mapping[str, Any]) -> FrameworkDescriptor:
    try:
        return decode_descriptor(in_the_launchers_words(short))
    except LauncherUnreadable as error:
        raise BadStory(keys, f"{error.found} at {error.path}") from error


def _cluster(cluster: Cluster, told: Mapping[str, Any]) -> Cluster:
    return replace(
        cluster,
        node_memory_mb=told.get("node_memory_mb", cluster.node_memory_mb),
        node_cpu_number=told.get("node_cpu_number", cluster.node_cpu_number),
        queues=frozenset(told["queues"]) if "queues" in told else None,
        node_labels=frozenset(told["labels"]) if "labels" in told else None,
        hosts=cluster.hosts[: told.get("hosts")],
        user_exit_spec=told.get("user_exit_spec", True),
    )


# --- operations -----------------------------------------------------------------------------------------------------


def _judged(keys: Keys, told: Mapping[str, Any], base: Mapping[str, Any]) -> Mapping[str, Any]:
    if told["do"] == "submit":
        descriptor = {**base, **told.get("descriptor", {})}
        return {**told, "descriptor": _descriptor((*keys, "descriptor"), descriptor)}
    return told


def _operation(at: Instant, told: Mapping[str, Any], descriptor: FrameworkDescriptor, before: Story) -> Operation:
    word = told["do"]
    role, index = told.get("role"), told.get("index")
    if word == "submit":
        return Submit(at, told["descriptor"])
    if word == "set_task_number":
        return SetTaskNumber(at, told.get("role", next(iter(descriptor.task_roles), "")), told["number"])
    if word == "set_progress":
        return SetProgress(at, told["progress"])
    if word == "migrate":
        return Migrate(at, _container_id(before, at, role, index))
    if word == "make_room":
        return MakeRoom(at, role, index)
    if word == "end_containers":
        return EndContainers(at, story_words.exit_of(told.get("exit", 0)), role, index)
    return _PLAIN[word](at)


_PLAIN: Mapping[str, type[Stop | Start | Delete | Kill]] = {
    "stop": Stop,
    "start": Start,
    "delete": Delete,
    "kill": Kill,
}


def _container_id(story: Story, at: Instant, role: str | None, index: int | None) -> str:
    """Of the container that is to be left, as everybody sees it then; one that does not exist is left by nobody."""
    shown = plan(story).at(at)
    for name, tasks in (shown.task_roles if shown is not None else {}).items():
        for task in tasks.tasks:
            if role in (None, name) and index in (None, task.index) and task.container_id is not None:
                return task.container_id
    return "container_0_0000_01_000000"
