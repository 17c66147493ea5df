"""A server that is running, whose settings may be read anew (SIGHUP) without anybody being left unanswered.

What a launcher is asked through (connections, credentials, trust, cache, breaker, history) is made anew at every reload, for the
files it was read from may have changed while their names have not; its figures begin anew, as after a restart. A simulated or a
recorded world goes on: it is what people hold in their hands. What cannot change while the process lives refuses the whole
reload, so that a server is never half of one configuration and half of another.
"""

import logging
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from restserver.assembling.application import Assembled, assembled, secrets_of
from restserver.assembling.backends import BACKENDS
from restserver.seeing.logs import set_up_logging
from restserver.settings import BadSetting, Settings, setting_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from contracts.launcher.port import Launcher
    from restserver.assembling.backends import Built

logger = logging.getLogger(__name__)

OF_THE_PROCESS: Final = ("backend", "host", "port", "server", "workers", "management_port", "stop_delay")
OF_THE_WORLD: Final = ("recordings", "seed", "jobs", "at", "rate", "frozen", "profile", "scenarios", "watch", "state")
"""Settings of a pretended launcher: another world, and not another server of the same one."""


def changed_settings(before: Settings, wanted: Settings) -> list[str]:
    """Names of the settings in which they differ. Raises :class:`BadSetting` for one that takes a restart."""
    fixed = OF_THE_PROCESS if before.backend == "launcher" else (*OF_THE_PROCESS, *OF_THE_WORLD)
    differ = [
        (entry.name, setting.name)
        for entry, setting in setting_fields()
        if getattr(before, entry.name) != getattr(wanted, entry.name)
    ]
    for field, name in differ:
        if field in fixed:
            raise BadSetting(name, "cannot change without a restart")
    return [name for _, name in differ]


class Running:
    """What answers now: an application over a backend, exchanged as a whole."""

    def __init__(self, settings: Settings, port: int) -> None:
        """``settings`` as they were read; ``port``: where it listens, whatever they say."""
        self._read = settings
        self._port = port
        self._now = self._assembled(settings)
        self._stopping = False

    def _assembled(self, settings: Settings, kept: "Built | None" = None) -> Assembled:
        settings = replace(settings, port=self._port)
        built = kept or BACKENDS[settings.backend](settings)
        with ExitStack() as undo:
            if built is not kept:
                undo.callback(built.close)
            made = assembled(built, settings)
            undo.pop_all()
        return made

    @property
    def launcher(self) -> "Launcher":
        return self._now.built.backend.launcher

    @property
    def at_once(self) -> bool:
        """Whether its backend never waits where it must not; no reload changes that."""
        return self._now.built.at_once

    @property
    def largest_body(self) -> int | None:
        return self._now.built.largest_body

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        return self._now.served(environ, start_response)

    @property
    def stopping(self) -> bool:
        return self._stopping

    @stopping.setter
    def stopping(self, stopping: bool) -> None:
        self._stopping = self._now.application.stopping = stopping

    def looking_after(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """The paths that look after whatever answers now."""
        now = self._now.looking_after
        assert now is not None  # noqa: S101 - whether they have a port of their own does not change
        return now(environ, start_response)

    def reload(self, wanted: Settings, answered: "Callable[[], None]") -> None:
        """``answered`` returns once what was asked so far is answered. Raises :class:`BadSetting`, and then nothing has changed."""
        changed = changed_settings(self._read, wanted)
        former = self._now
        pretended = wanted.backend != "launcher"
        self._now = self._assembled(wanted, former.built if pretended else None)
        self._read = wanted
        self.stopping = self._stopping
        set_up_logging(wanted.log_format, wanted.log_level, secrets_of(wanted))
        if not pretended:
            answered()
            former.built.close()
        logger.info("reloaded; %s", changed_text(changed))

    def close(self) -> None:
        self._now.built.close()


def changed_text(names: "Sequence[str]") -> str:
    return f"changed: {', '.join(names)}" if names else "no setting has another value"
