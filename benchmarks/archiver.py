"""One poll of the archiver over ten thousand frameworks of which a tenth lives and changes: how long, and at what rate of calls."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.process import serving
from benchmarks.table import Row
from contracts.clock import SystemClock
from restserver.history.database import Database
from restserver.history.follower import Follower, Pace
from restserver.history.store import Store
from restserver.launchers.http import http_backend

FRAMEWORKS = 10_000
INTERVAL_SECONDS = 30.0
UNHURRIED = Pace()
HURRIED = Pace(calls_per_second=1_000_000)


def rows(*, quick: bool) -> Iterator[Row]:
    frameworks = FRAMEWORKS // 5 if quick else FRAMEWORKS
    clock = SystemClock()
    with (
        serving(("-m", "benchmarks.many_frameworks", str(frameworks))) as served,
        tempfile.TemporaryDirectory() as folder,
    ):
        launcher, _ = http_backend(
            launcher_url=served.url,
            rm_url=None,
            dialect="open",
            timeout=30_000,
            headers=(),
            ca_file=None,
            clock=clock,
        )
        store = Store(Database(f"sqlite:///{Path(folder) / 'history.sqlite'}"))

        def poll(pace: Pace) -> tuple[float, float, int]:
            """Seconds, seconds of processor, frameworks fetched."""
            follower = Follower(launcher, store, clock, lambda pause: threading.Event().wait(pause / 1000), pace)
            began, worked = time.perf_counter(), time.process_time()
            polled = follower.poll()
            return time.perf_counter() - began, time.process_time() - worked, polled.fetched

        first, _, all_ = poll(HURRIED)
        hurried, work, changed = poll(HURRIED)
        unhurried, _, _ = poll(UNHURRIED)
        launcher.close()
        store.database.close()
    yield Row(
        what=f"archiver: a poll of {frameworks:,} frameworks, {changed:,} of them changed, at {UNHURRIED.calls_per_second} calls a second",
        figure=f"{unhurried:.1f} s",
        against=f"the poll interval, {INTERVAL_SECONDS:.0f} s",
        ratio=unhurried / INTERVAL_SECONDS,
        target="at most 1",
        met=unhurried <= INTERVAL_SECONDS,
    )
    yield Row(
        what="the same as fast as it can",
        figure=f"{hurried:.1f} s, {1000 * work / changed:.1f} ms of processor per framework",
        against=f"its first poll ever, which fetches all {all_:,}: {first:.1f} s",
        ratio=hurried / first,
    )
