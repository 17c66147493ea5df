"""A table of paths, and how the real launcher's web framework finds the row: matrix parameters cut, a slash at the end
ignored, ``%2F`` part of a segment.

This is why the launcher's face is plain WSGI and not Falcon: what a REST framework would put right here is what the real
one does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast
from urllib.parse import parse_qsl, unquote
from wsgiref.types import InputStream, WSGIEnvironment

from msgspec import Struct, field

from simulator.http.answers import Answered
from simulator.submission.refusals import Refused, unfit_request

LARGEST_BODY = 8 * 1024 * 1024


class Request(Struct, frozen=True):
    """One request as it came in."""

    method: str
    path: str
    """As sent, without query."""
    query: Mapping[str, str]
    """The first of each name."""
    headers: Mapping[str, str]
    """Names in small letters."""
    base: str
    """``http://host:port``, as the client called this server."""
    target: str
    """Path and query, as sent."""
    peer: str
    body: Callable[[], bytes]
    segments: Mapping[str, str] = field(default_factory=dict)
    """What the path names: ``name``, ``role``, ..."""

    @property
    def location(self) -> str:
        return self.base + self.target


def request_of(environ: WSGIEnvironment) -> Request:
    target = _SCHEME_AND_AUTHORITY.sub("", environ.get("REQUEST_URI") or environ["PATH_INFO"])
    path, _, query = target.partition("?")
    headers = {key[5:].lower().replace("_", "-"): str(value) for key, value in environ.items() if key[:5] == "HTTP_"}
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    pairs = parse_qsl(query, keep_blank_values=True)
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=dict(reversed(pairs)),
        headers=headers,
        base=f"{environ['wsgi.url_scheme']}://{_header_safe(host)}",
        target=_header_safe(target),
        peer=environ.get("REMOTE_ADDR", "127.0.0.1"),
        body=lambda: _body(environ),
    )


_SCHEME_AND_AUTHORITY = re.compile(r"^https?://[^/?#]*", re.IGNORECASE)
"""Before the path where a proxy is asked, or was: every server has to understand that (RFC 9112, 3.2.2)."""


def _header_safe(text: str) -> str:
    """Fit to be sent back in a header."""
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable())


def _body(environ: WSGIEnvironment) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if int(length) > LARGEST_BODY:
        raise unfit_request(f"the request entity is larger than {LARGEST_BODY} bytes")
    return cast("InputStream", environ["wsgi.input"]).read(int(length))


Answerer = Callable[[Request], Answered]


class Route(Struct, frozen=True):
    path: str
    """``/v1/Frameworks/{name}``."""
    methods: Mapping[str, Answerer]
    java_class: str = ""
    """Of the body that a PUT brings: it is named where no reader of the body's media type is found."""

    @property
    def allowed(self) -> list[str]:
        head = ["HEAD"] if "GET" in self.methods else []
        return ["OPTIONS", *head, *sorted(self.methods)]


class Routes:
    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(_pattern(route.path), route) for route in routes]

    def find(self, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """The row, and the segments it names, decoded."""
        plain = "/".join(segment.partition(";")[0] for segment in path.split("/"))
        plain = plain.removesuffix("/") or "/"
        for pattern, route in self._routes:
            match = pattern.fullmatch(plain)
            if match:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


# --- negotiation ----------------------------------------------------------------------------------------------------


def accepts(request: Request, media_type: str) -> bool:
    """Whether the Accept header allows it; no header allows all."""
    header = request.headers.get("accept", "").strip()
    if not header:
        return True
    kind = media_type.partition("/")[0]
    for part in header.split(","):
        named, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if named in (media_type, f"{kind}/*", "*/*") and not any(_IS_ZERO.fullmatch(p) for p in parameters):
            return True
    return False


_IS_ZERO = re.compile(r"q\s*=\s*0(\.0*)?")
_MEDIA_TYPE = re.compile(r"\s*([^\s/;,]+/[^\s/;,]+)\s*(;.*)?")


def media_type_of(request: Request) -> str | None:
    """Of the request's body, in small letters; ``None``: the header cannot be read."""
    header = request.headers.get("content-type")
    if header is None:
        return "application/octet-stream"
    match = _MEDIA_TYPE.fullmatch(header)
    return match[1].lower() if match else None


def require_json(media_type: str, java_class: str) -> None:
    """A body of another media type has no reader. Raises Refused."""
    if media_type == "application/json":
        return
    if media_type in ("application/octet-stream", "application/*", "*/*"):
        raise _no_reader(media_type, java_class)
    raise unfit_request()


def _no_reader(media_type: str, java_class: str) -> Refused:
    return unfit_request(
        f"com.sun.jersey.api.MessageException: A message body reader for Java class {java_class}, and Java type class "
        f"{java_class}, and MIME media type {media_type} was not found.",
        "The registered message body readers compatible with the MIME media type are:\nnone of this simulation",
    )
