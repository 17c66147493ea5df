"""A simulated server, or a simulated launcher, inside the process of somebody's tests, held by its control plane.

Choices: in a thread and not in a process, since it then starts in a tenth of the time and ends with the tests whatever
becomes of them; and steered over HTTP like every other one, since a test then reads as the documented calls do, and what a
test does a person can do by hand. The clock stands still until it is moved: two runs of a test see the same.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlencode

from contracts.clock import Instant, iso
from contracts.harness.control import ControlPlane
from contracts.harness.transport import Client, target_of
from restserver.guarding.hosts import is_loopback
from restserver.settings import Settings, setting_fields

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from restserver.assembling.backends import Built

START: Final = "2026-03-01T12:00:00Z"
"""Where the clock stands at first, unless a test wants it elsewhere."""
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class HeldClock:
    """The clock that everything simulated lives by. Every call gives what it shows afterwards."""

    control: ControlPlane

    def now(self) -> datetime:
        return _datetime(self.control.clock().now)

    def freeze(self) -> datetime:
        return self._changed(action="freeze")

    def resume(self) -> datetime:
        return self._changed(action="resume")

    def advance(self, by: timedelta | float | str) -> datetime:
        """``by``: a ``timedelta``, seconds, or an ISO 8601 duration such as ``"PT1H"``; negative ones go back."""
        return self._changed(action="advance", by=by.total_seconds() if isinstance(by, timedelta) else by)

    def set(self, to: datetime | str) -> datetime:
        """``to``: a ``datetime`` that knows its zone, or ISO 8601."""
        if isinstance(to, datetime):
            if to.tzinfo is None:
                raise ValueError(f"{to!r} has no zone; datetime(..., tzinfo=UTC) has one")
            to = iso(round(to.timestamp() * 1000))
        return self._changed(action="set", to=to)

    def scale(self, rate: float) -> datetime:
        """So many simulated seconds for each real one, once it runs."""
        return self._changed(action="scale", rate=rate)

    def _changed(self, **change: object) -> datetime:
        return _datetime(self.control.set_clock(**change).now)


@dataclass(frozen=True)
class Simulated:
    """A running stand-in. Whatever it refuses raises :class:`contracts.harness.control.NoControl`, which says why."""

    url: str
    """``http://127.0.0.1:PORT``; a launcher's is what ``--launcher-url`` and ``--rm-url`` take."""
    control: ControlPlane

    @property
    def clock(self) -> HeldClock:
        return HeldClock(self.control)

    def url_for(self, path: str) -> str:
        """``path`` begins with a slash."""
        return f"{self.url}{path}"

    # --- jobs -------------------------------------------------------------------------------------------------------

    def jobs(self, **query: object) -> list[dict[str, Any]]:
        """What there is now, newest first; ``state=``, ``user=``, ``name=`` (its beginning), ``limit=``, ``order=``."""
        found: list[dict[str, Any]] = self.control.asked("GET", f"/jobs?{urlencode(query)}")["jobs"]
        return found

    def tell(self, story: Mapping[str, object] | str) -> str:
        """A job that lives as the story says, from now on; a text is YAML. Its name."""
        media_type = "application/yaml" if isinstance(story, str) else "application/json"
        return str(self.control.asked("POST", "/jobs", story, media_type)["name"])

    def submit(self, name: str, descriptor: Mapping[str, object]) -> str:
        """A job as somebody submits it to the launcher; it becomes of it what the profile has in store. Its name."""
        return str(self.control.asked("POST", f"/jobs?name={quote(name, safe='')}", descriptor)["name"])

    def stop(self, name: str) -> None:
        self.control.asked("POST", f"{_job(name)}/stop")

    def advance(self, name: str) -> None:
        """Moves a story on whose step waits for somebody to do so."""
        self.control.asked("POST", f"{_job(name)}/advance")

    def delete(self, name: str) -> None:
        self.control.asked("DELETE", _job(name))

    # --- what goes wrong, and what was asked ------------------------------------------------------------------------

    @contextmanager
    def fault(self, kind: str, **more: object) -> Iterator[str]:
        """Within a ``with`` block: ``fault("latency", fixedDelayMilliseconds=500)``; the keys are those of the control plane."""
        with self.control.fault({"kind": kind, **more}) as fault_id:
            yield fault_id

    def requests(self, **matcher: object) -> list[dict[str, Any]]:
        """What it was asked, newest first; the matcher is the control plane's: ``urlPath=``, ``method=``, ``status=`` ..."""
        found: list[dict[str, Any]] = self.control.asked("POST", "/requests/find", matcher)["requests"]
        return found

    def reset(self) -> None:
        """As it began: the clock where it stood, no faults, nothing told or submitted, nothing asked."""
        self.control.asked("POST", "/reset")


