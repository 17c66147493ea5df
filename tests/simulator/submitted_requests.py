"""SubmittedRequests: a launcher and its operations in memory, that keeps what was asked for and never carries it out.

Enough for everything that is decided before a framework lives: each stays as the web server infers it right after its PUT.
"""

from collections.abc import Iterable, Iterator

from contracts.clock import Clock
from contracts.launcher.port import Answer, Ask, NoSuchAttempt, NoSuchFramework, NoSuchVersion
from contracts.launcher.records import (
    Application,
    Framework,
    FrameworkDescriptor,
    FrameworkRequest,
    LaunchClientType,
    Summary,
)
from simulator.machine import view
from simulator.machine.operations import Asked, NothingChanges, after
from simulator.machine.story import Delete, Migrate, SetProgress, SetTaskNumber, Start, Stop, Submit

INTERVAL = 1000


class SubmittedRequests:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.requests: dict[str, FrameworkRequest] = {}

    # --- the launcher -----------------------------------------------------------------------------------------------

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        if name not in self.requests:
            raise NoSuchFramework(name)
        request = self.requests[name]
        record = view.framework(request, view.inferred_status(request), None, self._clock.now(), INTERVAL)
        return Answer(record, request.last_request_timestamp)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        raise NoSuchAttempt(name, version, attempt)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        raise NoSuchVersion(name, version)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        raise NoSuchFramework(name)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return iter([self.framework(name, ask).value.summary for name in self.requests])

    def ready(self, ask: Ask) -> None:
        """Always."""

    # --- the operations ---------------------------------------------------------------------------------------------

    def submit(
        self,
        name: str,
        descriptor: FrameworkDescriptor,
        client_type: LaunchClientType,
        client_host: str,
        client_user: str,
    ) -> None:
        self._change(name, Submit(self._clock.now(), descriptor, client_type, client_host, client_user))

    def stop(self, name: str) -> None:
        self._change(name, Stop(self._clock.now()))

    def start(self, name: str) -> None:
        self._change(name, Start(self._clock.now()))

    def delete(self, name: str) -> None:
        self._change(name, Delete(self._clock.now()))

    def set_task_number(self, name: str, role: str, number: int) -> None:
        self._change(name, SetTaskNumber(self._clock.now(), role, number))

    def set_progress(self, name: str, progress: float) -> None:
        self._change(name, SetProgress(self._clock.now(), progress))

    def migrate(self, name: str, container_id: str) -> None:
        self._change(name, Migrate(self._clock.now(), container_id))

    def names(self) -> Iterable[str]:
        return tuple(self.requests)

    def _change(self, name: str, operation: Asked) -> None:
        try:
            stands = after(name, self.requests.get(name), operation)
        except NothingChanges:
            raise NoSuchFramework(name) from None
        if stands is None:
            del self.requests[name]
        else:
            self.requests[name] = stands


class NoApplications:
    """A resource manager that knows none."""

    def applications(self, since: int, ask: Ask) -> Iterator[Application]:
        return iter(())

    def known(self, application_id: str) -> Application | None:
        return None
