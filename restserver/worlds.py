"""A launcher whose clock can be moved, asked about through our server: what mistakes and drift are looked for in.

The server runs in process, and the launcher's records may be changed on their way in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from contracts.clock import Instant, VirtualClock
from contracts.launcher.port import Answer, Ask, Launcher, LauncherError, NoSuchFramework, ResourceManager
from contracts.launcher.records import Framework, Summary, TaskStatus

if TYPE_CHECKING:
    from contracts.harness.strength import Seen, Served

ChangeOfRecord = Callable[[Framework], Framework]
NOBODY = "nobody~has-this-name"


@dataclass(frozen=True, eq=False)
class World:
    """Something to ask about, whose clock can be moved."""

    launcher: Launcher
    resource_manager: ResourceManager
    clock: VirtualClock
    instants: Mapping[str, Sequence[Instant]]
    """The frameworks worth asking about, and when."""


@dataclass(frozen=True)
class Mistaken:
    """A launcher whose records are read with a mistake."""

    inner: Launcher
    change: ChangeOfRecord

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        answer = self.inner.framework(name, ask)
        return replace(answer, value=self.change(answer.value))

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        answer = self.inner.attempt(name, attempt, version, ask)
        return replace(answer, value=self.change(answer.value))

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        return self.inner.attempts(name, version, ask)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        return self.inner.versions(name, ask)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return self.inner.summaries(ask)

    def ready(self, ask: Ask) -> None:
        self.inner.ready(ask)


def hard(told: Framework) -> Framework:
    """The same with values that the simulated launcher does not think of: GPUs beyond 2^53, conflicts of a single task."""
    roles = {
        name: replace(role, tasks=tuple(_hard_task(task) for task in role.tasks))
        for name, role in told.task_roles.items()
    }
    return replace(told, task_roles=roles)


def _hard_task(task: TaskStatus) -> TaskStatus:
    retries = task.retries and replace(
        task.retries, total=task.retries.total + 2, transient_conflict=task.retries.transient_conflict + 2
    )
    return replace(task, retries=retries, container_gpus=task.container_gpus and task.container_gpus + 2**60)


def worth_asking(
    launcher: Launcher, clock: VirtualClock, begins: Mapping[str, Instant], most: int, quick: bool
) -> dict[str, Sequence[Instant]]:
    """About so many instants of each framework, and each at which something shows that had not shown before.

    ``quick``: only frameworks that show something new, so that a small world shows all that the large one does.
    """
    found: dict[str, Sequence[Instant]] = {}
    shown: set[object] = set()
    for name, begin in begins.items():
        life = list(_life(launcher, clock, name, begin))
        news: set[Instant] = set()
        for instant, told in life:
            features = _features(told)
            if features - shown:
                shown |= features
                news.add(instant)
        if news or not quick:
            instants = [instant for instant, _ in life]
            found[name] = sorted({*news, *instants[:: 1 + len(instants) // most], *instants[-2:]})
    return found


def told_through_time(world: World) -> Iterator[Framework]:
    """What the launcher tells at the instants worth asking."""
    for name, instants in world.instants.items():
        for instant in instants:
            world.clock.set(instant)
            try:
                yield world.launcher.framework(name, Ask()).value
            except NoSuchFramework:
                continue


def untouched(told: Framework) -> Framework:
    return told


def _life(launcher: Launcher, clock: VirtualClock, name: str, begins: Instant) -> Iterator[tuple[Instant, Framework]]:
    """The framework at every instant at which the launcher says that something of it changes."""
    instant: Instant | None = begins
    while instant is not None:
        clock.set(instant)
        try:
            answer = launcher.framework(name, Ask())
        except NoSuchFramework:
            return
        yield instant, answer.value
        instant = answer.until


def _features(told: Framework) -> set[object]:
    """What about a framework a mistake could be about."""
    status = told.status
    retries = status.retries
    return {
        status.state,
        told.summary.execution_type,
        status.application_exit_type,
        ("exit", status.state, status.application_exit_code in (0, None), told.summary.execution_type),
        ("user", retries.non_transient > 0),
        ("platform", retries.transient_normal > 0),
        ("progress", status.application_progress is not None),
        ("roles", len(told.task_roles) > 1),
        *(("task", t.state, t.container_exit_type) for role in told.task_roles.values() for t in role.tasks),
    }


def served(world: World, style: str) -> "Served":
    return lambda change: list(_seen(world, style, change))


def _seen(world: World, style: str, change: ChangeOfRecord) -> "Iterator[Seen]":
    from falcon.testing import TestClient

    from contracts.harness.observations import GET_ATTEMPT, GET_ATTEMPTS, GET_JOB, GET_VERSIONS, Observation
    from contracts.harness.strength import Seen
    from restserver.app import Backend, create_app
    from restserver.settings import Settings

    mistaken = Backend(Mistaken(world.launcher, change), world.resource_manager, world.clock)
    client = TestClient(create_app(mistaken, Settings(style=style, public_url="http://jobs.example")))

    def asked(operation: str, name: str, instant: Instant, path: str, attempt: int | None = None) -> Seen:
        answer = client.simulate_get(f"/api/v2/{path}")
        seen = Observation(instant, operation, name, None, attempt, answer.status_code, answer.json)
        return Seen(seen, _told(world.launcher, operation, name, attempt))

    for name, instants in world.instants.items():
        for instant in instants:
            world.clock.set(instant)
            yield asked(GET_JOB, name, instant, f"jobs/{name}")
            yield asked(GET_VERSIONS, name, instant, f"frameworks/{name}/versions")
            attempts = asked(GET_ATTEMPTS, name, instant, f"frameworks/{name}/attempts")
            yield attempts
            ids = next(iter(attempts.answer.body.values())) if attempts.answer.status == 200 else [0]
            for attempt in ids[-2:]:
                yield asked(GET_ATTEMPT, name, instant, f"frameworks/{name}/attempts/{attempt}", attempt)
    instant = world.clock.now()
    yield asked(GET_ATTEMPT, NOBODY, instant, f"frameworks/{NOBODY}/attempts/x")
    yield asked(GET_ATTEMPTS, NOBODY, instant, f"frameworks/{NOBODY}/attempts?version=x")


def _told(launcher: Launcher, operation: str, name: str, attempt: int | None) -> Framework | None:
    """What the launcher says without the mistake; nothing, where it has nothing."""
    try:
        if operation == "getJob":
            return launcher.framework(name, Ask()).value
        if attempt is not None:
            return launcher.attempt(name, attempt, None, Ask()).value
    except LauncherError:
        return None
    return None
