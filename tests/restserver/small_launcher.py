"""A tiny launcher in memory, for tests of the server: a real implementation of the port over a dictionary of records."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from contracts.clock import Instant, VirtualClock
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.port import (
    Answer,
    Ask,
    LauncherError,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from contracts.launcher.records import (
    Application,
    ExecutionType,
    Figures,
    Framework,
    FrameworkStatus,
    RetryState,
    Summary,
    TaskRole,
    TaskStatus,
)
from restserver.app import Application as App
from restserver.app import Backend, create_app
from restserver.settings import Settings

CREATED: Instant = 1_700_000_000_000
NO_RETRIES = RetryState()
APPLICATION_ID = "application_1700000000000_0001"


def framework(
    name: str = "alice~mnist",
    *,
    version: int = 3,
    state: FrameworkState = FrameworkState.APPLICATION_RUNNING,
    retries: RetryState = NO_RETRIES,
    exit_code: int | None = None,
    application_id: str | None = APPLICATION_ID,
    progress: float | None = 0.5,
    tags: tuple[str, ...] = (),
    description: str | None = None,
) -> Framework:
    """One that a launcher could tell: a role of one running task."""
    summary = Summary(
        name=name,
        version=version,
        execution_type=ExecutionType.START,
        description=description,
        user_name="alice",
        queue="default",
        total_task_number=1,
        total_task_role_number=1,
        total_gpu_number=2,
        total_cpu_number=4,
        total_memory_mb=8192,
        first_request_timestamp=CREATED,
        last_request_timestamp=CREATED,
        state=state,
        retries=retries,
        completed_timestamp=None,
        application_exit_code=exit_code,
        application_id=application_id,
        application_progress=progress,
        tags=tags,
    )
    status = FrameworkStatus(
        name=name,
        version=version,
        state=state,
        retries=retries,
        created_timestamp=CREATED,
        application_id=application_id,
        application_progress=progress,
        application_exit_code=exit_code,
    )
    task = TaskStatus(0, "worker", TaskState.CONTAINER_RUNNING, RetryState(), CREATED)
    return Framework(summary, status, {"worker": TaskRole("worker", version, (task,))})


@dataclass
class SmallLauncher:
    """Knows what is put into it. With ``error`` set, every call raises that; ``asked`` remembers the calls."""

    frameworks: dict[str, Framework] = field(default_factory=dict)
    error: Exception | None = None
    asked: list[str] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    edition: int = 0

    def put(self, *frameworks: Framework) -> None:
        self.frameworks |= {one.summary.name: one for one in frameworks}
        self.edition += 1

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        self._called("framework", ask)
        if name not in self.frameworks:
            raise NoSuchFramework(name)
        return Answer(self.frameworks[name], self.edition)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        self._called("attempt", ask)
        known = self.frameworks.get(name)
        current = None if known is None else known.status.version
        if known is None or version not in (None, current) or attempt > known.status.retries.total:
            raise NoSuchAttempt(name, current if version is None else version, attempt)
        return Answer(known, self.edition)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        self._called("attempts", ask)
        known = self.frameworks.get(name)
        current = None if known is None else known.status.version
        if known is None or version not in (None, current):
            raise NoSuchVersion(name, current if version is None else version)
        return Answer(tuple(range(known.status.retries.total + 1)), self.edition)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        self._called("versions", ask)
        if name not in self.frameworks:
            raise NoSuchFramework(name)
        return Answer((self.frameworks[name].status.version,), self.edition)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        self._called("summaries", ask)
        return (one.summary for one in self.frameworks.values())

    def ready(self, ask: Ask) -> None:
        self._called("ready", ask)

    def _called(self, operation: str, ask: Ask) -> None:
        self.asked.append(operation)
        self.asks.append(ask)
        if self.error is not None:
            raise self.error


@dataclass
class SmallResourceManager:
    figures: Figures | None = None
    edition: int = 0
    asked: list[str] = field(default_factory=list)

    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        self.asked.append(application_id)
        return Answer(self.figures, self.edition)

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        return iter(())


@dataclass
class Small:
    """A server over the small launcher."""

    launcher: SmallLauncher
    resource_manager: SmallResourceManager
    app: App
    backend: Backend


def small(settings: Settings | None = None, error: LauncherError | Exception | None = None) -> Small:
    """With one framework, ``alice~mnist``: version 3, attempt 0, running."""
    launcher = SmallLauncher(error=error)
    launcher.put(framework())
    resource_manager = SmallResourceManager()
    backend = Backend(launcher, resource_manager, VirtualClock(CREATED, frozen=True))
    return Small(launcher, resource_manager, create_app(backend, settings or Settings()), backend)


def style(name: str) -> Settings:
    return replace(Settings(), style=name)
