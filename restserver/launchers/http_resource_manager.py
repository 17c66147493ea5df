"""The real resource manager over HTTP. Its failures never fail a request: they are logged, counted, and answered as "no figures"."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from contracts.clock import Instant
from contracts.launcher import open_dialect, resource_manager, wire
from contracts.launcher.port import Answer, Ask, Call, Hook, LauncherError, LauncherUnreadable, straight
from contracts.launcher.records import Application, Figures
from restserver.launchers.missed_figures import logged
from restserver.launchers.replies import document, edition
from restserver.launchers.transport import Reply, Transport

_APPLICATION_ID = re.compile(r"application_[0-9]{1,19}_[0-9]{1,10}")
_NO_FIGURES: Answer[Figures | None] = Answer(None, None)


def ignored(_: LauncherError) -> None:
    """For those who do not count."""


class HttpResourceManager:
    """A resource manager of the port. Thread-safe. ``count`` hears of every failure that ``application`` hides.

    ``hook`` stands around its calls as around a launcher's, and sees what is raised before it is hidden.
    """

    def __init__(
        self, transport: Transport, count: Callable[[LauncherError], None] = ignored, hook: Hook = straight
    ) -> None:
        self._transport = transport
        self._count = count
        self._hook = hook

    def application(self, application_id: str | None, ask: Ask) -> Answer[Figures | None]:
        """No id, or one of another form than YARN's, belongs to no application, so it is not asked for."""
        if application_id is None or not _APPLICATION_ID.fullmatch(application_id):
            return _NO_FIGURES
        try:
            call = Call("application", application_id)
            answer = self._hook(call, ask, lambda a: self._figures(application_id, a))
        except LauncherError:
            return _NO_FIGURES
        return cast("Answer[Figures | None]", answer)

    def _figures(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        """Logs and counts here, not where it is hidden: once per failure, however many share it."""
        try:
            with _its_own_name():
                body = _body(self._transport.get(resource_manager.application_path(application_id), ask))
                return Answer(resource_manager.decode_figures(wire.parse(body)), edition(body))
        except LauncherError as error:
            logged(application_id, ask, error)
            self._count(error)
            raise

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        """Asks at once, like the launcher's list."""
        listed = self._hook(Call("applications"), ask, lambda a: self._listed(since, a))
        return cast("Iterator[Application]", listed)

    def _listed(self, since: Instant, ask: Ask) -> Iterator[Application]:
        with _its_own_name():
            body = _body(self._transport.get(resource_manager.applications_path(since), ask))
            return iter(tuple(resource_manager.decode_applications(wire.parse(body))))

    def close(self) -> None:
        """Closes idle connections."""
        self._transport.close()


class NoResourceManager:
    """Where none is configured: nothing is known of any application, and that is no failure."""

    def application(self, application_id: str | None, ask: Ask) -> Answer[Figures | None]:
        return _NO_FIGURES

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        return iter(())

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def _its_own_name() -> Iterator[None]:
    """What cannot be read is told as the resource manager's: whoever reads it looks there, and not at the launcher."""
    try:
        yield
    except LauncherUnreadable as error:
        raise LauncherUnreadable(error.path, error.found, "resource manager") from error


def _body(reply: Reply) -> bytes:
    """YARN's error object is the launcher's, wrapped (as recorded)."""
    plain = f"The resource manager answered with status {reply.status}."
    return document(reply, lambda body: open_dialect.decode_error(body) or plain)
