"""How many tasks of an application there are and how they ended, counted as they come and go."""

from contracts.launcher.records import ExitType
from simulator.machine.application import Task
from simulator.machine.completion import Tally

NONE = Tally(0, 0, 0)


class Tallies:
    def __init__(self) -> None:
        self._of_role: dict[str, Tally] = {}
        self.all = NONE

    def of(self, role: str) -> Tally:
        return self._of_role[role]

    def done(self) -> float:
        """The completed part of all tasks."""
        return (self.all.succeeded + self.all.failed) / self.all.total if self.all.total else 0.0

    def grown(self, role: str, count: int) -> None:
        """By so many tasks; a negative number: they are gone."""
        self._add(role, Tally(count, 0, 0))

    def exited(self, task: Task, count: int) -> None:
        """One completed task more, or less."""
        succeeded = task.container is not None and task.container.exit_type is ExitType.SUCCEEDED
        self._add(task.role, Tally(0, count if succeeded else 0, 0 if succeeded else count))

    def _add(self, role: str, added: Tally) -> None:
        self._of_role[role] = self._of_role.get(role, NONE).plus(added)
        self.all = self.all.plus(added)
