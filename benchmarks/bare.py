"""The ceiling and the floor: a falcon application of one fixed body on stock waitress.

Started as a program it serves the bytes of the file named by its first argument (or a few bytes) on any free port. With
``--pinned`` it keeps to one CPU, as the server itself does where the system allows it.
"""

import argparse
import os
import socket
from pathlib import Path

import falcon
from waitress.server import create_server


class Fixed:
    """Answers every GET with the same bytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        response.data = self._body


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--body", type=Path)
    arguments.add_argument("--pinned", action="store_true")
    options = arguments.parse_args()
    if options.pinned and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    app = falcon.App()
    app.add_route("/", Fixed(options.body.read_bytes() if options.body else b"{}"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = create_server(app, sockets=[listening])
        print(f"listening on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        server.run()


if __name__ == "__main__":
    main()
