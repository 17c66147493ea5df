"""Every request has an id: the client's own if it sends a decent one, else a new one. It goes along to the launcher, into the
log, and back to the client.
"""

import os
import re
from typing import Final
from wsgiref.types import WSGIEnvironment

HEADER: Final = "X-Request-Id"
_ENVIRON_HEADER: Final = "HTTP_X_REQUEST_ID"
_ENVIRON_KEY: Final = "restserver.request_id"
_DECENT: Final = re.compile(r"[A-Za-z0-9._:/+=@\-]{1,128}")


def request_id(environ: WSGIEnvironment) -> str:
    """Of this request; the same one each time it is asked for."""
    known: str | None = environ.get(_ENVIRON_KEY)
    if known is None:
        offered: str = environ.get(_ENVIRON_HEADER, "")
        known = offered if _DECENT.fullmatch(offered) else os.urandom(16).hex()
        environ[_ENVIRON_KEY] = known
    return known
