"""``Prefer`` (RFC 7240): what one request may wish for its own answer, without the control plane and for nobody else.

``code=404``            that status, with the body the contract promises for it
``fault=throttled``     as if the launcher had that fault: one within the contract, so the answer is within the schemas
``example=out-of-memory``  what is told of that job or story, under the name that was asked for
``delay=2``, ``delay=PT2S``  so much later, on the simulated clock
``dynamic=true``        an answer that lives: they all do

Who knows Prism knows ``code``, ``example`` and ``dynamic``. What was heeded is named in ``Preference-Applied``; a wish that
is unknown or cannot be granted is ignored, as the RFC has it: a status that the operation does not promise, a success
where there is none (ask for an ``example``), a fault outside the contract, more than a minute, a place among too many who
wait. Every wish takes the way that a real cause would take: a refusal is raised where the launcher is asked.
"""

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from random import Random
from types import MappingProxyType
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

import falcon
from msgspec import Struct, field
from msgspec.structs import replace

from contracts import registry
from contracts.clock import Clock, Milliseconds
from contracts.launcher.port import Answer, Around, Ask, Call, Launcher, NoSuchFramework
from contracts.launcher.records import Framework
from simulator.faults.faults import WIREMOCKS_WORDS
from simulator.faults.faulty import operation_of_api_path
from simulator.faults.kinds import KINDS, LauncherAct, Met
from simulator.faults.waiting import Waiting
from simulator.lengths import length
from simulator.problems import BadInput

LONGEST_DELAY: Milliseconds = 60_000
"""Anybody who reaches the API may wish; waiting holds a thread."""
STORIES: Final = "story~"
"""Where the names of the shipped stories begin: an example may leave it out."""

Refusals = Mapping[int, Callable[[falcon.Request], Exception]]
"""By status: what is raised for a refusal that no launcher has part in."""

_OPERATION_ID: Final = {
    "framework": "getJob",
    "attempt": "getAttempt",
    "attempts": "getAttempts",
    "versions": "getVersions",
}
_CAUSE_OF_CODE: Final[Mapping[int, tuple[str, Mapping[str, Any]]]] = {
    404: ("error_status", {"status": 404}),
    500: ("unavailable", {}),
}
"""What must be wrong with a launcher, for a status to be answered."""
_NOT_FOR_ONE_ANSWER: Final = frozenset({"stale"})


class Wish(Struct):
    """Of one request."""

    code: int | None = None
    delay: Milliseconds | None = None
    example: str | None = None
    fault: str | None = None
    act: LauncherAct | None = None
    dynamic: bool = False
    granted: list[str] = field(default_factory=list)


_WISH: ContextVar[Wish | None] = ContextVar("wish", default=None)


# --- reading --------------------------------------------------------------------------------------------------------

_PREFERENCE: Final = re.compile(
    r"""\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)                             # its name
        (?:\s*=\s*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)"))?  # its value, a word or quoted
        \s*(?:;(?:[^",;]|"(?:[^"\\]|\\.)*")*)*                         # parameters: none of ours has any
        (?:,|$)""",
    re.VERBOSE,
)


def preferences(header: str) -> Mapping[str, str]:
    """By name in small letters. Of one that is told twice the first counts; what cannot be read ends the list."""
    found: dict[str, str] = {}
    position = 0
    while position < len(header) and (match := _PREFERENCE.match(header, position)):
        found.setdefault(match[1].lower(), match[2] or re.sub(r"\\(.)", r"\1", match[3] or ""))
        position = match.end()
    return found


def wish_of(header: str, operation: str, clock: Clock) -> Wish:
    told = preferences(header)
    wish = Wish(
        code=_code(told.get("code", ""), operation),
        delay=_delay(told.get("delay", ""), clock),
        example=told.get("example") or None,
        dynamic=told.get("dynamic") == "true",
    )
    kind = told.get("fault", "")
    wish.fault, wish.act = kind, _one_off(WIREMOCKS_WORDS.get(kind, kind))
    if wish.act is None:
        wish.fault = None
        if wish.code is not None and wish.code in _CAUSE_OF_CODE:
            wish.act = _one_off(*_CAUSE_OF_CODE[wish.code])
    return wish


def _code(text: str, operation: str) -> int | None:
    code = int(text) if re.fullmatch("[0-9]{3}", text, re.ASCII) else None
    return code if code in registry.statuses(_OPERATION_ID[operation]) else None


