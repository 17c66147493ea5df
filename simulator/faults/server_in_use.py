"""What is known of the WSGI server that a request came through, and what can be asked of it beyond WSGI.

A WSGI application has no connection in its hands. Waitress lets one go when it is told that the client has gone, and hands
its channel to the application, so there a connection can be closed or reset; of another server this is not known.
"""

import socket
import struct
from typing import NoReturn
from wsgiref.types import WSGIEnvironment

_WAITRESS = "waitress.client_disconnected"


class CannotBreak(Exception):
    """The server in use does not let go of a connection."""

    def __init__(self, server: str) -> None:
        super().__init__(f"the server in use ({server}) cannot close or reset a connection for an application")


def is_waitress(environ: WSGIEnvironment) -> bool:
    return _WAITRESS in environ


def keeps_connection_after_chunks(environ: WSGIEnvironment) -> bool:
    """Waitress ends a connection after an answer without a length."""
    return not is_waitress(environ)


def hang_up(environ: WSGIEnvironment, *, reset: bool) -> NoReturn:
    """Closes the connection without an answer. Raises what its server takes for a client that has gone, or CannotBreak."""
    if not is_waitress(environ):
        raise CannotBreak(str(environ.get("SERVER_SOFTWARE") or "unknown"))
    from waitress.channel import ClientDisconnected  # only where it is the server in use

    if reset:
        connection: socket.socket = environ[_WAITRESS].__self__.socket
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ClientDisconnected
