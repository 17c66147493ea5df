"""The backends, built from settings: a real launcher, a recorded one, and the simulated one from the room next door.

What only one of them needs is imported when that one is built, to keep the start quick.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

from msgspec import Struct

from contracts.clock import Clock, SystemClock, VirtualClock
from contracts.launcher.port import Around, Hook, LauncherError
from restserver.answers.identity import Headers, recorded_headers
from restserver.app import Backend
from restserver.seeing.metrics import Metrics
from restserver.settings import BadSetting, Settings

if TYPE_CHECKING:
    from restserver.history.database import Database
    from restserver.launchers.http import HttpLauncher
    from restserver.launchers.http_resource_manager import HttpResourceManager, NoResourceManager
    from restserver.seeing.tracing import Tracing

logger = logging.getLogger(__name__)


class Built(Struct, frozen=True):
    backend: Backend
    headers: Headers | None = None
    """What every answer carries besides; production answers carry nothing."""
    clock: VirtualClock | None = None
    """The clock that people may hold; real time is nobody's."""
    simulation: object = None
    """What can be done to the world, where it is simulated; its type is the simulator's."""
    faults: object = None
    """What makes it misbehave on purpose, where that can be; its type is the simulator\'s."""
    tracing: "Tracing | None" = None
    """What follows a request to the launcher, where somebody traces."""
    close: Callable[[], None] = lambda: None
    at_once: bool = False
    """Its launcher says of some answers that they still hold, so that they can be given without asking it."""
    largest_body: int | None = None
    """Bytes of a request that are read, where something can be told to it; ``None``: the server's own few."""


def launcher_backend(settings: Settings) -> Built:
    """A real launcher behind its shield, and never anything else: without an address there is no backend."""
    from restserver.launchers.protection import LAUNCHER, RESOURCE_MANAGER, Protection

    clock = SystemClock()
    metrics = Metrics()
    tracing = tracing_of(settings)
    traced = None if tracing is None else tracing.hook
    protection = Protection(clock, metrics, settings.cache_ttl, settings.stale_if_error, settings.breaker, traced)
    launcher, resource_manager = over_http(
        settings, clock, protection.hook(RESOURCE_MANAGER), protection.count_rm_failure
    )

    def close() -> None:
        launcher.close()
        resource_manager.close()
        if tracing is not None:
            tracing.close()

    # What remembers goes around what shields: a history must not be asked less often because a launcher is in trouble.
    shielded = Around(launcher, protection.hook(LAUNCHER))
    informed = protection.informed(resource_manager=settings.rm_url is not None)
    if settings.dialect != "open":
        backend = Backend(shielded, resource_manager, clock, metrics, informed)
        return Built(backend, tracing=tracing, close=close, at_once=True)

    from restserver.history.assembled import new_history  # only this dialect forgets

    interval = None if settings.archiver is False else round(settings.poll_interval * 1000)
    followed = Around(launcher, protection.counting(LAUNCHER))
    polling = nullcontext if tracing is None else tracing.poll
    history = new_history(history_database(settings), followed, shielded, resource_manager, clock, interval, polling)
    metrics.sources.append(history.figures)
    if history.archiver is not None:
        history.archiver.start()

    def close_all() -> None:
        history.close()
        close()

    informed = {**informed, **history.informed}
    backend = Backend(history.launcher, resource_manager, clock, metrics, informed, history.required)
    return Built(backend, tracing=tracing, close=close_all, at_once=True)


def over_http(
    settings: Settings,
    clock: Clock,
    around_rm: Hook,
    count_rm_failure: Callable[[LauncherError], None] | None = None,
) -> "tuple[HttpLauncher, HttpResourceManager | NoResourceManager]":
    """A real launcher and its resource manager, as the settings say to ask them; nothing protects the first."""
    from restserver.launchers.http import http_backend
    from restserver.launchers.http_resource_manager import ignored
    from restserver.launchers.target import BadTarget

    if settings.launcher_url is None:
        raise BadSetting("launcher-url", "a real launcher has to be asked somewhere, and no address is given")
    try:
        return http_backend(
            launcher_url=settings.launcher_url,
            rm_url=settings.rm_url,
            dialect=settings.dialect,
            timeout=round(settings.launcher_timeout * 1000),
            headers=settings.launcher_headers,
            ca_file=None if settings.launcher_ca is None else str(settings.launcher_ca),
            clock=clock,
            count_rm_failure=count_rm_failure or ignored,
            around_rm=around_rm,
        )
    except BadTarget as error:
        raise BadSetting("launcher-url, rm-url, launcher-header or launcher-ca", str(error)) from error


def tracing_of(settings: Settings) -> "Tracing | None":
    """Where traces are to be sent, if anywhere. It is an extra."""
    if settings.otlp_endpoint is None:
        return None
    try:
        from restserver.seeing.tracing import sending_to
    except ModuleNotFoundError as error:
        raise BadSetting("otlp-endpoint", str(error)) from error
    return sending_to(settings.otlp_endpoint)


def history_database(settings: Settings) -> "Database":
    """Where the history is kept. Nothing is asked yet."""
    from restserver.history.assembled import history_url
    from restserver.history.database import PATIENCE, BadHistoryUrl, Database

    try:
        return Database(history_url(settings.history_url, settings.data_dir), patience=PATIENCE)
    except BadHistoryUrl as error:
        raise BadSetting("history", f"its value {error}") from error


def recorded_backend(settings: Settings) -> Built:
    """At ``--at``, moving on; without it at the last recorded instant, frozen."""
    from contracts.launcher.recordings import RecordingsError
    from contracts.launcher.timelines import read_recordings
    from restserver.launchers.recorded import SHIPPED, RecordedLauncher, RecordedResourceManager

    folder = settings.recordings or SHIPPED
    try:
        recordings = read_recordings(folder)
    except RecordingsError as error:
        raise BadSetting("recordings", str(error)) from error
    for line in recordings.cut_off:
        logger.warning("%s", line)
    if settings.at is None:
        clock = VirtualClock(recordings.last, rate=settings.rate, frozen=True)
    else:
        clock = VirtualClock(settings.at, rate=settings.rate, frozen=settings.frozen)
    launcher = RecordedLauncher(recordings, clock)
    headers = recorded_headers(launcher.recording_of, folder.resolve().name, clock)
    return Built(Backend(launcher, RecordedResourceManager(recordings, clock), clock), headers, clock, at_once=True)


def _simulated_backend(settings: Settings) -> Built:
    from restserver.assembling.simulated_backend import simulated_backend  # production loads nothing of the simulator

    return simulated_backend(settings)


BACKENDS: Mapping[str, Callable[[Settings], Built]] = {
    "simulated": _simulated_backend,
    "launcher": launcher_backend,
    "recorded": recorded_backend,
}
