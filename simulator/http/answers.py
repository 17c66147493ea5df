"""How the real launcher's web server answers, as values: statuses, headers and bodies as recorded, down to its oddities.

Every success says ``Content-Type`` twice, ``text/plain`` first; bodies of JSON are chunked, others have a length; pages of
the servlet container forbid caching in words of their own. An :class:`Answered` is what a WSGI server is given; nothing in
here knows a path.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from html import escape
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment
from xml.sax.saxutils import escape as escape_xml

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant
from contracts.launcher.open_print import render, render_compact
from simulator.faults.server_in_use import keeps_connection_after_chunks

Headers = tuple[tuple[str, str], ...]

PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
XML = "application/xml"
HTML = "text/html; charset=iso-8859-1"
WADL = "application/vnd.sun.wadl+xml"

_XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


class Answered(Struct, frozen=True):
    """One answer. ``{date}`` in a header stands for the instant it is sent at."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    chunked: bool = False
    """Sent without a length, as the real one sends everything it writes as JSON."""
    reason: str = ""
    """Empty: the usual one."""
    compressible: bool = False
    """Sent as gzip to those who take it: the launcher's successes are, its errors and the resource manager's answers never."""
    told_length: int | None = None
    """For an answer to HEAD whose length is that of a body which is not sent."""

    def carrying(self, more: Mapping[str, str]) -> "Answered":
        """With these headers besides, in place of its own of the same names."""
        names = {name.lower() for name in more}
        kept = tuple((name, value) for name, value in self.headers if name.lower() not in names)
        return replace(self, headers=(*kept, *more.items()))

    def send(self, environ: WSGIEnvironment, start_response: StartResponse, now: Instant) -> Iterable[bytes]:
        """Where the server in use would end the connection after chunks, the length is told instead: clients keep connections."""
        if self.compressible and _takes_gzip(environ) and self.body:
            packed = gzip.compress(self.body, mtime=0)
            more = (*self.headers, ("Content-Encoding", "gzip"))
            return replace(self, body=packed, headers=more, compressible=False).send(environ, start_response, now)
        date = formatdate(now / 1000, usegmt=True)
        headers = [(name, value.replace("{date}", date)) for name, value in self.headers]
        status = f"{self.status} {self.reason or HTTPStatus(self.status).phrase}"
        if self.chunked and keeps_connection_after_chunks(environ):
            start_response(status, headers)
            return _without_length(self.body)
        length = len(self.body) if self.told_length is None else self.told_length
        start_response(status, [*headers, ("Content-Length", str(length))])
        return [self.body] if self.body else []


def _takes_gzip(environ: WSGIEnvironment) -> bool:
    accepted = str(environ.get("HTTP_ACCEPT_ENCODING", "")).lower().split(",")
    wishes = (each.partition(";") for each in accepted)
    return any(name.strip() == "gzip" and weight.replace(" ", "") not in ("q=0", "q=0.0") for name, _, weight in wishes)


def _without_length(body: bytes) -> Iterator[bytes]:
    """WSGI servers send what has no length in chunks (HTTP/1.1) or until the end of the connection (1.0)."""
    yield body


def _cached(*middle: tuple[str, str], frame: str = "DENY") -> Headers:
    return (
        ("Cache-Control", "no-cache"),
        ("Expires", "{date}"),
        ("Date", "{date}"),
        ("Pragma", "no-cache"),
        *middle[:1],
        ("X-Frame-Options", frame),
        *middle[1:],
    )


def written(body: str, media_type: str = JSON, more: Headers = ()) -> Answered:
    """A success with a body."""
    headers = _cached(("Content-Type", PLAIN), ("Content-Type", media_type), *more)
    return Answered(200, headers, body.encode(), True, compressible=True)


def document(value: object) -> Answered:
    """A success that is JSON, pretty as recorded."""
    return written(render(value))


def packed(text: str, filename: str) -> Answered:
    """A file to be saved; it says to be JSON like every success."""
    headers = _cached(
        ("Content-Type", PLAIN), ("Content-Type", JSON), ("Content-Disposition", f'attachment; filename="{filename}"')
    )
    return Answered(200, headers, gzip.compress(text.encode(), mtime=0))


