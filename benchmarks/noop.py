"""The ceiling: a WSGI application that answers fixed bytes and does nothing else, on the very servers that the API runs on.

``python -m benchmarks.noop waitress|handed-over|granian FILE`` serves the answer kept in that file, its headers and its body,
on any free port; ``handed-over``: each question handed over to a thread, as waitress itself does.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from benchmarks.process import Answer
from restserver.serving import waitress_server


class NoOp:
    def __init__(self, answer: Answer) -> None:
        self.stopping = False
        self._headers, self._body = answer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, /) -> Iterable[bytes]:
        start_response("200 OK", self._headers[:])
        return [self._body]


@contextmanager
def served(answer: Answer) -> Iterator[tuple[NoOp, NoOp]]:
    application = NoOp(answer)
    yield application, application


def keep(answer: Answer, file: Path) -> None:
    file.write_text(json.dumps([answer.headers, answer.body.decode()]))


def kept(file: Path) -> Answer:
    headers, body = json.loads(file.read_text())
    return Answer([(name, value) for name, value in headers], body.encode())


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("server", choices=("waitress", "handed-over", "granian"))
    arguments.add_argument("answer", type=Path)
    options = arguments.parse_args()
    answer = kept(options.answer)
    if options.server == "granian":
        from restserver.serving import granian_workers

        held, address = granian_workers.reserved_port("127.0.0.1", 0)
        announce = partial(print, f"listening on {address}", flush=True)
        return granian_workers.serve(partial(served, answer), held, announce, str, 1, 0.0)
    waitress_server.settle_process()
    with waitress_server.listening_socket("127.0.0.1", 0) as listener:
        announce = partial(print, f"listening on {waitress_server.url_of(listener)}", flush=True)
        return waitress_server.serve(NoOp(answer), listener, announce, at_once=options.server == "waitress")


if __name__ == "__main__":
    sys.exit(main())
