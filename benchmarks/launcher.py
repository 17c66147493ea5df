"""What the server adds to a launcher over HTTP, and how often its pollers make it ask."""

import re
import statistics
import tempfile
import time
from collections.abc import Iterator

from benchmarks.load import load
from benchmarks.process import RESTSERVER, body_of, serving
from benchmarks.start import some_job
from benchmarks.table import Row

TARGET_MS = 1.5
POLLERS = 1000
FROZEN = ("--seed", "1", "--at", "2026-03-01T12:00:00Z", "--frozen", "--access-log", "off")


def rows(*, quick: bool) -> Iterator[Row]:
    seconds, rounds = (1.0, 3) if quick else (3.0, 7)
    simulated = (*RESTSERVER, "simulate", "-p", "0", "--dialect", "open", *FROZEN)
    with tempfile.TemporaryDirectory() as folder, serving(simulated) as launcher:
        name = some_job(launcher.url)
        before = ("serve", "-p", "0", "--backend", "launcher", "--dialect", "open", "--launcher-url", launcher.url)
        server = (*RESTSERVER, *before, "--archiver", "off", "--data-dir", folder, "--access-log", "off")
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
        allowed = int(lasted) + 2
        yield Row(
            what=f"{POLLERS if not quick else 200} pollers of one job, {polled.requests:,} answers in {lasted:.1f} s",
            figure=f"{calls} calls to the launcher",
            against="one a second (the cache's), and one more at each end",
            ratio=calls / allowed,
            target="at most 1.00",
            met=calls <= allowed and not polled.failures,
        )


def _calls(metrics: str) -> int:
    told = re.findall(
        r'^restserver_launcher_calls_total\{[^}]*operation="framework"[^}]*\} ([0-9.e+]+)', metrics, re.MULTILINE
    )
    return round(sum(map(float, told)))
