"""EncodedLauncher: any launcher and resource manager of the port as an HTTP server, GET only, in either dialect.

What it says is what the dialect's own encoder makes of the records; how it says it follows the recordings of a real launcher:
two Content-Type headers and chunks on success, the error object on "no such".
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from contracts.launcher import open_dialect, private_dialect, resource_manager
from contracts.launcher.port import Ask, Launcher, NoSuchAttempt, NoSuchFramework, NoSuchVersion, ResourceManager
from contracts.launcher.records import Application, Figures
from tests.stand_ins.served import ACTIVE, DOUBLED, Asked, Reply, Served, serving

NOBODY = Ask()


@dataclass(frozen=True)
class Row:
    """A path, and the document that stands there."""

    path: re.Pattern[str]
    document: Callable[[Launcher, re.Match[str]], object]


def _row(path: str, document: Callable[[Launcher, re.Match[str]], object]) -> Row:
    return Row(re.compile(path), document)


def _name(match: re.Match[str]) -> str:
    return unquote(match["name"])


OPEN = (
    _row("/v1/Frameworks/?", lambda launcher, _: open_dialect.encode_summaries(launcher.summaries(NOBODY))),
    _row(
        "/v1/Frameworks/(?P<name>[^/]+)",
        lambda launcher, match: open_dialect.encode_framework(launcher.framework(_name(match), NOBODY).value),
    ),
)
PRIVATE = (
    _row("/v1/SummaryFrameworks", lambda launcher, _: private_dialect.encode_summaries(launcher.summaries(NOBODY))),
    _row(
        "/v1/SummaryFrameworks/(?P<name>[^/]+)",
        lambda launcher, match: private_dialect.encode_framework(launcher.framework(_name(match), NOBODY).value),
    ),
    _row(
        "/v1/SummaryFrameworks/(?P<name>[^/]+)/Versions",
        lambda launcher, match: private_dialect.encode_versions(launcher.versions(_name(match), NOBODY).value),
    ),
    _row(
        r"/v1/SummaryFrameworks/(?P<name>[^/]+)/Versions/(?P<version>-?\d+)/Attempts",
        lambda launcher, match: private_dialect.encode_attempts(
            launcher.attempts(_name(match), int(match["version"]), NOBODY).value
        ),
    ),
    _row(
        r"/v1/SummaryFrameworks/(?P<name>[^/]+)/Versions/(?P<version>-?\d+)/Attempts/(?P<attempt>\d+)",
        lambda launcher, match: private_dialect.encode_framework(
            launcher.attempt(_name(match), int(match["attempt"]), int(match["version"]), NOBODY).value
        ),
    ),
)
ROWS = {"open": OPEN, "private": PRIVATE}


@contextlib.contextmanager
def encoded_launcher(launcher: Launcher, manager: ResourceManager, dialect: str) -> Iterator[Served]:
    """The launcher under ``/v1``, the resource manager under ``/ws``, on one port."""

    def reply(asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        if parts.path.rstrip("/") in ("", "/v1"):
            return ACTIVE
        if parts.path.startswith("/ws/"):
            return _of_resource_manager(manager, parts.path, parse_qs(parts.query))
        return _of_launcher(launcher, ROWS[dialect], parts.path)

    with serving(reply) as served:
        yield served


JSON = (("Content-Type", "application/json"),)


def _of_launcher(launcher: Launcher, rows: tuple[Row, ...], path: str) -> Reply:
    for row in rows:
        match = row.path.fullmatch(path)
        if match:
            try:
                document = row.document(launcher, match)
            except (NoSuchFramework, NoSuchVersion, NoSuchAttempt):
                return no_such()
            return Reply(200, open_dialect.render(document).encode(), DOUBLED, chunked=True)
    return Reply(404, b"<html><body><h2>HTTP ERROR 404</h2></body></html>", (("Content-Type", "text/html"),))


def no_such() -> Reply:
    """A launcher's own 404, stack trace and all."""
    name = "com.microsoft.frameworklauncher.common.exceptions.NotFoundException"
    error = open_dialect.encode_error("NotFoundException", f"{name}\n\tat somewhere\n", name)
    return Reply(404, open_dialect.render_compact(error).encode(), JSON, chunked=True)


def _of_resource_manager(manager: ResourceManager, path: str, query: Mapping[str, list[str]]) -> Reply:
    if path == resource_manager.APPLICATIONS_PATH:
        listed = manager.applications(int(query.get("startedTimeBegin", ["0"])[0]), NOBODY)
        return _compact(200, resource_manager.encode_applications(listed))
    application_id = unquote(path.removeprefix(resource_manager.APPLICATIONS_PATH + "/"))
    figures = manager.application(application_id, NOBODY).value
    if figures is None:
        error = open_dialect.encode_error("NotFoundException", f"app with id: {application_id} not found", "x")
        return _compact(404, {"RemoteException": error})
    return _compact(200, {"app": resource_manager.encode_application(_application(application_id, figures))})


def _compact(status: int, document: object) -> Reply:
    return Reply(status, open_dialect.render_compact(document).encode(), JSON, chunked=True)


def _application(application_id: str, figures: Figures) -> Application:
    """An application of which the port tells no more than its figures."""
    return Application(
        id=application_id,
        name="",
        user="",
        queue="default",
        state="RUNNING",
        final_status="UNDEFINED",
        progress=0.0,
        tracking_url=None,
        diagnostics="",
        started_timestamp=1,
        finished_timestamp=None,
        figures=figures,
    )
