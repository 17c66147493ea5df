"""The backends that are built from settings without the simulator: a real launcher, and a recorded one.

What only one of them needs is imported when that one is built, to keep the start quick.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from contracts.clock import SystemClock, VirtualClock
from restserver.app import Backend
from restserver.identity import Headers, recorded_headers
from restserver.settings import BadSetting, Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Built:
    backend: Backend
    headers: Headers | None = None
    """What every answer carries besides; production answers carry nothing."""
    clock: VirtualClock | None = None
    """The clock that people may hold; real time is nobody's."""
    jobs: object = None
    """The control plane's own list of jobs, where the backend has one; its type is the simulator's."""
    close: Callable[[], None] = lambda: None


def launcher_backend(settings: Settings) -> Built:
    """A real launcher, and never anything else: without an address there is no backend."""
    from restserver.launchers.http import http_backend
    from restserver.launchers.target import BadTarget

    if settings.launcher_url is None:
        raise BadSetting("launcher-url", "--backend launcher needs the address of a launcher, and none is given")
    clock = SystemClock()
    try:
        launcher, resource_manager = http_backend(
            launcher_url=settings.launcher_url,
            rm_url=settings.rm_url,
            dialect=settings.dialect,
            timeout=round(settings.launcher_timeout * 1000),
            headers=settings.launcher_headers,
            ca_file=None if settings.launcher_ca is None else str(settings.launcher_ca),
            clock=clock,
        )
    except BadTarget as error:
        raise BadSetting("launcher-url, rm-url, launcher-header or launcher-ca", str(error)) from error

    def close() -> None:
        launcher.close()
        resource_manager.close()

    return Built(Backend(launcher, resource_manager, clock), close=close)


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
    return Built(Backend(launcher, RecordedResourceManager(recordings, clock), clock), headers, clock)
