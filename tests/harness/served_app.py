"""Our own server, served from a thread, whose answers a test may spoil on their way out."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from click.testing import CliRunner

from contracts.clock import VirtualClock, from_iso
from restserver.assembling import backends
from restserver.assembling.application import application as application_of
from restserver.commands.check import check
from restserver.serving.waitress_server import serving
from restserver.settings import Settings

INSTANT = from_iso("2026-03-01T12:00:00Z")


@dataclass
class Reply:
    """One answer on its way out; a spoiler changes it."""

    path: str
    query: str
    method: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @json.setter
    def json(self, value: object) -> None:
        self.body = json.dumps(value).encode()

    @property
    def is_job(self) -> bool:
        return self.path.startswith("/api/v2/jobs/") and self.status == 200

    @property
    def is_attempt(self) -> bool:
        return "/attempts/" in self.path and self.status == 200

    def is_list(self, of: str) -> bool:
        return self.path.endswith(f"/{of}") and self.status == 200


Spoiler = Callable[[Reply], None]


@dataclass
class Spoiled:
    """A WSGI application around ours."""

    inner: WSGIApplication
    clock: VirtualClock
    url: str = ""
    spoiler: Spoiler | None = None
    asked: list[str] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        self.asked.append(path)
        if self.spoiler is None or not path.startswith("/api/"):
            return self.inner(environ, start_response)
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # what is spoiled has to be read
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def kept(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
            del exc_info
            started.append((status, headers))
            return lambda data: None

        body = b"".join(self.inner(environ, kept))
        status, headers = started[-1]
        told = {name.lower(): value for name, value in headers}
        reply = Reply(path, environ["QUERY_STRING"], environ["REQUEST_METHOD"], int(status[:3]), told, body)
        self.spoiler(reply)
        if reply.method != "HEAD" and reply.status not in (204, 304):
            reply.headers.setdefault("content-length", "")
            reply.headers["content-length"] = str(len(reply.body))
        start_response(f"{reply.status} Said", list(reply.headers.items()))
        return [] if reply.method == "HEAD" else [reply.body]


@contextmanager
def served(style: str = "documented", backend: str = "simulated", jobs: int = 40, **others: Any) -> Iterator[Spoiled]:
    """``others``: settings by field name."""
    at = INSTANT if backend == "simulated" else None
    settings = replace(
        Settings(), style=style, backend=backend, seed=1, jobs=jobs, at=at, frozen=True, port=0, **others
    )
    built = backends.BACKENDS[backend](settings)
    assert built.clock is not None
    application = Spoiled(application_of(built, settings), built.clock)
    with serving(application) as url:
        application.url = url
        yield application
    built.close()


def checked(url: str, *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    result = CliRunner().invoke(check, [url, *arguments], standalone_mode=False, catch_exceptions=False)
    return (result.return_value if isinstance(result.return_value, int) else result.exit_code), result.output
