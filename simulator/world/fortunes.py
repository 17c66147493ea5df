"""How the world treats what people submitted without a story: from the profile's dice, whatever the descriptor says.

The dice know the name, the version and the place of an application or container, and nothing that a later operation could
change; so what was once seen stays. The policies of the descriptor decide what the launcher makes of it.
"""

from functools import lru_cache

from msgspec import Struct

from contracts.clock import Milliseconds
from simulator.dice import dice
from simulator.machine.story import SECOND, ApplicationFate, ApplicationKey, Behaviour, ContainerFate, ContainerKey
from simulator.world.lives import Life
from simulator.world.mishaps import Mishap, roll
from simulator.world.profile import Profile

FAILED = ("user", "platform", "resource", "refused")
CURED_AFTER = 3
"""Tries of one task: a policy that retries for ever is not to cost for ever."""


class _Attempt(Struct, frozen=True):
    wait: Milliseconds
    run: Milliseconds
    mishap: Mishap | None


class Fortune(Struct, frozen=True):
    """A behaviour."""

    profile: Profile
    dice_name: str
    first_application: int

    def application_number(self, count: int) -> int:
        return self.first_application + count

    def application(self, key: ApplicationKey) -> ApplicationFate:
        attempt = _attempt(self.profile, self.dice_name, key.version, key.attempt)
        rolls = dice(self.dice_name, "application", key.count)
        start = attempt.wait + self.profile.starting.master.roll(rolls)
        end = None
        if attempt.mishap is not None and attempt.mishap.application is not None:
            end = attempt.mishap.application(start, attempt.run)
        return ApplicationFate(upload=self.profile.starting.submission.roll(rolls), am_start=start, end=end)

    def container(self, key: ContainerKey) -> ContainerFate:
        attempt = _attempt(self.profile, self.dice_name, key.application.version, key.application.attempt)
        rolls = dice(self.dice_name, "container", key.application.count, key.role, key.index, key.task_attempt)
        starting = self.profile.starting
        allocation, start = starting.container.roll(rolls), starting.program.roll(rolls)
        mishap = attempt.mishap
        run = round(attempt.run * rolls.uniform(0.85, 1))
        if mishap is None or key.index > 0 or key.task_attempt >= CURED_AFTER:
            return ContainerFate(allocation, start=start, run=run)
        if mishap.starves:
            return ContainerFate(allocation=None)
        if mishap.exit is None:
            return ContainerFate(allocation, start=start)
        run = run if mishap.run is None else mishap.run
        return ContainerFate(allocation, start=start, run=run // 2, exit=mishap.exit, ends_in=mishap.ends_in)


@lru_cache(1024)
def _attempt(profile: Profile, dice_name: str, version: int, attempt: int) -> _Attempt:
    """A few attempts fail, then one ends as it is to end; so do all that follow."""
    rolls = dice(dice_name, "version", version)
    ending = profile.endings.roll(rolls)
    retries = rolls.randint(1, profile.most_retries) if rolls.random() < profile.retries else 0
    wait, run = profile.waiting.roll(rolls), max(SECOND, profile.running.roll(rolls) // (retries + 1))
    mishaps = [roll(profile.retry_causes.roll(rolls), rolls, profile.pace) for _ in range(retries)]
    if ending in FAILED:
        mishaps.append(roll(ending, rolls, profile.pace))
        mishap: Mishap | None = mishaps[min(attempt, len(mishaps) - 1)]
    else:
        mishap = mishaps[attempt] if attempt < len(mishaps) else None
    # Without a gang nobody stops what starves.
    usable = mishap if mishap is None or not mishap.starves or attempt < retries else None
    return _Attempt(wait // 4 if attempt else wait, run, usable)


class Continued(Struct, frozen=True):
    """The life of a job of the population, and fortune for whatever people made of it besides."""

    life: Life
    beyond: Behaviour

    def application_number(self, count: int) -> int:
        return self.life.application_number(count)

    def application(self, key: ApplicationKey) -> ApplicationFate:
        return (self.life if key.version in self.life.versions else self.beyond).application(key)

    def container(self, key: ContainerKey) -> ContainerFate:
        version = self.life.versions.get(key.application.version)
        known = version is not None and key.role in version.descriptor.task_roles
        return (self.life if known else self.beyond).container(key)
