"""The policies of a job: such that the launcher, deciding by its own rules, comes to the end the job is to have."""

import random
from collections.abc import Collection, Sequence

from contracts.launcher.records import CompletionPolicy, RetryPolicy
from simulator.world.lives import Task
from simulator.world.mishaps import Mishap

RETRIED_FOR_EVER_IF_FANCY = frozenset({"platform", "resource", "refused"})


def framework_retries(causes: Sequence[str], ending: str, rolls: random.Random) -> RetryPolicy:
    """Retries after each of the causes, and not after the ending."""
    if ending == "restarting":
        return RetryPolicy(fancy=False, max_retry_count=-2)
    # A fancy policy retries what is transient without counting, and never what is the user's.
    fancy = "user" not in causes and ending not in RETRIED_FOR_EVER_IF_FANCY and rolls.random() < 0.6
    counted = causes.count("unknown") if fancy else len(causes)
    if ending in ("user", *RETRIED_FOR_EVER_IF_FANCY):
        return RetryPolicy(fancy, counted)
    return RetryPolicy(fancy, rolls.choice((counted, counted, counted + 2, -1)))


def task_retries(mishaps: Collection[Mishap], most: int, rolls: random.Random) -> RetryPolicy:
    """A fancy policy would retry for ever what is to be the end of an application."""
    if any(mishap.in_container for mishap in mishaps) or rolls.random() < 0.5:
        return RetryPolicy(fancy=False, max_retry_count=rolls.randint(1, most))
    return RetryPolicy(fancy=True, max_retry_count=0)


def completion(
    role: str, working: Sequence[Task], serving: Collection[str], tolerated: Task | None
) -> CompletionPolicy:
    """Where some roles serve the others, the last of the others ends the application once all its tasks succeeded."""
    if serving and working[-1][0] == role:
        tasks = sum(1 for name, _ in working if name == role)
        return CompletionPolicy(min_failed_task_count=1, min_succeeded_task_count=tasks)
    return CompletionPolicy(min_failed_task_count=1 if tolerated is None else None)
