"""Servers as child processes, on loopback: started, asked, stopped."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
STARTUP_SECONDS = 60.0
AS_INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed program is compiled already; from a checkout it is after its first start, unless this keeps it from that."""


@dataclass(frozen=True)
class Served:
    """One running server and how it came up."""

    url: str
    seconds_to_listening: float
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


@contextmanager
def serving(arguments: Sequence[str]) -> Iterator[Served]:
    """Runs ``python ARGUMENTS`` until its first line says where it listens; ends it on leaving."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=AS_INSTALLED,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line.startswith("listening on "):
            raise RuntimeError(f"{' '.join(arguments)} did not come up: {line!r}, exit {process.poll()}")
        yield Served(line.removeprefix("listening on "), time.perf_counter() - started, process)
    finally:
        process.terminate()
        try:
            process.wait(STARTUP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


class Answer(NamedTuple):
    """A 200 as it is sent."""

    headers: list[tuple[str, str]]
    body: bytes


def answer_of(url: str) -> Answer:
    """As it is on a connection that goes on. Raises RuntimeError for anything but a 200."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, timeout=STARTUP_SECONDS)) as connection:
        connection.request("GET", url.removeprefix(f"{parts.scheme}://{parts.netloc}"))
        response = connection.getresponse()
        if response.status != HTTPStatus.OK:
            raise RuntimeError(f"{url}: {response.status}")
        return Answer(response.getheaders(), response.read())


def body_of(url: str) -> bytes:
    return answer_of(url).body


RESTSERVER = ("-m", "restserver")
BARE = ("-m", "benchmarks.bare")
