"""When a request arrived: what it may take, and what it took, count from there and not from when somebody had time for it."""

from typing import Final
from wsgiref.types import WSGIEnvironment

from contracts.clock import stopwatch

ARRIVED: Final = "restserver.arrived"
"""In a request's environment: when its head was read, by the stopwatch. A server that does not know leaves it out."""


def arrival(environ: WSGIEnvironment) -> int:
    """By the stopwatch; now, where nobody knows."""
    known: int | None = environ.get(ARRIVED)
    return stopwatch() if known is None else known
