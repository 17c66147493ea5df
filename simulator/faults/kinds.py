"""Every kind of fault: which sides it has, what it needs to be told, what it does there, and whether that is within the contract.

A launcher's fault is a hook of ``Around``: it gets the call and what goes on with it, and raises the errors of the port. A
fault of the wire is made on the wire where there is one (``wire_faults``); in process it raises what the launcher over HTTP
would have raised.
"""

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from cachetools import LRUCache
from msgspec import Struct, field
from msgspec.structs import replace

from contracts.clock import Milliseconds
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.open_error import plain
from contracts.launcher.port import (
    Answer,
    Ask,
    Call,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from contracts.launcher.records import Application, Figures, Framework
from simulator.faults import keys as keys
from simulator.faults.api_kinds import ApiAct, error_status, extra_key, missing_key, wrong_body, wrong_type
from simulator.faults.wire_kinds import WireAct, broken_off, dribbled, hung_up, malformed, never_answered
from simulator.problems import BadInput

SIDES = ("launcher", "api")
Told: TypeAlias = Mapping[str, Any]


class Met(Struct, frozen=True):
    """A call that meets a fault."""

    call: Call
    ask: Ask
    proceed: Callable[[Ask], Any]
    wait: Callable[[Milliseconds], object]
    """On the virtual clock, bounded."""
    dice: random.Random

    def on(self) -> Any:
        return self.proceed(self.ask)


LauncherAct: TypeAlias = Callable[[Met], Any]


# --- what a launcher's fault does -----------------------------------------------------------------------------------


def _latency(told: Told) -> LauncherAct:
    delay = keys.delay(told)

    def act(met: Met) -> Any:
        met.wait(delay(met.dice))
        return met.on()

    return act


def _raising(make: Callable[[Told], Callable[[Call], LauncherError]]) -> Callable[[Told], LauncherAct]:
    """An act that raises, whatever is asked."""

    def kind(told: Told) -> LauncherAct:
        error_of = make(told)

        def act(met: Met) -> Any:
            raise error_of(met.call)

        return act

    return kind


def _unavailable(told: Told) -> Callable[[Call], LauncherError]:
    reason = keys.text("reason", told.get("reason", "The launcher refused the connection."))
    return lambda _: LauncherUnavailable(reason)


STATUSES_OF_THROTTLING = (429, 503)
_THROTTLED = "com.microsoft.frameworklauncher.common.exceptions.ThrottledRequestException: too many requests"


def _throttled(told: Told) -> Callable[[Call], LauncherError]:
    status = keys.whole("status", told.get("status", 429), 429, 503)
    if status not in STATUSES_OF_THROTTLING:
        raise BadInput(f"status must be 429 or 503, not {status}")
    after = keys.whole("retryAfter", told.get("retryAfter", 20), 0, 86_400)
    return lambda _: LauncherRefused(status, _THROTTLED, str(after))


_MESSAGE_OF_STATUS = {
    400: "com.microsoft.frameworklauncher.common.exceptions.BadRequestException: Object is null",
    401: "java.lang.SecurityException: who are you",
    403: "com.microsoft.frameworklauncher.common.exceptions.AuthorizationException: This operation needs administrator privilege.",
    404: "com.microsoft.frameworklauncher.common.exceptions.NotFoundException",
    500: "com.sun.jersey.api.MessageException: A message body writer was not found",
    503: "java.io.IOException: the store of requests cannot be reached",
}
"""With a body of the launcher's own; the first lines are of its kind."""


STATUSES_OF_SIDE: Mapping[str, Sequence[int]] = {"launcher": tuple(_MESSAGE_OF_STATUS), "api": range(400, 600)}
"""What an ``error_status`` can be."""


def _refused(told: Told) -> Callable[[Call], LauncherError]:
    status = keys.whole("status", told.get("status", 503), 400, 599)
    if status not in _MESSAGE_OF_STATUS:
        raise BadInput(f"status must be one of {', '.join(map(str, _MESSAGE_OF_STATUS))}, not {status}")
    message = keys.text("message", told.get("message", _MESSAGE_OF_STATUS[status]))
    if status == 404:
        return _no_such
    return lambda _: LauncherRefused(status, plain(message))


def _no_such(call: Call) -> LauncherError:
    """What a launcher's own 404 means, by what was asked; a resource manager's is an error like others."""
    if call.operation == "application":
        return LauncherRefused(404, f"java.lang.Exception: app with id: {call.name} not found")
    if call.operation == "attempt" and call.attempt is not None:
        return NoSuchAttempt(str(call.name), call.version, call.attempt)
    if call.operation == "attempts":
        return NoSuchVersion(str(call.name), call.version)
    if call.name is None:
        return LauncherRefused(404, _MESSAGE_OF_STATUS[404])
    return NoSuchFramework(call.name)


def _unreadable(told: Told) -> Callable[[Call], LauncherError]:
    path = keys.text("path", told.get("path", "$"))
    found = keys.text("found", told.get("found", "an array"))
    return lambda _: LauncherUnreadable(path, found)


def _stale(_: Told) -> LauncherAct:
    """What was answered first is answered ever after: an answer, or that there is none."""
    kept: LRUCache[Call, Any] = LRUCache(1000)
    lock = threading.Lock()

    def act(met: Met) -> Any:
        if met.call.operation in ("summaries", "ready", "applications"):
            return met.on()
        with lock:
            known = kept.get(met.call)
        if known is None:
            try:
                known = met.on()
            except (NoSuchFramework, NoSuchVersion, NoSuchAttempt) as none:
                known = none
            with lock:
                known = kept.setdefault(met.call, known)
        if isinstance(known, LauncherError):
            raise known.with_traceback(None)
        return known

    return act


def _contradictory(_: Told) -> LauncherAct:
    """Records that no launcher would tell: running by the summary, completed by the status, without an end of anything."""

    def act(met: Met) -> Any:
        answer = met.on()
        if isinstance(answer, Answer):
            return replace(answer, value=_CONTRADICTION_OF.get(type(answer.value), _agreed)(answer.value))
        return answer

    return act


def contradicted(framework: Framework) -> Framework:
    return replace(
        framework,
        summary=replace(framework.summary, state=FrameworkState.APPLICATION_RUNNING),
        status=replace(
            framework.status,
            state=FrameworkState.FRAMEWORK_COMPLETED,
            completed_timestamp=None,
            application_exit_code=None,
            retries=replace(framework.status.retries, total=framework.status.retries.total + 7),
        ),
    )


def contradicted_figures(figures: Figures) -> Figures:
    """More containers than memory, and more reserved than there is."""
    return replace(figures, running_containers=figures.running_containers + 7, allocated_mb=0, reserved_mb=1 << 20)


def _agreed(value: Any) -> Any:
    return value


_CONTRADICTION_OF: Mapping[type, Callable[[Any], Any]] = {
    Framework: contradicted,
    Figures: contradicted_figures,
    Application: lambda application: replace(application, figures=contradicted_figures(application.figures)),
}


def _always(error: Callable[[], LauncherError]) -> Callable[[Told], LauncherAct]:
    return _raising(lambda _: lambda _: error())


def _dribble_in_process(told: Told) -> LauncherAct:
    _, lasting = dribbled.read(told)

    def act(met: Met) -> Any:
        met.wait(lasting)
        return met.on()

    return act


def _timeout_in_process(told: Told) -> LauncherAct:
    lasting = never_answered.read(told)

    def act(met: Met) -> Any:
        met.wait(lasting)
        raise LauncherUnavailable(f"The launcher did not answer within {lasting / 1000:g} s.")

    return act


# --- the table ------------------------------------------------------------------------------------------------------


class Kind(Struct, frozen=True):
    launcher: Callable[[Told], LauncherAct] | None = None
    api: Callable[[Told], ApiAct] | None = None
    wire: Callable[[Told], WireAct] | None = None
    """On the wire of either side."""
    keys: frozenset[str] = field(default_factory=frozenset)
    within: frozenset[str] = frozenset({"launcher"})
    """The sides on which it is within the contract."""
    breaks_connection: bool = False

    @property
    def sides(self) -> tuple[str, ...]:
        return tuple(self._sides())

    def _sides(self) -> Iterator[str]:
        if self.launcher is not None:
            yield "launcher"
        if self.api is not None or self.wire is not None:
            yield "api"


def _keys(*names: str) -> frozenset[str]:
    return frozenset(names)


_BOTH = frozenset(SIDES)
_NEVER: frozenset[str] = frozenset()

KINDS: Mapping[str, Kind] = {
    "latency": Kind(
        _latency,
        api=lambda told: ApiAct(delay=keys.delay(told)),
        keys=_keys("fixedDelayMilliseconds", "delayDistribution"),
        within=_BOTH,
    ),
    "unavailable": Kind(_raising(_unavailable), keys=_keys("reason")),
    "throttled": Kind(_raising(_throttled), keys=_keys("status", "retryAfter")),
    "error_status": Kind(
        _raising(_refused), api=error_status, keys=_keys("status", "message", "code"), within=frozenset({"launcher"})
    ),
    "wrong_type": Kind(_raising(_unreadable), api=wrong_type, keys=_keys("path", "found")),
    "stale": Kind(_stale),
    "contradictory": Kind(_contradictory, within=_NEVER),
    "wrong_body": Kind(api=wrong_body, keys=_keys("body"), within=_NEVER),
    "missing_key": Kind(api=missing_key, keys=_keys("path"), within=_NEVER),
    "extra_key": Kind(api=extra_key, keys=_keys("path"), within=_NEVER),
    "malformed": Kind(
        _always(lambda: LauncherUnreadable("$", "no JSON: Expecting value at character 0")), wire=malformed
    ),
    "truncated": Kind(
        _always(lambda: LauncherUnavailable("The answer of the launcher broke off in the middle.")), wire=broken_off
    ),
    "dribble": Kind(_dribble_in_process, wire=dribbled, keys=_keys("numberOfChunks", "totalDuration"), within=_BOTH),
    "empty": Kind(
        _always(lambda: LauncherUnavailable("The launcher closed the connection without an answer.")),
        wire=lambda _: hung_up(reset=False),
        breaks_connection=True,
    ),
    "reset": Kind(
        _always(lambda: LauncherUnavailable("The launcher reset the connection.")),
        wire=lambda _: hung_up(reset=True),
        breaks_connection=True,
    ),
    "timeout": Kind(
        _timeout_in_process, wire=never_answered, keys=_keys("fixedDelayMilliseconds"), breaks_connection=True
    ),
}
