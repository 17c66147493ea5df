"""Which error is answered with which status, code and message: the one table (rulings 1.4 to 1.8).

What a launcher raises is looked up by its type; "no such ..." also by what was asked, in the words of the answer style.
Everything else the API itself refuses is an :class:`ApiError`, which carries its answer.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, field

from contracts.launcher.port import (
    LauncherBusy,
    LauncherError,
    LauncherRefused,
    LauncherUnavailable,
    LauncherUnreadable,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)

UNKNOWN_ERROR: Final = "UnknownError"
UNFORESEEN: Final = "The server failed to answer this request."
"""All a client is told of an exception nobody foresaw; the log has the rest."""


class Asked(Struct, frozen=True):
    """What a client asked for, in its own spelling: what the messages repeat."""

    operation: str
    """As in :class:`contracts.launcher.port.Call`: ``framework``, ``attempt``, ``attempts`` or ``versions``."""
    name: str
    version: str = ""
    """Empty: not asked for."""
    attempt: str = ""


class ErrorAnswer(Struct, frozen=True):
    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


class NotFound(Struct, frozen=True):
    """A promised 404; the message has places for ``name``, ``version`` and ``attempt``."""

    code: str
    message: str


DOCUMENTED_NOT_FOUND: Mapping[str, NotFound] = {
    "framework": NotFound("NoJobError", "Job {name} is not found."),
    "attempt": NotFound(
        "NoJobAttemptError", "[Version: {version}][AttemptId: {attempt}] attempt of job {name} is not found."
    ),
    # The two look swapped, and one is misspelt: so they are promised, and so clients know them.
    "attempts": NotFound("NoJobAttemptsError", "No list of versions found for framework {name}."),
    "versions": NotFound("NoJobVersionsError", "[Version: {version}] the atempt list of job {name} is not found."),
}

PORTAL_NOT_FOUND: Mapping[str, NotFound] = {
    "framework": DOCUMENTED_NOT_FOUND["framework"],
    "attempt": NotFound("NoFrameworkAttemptError", DOCUMENTED_NOT_FOUND["attempt"].message),
    "attempts": NotFound(
        "NoFrameworkAttemptsError", "[Version: {version}] No list of attempts found for framework {name}."
    ),
    "versions": NotFound("NoFrameworkVersionsError", "No list of versions found for framework {name}."),
}


def not_found(error: LauncherError, asked: Asked, texts: Mapping[str, NotFound]) -> ErrorAnswer:
    text = texts[asked.operation]
    known: int | None = getattr(error, "version", None)
    version = asked.version or ("unknown" if known is None else str(known))
    message = text.message.format(name=asked.name, version=version, attempt=asked.attempt)
    return ErrorAnswer(404, text.code, message)


def upstream(error: LauncherError, asked: Asked, texts: Mapping[str, NotFound]) -> ErrorAnswer:
    del asked, texts  # what the launcher says does not depend on what was asked
    retry_after: str | None = getattr(error, "retry_after", None)
    return ErrorAnswer(500, UNKNOWN_ERROR, str(error), {"Retry-After": retry_after} if retry_after else {})


ANSWER_OF_LAUNCHER_ERROR: Mapping[
    type[LauncherError], Callable[[LauncherError, Asked, Mapping[str, NotFound]], ErrorAnswer]
] = {
    NoSuchFramework: not_found,
    NoSuchAttempt: not_found,
    NoSuchVersion: not_found,
    LauncherUnavailable: upstream,
    LauncherRefused: upstream,
    LauncherUnreadable: upstream,
    LauncherBusy: upstream,
}


def answer_of(error: LauncherError, asked: Asked, texts: Mapping[str, NotFound]) -> ErrorAnswer:
    return ANSWER_OF_LAUNCHER_ERROR[type(error)](error, asked, texts)


class ApiError(Exception):
    """The API refuses a request without asking a launcher."""

    def __init__(self, answer: ErrorAnswer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class NoSuchApi(ApiError):
    def __init__(self, path: str) -> None:
        super().__init__(ErrorAnswer(404, "NoApiError", f"API {path} is not found."))


class MethodNotAllowed(ApiError):
    def __init__(self, method: str, path: str, allow: str) -> None:
        message = f"Method {method} is not allowed for API {path}."
        super().__init__(ErrorAnswer(405, "MethodNotAllowedError", message, {"Allow": allow}))


class UriTooLong(ApiError):
    def __init__(self, limit: int) -> None:
        super().__init__(ErrorAnswer(414, "UriTooLongError", f"The request target is longer than {limit} bytes."))


class InvalidParameter(ApiError):
    def __init__(self, parameter: str, value: str, expected: str) -> None:
        message = f'Parameter {parameter} is "{value}", but must be {expected}.'
        super().__init__(ErrorAnswer(400, "InvalidParametersError", message))


class Unauthorized(ApiError):
    def __init__(self, *, offered: bool) -> None:
        """``offered``: a token came, and is none of ours (RFC 6750 wants that told)."""
        challenge = 'Bearer realm="restserver"' + (', error="invalid_token"' if offered else "")
        message = "A valid bearer token is required."
        super().__init__(ErrorAnswer(401, "UnauthorizedError", message, {"WWW-Authenticate": challenge}))


class TooManyRequests(ApiError):
    def __init__(self, allowance: str, seconds: int) -> None:
        message = f"More than {allowance}; ask again in {seconds} s."
        super().__init__(ErrorAnswer(429, "TooManyRequestsError", message, {"Retry-After": str(seconds)}))
