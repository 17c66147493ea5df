"""The names a server listens on, as a browser would put them in a ``Host`` header (protection against DNS rebinding).

Rebinding makes a foreign *name* point here; so names are compared, ports are not (they change on the way into a container),
and where the server listens on every address of the machine, any address written in numbers is its own.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

_HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address to listen on."""
    if host.lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


class HostsListenedOn:
    """Contains ``host`` and ``host:port`` for every name that means this server."""

    def __init__(self, host: str, public_url: str | None = None) -> None:
        self._names = _LOOPBACK_NAMES | {_in_header(host), socket.gethostname().lower()}
        if public_url is not None:
            self._names |= {_in_header(urlsplit(public_url).hostname or "")}
        address = _address(host)
        self._everywhere = address is not None and address.is_unspecified

    def __contains__(self, header: object) -> bool:
        name = _name_of(str(header).lower())
        return name in self._names or (self._everywhere and _address(name.strip("[]")) is not None)


def _name_of(header: str) -> str:
    """Without the port; of what is no host and port, nothing."""
    found = _HOST_AND_PORT.fullmatch(header)
    return "" if found is None else found[1]


def _in_header(host: str) -> str:
    return f"[{host.lower()}]" if ":" in host else host.lower()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
