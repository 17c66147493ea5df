"""Serves the console: a page, its styles and its modules, as they lie here; no build, no other host.

It stands around an application, whose every other path is as if it were not there.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from msgspec import Struct

FOLDER: Final = Path(__file__).parent
PREFIX: Final = "/console/"
INDEX: Final = "index.html"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Its own files only, and no text ever becomes markup: names and messages of jobs are anybody's words."""


TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By suffix, and not by what the system thinks: a module of another type is not run."""


class File(Struct, frozen=True):
    content: bytes
    headers: tuple[tuple[str, str], ...]
    etag: str


@cache
def files() -> Mapping[str, File]:
    """By path."""
    found = {PREFIX + path.name: _file(path) for path in FOLDER.iterdir() if path.suffix in TYPES}
    return {"/": found.pop(PREFIX + INDEX), **found}


def _file(path: Path) -> File:
    content = path.read_bytes()
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {
        "Content-Type": TYPES[path.suffix],
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
        "ETag": etag,
    }
    return File(content, tuple(headers.items()), etag)


def with_console(application: WSGIApplication, identity: Callable[[], Mapping[str, str]]) -> WSGIApplication:
    """``identity``: what every answer carries."""

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if (path != "/" and not path.startswith(PREFIX)) or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return application(environ, start_response)
        file = files().get(path)
        if file is None:
            return application(environ, start_response)
        headers = [*file.headers, *identity().items()]
        if file.etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", [each for each in headers if each[0] != "Content-Type"])
            return []
        start_response("200 OK", [*headers, ("Content-Length", str(len(file.content)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [file.content]

    return answering
