"""The completion policy: when the tasks end their application (launcher fact sheet, 4.2).

It is looked at only when a task completes; so a framework without tasks never completes, and shrinking to completed tasks
does not complete it either. It ends the application; whether the framework ends is the retry decision's.
"""

from msgspec import Struct

from contracts.launcher.records import CompletionPolicy


class Tally(Struct, frozen=True):
    """How the tasks of a role, or of all roles, stand."""

    total: int
    succeeded: int
    failed: int

    def plus(self, added: "Tally") -> "Tally":
        return Tally(self.total + added.total, self.succeeded + added.succeeded, self.failed + added.failed)


class Ending(Struct, frozen=True):
    """What ends the application."""

    message: str
    by_task: bool
    """The completing task's exit becomes the application's; else it succeeds, even if tasks failed."""


def ending(policy: CompletionPolicy, role: str, *, succeeded: bool, in_role: Tally, in_all: Tally) -> Ending | None:
    """Whether a task that just completed ends the application; the tallies include it."""
    least_failed, least_succeeded = policy.min_failed_task_count, policy.min_succeeded_task_count
    if not succeeded and least_failed is not None and in_role.failed >= least_failed:
        return Ending(
            f"FailedTaskCount {in_role.failed} has reached MinFailedTaskCount {least_failed} in TaskRole [{role}]", True
        )
    if succeeded and least_succeeded is not None and in_role.succeeded >= least_succeeded:
        return Ending(
            f"SucceededTaskCount {in_role.succeeded} has reached MinSucceededTaskCount {least_succeeded}"
            f" in TaskRole [{role}]",
            True,
        )
    if in_all.succeeded + in_all.failed == in_all.total:
        return Ending(
            "All Tasks completed and no ApplicationCompletionPolicy has ever been triggered:"
            f" TotalTaskCount: {in_all.total}, FailedTaskCount: {in_all.failed}",
            False,
        )
    return None
