"""An application beside the API that nobody may ever ask: it is made for the first who does, and a start does without."""

import threading
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class MadeWhenAsked:
    """Thread-safe: it is made once. If making it fails, whoever asks next tries again."""

    def __init__(self, make: Callable[[], WSGIApplication]) -> None:
        self._make = make
        self._made: WSGIApplication | None = None
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return self._made(environ, start_response)
