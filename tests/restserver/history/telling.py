"""Frameworks and applications made by hand, and a launcher and resource manager that tell them."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from contracts.clock import Instant, VirtualClock
from contracts.launcher.exit_report import ExitReport, wrap_exit_report
from contracts.launcher.lifecycle import FrameworkState, TaskState
from contracts.launcher.port import Answer, Ask, LauncherError, NoSuchFramework
from contracts.launcher.records import (
    Application,
    ExecutionType,
    ExitType,
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
from restserver.history.database import Database
from restserver.history.follower import Follower, Pace
from restserver.history.recovery import Recovery
from restserver.history.store import Store

CREATED: Instant = 1_700_000_000_000
NAME = "alice~mnist"
ONE_BATCH = Pace(calls_per_second=1_000_000, at_once=1)
RUNNING = FrameworkState.APPLICATION_RUNNING
COMPLETED = FrameworkState.FRAMEWORK_COMPLETED


def app(number: int | None) -> str | None:
    return None if number is None else f"application_1700000000000_{number:04}"


def told(
    *,
    name: str = NAME,
    version: int = 1,
    attempt: int = 0,
    application: int | None = 1,
    state: FrameworkState = RUNNING,
    created: Instant = CREATED,
    requested: Instant = CREATED,
    exit_code: int | None = None,
    retries: RetryState | None = None,
) -> Framework:
    """A framework as a launcher of the open dialect tells it; its retries were of no known type."""
    counters = retries or RetryState(total=attempt, retried=attempt, unknown=attempt)
    descriptor = FrameworkDescriptor(version=version, task_roles={}, user_name="alice")
    client = LaunchClientType.UNKNOWN, "10.0.0.1", "UNKNOWN"
    completed = None if state is not COMPLETED else requested + 9_000
    summary = Summary(
        name=name,
        version=version,
        execution_type=ExecutionType.START,
        description=None,
        user_name="alice",
        queue="default",
        total_task_number=1,
        total_task_role_number=1,
        total_gpu_number=0,
        total_cpu_number=0,
        total_memory_mb=0,
        first_request_timestamp=created,
        last_request_timestamp=requested,
        state=state,
        retries=counters,
        completed_timestamp=completed,
        application_exit_code=exit_code,
        application_id=app(application),
        application_progress=None if application is None else 0.5,
    )
    status = FrameworkStatus(
        name=name,
        version=version,
        state=state,
        retries=counters,
        created_timestamp=created,
        completed_timestamp=completed,
        application_id=app(application),
        application_progress=None if application is None else 0.5,
        application_launched_timestamp=None if application is None else started(application),
        application_completed_timestamp=completed,
        application_exit_code=exit_code,
    )
    task = TaskStatus(0, "worker", TaskState.CONTAINER_RUNNING, RetryState(), created, container_id=f"c{application}")
    return Framework(
        summary,
        status,
        {} if application is None else {"worker": TaskRole("worker", version, (task,))},
        FrameworkRequest(name, descriptor, *client, created, requested),
    )


def started(number: int) -> Instant:
    return CREATED + number * 1_000


def application(
    number: int,
    *,
    name: str = NAME,
    version: int = 1,
    state: str = "FINISHED",
    code: int | None = 7,
    exit_type: ExitType = ExitType.UNKNOWN,
) -> Application:
    """With the exit report of that code, or ``None``: without one."""
    report = (
        "Killed." if code is None else wrap_exit_report(ExitReport(code, "ended", "why", exit_type, "all", "worker", 0))
    )
    return Application(
        id=f"application_1700000000000_{number:04}",
        name=f"[{name}]_[{version}]_[UNKNOWN]_[10.0.0.1]_[UNKNOWN]",
        user="alice",
        queue="default",
        state=state,
        final_status="FAILED",
        progress=100.0,
        tracking_url="http://rm/proxy",
        diagnostics=report if state in ("FINISHED", "KILLED", "FAILED") else "",
        started_timestamp=started(number),
        finished_timestamp=started(number) + 500 if state in ("FINISHED", "KILLED", "FAILED") else None,
        figures=Figures(),
    )


@dataclass
class Told:
    """A launcher that tells what it is given to tell, and nothing of the past."""

    frameworks: dict[str, Framework] = field(default_factory=dict)
    failure: LauncherError | None = None
    failures: dict[str, LauncherError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    edition: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, *frameworks: Framework) -> None:
        self.frameworks |= {one.summary.name: one for one in frameworks}
        self.edition += 1

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        with self._lock:
            self.asked.append(name)
        if error := self.failure or self.failures.get(name):
            raise error
        if name not in self.frameworks:
            raise NoSuchFramework(name)
        return Answer(self.frameworks[name], (name, self.edition), CREATED)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        raise AssertionError("whoever remembers asks for nothing but the framework")

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        raise AssertionError("whoever remembers asks for nothing but the framework")

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        raise AssertionError("whoever remembers asks for nothing but the framework")

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        if self.failure:
            raise self.failure
        return iter([one.summary for one in self.frameworks.values()])

    def ready(self, ask: Ask) -> None:
        if self.failure:
            raise self.failure


@dataclass
class Listing:
    """A resource manager: its list of applications, as of now if it has a clock."""

    applications_known: list[Application] = field(default_factory=list)
    clock: VirtualClock | None = None
    failure: LauncherError | None = None
    asked: list[Instant] = field(default_factory=list)
    """From when on, each time."""

    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        return Answer(None, None)

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        self.asked.append(since)
        if self.failure:
            raise self.failure
        now = self.clock.now() if self.clock else None
        # In no order, says the port.
        return (
            as_of(one, now)
            for one in reversed(self.applications_known)
            if since <= one.started_timestamp <= (now or one.started_timestamp)
        )


def as_of(one: Application, now: Instant | None) -> Application:
    if now is None or one.finished_timestamp is None or one.finished_timestamp <= now:
        return one
    return replace(one, state="RUNNING", final_status="UNDEFINED", diagnostics="", finished_timestamp=None)


@dataclass
class Archive:
    """A follower and a recovery over a store of their own, moved by hand."""

    launcher: Told
    yarn: Listing
    clock: VirtualClock
    store: Store
    follower: Follower
    recovery: Recovery

    def poll(self, *frameworks: Framework) -> None:
        """After these were told, a second later."""
        self.clock.advance(1_000)
        self.launcher.tell(*frameworks)
        self.follower.poll()
        self.recovery.step(self.clock.now())

    def settle(self) -> None:
        """Until nothing is tried any more."""
        for _ in range(40):
            self.clock.advance(600_000)
            self.recovery.step(self.clock.now())

    def forget(self, name: str = NAME) -> None:
        del self.launcher.frameworks[name]
        self.poll()

    def marks(self, name: str = NAME) -> Mapping[tuple[int, int], str | None]:
        past = self.store.past(name)
        assert past is not None
        return {one.place: one.mark for one in past.kept}

    def at(self, run: int, attempt: int, name: str = NAME) -> Framework:
        past = self.store.past(name)
        assert past is not None
        (one,) = (one for one in past.kept if one.place == (run, attempt))
        framework = self.store.document(one.id)
        assert framework is not None
        return framework


def archive(folder: Path) -> Archive:
    clock = VirtualClock(CREATED + 60_000, frozen=True)
    launcher, yarn = Told(), Listing()
    store = Store(database(folder))
    follower = Follower(launcher, store, clock, lambda _: False, ONE_BATCH)
    return Archive(launcher, yarn, clock, store, follower, Recovery(store, yarn, 1_000))


def database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'history.sqlite'}")
