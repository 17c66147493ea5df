"""What every answer over HTTP is judged by, whoever gave it: its status, then its bytes."""

import hashlib
from collections.abc import Callable

from contracts.launcher.open_dialect import plain
from contracts.launcher.port import LauncherRefused, LauncherUnreadable
from restserver.launchers.transport import Reply


def document(reply: Reply, decode_error: Callable[[bytes], str | None]) -> bytes:
    """The bytes of a success.

    Raises LauncherRefused for anything else, a redirect too, with the message that ``decode_error`` finds, never a stack
    trace; and LauncherUnreadable for a success that says it brings nothing.
    """
    if reply.status == 200:
        return reply.body
    if 200 <= reply.status < 300:
        raise LauncherUnreadable("$", f"nothing (status {reply.status})")
    message = decode_error(reply.body)
    raise LauncherRefused(reply.status, None if message is None else plain(message), reply.retry_after)


def edition(body: bytes) -> bytes:
    """Equal bytes, equal values."""
    return hashlib.blake2b(body, digest_size=16).digest()
