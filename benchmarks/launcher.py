"""What the server adds to a launcher over HTTP, and how often its pollers make it ask."""

import re
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from benchmarks.load import load
from benchmarks.process import RESTSERVER, body_of, serving
from benchmarks.start import some_job
from benchmarks.table import Row
from benchmarks.throughput import CONNECTIONS, NO_GRANIAN

TARGET_MS = 1.5
POLLERS = 1000
WORKERS = 2
FROZEN = ("--seed", "1", "--at", "2026-03-01T12:00:00Z", "--frozen", "--access-log", "off")


def rows(*, quick: bool) -> Iterator[Row]:
    seconds, rounds = (1.0, 3) if quick else (3.0, 7)
    simulated = (*RESTSERVER, "simulate", "-p", "0", "--dialect", "open", *FROZEN)
    with tempfile.TemporaryDirectory() as folder, serving(simulated) as launcher:
        name = some_job(launcher.url)
        before = ("serve", "-p", "0", "--backend", "launcher", "--dialect", "open", "--launcher-url", launcher.url)
        all_on = (*RESTSERVER, *before, "--archiver", "off", "--data-dir", folder)
        server = (*all_on, "--access-log", "off")
        with serving((*server, "--cache-ttl", "0")) as bare:
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(load(bare.port, f"/api/v2/jobs/{name}", connections=1, seconds=seconds).median_ms)
                theirs.append(load(launcher.port, f"/v1/Frameworks/{name}", connections=1, seconds=seconds).median_ms)
        added = statistics.median(a - b for a, b in zip(ours, theirs, strict=True))
        yield Row(
            what="launcher mode without cache: what the server adds, median, one connection",
            figure=f"{added:.2f} ms",
            against=f"the simulated launcher itself over HTTP, {statistics.median(theirs):.2f} ms",
            ratio=statistics.median(ours) / statistics.median(theirs),
            target=f"at most {TARGET_MS} ms",
            met=added <= TARGET_MS,
        )
        with serving((*server, "--cache-ttl", "1")) as shielded:
            started = time.perf_counter()
            polled = load(
                shielded.port, f"/api/v2/jobs/{name}", connections=POLLERS if not quick else 200, seconds=seconds * 2
            )
            lasted = time.perf_counter() - started
            calls = _calls(body_of(f"{shielded.url}/metrics").decode())
        yield from _polled(all_on, f"/api/v2/jobs/{name}", seconds, rounds)
        allowed = int(lasted) + 2
        yield Row(
            what=f"{POLLERS if not quick else 200} pollers of one job, {polled.requests:,} answers in {lasted:.1f} s",
            figure=f"{calls} calls to the launcher",
            against="one a second (the cache's), and one more at each end",
            ratio=calls / allowed,
            target="at most 1.00",
            met=calls <= allowed and not polled.failures,
        )


def _polled(server: Sequence[str], path: str, seconds: float, rounds: int) -> Iterator[Row]:
    """By one process, and by one for each processor."""
    what = f"launcher mode, a polled job detail, {CONNECTIONS} connections, everything on"
    if find_spec("granian") is None:
        yield Row(what=f"{what}, granian, {WORKERS} workers", figure="not measured", against=NO_GRANIAN)
        return
    workers = ("--server", "granian", "--workers", str(WORKERS), "--management-port", str(_free_port()))
    with serving(server) as one, serving((*server, *workers)) as many:
        runs: dict[str, list[float]] = {one.url: [], many.url: []}
        for served in (one, many) * rounds:
            run = load(served.port, path, connections=CONNECTIONS, seconds=seconds)
            if run.failures:
                raise RuntimeError(f"{run.failures} answers that were not 200")
            runs[served.url].append(run.per_second)
    by_one, by_many = runs.values()
    yield Row(
        what=f"{what}, granian, {WORKERS} workers",
        figure=f"{statistics.median(by_many):,.0f}/s",
        against=f"waitress, one process, {statistics.median(by_one):,.0f}/s",
        ratio=statistics.median(ours / theirs for ours, theirs in zip(by_many, by_one, strict=True)),
    )


def _free_port() -> int:
    """The first of as many as there are workers, as far as anybody can tell."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _calls(metrics: str) -> int:
    told = re.findall(
        r'^restserver_launcher_calls_total\{[^}]*operation="framework"[^}]*\} ([0-9.e+]+)', metrics, re.MULTILINE
    )
    return round(sum(map(float, told)))
