"""Asks a WSGI application as a server would, any method and any bytes of a path included."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

from tests.wire_exchange import send


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    application: WSGIApplication,
    target: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Response:
    """``target`` is sent as it is: path, percent-encoded, and query. Of headers that come twice the last is told."""
    sent = send(application, method, target, headers, body, host="localhost")
    return Response(sent.status, {name.lower(): value for name, value in sent.headers}, sent.body)
