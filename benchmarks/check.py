"""``restserver check``: 2,000 requests over all phases against the simulated server."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.process import RESTSERVER, ROOT, serving
from benchmarks.table import Row

REQUESTS = 2000
TARGET_SECONDS = 30.0


def rows(*, quick: bool) -> Iterator[Row]:
    requests = REQUESTS // 4 if quick else REQUESTS
    simulated = (*RESTSERVER, "serve", "-p", "0", "--seed", "1", "--at", "2026-03-01T12:00:00Z", "--access-log", "off")
    with serving(simulated) as server:
        started = time.perf_counter()
        # A few more are allowed than are wanted: a phase may find less to ask than it was given.
        check = [sys.executable, *RESTSERVER, "check", server.url, "-n", str(round(requests * 1.1))]
        result = subprocess.run(check, capture_output=True, text=True, cwd=ROOT, check=False)
        seconds = time.perf_counter() - started
    asked = re.search(r"^(\d+) requests", result.stdout, re.MULTILINE)
    if asked is None or result.returncode:
        raise RuntimeError(f"the check ended with {result.returncode}: {result.stdout[-500:]} {result.stderr[-500:]}")
    whole = seconds * REQUESTS / int(asked[1])
    yield Row(
        what=f"check of the simulated server, {asked[1]} requests over all phases",
        figure=f"{seconds:.1f} s, start included",
        against=f"{TARGET_SECONDS:.0f} s for {REQUESTS:,}",
        ratio=whole / TARGET_SECONDS,
        target="at most 1.00",
        met=whole <= TARGET_SECONDS,
    )