def _delay(text: str, clock: Clock) -> Milliseconds | None:
    """In seconds, or as an ISO 8601 duration."""
    try:
        plain = re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text, re.ASCII)
        lasting = round(float(text) * 1000) if plain else length(text, since=clock.now())
    except ValueError:
        return None
    return lasting if 0 <= lasting <= LONGEST_DELAY else None


def _one_off(kind: str, told: Mapping[str, Any] = MappingProxyType({})) -> LauncherAct | None:
    known = KINDS.get(kind)
    if known is None or known.launcher is None or "launcher" not in known.within or kind in _NOT_FOR_ONE_ANSWER:
        return None
    try:
        return known.launcher(told)
    except BadInput:  # it needs to be told more
        return None


# --- granting -------------------------------------------------------------------------------------------------------


class Preferred:
    """Falcon middleware around an API over a launcher that :func:`preferring` stands around."""

    def __init__(self, clock: Clock, waiting: Waiting, refusals: Refusals) -> None:
        self._clock = clock
        self._waiting = waiting
        self._refusals = refusals

    def detour(self, environ: WSGIEnvironment) -> bool:
        return "HTTP_PREFER" in environ

    passed = None

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        del resp, resource, params
        header = req.get_header("Prefer")
        operation = None if header is None else operation_of_api_path(req.path)
        if header is None or operation is None or req.method not in ("GET", "HEAD"):
            return
        wish = wish_of(header, operation, self._clock)
        req.context.wish = wish
        if wish.delay is not None and self._waiting.wait(wish.delay):
            wish.granted.append(f"delay={wish.delay / 1000:g}")
        if wish.code is not None and wish.code in self._refusals:
            raise self._refusals[wish.code](req)
        _WISH.set(wish)

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        del resource, succeeded
        wish: Wish | None = getattr(req.context, "wish", None)
        if wish is None:
            return
        _WISH.set(None)
        if wish.code is not None and wish.code == falcon.http_status_to_code(resp.status):
            wish.granted.append(f"code={wish.code}")
        if wish.dynamic:
            wish.granted.append("dynamic=true")
        if wish.granted:
            resp.set_header("Preference-Applied", ", ".join(wish.granted))
        resp.append_header("Vary", "Prefer")


def preferring(launcher: Launcher, waiting: Waiting) -> Launcher:
    """That launcher, but for requests with wishes of their own."""

    def wished() -> bool:
        return _WISH.get() is not None

    def hook(call: Call, ask: Ask, proceed: Callable[[Ask], Any]) -> Any:
        wish = _WISH.get()
        if wish is None or call.operation not in _OPERATION_ID:
            return proceed(ask)
        if wish.act is not None:
            if wish.fault:
                wish.granted.append(f"fault={wish.fault}")
            return wish.act(Met(call, ask, proceed, waiting.wait, Random(0)))
        example = None if wish.example is None else _known(launcher, wish.example, ask)
        if example is None:
            return proceed(ask)
        wish.granted.append(f"example={wish.example}")
        return _told_as(_ASKING[call.operation](launcher, replace(call, name=example), ask), str(call.name))

    return Around(launcher, hook, wished)


_ASKING: Final[Mapping[str, Callable[[Launcher, Call, Ask], Answer[Any]]]] = {
    "framework": lambda launcher, call, ask: launcher.framework(str(call.name), ask),
    "attempt": lambda launcher, call, ask: launcher.attempt(str(call.name), call.attempt or 0, call.version, ask),
    "attempts": lambda launcher, call, ask: launcher.attempts(str(call.name), call.version, ask),
    "versions": lambda launcher, call, ask: launcher.versions(str(call.name), ask),
}


def _known(launcher: Launcher, example: str, ask: Ask) -> str | None:
    for name in (example, STORIES + example):
        try:
            launcher.framework(name, ask)
        except NoSuchFramework:
            continue
        return name
    return None


def _told_as(answer: Answer[Any], name: str) -> Answer[Any]:
    """Of another edition than that name's own answer: whoever keeps answers keeps both apart."""
    value = answer.value
    if isinstance(value, Framework):
        value = replace(
            value,
            summary=replace(value.summary, name=name),
            status=replace(value.status, name=name),
            request=None if value.request is None else replace(value.request, name=name),
        )
    return replace(answer, value=value, edition=("example", answer.edition), holds=None)
