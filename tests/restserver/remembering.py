"""The small launcher's API, and what came through to it on a file: in this process, or under granian in others.

``python -m tests.restserver.remembering FILE`` serves it under granian until it is ended.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from wsgiref.types import WSGIApplication

from restserver.app import Application
from restserver.serving import granian_workers
from restserver.settings import Settings
from tests.restserver.small_launcher import Small, small


def remembering(served: Small, file: Path) -> WSGIApplication:
    """Of each request one line is written: its path, and what the launcher was asked."""

    def answering(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI's own protocol, passed on
        served.launcher.asked.clear()
        answer = served.app(environ, start_response)
        with file.open("a") as lines:
            lines.write(json.dumps([environ["PATH_INFO"], served.launcher.asked]) + "\n")
        return answer

    return answering


@contextmanager
def _made(file: Path, settings: Settings) -> Iterator[tuple[Application, WSGIApplication]]:
    served = small(settings)
    yield served.app, remembering(served, file)


def main(file: str, *tokens: str) -> int:
    held, address = granian_workers.reserved_port("127.0.0.1", 0)
    make = partial(_made, Path(file), Settings(read_tokens=tokens))
    announce = partial(print, f"listening on {address}", flush=True)
    return granian_workers.serve(make, held, announce, str, 1, 0.0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
