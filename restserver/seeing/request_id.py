"""Every request has an id: the client's own if it sends a decent one, else a new one. It goes along to the launcher, into the
log, and back to the client.
"""

import os
import random
import re
from typing import Final
from wsgiref.types import WSGIEnvironment

HEADER: Final = "X-Request-Id"
_ENVIRON_HEADER: Final = "HTTP_X_REQUEST_ID"
_ENVIRON_KEY: Final = "restserver.request_id"
_dice: Final = random.Random()  # noqa: S311 - an id is no secret; the system's dice would let go of the interpreter lock each time
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_dice.seed)  # or else every worker would give the same ones
_DECENT: Final = re.compile(r"[A-Za-z0-9._:/+=@\-]{1,128}")


_STAYS_JSON: Final = ("X-Content-Type-Options", "nosniff")
"""What matters to pages, pages say."""


def every_answers_headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    return [(HEADER, request_id(environ)), _STAYS_JSON]


def request_id(environ: WSGIEnvironment) -> str:
    """Of this request; the same one each time it is asked for."""
    known: str | None = environ.get(_ENVIRON_KEY)
    if known is None:
        offered: str | None = environ.get(_ENVIRON_HEADER)
        known = offered if offered and _DECENT.fullmatch(offered) else f"{_dice.getrandbits(128):032x}"
        environ[_ENVIRON_KEY] = known
    return known
