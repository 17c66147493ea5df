"""What may stand in a path or a query, judged before any launcher is asked (rulings 1.8 and 1.10)."""

import re
from typing import Final

import falcon
import falcon.routing

from contracts.launcher.port import NoSuchFramework
from restserver.errors import InvalidParameter

_NAME: Final = re.compile(r"[A-Za-z0-9\-._~]{1,256}")
_VERSION: Final = re.compile(r"-?[0-9]{1,10}")
_ATTEMPT: Final = re.compile(r"[0-9]{1,10}")
_DOTS: Final = frozenset({".", ".."})


class Segment(falcon.routing.BaseConverter):
    """Any segment of a path but an empty one: ``/attempts/`` with nothing behind it is no path of the API."""

    def convert(self, value: str) -> str | None:
        return value or None


def require_name(name: str) -> None:
    """A framework cannot have any other name, so it is unknown without asking."""
    if not _NAME.fullmatch(name) or name in _DOTS:
        raise NoSuchFramework(name)


def asked_version(req: falcon.Request) -> str:
    """The version as the client spells it; empty if it asks for none, or for none that can be repeated to it."""
    value = req.params.get("version", "")
    return value if isinstance(value, str) else ""


def version(req: falcon.Request) -> int | None:
    value = req.params.get("version")
    if value is None:
        return None
    if isinstance(value, list):
        raise InvalidParameter("version", ", ".join(value), "given once")
    if not _VERSION.fullmatch(value):
        raise InvalidParameter("version", value, "an integer of at most ten digits")
    return int(value)


def attempt_id(value: str) -> int:
    if not _ATTEMPT.fullmatch(value):
        raise InvalidParameter("frameworkAttemptId", value, "a number of at most ten digits")
    return int(value)
