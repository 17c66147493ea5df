"""What the world did to an application beside what was planned, remembered for the containers that come later."""

from simulator.machine.application import Task
from simulator.machine.story import EndContainers, Exit, MakeRoom


class Happenings:
    def __init__(self) -> None:
        self._events: list[MakeRoom | EndContainers] = []

    def note(self, event: MakeRoom | EndContainers) -> None:
        self._events.append(event)

    def made_room(self, task: Task) -> bool:
        return any(isinstance(event, MakeRoom) and meant(event, task) for event in self._events)

    def ended(self, task: Task) -> Exit | None:
        """Only what was meant for this attempt of the task is for a container that starts later."""
        events = (event for event in self._events if isinstance(event, EndContainers) and meant(event, task))
        return next((event.exit for event in events if event.task_attempt is not None), None)


def meant(event: MakeRoom | EndContainers, task: Task) -> bool:
    return (
        event.role in (None, task.role)
        and event.index in (None, task.index)
        and event.task_attempt in (None, task.attempt)
    )
