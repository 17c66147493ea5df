"""How the world treats a job of the population: what is decided of each attempt, and the rest from dice when asked."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from contracts.clock import Milliseconds
from contracts.launcher.records import FrameworkDescriptor, RetryPolicy
from simulator.dice import below, dice
from simulator.machine.story import (
    SECOND,
    ApplicationFate,
    ApplicationKey,
    ContainerFate,
    ContainerKey,
    Exit,
    Intervals,
)
from simulator.world.mishaps import Mishap
from simulator.world.profile import Starting

MOST_FANCY_TASK_RETRIES = 2
"""A fancy policy sets no bound of its own to what is transient."""

_LOOKS = 4
"""So many looks of the launcher are between two applications."""

Task: TypeAlias = tuple[str, int]
"""Role and index."""


class Attempt(Struct, frozen=True):
    """What happens to one application, before the launcher decides what follows."""

    wait: Milliseconds
    """In the queue, before its master runs."""
    run: Milliseconds | None
    """Of its tasks; ``None``: until somebody stops it."""
    mishap: Mishap | None = None
    culprit: Task | None = None
    """The task whose container it is."""


def length_of(attempts: Sequence[Attempt], pace: Intervals, starting: Starting) -> Milliseconds:
    """About how long they take, one after the other: only to guess how long a life will be."""
    return sum(
        attempt.wait
        + (attempt.run or 0)
        + starting.about
        + _LOOKS * pace.web_status_pull
        + (pace.gang_timeout if attempt.mishap is not None and attempt.mishap.starves else 0)
        for attempt in attempts
    )


class Version(Struct, frozen=True):
    """The life of one version of a job."""

    descriptor: FrameworkDescriptor
    attempts: tuple[Attempt, ...]
    """The last one stands for all that follow."""
    serving: frozenset[str]
    """Roles that run until the others are done."""
    slow_allocation: Milliseconds
    tolerated: Task | None = None
    """A task that fails although its application succeeds."""


class Life(Struct, frozen=True):
    """A job's behaviour: the world's answers to the launcher, from dice only where they are asked for."""

    dice_name: str
    first_application: int
    versions: Mapping[int, Version]
    starting: Starting

    def application_number(self, count: int) -> int:
        return self.first_application + count

    def application(self, key: ApplicationKey) -> ApplicationFate:
        attempt = self._attempt(key)
        start = attempt.wait + self.starting.master.at(self.dice_name, "master", key.count)
        upload = self.starting.submission.at(self.dice_name, "upload", key.count)
        end = None
        if attempt.mishap is not None and attempt.mishap.application is not None:
            end = attempt.mishap.application(start, attempt.run or 0)
        return ApplicationFate(upload=upload, am_start=start, end=end)

    def container(self, key: ContainerKey) -> ContainerFate:
        version = self.versions[key.application.version]
        attempt = self._attempt(key.application)
        rolls = dice(self.dice_name, key.application.count, key.role, key.index, key.task_attempt)
        allocation = self.starting.container.roll(rolls) + round(version.slow_allocation * rolls.uniform(0.4, 1))
        start = self.starting.program.roll(rolls)
        mishap = attempt.mishap
        culprit = attempt.culprit == (key.role, key.index)
        if mishap is not None and mishap.starves and culprit:
            return ContainerFate(allocation=None)
        policy = version.descriptor.task_roles[key.role].task_retry_policy
        if key.task_attempt < self._task_retries(key, policy, culprit=culprit and mishap is not None):
            run = rolls.randint(20, 200) * SECOND
            if attempt.run is not None:
                run = min(run, max(SECOND, attempt.run // 2))
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
        most = MOST_FANCY_TASK_RETRIES if policy.fancy else policy.max_retry_count
        return below(most + 1, self.dice_name, "task retries", key.application.count, key.role, key.index)

    def _share(self, version: Version, role: str) -> float:
        """In a chain of roles the earlier ones are done earlier."""
        chain = [name for name in version.descriptor.task_roles if name not in version.serving]
        return (chain.index(role) + 1) / len(chain)
