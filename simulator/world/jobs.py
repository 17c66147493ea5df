"""Job k of a world: what its user did, and what became of it, from (seed, profile, k) and nothing else.

A job's end is chosen first, then the retries on the way to it, then the policies that make the launcher decide so. Every
life ends: retries are counted beforehand, and what would run for ever is stopped by its user.
"""

import json
import random
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds
from contracts.launcher.records import (
    FrameworkDescriptor,
    LaunchClientType,
    PlatformParameters,
    Ports,
    Resource,
    RetryPolicy,
    TaskRoleDescriptor,
    TaskService,
)
from simulator.dice import dice
from simulator.machine.story import MINUTE, SECOND, Operation, SetProgress, Stop, Submit
from simulator.world import policies
from simulator.world.lives import Attempt, Life, Task, Version, length_of
from simulator.world.mishaps import Mishap, roll
from simulator.world.population import User
from simulator.world.profile import Profile, Range, Shape
from simulator.world.sayings import sayings_of

MOST_APPLICATIONS = 64
"""Of one job over its whole life, all versions together: application numbers leave room for so many."""

FAILED = ("user", "platform", "resource", "refused")
UNKNOWN_SHARE = 0.6
"""Of the failures of user programs, those with a code the launcher was told nothing about."""


class Job(Struct, frozen=True):
    operations: tuple[Operation, ...]
    life: Life
    tags: tuple[str, ...]


def job(profile: Profile, user: User, arrival: Instant, dice_name: str, first_application: int) -> Job:
    """The job with those dice."""
    rolls = dice(dice_name)
    shape = rolls.choices(profile.shapes, [shape.weight for shape in profile.shapes])[0]
    upgrades = _some(profile.upgrades, profile.most_upgrades, rolls)
    tags, description = _group(profile, user, rolls)
    roles = _roles(shape, rolls)
    number = rolls.choice((0, 1, 1, 1, 10))
    versions: dict[int, Version] = {}
    operations: list[Operation] = []
    at = arrival
    for turn in range(upgrades + 1):
        ending = profile.endings.roll(rolls)
        version, stopped_after = _version(profile, shape, roles, ending, upgrades + 1, rolls)
        descriptor = replace(
            version.descriptor,
            version=number,
            description=description,
            user_name=user.name,
            platform=replace(version.descriptor.platform, queue=profile.queues.roll(rolls)),
        )
        versions[number] = replace(version, descriptor=descriptor)
        operations.append(Submit(at, descriptor, LaunchClientType.WEB_UI, user.address))
        length = length_of(version.attempts, profile.pace, profile.starting) if stopped_after is None else stopped_after
        if turn == upgrades and stopped_after is not None:
            operations.append(Stop(at + stopped_after))
        elif turn == upgrades and ending == "succeeded" and rolls.random() < 0.2:
            operations.append(SetProgress(at + length // 3, round(rolls.uniform(0.2, 0.7), 2)))
        at += round(length * rolls.choice((0.3, 0.5, 0.8, 1.2)))
        down = rolls.random() < 0.15 and number - 1 not in versions
        number = number - 1 if down else max(versions) + 1
    return Job(tuple(operations), Life(dice_name, first_application, versions, profile.starting), tags)


def _some(chance: float, most: int, rolls: random.Random) -> int:
    """None, but with that chance one to ``most``."""
    return rolls.randint(1, most) if rolls.random() < chance and most > 0 else 0


def _group(profile: Profile, user: User, rolls: random.Random) -> tuple[tuple[str, ...], str | None]:
    """Tags and description. A job group is told by a tag, or, as older clients do, by the description."""
    saying = rolls.choice((None, rolls.choice(sayings_of(user.locale))))
    if rolls.random() >= profile.groups:
        return rolls.choice(((), (), ("experiment",))), saying
    tag = f"GID-{rolls.randrange(1 << 32):08x}_{rolls.choice(('sweep', 'batch', 'pipeline'))}"
    if rolls.random() < 0.6:
        return (tag, "experiment"), saying
    return (), json.dumps({"GroupTag": tag, "Note": saying}, ensure_ascii=False)


def _roles(shape: Shape, rolls: random.Random) -> dict[str, TaskRoleDescriptor]:
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
                    memory_mb=_memory(role.memory_mb, rolls),
                    port_definitions={label: Ports(count) for label, count in role.ports},
                    gpu_number=rolls.randint(*role.gpus),
                ),
            ),
        )
        for role in shape.roles
    }


