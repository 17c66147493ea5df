"""Where the time of a polled job detail goes: the application alone, without a server; and a profile of it.

What the server costs without an application (the no-op ceiling) and what the application costs without a server add up, so
their ratio says what a missed target of :mod:`benchmarks.throughput` is limited by. The profile is written to
``benchmarks/results/profile.txt``: it tells what is called and how often; its seconds are several times the true ones.
"""

import cProfile
import io
import os
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch
from wsgiref.types import WSGIApplication

from benchmarks.load import load
from benchmarks.noop import NoOp, keep
from benchmarks.process import ROOT, Answer, serving
from benchmarks.table import Row
from benchmarks.throughput import CONNECTIONS, NOOP, QUIET, WORLD
from restserver.assembling import application
from restserver.serving import waitress_server
from restserver.settings import Settings

AT = 1_772_366_400_000
PROFILE = ROOT / "benchmarks" / "results" / "profile.txt"
SHOWN = 25
"""Functions of the profile, by the time they take themselves."""
PATH = "/api/v2/jobs/story~retried-then-succeeded"

Asked = Callable[[], Answer]
"""One question, answered."""


def rows(*, quick: bool) -> Iterator[Row]:
    number, rounds, seconds = (2_000, 3, 1.0) if quick else (5_000, 7, 3.0)
    alone: dict[str, list[float]] = {"access log off": [], "everything on": []}
    server: list[float] = []
    with ExitStack() as stack:
        nowhere = stack.enter_context(Path(os.devnull).open("w", buffering=1))
        stack.enter_context(patch("sys.stderr", nowhere))  # where the lines of the log go
        quiet = stack.enter_context(_answering(access_log=False))
        all_on = stack.enter_context(_answering(access_log=True))
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "answer.json"
        answer = quiet()
        keep(answer, file)
        noop = stack.enter_context(serving((*NOOP, "waitress", str(file))))
        for _ in range(rounds):
            alone["access log off"].append(_microseconds(quiet, number))
            alone["everything on"].append(_microseconds(all_on, number))
            server.append(1e6 / load(noop.port, "/", connections=CONNECTIONS, seconds=seconds).per_second)
        profile = _profile(all_on, number)
    told = []
    for what, each in alone.items():
        ratio = statistics.median(ours / theirs for ours, theirs in zip(each, server, strict=True))
        told.append(
            Row(
                what=f"what the application alone takes for a polled job detail, {what}",
                figure=f"{statistics.median(each):.0f} µs",
                against=f"a no-op application and all of waitress, {statistics.median(server):.0f} µs",
                ratio=ratio,
            )
        )
    lines = [
        f"{row.what}: {row.figure}. Against {row.against}: so no more than {1 / (1 + (row.ratio or 0)):.2f} of its answers a second"
        for row in told
    ]
    PROFILE.parent.mkdir(exist_ok=True)
    PROFILE.write_text(
        "\n".join(
            [
                *lines,
                *_granian(answer, seconds),
                "",
                f"{number} answers, everything on, under cProfile:",
                profile,
                "The server alone, a no-op application answered by the thread that reads, under cProfile:",
                _profile_of_server(answer, seconds),
            ]
        )
    )
    yield from told


@contextmanager
def _answering(*, access_log: bool) -> Iterator[Asked]:
    """The application as ``serve`` puts it together, log and all."""
    settings = Settings(at=AT, frozen=True, access_log=access_log)
    with application.built_backend(settings) as built:
        made = application.assembled(built, settings)
        yield partial(_asked, made.served)


def _asked(application: WSGIApplication) -> Answer:
    told: list[tuple[str, str]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *more: object) -> Any:
        nonlocal told
        del more
        assert status == "200 OK"
        told = headers

    environ: dict[str, Any] = {  # as waitress gives it
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "REQUEST_METHOD": "GET",
        "SERVER_PORT": "9186",
        "SERVER_NAME": "waitress.invalid",
        "SERVER_SOFTWARE": "waitress",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "REQUEST_URI": PATH,
        "QUERY_STRING": "",
        "HTTP_HOST": "127.0.0.1:9186",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": None,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return Answer(told, b"".join(application(environ, start_response)))


def _microseconds(asked: Asked, number: int) -> float:
    """Of one answer."""
    began = time.perf_counter()
    for _ in range(number):
        asked()
    return (time.perf_counter() - began) * 1e6 / number


def _profile(asked: Asked, number: int) -> str:
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(number):
        asked()
    profiler.disable()
    return _told(profiler)


def _granian(answer: Answer, seconds: float) -> Iterator[str]:
    """What an answer takes of the machine's processors: under granian a server's threads, and whoever asks, share them."""
    if find_spec("granian") is None or not Path("/proc/self/task").exists():
        return
    on_granian = ("--server", "granian")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.json"
        keep(answer, file)
        for what, command, path in (
            ("a no-op application", (*NOOP, "granian", str(file)), "/"),
            ("the application, access log off", (*WORLD, *QUIET, *on_granian), PATH),
            ("the application, everything on", (*WORLD, *on_granian), PATH),
        ):
            with serving(command) as server:
                load(server.port, path, connections=CONNECTIONS, seconds=seconds)
                before, own = _processor_seconds(server.process.pid), time.process_time()
                run = load(server.port, path, connections=CONNECTIONS, seconds=seconds)
                taken, asking = _processor_seconds(server.process.pid) - before, time.process_time() - own
            took = [1e6 * each / run.requests for each in (run.seconds, taken, asking)]
            yield f"granian, {what}: an answer every {took[0]:.0f} µs; of processors it takes {took[1]:.0f} µs, and who asks {took[2]:.0f} µs more"


def _processor_seconds(pid: int) -> float:
    """Of a process and all it started, user's and system's; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") + sum(
        _processor_seconds(int(one)) for one in children
    )


def _profile_of_server(answer: Answer, seconds: float) -> str:
    """Of the thread that reads, while this one asks."""
    profiler = cProfile.Profile()
    with (
        waitress_server.listening_socket("127.0.0.1", 0) as listener,
        waitress_server.Server(NoOp(answer), listener, at_once=True) as server,
    ):
        thread = Thread(target=profiler.runcall, args=(server.run,))
        thread.start()
        load(listener.getsockname()[1], "/", connections=CONNECTIONS, seconds=seconds)
        server.stop()
        thread.join()
    return _told(profiler)


def _told(profiler: cProfile.Profile) -> str:
    told = io.StringIO()
    pstats.Stats(profiler, stream=told).strip_dirs().sort_stats("tottime").print_stats(SHOWN)
    return "\n".join(line.rstrip() for line in told.getvalue().splitlines() if line.strip()) + "\n"
