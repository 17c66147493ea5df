"""The public launcher's error object, the only thing that makes its 404 mean "no such" (rulings 1.14).

Unwrapped as recorded; wrapped in ``RemoteException``, as the resource manager has it, is accepted too. Bodies are judged,
never their ``Content-Type``.
"""

from contracts.launcher import wire
from contracts.launcher.port import LauncherUnreadable

_WRAPPING = "RemoteException"


def decode_error(body: bytes) -> str | None:
    """The launcher's full message, if the body is its error object; else ``None``."""
    try:
        document = wire.parse(body)
    except LauncherUnreadable:
        return None
    if isinstance(document, dict) and isinstance(document.get(_WRAPPING), dict):
        document = document[_WRAPPING]
    if not isinstance(document, dict) or not isinstance(document.get("exception"), str) or "message" not in document:
        return None
    message = document["message"]
    # An exception without a text of its own has at least a name.
    return message if isinstance(message, str) and message else str(document["exception"])


def encode_error(exception: str, message: str, java_class: str) -> dict[str, object]:
    return {"exception": exception, "message": message, "javaClassName": java_class}


def plain(message: str) -> str:
    """What may be shown to a client: of a Java stack trace its first line only (rulings 1.7)."""
    lines = message.strip().splitlines() or [""]
    return lines[0].strip() if any(line.lstrip().startswith("at ") for line in lines[1:]) else message.strip()
