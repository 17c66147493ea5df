"""What granian lets pass, and a proxy before it may read otherwise: refused, with 400 and an end of the connection.

As :mod:`restserver.serving.strict_http` does it for waitress, as far as what granian hands on still tells. What it cannot parse it
refuses itself. Two lengths it reads by the letter (RFC 9112, 6.1): the chunks count, and the connection ends with the answer,
as it does wherever a body was not read to its end.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def strictly(application: WSGIApplication) -> WSGIApplication:
    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "," in environ.get("HTTP_HOST", ""):
            return _refused("Several hosts", start_response)
        if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
            return _refused("Transfer-Encoding is not supported", start_response)
        return application(environ, start_response)

    return answering


def _refused(reason: str, start_response: StartResponse) -> Iterable[bytes]:
    body = f"Bad Request\n\n{reason}".encode()
    about_body = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("400 Bad Request", [*about_body, ("Connection", "close")])
    return [body]
