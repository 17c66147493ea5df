"""KnownFrameworks: a launcher in memory that tells the records it was given; and records to give it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contracts.clock import Instant
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.port import Answer, Ask, NoSuchAttempt, NoSuchFramework, NoSuchVersion
from contracts.launcher.records import (
    Application,
    ExecutionType,
    Figures,
    Framework,
    FrameworkDescriptor,
    FrameworkRequest,
    FrameworkStatus,
    LaunchClientType,
    RetryState,
    Summary,
    TaskRole,
    TaskStatus,
)

BORN: Instant = 1_795_465_504_000
"""A whole second, as both dialects can tell it."""


def framework(name: str, *, version: int = 1, retries: int = 0, application_id: str | None = None) -> Framework:
    """A running framework with one role of two tasks, after that many retries for transient reasons."""
    counters = RetryState(total=retries, retried=0, transient_normal=retries)
    application_id = application_id or f"application_1795464678844_{version * 100 + retries:04d}"
    summary = Summary(
        name=name,
        version=version,
        execution_type=ExecutionType.START,
        description=None,
        user_name="alice",
        queue="default",
        total_task_number=2,
        total_task_role_number=1,
        total_gpu_number=0,
        total_cpu_number=2,
        total_memory_mb=2048,
        first_request_timestamp=BORN,
        last_request_timestamp=BORN,
        state=FrameworkState.APPLICATION_RUNNING,
        retries=counters,
        completed_timestamp=None,
        application_exit_code=None,
        application_id=application_id,
        application_progress=0.5,
    )
    status = FrameworkStatus(
        name=name,
        version=version,
        state=FrameworkState.APPLICATION_RUNNING,
        retries=counters,
        created_timestamp=BORN,
        application_id=application_id,
        application_progress=0.5,
        application_launched_timestamp=BORN + 1000,
    )
    tasks = tuple(
        TaskStatus(index, "worker", TaskState.CONTAINER_RUNNING, RetryState(), BORN + 1000, service_version=1)
        for index in range(2)
    )
    request = FrameworkRequest(
        name=name,
        descriptor=FrameworkDescriptor(version=version, task_roles={}, user_name="alice"),
        launch_client_type=LaunchClientType.CLI,
        launch_client_host_name="127.0.0.1",
        launch_client_user_name="UNKNOWN",
        first_request_timestamp=BORN,
        last_request_timestamp=BORN,
    )
    return Framework(summary, status, {"worker": TaskRole("worker", version, tasks)}, request)


@dataclass
class KnownFrameworks:
    """Records in the order of their lives: the last of a name is the current one, the others are its past."""

    records: list[Framework] = field(default_factory=list)

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        past = self._past(name)
        if not past:
            raise NoSuchFramework(name)
        return Answer(past[-1], past[-1].status)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        version = self._version(name, version)
        for record in self._past(name):
            if (record.status.version, record.status.retries.total) == (version, attempt):
                return Answer(record, record.status)
        raise NoSuchAttempt(name, version, attempt)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        version = self._version(name, version)
        found = {r.status.retries.total for r in self._past(name) if r.status.version == version}
        if not found:
            raise NoSuchVersion(name, version)
        return Answer(tuple(sorted(found)), frozenset(found))

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        found = {record.status.version for record in self._past(name)}
        if not found:
            raise NoSuchFramework(name)
        return Answer(tuple(sorted(found)), frozenset(found))

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return iter([record.summary for record in {record.summary.name: record for record in self.records}.values()])

    def ready(self, ask: Ask) -> None:
        """Always."""

    def _past(self, name: str) -> list[Framework]:
        return [record for record in self.records if record.summary.name == name]

    def _version(self, name: str, version: int | None) -> int | None:
        past = self._past(name)
        return past[-1].status.version if version is None and past else version


@dataclass
class KnownApplications:
    """A resource manager in memory."""

    figures: Mapping[str, Figures] = field(default_factory=dict)

    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        figures = self.figures.get(application_id)
        return Answer(figures, application_id)

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        return iter(())
