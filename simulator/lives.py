"""What becomes of job k: its story, from (seed, profile, k) and nothing else.

A job's end is chosen first, then the retries on the way to it, then the retry policies that make the launcher decide so.
Every life ends: retries are counted beforehand, and what would run for ever is stopped by its user.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher.records import (
    CompletionPolicy,
    FrameworkDescriptor,
    LaunchClientType,
    PlatformParameters,
    Ports,
    Resource,
    RetryPolicy,
    TaskRoleDescriptor,
    TaskService,
)
from simulator.dice import below, dice
from simulator.mishaps import Mishap, roll
from simulator.population import User
from simulator.profile import Profile, Shape
from simulator.sayings import SAYINGS_OF_LOCALE
from simulator.story import (
    MINUTE,
    SECOND,
    ApplicationFate,
    ApplicationKey,
    ContainerFate,
    ContainerKey,
    Exit,
    Operation,
    SetProgress,
    Stop,
    Submit,
)

MOST_APPLICATIONS = 64
"""Of one job over its whole life, all versions together: application numbers leave room for so many."""

_SETTLING: Milliseconds = 90 * SECOND
"""About how long the launcher takes to notice, per application: only used to guess when a life is half over."""
_GANG_WAIT: Milliseconds = 18 * MINUTE


@dataclass(frozen=True, slots=True)
class Attempt:
    """What happens to one application, before the launcher decides what follows."""

    wait: Milliseconds
    """In the queue, before its master runs."""
    run: Milliseconds | None
    """Of its tasks; ``None``: until somebody stops it."""
    mishap: Mishap | None = None
    culprit: tuple[str, int] = ("", 0)
    """The task whose container it is."""


@dataclass(frozen=True, slots=True)
class Version:
    """The life of one version of a job."""

    descriptor: FrameworkDescriptor
    attempts: tuple[Attempt, ...]
    """The last one stands for all that follow."""
    serving: frozenset[str]
    """Roles that run until the others are done."""
    slow_allocation: Milliseconds
    tolerated: tuple[str, int] | None = None
    """A task that fails although its application succeeds."""


@dataclass(frozen=True, slots=True)
class Life:
    """A job's behaviour: the world's answers to the launcher, from dice only where they are asked for."""

    dice_name: str
    first_application: int
    versions: Mapping[int, Version]

    def application_number(self, count: int) -> int:
        return self.first_application + count

    def application(self, key: ApplicationKey) -> ApplicationFate:
        attempt = self._attempt(key)
        start = attempt.wait + 2 * SECOND + below(4 * SECOND, self.dice_name, "master", key.count)
        upload = 300 + below(1500, self.dice_name, "upload", key.count)
        end = None
        if attempt.mishap is not None and attempt.mishap.application is not None:
            end = attempt.mishap.application(start, attempt.run or 0)
        return ApplicationFate(upload=upload, am_start=start, end=end)

    def container(self, key: ContainerKey) -> ContainerFate:
        version = self.versions[key.application.version]
        attempt = self._attempt(key.application)
        rolls = dice(self.dice_name, key.application.count, key.role, key.index, key.task_attempt)
        allocation = rolls.randint(1, 9) * SECOND + round(version.slow_allocation * rolls.uniform(0.4, 1))
        start = rolls.randint(200, 2500)
        mishap = attempt.mishap
        culprit = attempt.culprit == (key.role, key.index)
        if mishap is not None and mishap.starves and culprit:
            return ContainerFate(allocation=None)
        policy = version.descriptor.task_roles[key.role].task_retry_policy
        if key.task_attempt < self._task_retries(key, policy, culprit=culprit and mishap is not None):
            run = rolls.randint(20, 200) * SECOND
            fails = Exit(137, killed=True) if policy.fancy else Exit(1, "temporary failure in name resolution\n")
            return ContainerFate(allocation, start=start, run=run, exit=fails)
        if culprit and mishap is not None and mishap.exit is not None:
            ends_after = attempt.run if mishap.run is None else mishap.run
            return ContainerFate(allocation, start=start, run=ends_after, exit=mishap.exit, ends_in=mishap.ends_in)
        if attempt.run is None or key.role in version.serving or mishap is not None:
            return ContainerFate(allocation, start=start)
        run = round(attempt.run * self._share(version, key.role) * rolls.uniform(0.85, 1))
        if version.tolerated == (key.role, key.index):
            return ContainerFate(
                allocation, start=start, run=run // 2, exit=Exit(1, "this part of the data is empty\n")
            )
        return ContainerFate(allocation, start=start, run=run)

    def _attempt(self, key: ApplicationKey) -> Attempt:
        attempts = self.versions[key.version].attempts
        return attempts[min(key.attempt, len(attempts) - 1)]

    def _task_retries(self, key: ContainerKey, policy: RetryPolicy, *, culprit: bool) -> int:
        """How often this task is retried; a task that is to end its application fails until nothing is left."""
        if culprit:
            return 0 if policy.fancy else policy.max_retry_count
        most = 2 if policy.fancy else policy.max_retry_count
        return below(most + 1, self.dice_name, "task retries", key.application.count, key.role, key.index)

    def _share(self, version: Version, role: str) -> float:
        """In a chain of roles the earlier ones are done earlier."""
        chain = [name for name in version.descriptor.task_roles if name not in version.serving]
        return (chain.index(role) + 1) / len(chain)


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the population, told."""

    operations: tuple[Operation, ...]
    life: Life
    tags: tuple[str, ...]


