"""The address answers give for this server: the configured one, else the one the client used, if that is an address.

A ``Host`` header is whatever a client sends; only a well-formed one gets into an answer.
"""

import re
from typing import Final

import falcon
from msgspec import Struct

_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-._]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)


class BaseUrl(Struct, frozen=True):
    configured: str | None
    fallback: str
    """For requests without a usable ``Host``."""

    def of(self, req: falcon.Request) -> str:
        if self.configured is not None:
            return self.configured
        host = req.get_header("Host") or ""
        return f"{req.scheme}://{host}" if _HOST.fullmatch(host) else self.fallback
