"""How a master gets containers: asks, waits for room, takes a request back and asks again, and is given a place on a host."""

import random
from typing import Protocol

from contracts.clock import Instant
from contracts.launcher.lifecycle import TaskEvent, TaskState
from contracts.launcher.records import FrameworkDescriptor, TaskRoleDescriptor
from simulator.machine import placement
from simulator.machine.application import ApplicationLife, Container, Task
from simulator.machine.happenings import Happenings
from simulator.machine.story import ContainerFate, ContainerKey
from simulator.machine.surroundings import Surroundings

MOST_DROPS = 20
"""How often a starved request is taken back and sent again; then it stays. Nobody can tell, and it keeps work bounded."""


class Asker(Protocol):
    """The master, as far as it asks."""

    descriptor: FrameworkDescriptor
    roles: dict[str, TaskRoleDescriptor]

    @property
    def alive(self) -> bool: ...

    def step(self, now: Instant, task: Task, event: TaskEvent) -> None: ...

    def allocated(self, now: Instant, task: Task, fate: ContainerFate) -> None:
        """The task has its container."""

    def refused(self, now: Instant, text: str) -> None:
        """YARN will never give it one."""


class Requests:
    def __init__(
        self, asker: Asker, around: Surroundings, life: ApplicationLife, happenings: Happenings, rolls: random.Random
    ) -> None:
        self._asker = asker
        self._around = around
        self._agenda = around.agenda
        self._cluster = around.story.cluster
        self._life = life
        self._happenings = happenings
        self._rolls = rolls
        self._room = placement.Room(self._cluster)
        self._sequence = 1
        """The master's own container is the first."""
        self._crowded: list[tuple[Task, int]] = []
        """Those that want a host of their own and find none, with their serial."""

    def all_of(self, now: Instant, tasks: list[Task]) -> None:
        for task in tasks:
            if task.state is TaskState.TASK_WAITING and self._asker.alive:
                self.of(now, task)

    def of(self, now: Instant, task: Task) -> None:
        self._asker.step(now, task, TaskEvent.CONTAINER_REQUESTED)
        refusal = self._refusal(task)
        if refusal is not None:
            self._asker.refused(now, refusal)
            return
        if task.fate is None:
            task.drops = 0
            task.fate = self._around.container_fate(ContainerKey(self._life.key, task.role, task.index, task.attempt))
            if task.fate.allocation is not None:
                task.room_at = max(now + task.fate.allocation, task.fate.not_before or 0)
            elif self._happenings.made_room(task):
                task.room_at = now
        self._await_room(now, task)

    def again(self, now: Instant, task: Task, serial: int) -> None:
        if task.serial == serial and self._asker.alive:
            self.of(now, task)

    def taken_back(self, now: Instant, task: Task) -> None:
        """And asked for again at once."""
        self._asker.step(now, task, TaskEvent.REQUEST_DROPPED)
        self._agenda.at(now + self._rolls.randint(1, 20), self.again, task, task.serial)

    def given_room(self, now: Instant, task: Task) -> None:
        """The cluster has room for it now."""
        task.room_at = now
        if task.state is TaskState.CONTAINER_REQUESTED:
            task.serial += 1
            self._agenda.at(now, self._allocate, task, task.serial)

    def give_back(self, now: Instant, container: Container) -> None:
        self._room.give_back(container)
        while self._crowded:
            task, serial = self._crowded.pop(0)
            if task.serial == serial and task.state is TaskState.CONTAINER_REQUESTED:
                self._agenda.at(now + self._cluster.intervals.am_rm_heartbeat, self._allocate, task, serial)
                break

    def number_anew(self) -> None:
        """Another attempt of the master numbers its containers from the beginning."""
        self._sequence = 1

    def _refusal(self, task: Task) -> str | None:
        """YARN's, of the role as it is asked for now."""
        role, platform = self._asker.roles[task.role], self._asker.descriptor.platform
        label = role.platform.task_node_label or platform.task_node_label or platform.am_node_label
        return placement.refusal(role.task_service.resource, label, self._cluster)

    def _await_room(self, now: Instant, task: Task) -> None:
        intervals = self._cluster.intervals
        shortest = intervals.container_request_min
        if task.room_at is not None and (task.room_at - now <= shortest or task.drops == MOST_DROPS):
            self._agenda.at(max(now, task.room_at), self._allocate, task, task.serial)
        elif task.drops < MOST_DROPS:
            patience = self._rolls.randint(shortest, intervals.container_request_max)
            if task.room_at is not None and task.room_at <= now + patience:
                self._agenda.at(task.room_at, self._allocate, task, task.serial)
            else:
                self._agenda.at(now + patience, self._drop, task, task.serial)

    def _drop(self, now: Instant, task: Task, serial: int) -> None:
        if task.serial == serial and self._asker.alive:
            task.drops += 1
            self.taken_back(now, task)

    def _allocate(self, now: Instant, task: Task, serial: int) -> None:
        fate = task.fate
        if task.serial != serial or not self._asker.alive or fate is None:
            return
        resource = self._life.roles[task.role].resources[-1][1]
        if fate.ports is None and not placement.ports_exist(resource.port_definitions):
            return  # no host will ever have them: the request stays
        apart = self._asker.descriptor.platform.antiaffinity_allocation
        if apart and fate.host is None and not self._room.has_a_free_host():
            # A container on a host that holds one already is rejected; the request stays, until a host is free.
            self._crowded.append((task, serial))
            return
        self._sequence += 1
        name = placement.container_id(self._life.id, self._life.masters[-1][1], self._sequence)
        task.container = self._room.place(name, self._life.user, resource, fate, self._rolls, apart=apart)
        self._asker.step(now, task, TaskEvent.CONTAINER_ALLOCATED)
        self._asker.allocated(now, task, fate)
