"""What granian lets pass, and a proxy before it may read otherwise: refused, and the connection ended.

As :mod:`restserver.serving.strict_http` does it for waitress, as far as what granian hands on still tells. What it cannot parse it
refuses itself. Of two lengths it hands on the chunks alone (RFC 9112, 6.1), so a request in chunks may be one with a second length:
none is taken (411), and nothing is lost, for no answer of ours depends on a body that a client could not measure. The connection
ends wherever a body was not read to its end.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def strictly(application: WSGIApplication) -> WSGIApplication:
    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "," in environ.get("HTTP_HOST", ""):
            return _refused("400 Bad Request", "Several hosts", start_response)
        if "HTTP_TRANSFER_ENCODING" in environ:
            return _refused("411 Length Required", "A body needs a Content-Length", start_response)
        return application(environ, start_response)

    return answering


def _refused(status: str, reason: str, start_response: StartResponse) -> Iterable[bytes]:
    body = f"{status[4:]}\n\n{reason}".encode()
    about_body = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(status, [*about_body, ("Connection", "close")])
    return [body]