@dataclass
class Stage:
    """Starts stand-ins and ends them, all together: ``with Stage() as stage: stage.server(style="portal")``."""

    _running: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def server(self, host: str = LOOPBACK, port: int = 0, **settings: object) -> Simulated:
        """The REST server over a simulated launcher; ``settings`` are those of ``restserver serve``: ``style="portal"``, ``seed=7``."""
        from restserver.assembling.application import application, surroundings

        def assembled(built: "Built", wanted: Settings, address: str) -> "WSGIApplication":
            del address
            return application(built, wanted, surroundings(built, wanted))

        return self._started(host, port, settings, assembled, at_once=True)

    def launcher(self, host: str = LOOPBACK, port: int = 0, *, acl: str = "off", **settings: object) -> Simulated:
        """The launcher and its resource manager on one port; ``acl`` and the ``settings`` are those of ``restserver simulate``:
        ``dialect="open"``."""
        from restserver.assembling.simulated_launcher import around_launcher, known_access, launcher_and_yarn

        known_access(acl)

        def assembled(built: "Built", wanted: Settings, address: str) -> "WSGIApplication":
            launcher, _ = launcher_and_yarn(built, wanted, address, acl=acl)
            return around_launcher(built, wanted)(launcher)

        return self._started(host, port, settings, assembled, at_once=False)

    def _started(
        self,
        host: str,
        port: int,
        told: Mapping[str, object],
        assembled: "Callable[[Built, Settings, str], WSGIApplication]",
        *,
        at_once: bool,
    ) -> Simulated:
        from restserver.assembling.simulated_backend import simulated_backend
        from restserver.serving import waitress_server

        wanted = _settings(told, host)
        with ExitStack() as starting:
            listener = starting.enter_context(waitress_server.listening_socket(host, port))
            wanted = replace(wanted, port=listener.getsockname()[1])
            built = simulated_backend(wanted)
            starting.callback(built.close)
            application = assembled(built, wanted, waitress_server.url_of(listener))
            serving = waitress_server.serving(application, listener, at_once=at_once, largest_body=built.largest_body)
            url = starting.enter_context(serving)
            token = (("Authorization", f"Bearer {wanted.admin_token}"),) if wanted.admin_token else ()
            client = starting.enter_context(closing(Client(target_of(url), headers=token)))
            self._running.push(starting.pop_all())
            return Simulated(url, ControlPlane(client))


def _settings(told: Mapping[str, object], host: str) -> Settings:
    """As ``restserver`` would read them as flags, the environment of the tests left out. Raises :class:`BadSetting`."""
    unknown = told.keys() - {entry.name for entry, _ in setting_fields()}
    if unknown or "backend" in told:
        raise TypeError(f"a simulated stand-in has no setting {', '.join(sorted(unknown or {'backend'}))}")
    usual = {"host": host, "at": START, "frozen": True, "access_log": "off", "admin": "on"}
    if not is_loopback(host):
        usual["admin_token"] = secrets.token_urlsafe(24)
    return Settings.from_environ({}, {key: _text(value) for key, value in {**usual, **told}.items()})


def _text(value: object) -> object:
    """What a flag would say."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


def _job(name: str) -> str:
    return f"/jobs/{quote(name, safe='~')}"


def _datetime(instant: Instant) -> datetime:
    return datetime.fromtimestamp(instant / 1000, UTC)
