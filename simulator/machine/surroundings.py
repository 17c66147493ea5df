"""What a master, and YARN's side of an application, need of the machine around them."""

from collections.abc import Iterable
from typing import Protocol

from contracts.clock import Instant
from contracts.launcher.records import ExitType, FrameworkRequest
from simulator.machine.agenda import Agenda
from simulator.machine.application import ApplicationLife
from simulator.machine.story import ContainerFate, ContainerKey, Story


class Surroundings(Protocol):
    story: Story
    agenda: Agenda

    def request_of(self, version: int) -> FrameworkRequest | None:
        """The stored request, if it is of that version."""

    def container_fate(self, key: ContainerKey) -> ContainerFate: ...

    def exit_type(self, code: int) -> ExitType: ...

    def exit_description(self, code: int) -> str: ...

    def task_changed(self, application: ApplicationLife, at: Instant) -> None:
        """The next push shows it."""

    def application_changed(self, at: Instant) -> None:
        """The resource manager has something new to tell."""

    def migrations_done(self, at: Instant, container_ids: Iterable[str]) -> None: ...
