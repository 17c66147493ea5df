"""One line per request, and the format of the log: text for people on a terminal, JSON for machines."""

import json
import logging
import sys
from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from contracts.clock import iso, real_now
from restserver.request_id import request_id

logger = logging.getLogger("restserver.access")

FIELDS: Final = "request"
"""Attribute of a record that holds what JSON shows as fields of their own."""


def logged(application: WSGIApplication) -> WSGIApplication:
    """Writes the line when the answer is known; the milliseconds are those until then."""

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = real_now()
        method: str = environ["REQUEST_METHOD"]
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *more: object) -> object:
            statuses[:] = [status]
            return start_response(status, headers, *more)  # type: ignore[arg-type]  # exc_info, passed on as it is

        body = application(environ, start)  # type: ignore[arg-type]  # as above
        told = {
            "client": environ.get("REMOTE_ADDR", "-"),
            "method": method,
            "target": environ.get("REQUEST_URI", environ["PATH_INFO"]),
            "status": int(statuses[0][:3]) if statuses else 0,
            "ms": real_now() - began,
            "request_id": request_id(environ),
        }
        logger.info("%(client)s %(method)s %(target)r %(status)d %(ms)d ms %(request_id)s", told, extra={FIELDS: told})
        return body

    return answering


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, FIELDS, {})
        told = {
            "time": iso(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            **(fields or {"message": record.getMessage()}),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


def set_up_logging(log_format: str | None, level: str, access_log: bool) -> None:
    """Logs go to standard error, and nowhere else. The one place that touches the process's logging."""
    as_text = sys.stderr.isatty() if log_format is None else log_format == "text"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s") if as_text else JsonFormatter()
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logger.setLevel(logging.INFO if access_log else logging.CRITICAL)
    # waitress warns of every request that waits for a thread: under load that is most of them, and it is no fault.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
