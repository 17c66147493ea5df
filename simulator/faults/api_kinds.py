"""What the faults of the API's side do to one request and its answer: what does the page make of it?"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from simulator.faults import keys as keys

Told: TypeAlias = Mapping[str, Any]
Body: TypeAlias = Any
"""The JSON of an answer."""


class Refusal(Struct, frozen=True):
    status: int
    code: str
    message: str

    @property
    def body(self) -> bytes:
        return json.dumps({"code": self.code, "message": self.message}).encode()


class ApiAct(Struct, frozen=True):
    """One of these."""

    delay: keys.Delay | None = None
    refusal: Refusal | None = None
    change: Callable[[Body], Body] | None = None
    replacement: bytes | None = None
    """Instead of the body, whatever it is."""


def error_status(told: Told) -> ApiAct:
    """Within the contract only as the error it promises for whatever goes wrong."""
    status = keys.whole("status", told.get("status", 500), 400, 599)
    code = keys.text("code", told.get("code", "UnknownError"))
    return ApiAct(refusal=Refusal(status, code, keys.text("message", told.get("message", "A fault was injected."))))


def promised(told: Told) -> bool:
    """Whether an ``error_status`` is an answer of the contract."""
    return (told.get("status", 500), told.get("code", "UnknownError")) == (500, "UnknownError")


def wrong_body(told: Told) -> ApiAct:
    return ApiAct(replacement=keys.text("body", told.get("body", "<html><body>Bad Gateway</body></html>")).encode())


def missing_key(told: Told) -> ApiAct:
    def change(holder: dict[str, Body], key: str) -> None:
        del holder[key]

    return _changing(told, change)


def wrong_type(told: Told) -> ApiAct:
    def change(holder: dict[str, Body], key: str) -> None:
        holder[key] = [] if isinstance(holder[key], str | int | float | dict | None) else {}

    return _changing(told, change)


def extra_key(told: Told) -> ApiAct:
    """``path``: of an object that gets a key more; the whole body by default."""
    steps = _steps(told)

    def change(body: Body) -> Body:
        holder = body
        for step in steps:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder["injectedByAFault"] = True
        return body

    return ApiAct(change=change)


def _changing(told: Told, change: Callable[[dict[str, Body], str], None]) -> ApiAct:
    """At ``path`` (``jobStatus.state``; by default the first key there is); a body without such a path stays."""
    steps = _steps(told)

    def changed(body: Body) -> Body:
        holder = body
        for step in steps[:-1]:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and holder:
            key = steps[-1] if steps else next(iter(holder))
            if key in holder:
                change(holder, key)
        return body

    return ApiAct(change=changed)


def _steps(told: Told) -> list[str]:
    path = told.get("path")
    return [] if path is None else keys.text("path", path).split(".")
