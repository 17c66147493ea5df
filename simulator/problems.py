"""What the control plane says when it refuses: problem documents (RFC 9457), for every error on every path."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import falcon

from contracts.launcher.port import LauncherError

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


class BadInput(ValueError):
    """Something a caller sent cannot be used. The message names it and says what would do."""


def install(app: "falcon.App[Any, Any]", statuses: Mapping[type[Exception], int]) -> None:
    """Makes every error of that application a problem document. ``statuses``: those of its own errors, whose texts are told."""
    app.add_error_handler(Exception, _unforeseen)
    app.add_error_handler(falcon.HTTPError, _refused)
    app.add_error_handler(LauncherError, _launcher_failed)
    app.add_error_handler(BadInput, _bad_input)

    def told(request: falcon.Request, response: falcon.Response, error: Exception, params: object) -> None:
        status = next(statuses[kind] for kind in type(error).__mro__ if kind in statuses)
        _refused(request, response, falcon.HTTPError(status, description=str(error)), params)

    for kind in statuses:
        app.add_error_handler(kind, told)


def _refused(_request: object, response: falcon.Response, error: falcon.HTTPError, _params: object) -> None:
    status = falcon.http_status_to_code(error.status)
    response.status = status
    response.set_headers(error.headers or {})
    response.content_type = MEDIA_TYPE
    response.data = json.dumps(
        {
            "type": "about:blank",
            "title": falcon.code_to_http_status(status).partition(" ")[2],
            "status": status,
            "detail": error.description or _DETAIL_OF_STATUS[status],
        },
        ensure_ascii=False,
    ).encode()


_DETAIL_OF_STATUS = {
    400: "The request cannot be read.",
    404: "The control plane has no such path.",
    405: "The control plane has this path, but not with this method.",
}
"""What Falcon raises without a description."""


def _bad_input(request: falcon.Request, response: falcon.Response, error: BadInput, params: object) -> None:
    _refused(request, response, falcon.HTTPBadRequest(description=str(error)), params)


def _launcher_failed(request: falcon.Request, response: falcon.Response, error: LauncherError, params: object) -> None:
    _refused(request, response, falcon.HTTPServiceUnavailable(description=str(error)), params)


def _unforeseen(request: falcon.Request, response: falcon.Response, error: Exception, params: object) -> None:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    told = falcon.HTTPInternalServerError(description="The control plane failed; its log says more.")
    _refused(request, response, told, params)
