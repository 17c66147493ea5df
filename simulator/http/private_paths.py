"""The private dialect over HTTP: what its one known consumer calls (launcher fact sheet, 8.1).

Nobody knows how the private launcher words its errors; they are the open launcher's error object, whose ``message`` is all
that the consumer reads.
"""

import re
from collections.abc import Callable, Mapping

from contracts.launcher.port import Launcher, NoSuchAttempt, NoSuchFramework, NoSuchVersion
from contracts.launcher.private_dialect import (
    FRAMEWORKS_PATH,
    encode_attempts,
    encode_framework,
    encode_summaries,
    encode_versions,
)
from simulator.http.answers import Answered, accepted, document, written
from simulator.http.open_paths import Web, active_text
from simulator.http.routes import Request, Route, Routes
from simulator.http.writes import NOBODY, Writes
from simulator.submission import json_input
from simulator.submission import judging as submission
from simulator.submission.private import descriptor_of, tags_of
from simulator.submission.refusals import bad_request, not_found


def private_routes(launcher: Launcher, writes: Writes, web: Web) -> Routes:
    reads = _Reads(launcher)
    changes = _Changes(writes)
    root = {"GET": lambda _: written(active_text(web))}
    one = f"{FRAMEWORKS_PATH}/{{name}}"
    return Routes(
        [
            Route("/", root),
            Route("/v1", root),
            Route(FRAMEWORKS_PATH, {"GET": reads.frameworks}),
            Route(one, {"GET": reads.framework}),
            Route(f"{one}/Versions", {"GET": reads.versions}),
            Route(f"{one}/Versions/{{version}}/Attempts", {"GET": reads.attempts}),
            Route(f"{one}/Versions/{{version}}/Attempts/{{attempt}}", {"GET": reads.attempt}),
            Route("/v1/Frameworks/{name}/FrameworkRequest", {"GET": reads.existence}),
            Route(
                "/v1/Frameworks/{name}",
                {"PUT": changes.submit, "DELETE": changes.delete},
                writes.descriptor_shape.full_class,
            ),
            Route(
                "/v1/Frameworks/{name}/ExecutionType",
                {"PUT": changes.set_execution_type},
                submission.EXECUTION_TYPE.full_class,
            ),
        ]
    )


class _Reads:
    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def frameworks(self, _: Request) -> Answered:
        return document(encode_summaries(self._launcher.summaries(NOBODY)))

    def framework(self, request: Request) -> Answered:
        name = request.segments["name"]
        return _found(lambda: encode_framework(self._launcher.framework(name, NOBODY).value))

    def versions(self, request: Request) -> Answered:
        name = request.segments["name"]
        return _found(lambda: encode_versions(self._launcher.versions(name, NOBODY).value))

    def attempts(self, request: Request) -> Answered:
        name, version = request.segments["name"], _number(request, "version")
        return _found(lambda: encode_attempts(self._launcher.attempts(name, version, NOBODY).value))

    def attempt(self, request: Request) -> Answered:
        name, version, attempt = request.segments["name"], _number(request, "version"), _number(request, "attempt")
        return _found(lambda: encode_framework(self._launcher.attempt(name, attempt, version, NOBODY).value))

    def existence(self, request: Request) -> Answered:
        """Asked before a submission; only its status is known to be read."""
        name = request.segments["name"]
        return _found(lambda: {"FrameworkName": self._launcher.framework(name, NOBODY).value.summary.name})


def _found(told: Callable[[], Mapping[str, object]]) -> Answered:
    try:
        return document(told())
    except (NoSuchFramework, NoSuchVersion, NoSuchAttempt):
        raise not_found() from None


_NUMBER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


def _number(request: Request, segment: str) -> int:
    """Raises Refused: the consumer explains such an answer as a malformed version."""
    text = request.segments[segment]
    if not _NUMBER.fullmatch(text):
        raise bad_request(f"{segment} [{text}] is not a number")
    return int(text)


class _Changes:
    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def submit(self, request: Request) -> Answered:
        body = json_input.read(request.body())
        told = descriptor_of(body)
        shape = self._writes.descriptor_shape
        bound = None if told is None else shape.bound(told)
        self._writes.submit(request, request.segments["name"], bound, tags_of(body))
        return accepted(202, request.location)

    def delete(self, request: Request) -> Answered:
        """Not known of this dialect; as in the open one."""
        self._writes.delete(request, request.segments["name"])
        return accepted(202)

    def set_execution_type(self, request: Request) -> Answered:
        """Written as a word here, though read as a number."""
        told = json_input.read(request.body())
        if isinstance(told, dict):
            told = {"executionType": told.get("ExecutionType")}
        bound = None if told is None else submission.EXECUTION_TYPE.bound(told)
        self._writes.set_execution_type(request, request.segments["name"], bound)
        return accepted(202, request.location)
