"""``restserver check``, with what the contract harness cannot know itself: how a launcher is asked for its names."""

from typing import TYPE_CHECKING

from contracts.clock import SystemClock
from contracts.harness.cli import NoLauncher, check_command
from contracts.launcher.port import Ask, LauncherError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.harness.control import ListedJob

TIMEOUT = 10_000
"""Milliseconds for the list of all frameworks."""


def names_of_launcher(url: str, dialect: str) -> "Iterator[ListedJob]":
    """Raises :class:`NoLauncher`."""
    from contracts.harness.control import ListedJob
    from restserver.launchers.http import http_backend
    from restserver.launchers.target import BadTarget

    clock = SystemClock()
    try:
        launcher, resource_manager = http_backend(
            launcher_url=url, rm_url=None, dialect=dialect, timeout=TIMEOUT, headers=(), ca_file=None, clock=clock
        )
    except BadTarget as error:
        raise NoLauncher(f"--launcher-url: {error}") from error
    try:
        for summary in launcher.summaries(Ask(deadline=clock.now() + TIMEOUT)):
            yield ListedJob(summary.name, shows=(summary.state, summary.application_exit_code))
    except LauncherError as error:
        raise NoLauncher(f"--launcher-url: {error}") from error
    finally:
        launcher.close()
        resource_manager.close()


check = check_command(names_of_launcher)
