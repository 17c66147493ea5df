"""What may stand in a path or a query, judged before any launcher is asked (rulings 1.8 and 1.10)."""

import re
from typing import Final

import falcon
import falcon.routing

from contracts.launcher.framework_name import is_framework_name
from contracts.launcher.port import NoSuchFramework
from restserver.errors import InvalidParameter

_VERSION: Final = re.compile(r"-?[0-9]{1,10}")
A_VERSION: Final = "an integer of at most ten digits"
_ATTEMPT: Final = re.compile(r"[0-9]{1,10}")
NOT_TOLD: Final = "unknown"
"""Stands in an error for a version or attempt id that is none (rulings 1.5): the name is judged first."""


class Segment(falcon.routing.BaseConverter):
    """Any segment of a path but an empty one: ``/attempts/`` with nothing behind it is no path of the API."""

    def convert(self, value: str) -> str | None:
        return value or None


def require_name(name: str) -> None:
    """A framework cannot have any other name, so it is unknown without asking."""
    if not is_framework_name(name):
        raise NoSuchFramework(name)


def asked_version(req: falcon.Request) -> str:
    """The version as the client spells it; empty if it asks for none, or for none that can be repeated to it."""
    value = req.params.get("version", "")
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else ""


def asked_attempt(value: str) -> str:
    """The attempt id as the client spells it."""
    return value if _ATTEMPT.fullmatch(value) else NOT_TOLD


def version(req: falcon.Request) -> int | None:
    value = req.params.get("version")
    if value is None:
        return None
    if isinstance(value, list):
        raise InvalidParameter("version", ", ".join(value), "given once")
    if not _VERSION.fullmatch(value):
        raise InvalidParameter("version", value, A_VERSION)
    return int(value)


def attempt_id(value: str) -> int:
    if not _ATTEMPT.fullmatch(value):
        raise InvalidParameter("frameworkAttemptId", value, "a number of at most ten digits")
    return int(value)
