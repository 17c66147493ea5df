"""What a proxy says about the client it stands before, believed only of proxies that are named.

Anybody can send ``X-Forwarded-For``. So the headers count only where the connection itself comes from a trusted address, and
of the addresses in them the last one that is not a trusted proxy's is the client: everything before it is what the client
said. Without a trusted proxy nothing is read, and this stands around nothing.

Waitress drops names with a line below; granian takes ``X_Forwarded_For`` for the same header, and the last one it reads counts. WSGI
does not tell which it was, so there the proxy must drop such names (nginx does unasked).
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from restserver.setting_values import Network


def believing(proxies: Sequence[Network], application: WSGIApplication) -> WSGIApplication:
    """The application, told of the client as the trusted ``proxies`` tell it: address, scheme and host."""
    if not proxies:
        return application

    @lru_cache(maxsize=1024)
    def trusted(address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
            known = known.ipv4_mapped  # how a socket for both families tells an IPv4 address
        return any(known in network for network in proxies)

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if trusted(environ.get("REMOTE_ADDR", "")):
            _believe(environ, trusted)
        return application(environ, start_response)

    return answering


def _believe(environ: WSGIEnvironment, trusted: Callable[[str], bool]) -> None:
    for address in reversed(_words(environ, "HTTP_X_FORWARDED_FOR")):
        if not _is_address(address):
            break
        environ["REMOTE_ADDR"] = address
        if not trusted(address):
            break
    # Of several words the last is the trusted proxy's own.
    scheme = _words(environ, "HTTP_X_FORWARDED_PROTO")[-1:]
    if scheme and scheme[0] in ("http", "https"):
        environ["wsgi.url_scheme"] = scheme[0]
    host = _words(environ, "HTTP_X_FORWARDED_HOST")[-1:]
    if host:
        environ["HTTP_HOST"] = host[0]


def _words(environ: WSGIEnvironment, header: str) -> list[str]:
    return [word for word in map(str.strip, environ.get(header, "").split(",")) if word]


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
