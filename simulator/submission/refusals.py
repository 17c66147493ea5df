"""What the real launcher refuses a request with: the exception by its Java name, the status it maps to, its text.

The message of its error object is a stack trace. Its first line is as recorded; the frames below it are ours, and only
there because clients have to cope with them.
"""

from collections.abc import Mapping

from contracts.launcher.open_error import encode_error

LAUNCHER = "com.microsoft.frameworklauncher.common"
JACKSON = "com.fasterxml.jackson"

_FRAMES = "\n\tat simulated.launcher.WebServer.answer(WebServer)\n\tat simulated.launcher.Server.run(Server)\n"


class Refused(Exception):
    """The launcher says no. ``java_class``: fully qualified; ``text``: behind the class name, where it gives one."""

    def __init__(self, status: int, java_class: str, text: str = "", more: str = "") -> None:
        super().__init__(text or java_class)
        self.status = status
        self.java_class = java_class
        self.first_line = f"{java_class}: {text}" if text else java_class
        self._more = more
        """Lines of the message before the frames."""

    def error_object(self) -> Mapping[str, object]:
        name = self.java_class.rpartition(".")[2]
        message = self.first_line + (f"\n{self._more}" if self._more else "") + _FRAMES
        return encode_error(name, message, self.java_class)


def bad_request(text: str) -> Refused:
    return Refused(400, f"{LAUNCHER}.exceptions.BadRequestException", text)


def not_found() -> Refused:
    return Refused(404, f"{LAUNCHER}.exceptions.NotFoundException")


def no_such_file(name: str) -> Refused:
    return Refused(404, "java.io.FileNotFoundException", f"File './logs/{name}' does not exist")


def forbidden(text: str) -> Refused:
    return Refused(403, f"{LAUNCHER}.exceptions.AuthorizationException", text)


def throttled(text: str) -> Refused:
    return Refused(429, f"{LAUNCHER}.exceptions.ThrottledRequestException", text)


def unfit_request(text: str = "", more: str = "") -> Refused:
    """Wrong method, media type or Accept on a path that is known."""
    return Refused(400, "javax.ws.rs.WebApplicationException", text, more)


def illegal_argument(text: str) -> Refused:
    return Refused(400, "java.lang.IllegalArgumentException", text)


def violations(found: list[str]) -> Refused:
    """Every constraint that does not hold, in one message."""
    return bad_request("javax.validation.ConstraintViolationException: " + ", ".join(found))


def unparsable(text: str, more: str = "") -> Refused:
    return Refused(400, f"{JACKSON}.core.JsonParseException", text, more)


def unmappable(text: str, more: str = "") -> Refused:
    return Refused(400, f"{JACKSON}.databind.JsonMappingException", text, more)


def malformed(text: str, more: str = "") -> Refused:
    """A scalar that cannot be read as the type it stands for."""
    return Refused(400, f"{JACKSON}.databind.exc.InvalidFormatException", text, more)
