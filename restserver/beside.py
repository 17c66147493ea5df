"""Work that cannot be cut short, done beside whoever waits for it: that one waits as long as it will, and no longer."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def begun(work: Callable[[], T], name: str) -> "Future[T]":
    """The work under way in a thread of its own, which the end of the process does not wait for either."""
    done: Future[T] = Future()

    def working() -> None:
        try:
            result = work()
        except BaseException as error:  # whoever waits raises it
            done.set_exception(error)
        else:
            done.set_result(result)

    Thread(target=working, name=name, daemon=True).start()
    return done
