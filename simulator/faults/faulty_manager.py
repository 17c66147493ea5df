"""Faults put around a resource manager. It is another program than the launcher: only a fault that names an operation of it
is about it, and what fails there never fails an answer of the API, which goes on without figures.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, cast

from contracts.clock import Instant
from contracts.launcher.port import Answer, Ask, Call, LauncherError, ResourceManager
from contracts.launcher.records import Application, Figures
from simulator.faults.faults import FaultSet
from simulator.faults.faulty import Proceed, struck_by

Failed = Callable[[str, Ask, LauncherError], None]
"""Hears what an application's figures failed by."""

_NO_FIGURES: Answer[Figures | None] = Answer(None, None)


class WholeApplications(Protocol):
    """What the resource manager's own HTTP face asks."""

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]: ...

    def known(self, application_id: str) -> Application | None: ...


class FaultyResourceManager:
    """A resource manager of the port: in process, so a fault of the wire raises what it would have caused over HTTP."""

    def __init__(self, manager: ResourceManager, faults: FaultSet, failed: Failed) -> None:
        self._manager = manager
        self._hook = struck_by(faults)
        self._failed = failed

    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        def proceed(asked: Ask) -> Answer[Figures | None]:
            return self._manager.application(application_id, asked)

        try:
            answer = self._hook(Call("application", application_id), ask, proceed)
        except LauncherError as error:
            self._failed(application_id, ask, error)
            return _NO_FIGURES
        return cast("Answer[Figures | None]", answer)

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        return _list(self._hook, self._manager.applications, since, ask)


class FaultyApplications:
    """The same where it is served: raises, and leaves to the wire what is made there."""

    def __init__(self, manager: WholeApplications, faults: FaultSet) -> None:
        self._manager = manager
        self._hook = struck_by(faults, over_http=True)

    def known(self, application_id: str) -> Application | None:
        """Raises what a launcher would."""
        call = Call("application", application_id)
        answer = self._hook(call, Ask(), lambda _: Answer(self._manager.known(application_id), None))
        return cast("Answer[Application | None]", answer).value

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        return _list(self._hook, self._manager.applications, since, ask)


def _list(
    hook: Callable[[Call, Ask, Proceed], Any],
    applications: Callable[[Instant, Ask], Iterator[Application]],
    since: Instant,
    ask: Ask,
) -> Iterator[Application]:
    listed = hook(Call("applications"), ask, lambda asked: applications(since, asked))
    return cast("Iterator[Application]", listed)
