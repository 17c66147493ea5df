"""Threads for tests: started, waited for, and never left behind."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds after which a test has failed; nothing ever waits that long in one that passes."""


def started(work: Callable[[], T]) -> "Future[T]":
    """What the work gives, once it is done; a thread of its own for each."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def until(condition: Callable[[], bool]) -> None:
    """Looks again and again; for what another thread is about to do and nobody announces."""
    never = Event()
    for _ in range(round(PATIENCE * 1000)):
        if condition():
            return
        never.wait(0.001)
    raise AssertionError("it did not come to that")
