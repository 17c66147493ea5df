"""``restserver drift``, with what the contract harness cannot know itself: our server, and how a launcher is asked.

The simulated side comes from :mod:`restserver.assembling`, the one place where server and simulator meet.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from contracts.clock import SystemClock, VirtualClock
from contracts.harness.drift.cli import Options, drift_command
from contracts.launcher.framework_name import is_framework_name
from contracts.launcher.histories import History
from contracts.launcher.port import Answer, Ask, LauncherError, NoSuchAttempt, NoSuchFramework, NoSuchVersion
from contracts.launcher.records import Framework, Summary

if TYPE_CHECKING:
    from contracts.harness.drift.sides import Real, Simulated
    from contracts.harness.drift.watching import Live
    from contracts.harness.observations import Observation


class SeenLauncher:
    """A launcher that tells what somebody saw of another one, as of a clock: the current attempt, and no past."""

    def __init__(self, histories: Mapping[str, History], clock: VirtualClock) -> None:
        self._histories = histories
        self._clock = clock

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        del ask
        history = self._histories.get(name)
        looks = () if history is None else history.looks
        now = self._clock.now()
        seen = next((look for look in reversed(looks) if look.instant <= now), None)
        if seen is None or seen.framework is None:
            raise NoSuchFramework(name)
        return Answer(seen.framework, (name, seen.instant))

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        try:
            now = self.framework(name, ask)
        except NoSuchFramework:
            raise NoSuchAttempt(name, version, attempt) from None
        status = now.value.status
        if (status.version if version is None else version, attempt) != (status.version, status.retries.total):
            raise NoSuchAttempt(name, version, attempt)
        return now

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        try:
            now = self.framework(name, ask)
        except NoSuchFramework:
            raise NoSuchVersion(name, version) from None
        if version not in (None, now.value.status.version):
            raise NoSuchVersion(name, version)
        return Answer((now.value.status.retries.total,), now.edition)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        now = self.framework(name, ask)
        return Answer((now.value.status.version,), now.edition)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        del ask
        return iter(())

    def ready(self, ask: Ask) -> None:
        """It always is."""


class _Sides:
    def simulated(self, profile: str | None, seed: int) -> "Simulated":
        from restserver.assembling.simulated_worlds import simulated_side

        return simulated_side(profile, seed)

    def present(self, real: "Real", style: str) -> "Sequence[Observation]":
        """Job and current attempt at every look; nobody asked the launcher about more."""
        from contracts.harness.observations import GET_ATTEMPT, GET_JOB
        from restserver.launchers.http_resource_manager import NoResourceManager
        from restserver.worlds import World, served, untouched

        ends = [history.looks[-1].instant for history in real.histories.values()]
        clock = VirtualClock(max(ends, default=0), frozen=True)
        instants = {
            name: [look.instant for look in history.looks if look.framework is not None and is_framework_name(name)]
            for name, history in real.histories.items()
        }
        world = World(SeenLauncher(real.histories, clock), NoResourceManager(), clock, instants)
        answers = (seen.answer for seen in served(world, style)(untouched))
        return [one for one in answers if one.operation in (GET_JOB, GET_ATTEMPT)]

    def live(self, options: Options) -> "Live":
        return live(options)


def live(options: Options) -> "Live":
    """Raises ``ValueError`` (BadTarget) for an address that no call can be made with."""
    from contracts.harness.drift.watching import Heard, Live, NoAnswer
    from contracts.launcher import wire
    from contracts.launcher.resource_manager import application_path
    from contracts.launcher.simulated_time import simulated_now
    from restserver.launchers.http import DIALECTS
    from restserver.launchers.replies import document
    from restserver.launchers.transport import Transport

    timeout = round(options.timeout * 1000)

    def transport(url: str, who: str) -> Transport:
        ca = None if options.launcher_ca is None else str(options.launcher_ca)
        return Transport(
            url, clock=SystemClock(), timeout=timeout, who=who, headers=options.launcher_header, ca_file=ca
        )

    dialect = DIALECTS[options.dialect]
    launcher = transport(options.launcher_url or "", "The launcher")
    manager = None if options.rm_url is None else transport(options.rm_url, "The resource manager")

    def summaries() -> Sequence[Summary]:
        try:
            reply = launcher.get(dialect.frameworks_path, Ask())
            return tuple(dialect.decode_summaries(wire.parse(document(reply, dialect.decode_error))))
        except LauncherError as error:
            raise NoAnswer(str(error)) from error

    def heard(of: Transport, path: str) -> Heard:
        try:
            reply = of.get(path, Ask())
        except LauncherError as error:
            raise NoAnswer(str(error)) from error
        body = reply.body.decode("utf-8", "surrogateescape")
        return Heard(reply.status, body, simulated_now(reply.headers))

    def close() -> None:
        for one in (launcher, *([] if manager is None else [manager])):
            one.close()

    return Live(
        f"launcher at {options.launcher_url} ({options.dialect})",
        options.dialect,
        summaries,
        lambda name: heard(launcher, dialect.framework_path(name)),
        None if manager is None else lambda identity: heard(manager, application_path(identity)),
        close,
    )


drift = drift_command(_Sides())
