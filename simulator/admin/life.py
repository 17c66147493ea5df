"""One job's life as a page draws it: states, attempts and tasks over time, and what is to come as things stand.

The future is told too, for a story is planned: it is what comes if nobody does anything. Bounded: of a long life the part
around now, of many tasks the first.
"""

import threading
from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import Any

import falcon
from cachetools import LRUCache
from msgspec import Struct

from contracts.clock import LATEST, Instant, Milliseconds
from contracts.launcher.port import NoSuchFramework
from contracts.launcher.records import Framework
from contracts.states import job_state, sub_state, task_state
from simulator.admin import bodies as bodies
from simulator.journal_entries import word_of
from simulator.machine.story import EndContainers, MakeRoom, Story
from simulator.machine.timeline import Timeline
from simulator.simulation import Simulation

CHANGES_BEFORE, CHANGES_AFTER = 400, 200
FARTHEST: Milliseconds = 2 * 24 * 3600 * 1000
"""From now, into what is to come."""
MOST_TASKS = 64
KEPT_LIVES = 32

Body = dict[str, Any]


class Life:
    """``GET /jobs/{name}/life``"""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._kept: LRUCache[Hashable, Body] = LRUCache(KEPT_LIVES)
        self._lock = threading.Lock()

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        bodies.query(req)
        bodies.answer(resp, self._life(bodies.framework_name(name)))

    def _life(self, name: str) -> Body:
        simulation, now = self._simulation, self._simulation.clock.now()
        told = simulation.world.named(name, now)
        if told is None:
            raise NoSuchFramework(name)
        timeline = simulation.launcher.unfolded.timeline(told)
        if timeline.at(now) is None:
            raise NoSuchFramework(name)
        key = (told.key, timeline.edition(now))
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            forgotten = None if told.ends == LATEST else told.ends
            kept = {"name": name, "forgotten": forgotten, **life_of(timeline, now, told.ends)}
            with self._lock:
                self._kept[key] = kept
        return kept


class Look(Struct, frozen=True):
    """What is shown from one change on."""

    at: Instant
    record: Framework | None
    """``None``: deleted."""


def life_of(timeline: Timeline, now: Instant, ends: Instant) -> Body:
    """Instants are milliseconds since the epoch; ``to`` is ``None`` for what stays so."""
    instants = [at for at in timeline.changes(now, CHANGES_BEFORE, CHANGES_AFTER) if at < ends]
    near = [at for at in instants if at <= now + FARTHEST]
    looks = [Look(at, timeline.at(at)) for at in near]
    end = next(iter(instants[len(near) :]), None if ends == LATEST else ends)
    return {
        "whole": timeline.edition(now) <= CHANGES_BEFORE,
        "states": list(spans(((look.at, _state(look.record)) for look in looks), end)),
        "attempts": list(_attempts(timeline, looks, end)),
        "tasks": list(islice(_tasks(looks, end), MOST_TASKS)),
        "taskCount": max((_task_count(look.record) for look in looks), default=0),
        "operations": list(_operations(timeline.story)),
        "nextChange": timeline.next_change(now),
    }


def spans(facts: Iterable[tuple[Instant, Body | None]], end: Instant | None) -> Iterator[Body]:
    """Equal neighbours are one; ``None`` is a gap."""
    begun: tuple[Instant, Body] | None = None
    for at, fact in facts:
        if begun is not None and fact != begun[1]:
            yield {"from": begun[0], "to": at, **begun[1]}
            begun = None
        if begun is None and fact is not None:
            begun = at, fact
    if begun is not None:
        yield {"from": begun[0], "to": end, **begun[1]}


def _state(record: Framework | None) -> Body | None:
    if record is None:
        return None
    summary = record.summary
    return {
        "state": job_state(summary.state, summary.application_exit_code),
        "subState": sub_state(summary.state),
        "version": record.status.version,
        "attemptId": record.status.retries.total,
    }


def _attempts(timeline: Timeline, looks: list[Look], end: Instant | None) -> Iterator[Body]:
    """One span for each attempt that was shown, with how it ended, which is known once the next one is shown."""
    for span in spans(((look.at, _attempt(look.record)) for look in looks), end):
        over = span["to"] if span["to"] is not None and span["to"] <= looks[-1].at else looks[-1].at
        record = timeline.attempt(over, span["version"], span["attemptId"])
        status = None if record is None else record.status
        exit_type = None if status is None else status.application_exit_type
        yield {
            **span,
            "exitCode": None if status is None else status.application_exit_code,
            "exitType": None if exit_type is None else exit_type.value,
            "exitDescription": None if status is None else status.application_exit_description,
        }


def _attempt(record: Framework | None) -> Body | None:
    if record is None:
        return None
    return {"version": record.status.version, "attemptId": record.status.retries.total}


def _task_count(record: Framework | None) -> int:
    return 0 if record is None else sum(len(role.tasks) for role in record.task_roles.values())


def _tasks(looks: list[Look], end: Instant | None) -> Iterator[Body]:
    """One row for each task that was ever shown."""
    rows: dict[tuple[str, int], None] = {}
    for look in looks:
        for role in look.record.task_roles.values() if look.record is not None else ():
            rows.update(dict.fromkeys((role.name, task.index) for task in role.tasks))
    for role_name, index in rows:
        facts = ((look.at, _task(look.record, role_name, index)) for look in looks)
        yield {"role": role_name, "index": index, "spans": list(spans(facts, end))}


def _task(record: Framework | None, role_name: str, index: int) -> Body | None:
    role = None if record is None else record.task_roles.get(role_name)
    if record is None or role is None or index >= len(role.tasks):
        return None
    task = role.tasks[index]
    return {
        "state": task_state(task.state, task.container_exit_code),
        "subState": task.state.value,
        "attemptId": record.status.retries.total,
        "host": task.container_host,
        "exitCode": task.container_exit_code,
    }


def _operations(story: Story) -> Iterator[Body]:
    """What people do to it, the simulated ones included; what befalls it (a kill of a container, say) is no operation."""
    for operation in story.operations:
        if not isinstance(operation, MakeRoom | EndContainers):
            yield {"at": operation.at, "do": word_of(operation)}