def accepted(status: int, location: str | None = None) -> Answered:
    """The success of a write: no body; a PUT tells its own address."""
    more = (("Location", location),) if location is not None else ()
    return Answered(status, _cached(("Content-Type", PLAIN), *more))


def error_object(status: int, error: Mapping[str, object], as_xml: bool = False) -> Answered:
    """The launcher's error object, compact."""
    if as_xml:
        inside = "".join(f"<{key}>{escape_xml(str(value))}</{key}>" for key, value in error.items())
        body = f"{_XML_HEAD}<RemoteException>{inside}</RemoteException>"
        return Answered(status, _cached(("Content-Type", XML)), body.encode())
    return Answered(status, _cached(("Content-Type", JSON)), render_compact(dict(error)).encode(), True)


def bad_content_type(value: str) -> Answered:
    body = f"Bad Content-Type header value: '{value}'"
    return Answered(400, _cached(("Content-Type", PLAIN), ("Content-Type", "text/plain")), body.encode(), True)


def options(path: str, methods: Iterable[str], base: str) -> Answered:
    """What a known path says to OPTIONS: its methods, and a document that says little more."""
    body = (
        f'{_XML_HEAD}<application xmlns="http://wadl.dev.java.net/2009/02"><grammars/>'
        f'<resources base="{escape_xml(base)}/"><resource path="{escape_xml(path.lstrip("/"))}"/></resources></application>'
    )
    kinds = (("Content-Type", PLAIN), ("Content-Type", WADL), ("Allow", ",".join(methods)))
    return Answered(200, _cached(*kinds), body.encode())


# --- the servlet container, where the launcher has no such path -----------------------------------------------------

_CONTAINER: Headers = (("Date", "{date}"), ("Pragma", "no-cache"), ("X-Frame-Options", "DENY"))


def page(status: int, path: str, reason: str | None = None) -> Answered:
    """The container's own page of an error."""
    told = reason or HTTPStatus(status).name
    body = (
        '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1"/>\n'
        f"<title>Error {status} {escape(told)}</title>\n</head>\n<body><h2>HTTP ERROR {status}</h2>\n"
        f"<p>Problem accessing {escape(path)}. Reason:\n<pre>    {escape(told)}</pre></p>\n</body>\n</html>\n"
    )
    headers = (("Cache-Control", "must-revalidate,no-cache,no-store"), *_CONTAINER, ("Content-Type", HTML))
    encoded = body.encode("iso-8859-1", "replace")
    return Answered(status, headers, encoded, reason="" if reason is None else _one_line(reason))


def not_here(method: str, path: str) -> Answered:
    """What the container says of a path that nobody answers at."""
    if method == "OPTIONS":
        return Answered(200, _cached(("Content-Type", PLAIN), ("Allow", "GET, HEAD, POST, TRACE, OPTIONS")))
    if method in ("PUT", "DELETE", "TRACE"):
        return method_not_allowed()
    if method in ("GET", "HEAD", "POST"):
        return page(404, path)
    reason = f"Method {method} is not defined in RFC 2068 and is not supported by the Servlet API"
    return Answered(501, _CONTAINER, reason=_one_line(reason))


def method_not_allowed() -> Answered:
    return Answered(405, _CONTAINER)


def headless(answered: Answered, path: str) -> Answered:
    """The answer to HEAD where GET had this one. An error is the container's page, whatever GET said."""
    if answered.status == 200:
        return replace(answered, body=b"", chunked=False)
    shown = page(answered.status, path)
    return replace(shown, body=b"", told_length=len(shown.body))


def _one_line(text: str) -> str:
    """A reason goes into the status line, where a client must not be able to end it."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)


# --- the resource manager -------------------------------------------------------------------------------------------


def of_resource_manager(status: int, value: object, location: str | None = None) -> Answered:
    """Compact JSON under one ``Content-Type``; errors come wrapped."""
    more = (("Location", location),) if location is not None else ()
    headers = _cached(("Content-Type", JSON), *more, frame="SAMEORIGIN")
    return Answered(status, headers, render_compact(value).encode(), True)


def html_of_resource_manager(text: str) -> Answered:
    return Answered(200, _cached(("Content-Type", "text/html; charset=utf-8"), frame="SAMEORIGIN"), text.encode())
