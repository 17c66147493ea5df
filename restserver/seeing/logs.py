"""The log: standard error, and nowhere else. Text for people on a terminal, one JSON object a line for machines.

By the standard library alone. structlog was measured (26.1, on a small shared machine): 0.2 s of import, more than a bare
server's whole start; a line through it 13 us in its fastest configuration and 35 us in the usual one, where a line of
:mod:`restserver.seeing.access_log` takes 4 us. Importing it only for a production server would save the start, but a line per
request is written just there, and two ways to write a line are two shapes of it. What it would give is here: fields beside the
message (:func:`told`), one shape for every line, redaction on the way out.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from contracts.clock import iso
from restserver.seeing.redaction import redaction

_FIELDS: Final = "restserver_fields"


def told(**fields: object) -> dict[str, Any]:
    """``logger.warning("...", extra=told(request_id=...))``: in JSON fields of their own, in text behind the message."""
    return {_FIELDS: fields}


def as_text(log_format: str | None) -> bool:
    """Whether lines are for people; without a wish, whether a terminal shows them."""
    return sys.stderr.isatty() if log_format is None else log_format == "text"


class JsonFormatter(logging.Formatter):
    """One JSON object a line. ``time``, ``level``, ``logger`` and ``message`` are always there."""

    def __init__(self, redacted: Callable[[str], str] = str) -> None:
        super().__init__()
        self._redacted = redacted

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            **getattr(record, _FIELDS, {}),
            "time": iso(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redacted(record.getMessage()),
        }
        if record.exc_info:
            fields["exception"] = self._redacted(self.formatException(record.exc_info))
        return json.dumps(fields, default=str)


class TextFormatter(logging.Formatter):
    """For people. A line break in a message is shown, not made: nobody can forge a line."""

    def __init__(self, redacted: Callable[[str], str] = str) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redacted = redacted

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the base class's
        fields = getattr(record, _FIELDS, {})
        line = super().formatMessage(record) + "".join(f" {name}={value}" for name, value in fields.items())
        return self._redacted(line.replace("\r", "\\r").replace("\n", "\\n"))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as above
        return self._redacted(super().formatException(ei))


def set_up_logging(log_format: str | None, level: str, secrets: Iterable[str] = ()) -> None:
    """The one place that touches the process's logging."""
    redacted = redaction(secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFormatter(redacted) if as_text(log_format) else JsonFormatter(redacted))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # waitress warns of every request that waits for a thread: under load that is most of them, and it is no fault.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