def job(profile: Profile, user: User, arrival: Instant, dice_name: str, first_application: int) -> Job:
    """The job with those dice."""
    rolls = dice(dice_name)
    shape = rolls.choices(profile.shapes, [shape.weight for shape in profile.shapes])[0]
    ending = profile.endings.roll(rolls)
    upgrades = (
        rolls.randint(1, profile.most_upgrades) if _happens(rolls, profile.upgrades, profile.most_upgrades) else 0
    )
    tags, description = _group(profile, user, rolls)
    number = rolls.choice((0, 1, 1, 1, 10))
    versions: dict[int, Version] = {}
    operations: list[Operation] = []
    at = arrival
    base = _roles(profile, shape, rolls)
    for turn in range(upgrades + 1):
        last = turn == upgrades
        this_ending = ending if last else profile.endings.roll(rolls)
        version, stopped_after = _version(profile, shape, base, this_ending, upgrades + 1, rolls)
        descriptor = replace(
            version.descriptor,
            version=number,
            description=description,
            user_name=user.name,
            platform=replace(version.descriptor.platform, queue=profile.queues.roll(rolls)),
        )
        versions[number] = replace(version, descriptor=descriptor)
        operations.append(Submit(at, descriptor, LaunchClientType.WEB_UI, user.address))
        length = _length(version.attempts, stopped_after)
        if last and stopped_after is not None:
            operations.append(Stop(at + stopped_after))
        elif last and ending == "succeeded" and rolls.random() < 0.2:
            operations.append(SetProgress(at + length // 3, round(rolls.uniform(0.2, 0.7), 2)))
        at += round(length * rolls.choice((0.3, 0.5, 0.8, 1.2)))
        number = number - 1 if rolls.random() < 0.15 and number - 1 not in versions else max(versions) + 1
    return Job(
        tuple(sorted(operations, key=lambda operation: operation.at)),
        Life(dice_name, first_application, versions),
        tags,
    )


def _happens(rolls: random.Random, chance: float, most: int) -> bool:
    return rolls.random() < chance and most > 0


def _group(profile: Profile, user: User, rolls: random.Random) -> tuple[tuple[str, ...], str | None]:
    """Tags and description. A job group is told by a tag, or, as older clients do, by the description."""
    saying = rolls.choice((None, rolls.choice(SAYINGS_OF_LOCALE[user.locale])))
    if rolls.random() >= profile.groups:
        return rolls.choice(((), (), ("experiment",))), saying
    tag = f"GID-{rolls.randrange(1 << 32):08x}_{rolls.choice(('sweep', 'batch', 'pipeline'))}"
    if rolls.random() < 0.6:
        return (tag, "experiment"), saying
    return (), json.dumps({"GroupTag": tag, "Note": saying}, ensure_ascii=False)


def _roles(profile: Profile, shape: Shape, rolls: random.Random) -> dict[str, TaskRoleDescriptor]:
    """What each role asks for, before the policies are known."""
    return {
        role.name: TaskRoleDescriptor(
            task_number=rolls.randint(*role.tasks),
            task_service=TaskService(
                version=0,
                entry_point=f"python3 {role.name}.py",
                source_locations=("hdfs://cluster.example/jobs/code",),
                resource=Resource(
                    cpu_number=rolls.randint(*role.cpu),
                    memory_mb=-(-rolls.randint(*role.memory_mb) // 512) * 512,
                    port_definitions={label: Ports(count) for label, count in role.ports},
                    gpu_number=rolls.randint(*role.gpus),
                ),
            ),
        )
        for role in shape.roles
    }


def _version(
    profile: Profile,
    shape: Shape,
    roles: Mapping[str, TaskRoleDescriptor],
    ending: str,
    parts: int,
    rolls: random.Random,
) -> tuple[Version, Milliseconds | None]:
    """One version's life, and when its user stops it, counted from its submission."""
    tasks = [(name, index) for name, role in roles.items() for index in range(role.task_number)]
    if not tasks:
        ending = "stopped"  # nothing ends a framework without tasks
    wait, run = profile.waiting.roll(rolls) // parts, profile.running.roll(rolls) // parts
    serving = frozenset(role.name for role in shape.roles if role.serves)
    working = [task for task in tasks if task[0] not in serving] or tasks
    causes = _causes(profile, ending, rolls)
    mishaps = [roll(cause, rolls) for cause in causes]
    final = roll(ending, rolls) if ending in ("user", "platform", "resource", "refused") else None
    if ending == "user" and rolls.random() < 0.6:
        final = roll("unknown", rolls)
    everything = [*mishaps, *([final] if final else [])]
    gang = rolls.random() < shape.gang or any(mishap.needs_gang for mishap in everything)
    attempts = [
        Attempt(
            wait // 4 if place else wait, run // (len(mishaps) + 1), mishap, rolls.choice(working) if tasks else ("", 0)
        )
        for place, mishap in enumerate(mishaps)
    ]
    policy = _framework_policy(causes, ending, final, rolls)
    stopped_after: Milliseconds | None = None
    share = max(SECOND, run // (len(mishaps) + 1))
    if ending == "restarting":
        share = max(5 * MINUTE, run // rolls.randint(3, 6))
        attempts = [Attempt(wait, share), Attempt(30 * SECOND, share)]
        stopped_after = wait + run
    elif ending == "stopped":
        attempts.append(Attempt(wait // 4 if attempts else wait, None))
        stopped_after = _length(attempts, None) + share
    elif ending == "stopped_waiting":
        attempts = [Attempt(wait * 2 + 5 * MINUTE, None)]
        stopped_after = rolls.choice((3 * SECOND, wait // 2 + MINUTE, wait + 2 * MINUTE))
    else:
        attempts.append(Attempt(wait // 4 if attempts else wait, share, final, rolls.choice(working)))
    tolerated = None
    if ending == "succeeded" and not mishaps and len(working) > 2 and not serving and rolls.random() < 0.3:
        tolerated = rolls.choice(working)
    retry = _task_policy(profile, everything, rolls)
    described = {
        name: replace(
            role,
            task_retry_policy=retry,
            completion_policy=_completion(name, role.task_number, serving, working, tolerated is not None),
        )
        for name, role in roles.items()
    }
    return (
        Version(
            descriptor=FrameworkDescriptor(
                version=0,
                task_roles=described,
                retry_policy=policy,
                platform=PlatformParameters(gang_allocation=gang),
            ),
            attempts=tuple(attempts),
            serving=serving if working is not tasks else frozenset(),
            slow_allocation=rolls.choice((0, 0, 0, 8 * MINUTE)) if wait > 10 * MINUTE else 0,
            tolerated=tolerated,
        ),
        stopped_after,
    )


def _causes(profile: Profile, ending: str, rolls: random.Random) -> list[str]:
    """Why it is retried, in order, before it ends as it does."""
    if ending in ("refused", "restarting", "stopped_waiting") or not _happens(
        rolls, profile.retries, profile.most_retries
    ):
        return []
    return [profile.retry_causes.roll(rolls) for _ in range(rolls.randint(1, profile.most_retries))]


def _framework_policy(causes: list[str], ending: str, final: Mishap | None, rolls: random.Random) -> RetryPolicy:
    """The policy under which the launcher retries after each of the causes, and not after the ending."""
    if ending == "restarting":
        return RetryPolicy(fancy=False, max_retry_count=-2)
    # A fancy policy retries what is transient without counting, and never what is the user's.
    fancy = "user" not in causes and ending not in ("platform", "resource", "refused") and rolls.random() < 0.6
    counted = causes.count("unknown") if fancy else len(causes)
    if final is None:
        return RetryPolicy(fancy, rolls.choice((counted, counted, counted + 2, -1)))
    return RetryPolicy(fancy, counted)


def _task_policy(profile: Profile, mishaps: list[Mishap], rolls: random.Random) -> RetryPolicy:
    """A fancy policy would retry for ever what the story wants to be the end of an application."""
    if not _happens(rolls, profile.task_retries, profile.most_task_retries):
        return RetryPolicy()
    most = rolls.randint(1, profile.most_task_retries)
    if any(mishap.in_container for mishap in mishaps) or rolls.random() < 0.5:
        return RetryPolicy(fancy=False, max_retry_count=most)
    return RetryPolicy(fancy=True, max_retry_count=0)


def _completion(
    role: str, tasks: int, serving: frozenset[str], working: list[tuple[str, int]], tolerant: bool
) -> CompletionPolicy:
    """Where some roles serve, the last working role ends the application when all its tasks succeeded."""
    if serving and working[-1][0] == role and role not in serving:
        return CompletionPolicy(min_failed_task_count=1, min_succeeded_task_count=tasks)
    return CompletionPolicy(min_failed_task_count=None if tolerant else 1)


def _length(attempts: tuple[Attempt, ...] | list[Attempt], stopped_after: Milliseconds | None) -> Milliseconds:
    """About how long that takes."""
    if stopped_after is not None:
        return stopped_after
    return sum(
        attempt.wait
        + (attempt.run or 0)
        + _SETTLING
        + (_GANG_WAIT if attempt.mishap is not None and attempt.mishap.starves else 0)
        for attempt in attempts
    )