def _memory(between: Range, rolls: random.Random) -> int:
    """People ask for round numbers, unless it is always the same one."""
    rolled = rolls.randint(*between)
    return rolled if between[0] == between[1] else -(-rolled // 512) * 512


def _version(
    profile: Profile,
    shape: Shape,
    roles: Mapping[str, TaskRoleDescriptor],
    ending: str,
    parts: int,
    rolls: random.Random,
) -> tuple[Version, Milliseconds | None]:
    """One of several versions of a job, and when its user stops it, counted from its submission."""
    tasks = [(name, index) for name, role in roles.items() for index in range(role.task_number)]
    serving = frozenset(role.name for role in shape.roles if role.serves)
    working = [task for task in tasks if task[0] not in serving]
    if not working:  # nothing ends such a framework but its user
        ending, serving, working = "stopped", frozenset(), tasks
    wait, run = profile.waiting.roll(rolls) // parts, profile.running.roll(rolls) // parts
    causes = _causes(profile, ending, rolls)
    mishaps = [roll(cause, rolls, profile.pace) for cause in causes]
    if ending in FAILED:
        cause = "unknown" if ending == "user" and rolls.random() < UNKNOWN_SHARE else ending
        mishaps.append(roll(cause, rolls, profile.pace))
    attempts, stopped_after = _attempts(ending, mishaps, working, wait, run, profile, rolls)
    tolerated = None
    if ending == "succeeded" and not mishaps and len(working) > 2 and not serving and rolls.random() < 0.3:
        tolerated = rolls.choice(working)
    retried = profile.most_task_retries > 0 and rolls.random() < profile.task_retries
    task_retries = policies.task_retries(mishaps, profile.most_task_retries, rolls) if retried else RetryPolicy()
    descriptor = FrameworkDescriptor(
        version=0,
        task_roles={
            name: replace(
                role,
                task_retry_policy=task_retries,
                completion_policy=policies.completion(name, working, serving, tolerated),
            )
            for name, role in roles.items()
        },
        retry_policy=policies.framework_retries(causes, ending, rolls),
        platform=PlatformParameters(
            gang_allocation=rolls.random() < shape.gang or any(mishap.needs_gang for mishap in mishaps)
        ),
    )
    slow_allocation = rolls.choice((0, 0, 0, 8 * MINUTE)) if wait > 10 * MINUTE else 0
    return Version(descriptor, tuple(attempts), serving, slow_allocation, tolerated), stopped_after


def _causes(profile: Profile, ending: str, rolls: random.Random) -> list[str]:
    """Why it is retried, in order, before it ends as it does."""
    if ending in ("refused", "restarting", "stopped_waiting"):
        return []
    return [profile.retry_causes.roll(rolls) for _ in range(_some(profile.retries, profile.most_retries, rolls))]


def _attempts(
    ending: str,
    mishaps: Sequence[Mishap],
    working: Sequence[Task],
    wait: Milliseconds,
    run: Milliseconds,
    profile: Profile,
    rolls: random.Random,
) -> tuple[list[Attempt], Milliseconds | None]:
    """One after the other, and when they are cut short by a stop."""
    if ending == "restarting":
        share = max(min(5 * MINUTE, run), run // rolls.randint(3, 6))
        return [Attempt(wait, share), Attempt(30 * SECOND, share)], wait + run
    if ending == "stopped_waiting":
        at_once, soon, late = 3 * SECOND, wait // 2 + MINUTE, wait + 2 * MINUTE
        return [Attempt(wait * 2 + 5 * MINUTE, None)], rolls.choice((at_once, soon, late))
    share = max(SECOND, run // (len(mishaps) + (ending not in FAILED)))
    attempts = [
        Attempt(wait // 4 if place else wait, share, mishap, rolls.choice(working) if working else None)
        for place, mishap in enumerate(mishaps)
    ]
    if ending in FAILED:
        return attempts, None
    last_wait = wait // 4 if attempts else wait
    if ending == "stopped":
        attempts.append(Attempt(last_wait, None))
        return attempts, length_of(attempts, profile.pace, profile.starting) + share
    return [*attempts, Attempt(last_wait, share)], None
