"""A world of a million jobs: as quick to start as one of a hundred, quick to read first, bounded in memory.

Reads are in process, in a child of its own, so that its peak memory is only the world's.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from random import Random

from benchmarks.process import RESTSERVER, ROOT, body_of, serving
from benchmarks.table import Row

MILLION = 1_000_000
READS = 10_000
MOST_TASKS = 64
TARGET_START = 1.2
TARGET_FIRST_READ_MS = 5.0
TARGET_MEMORY_MIB = 150


def rows(*, quick: bool) -> Iterator[Row]:
    small, large = [], []
    for _ in range(3 if quick else 7):
        small.append(_start(100))
        large.append(_start(MILLION))
    ratio = statistics.median(b / a for a, b in zip(small, large, strict=True))
    yield Row(
        what="start of a world of a million jobs, to the first list of jobs",
        figure=f"{statistics.median(large):.2f} s",
        against=f"a world of a hundred, {statistics.median(small):.2f} s",
        ratio=ratio,
        target=f"at most {TARGET_START}",
        met=ratio <= TARGET_START,
    )
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.world"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(child.stdout)
    yield Row(
        what=f"first read of a job of up to {MOST_TASKS} tasks among a million, 99th percentile of {told['reads']:,}",
        figure=f"{told['p99']:.1f} ms (median {told['median']:.1f} ms)",
        against="",
        target=f"at most {TARGET_FIRST_READ_MS:.0f} ms",
        met=told["p99"] <= TARGET_FIRST_READ_MS,
    )
    yield Row(
        what=f"memory after {told['reads']:,} random reads",
        figure=f"{told['memory']:.0f} MiB",
        against="",
        target=f"at most {TARGET_MEMORY_MIB} MiB",
        met=told["memory"] <= TARGET_MEMORY_MIB,
    )


def _start(jobs: int) -> float:
    started = time.perf_counter()
    with serving((*RESTSERVER, "serve", "-p", "0", "--jobs", str(jobs))) as server:
        body_of(f"{server.url}/__admin/jobs?limit=1")
        return time.perf_counter() - started


def read_at_random() -> dict[str, float]:
    """First reads of random jobs of a million; milliseconds and MiB."""
    from contracts.clock import VirtualClock, from_iso
    from contracts.launcher.port import Ask, NoSuchFramework
    from simulator.launcher import simulated

    now = from_iso("2026-03-01T12:00:00Z")
    launcher, _ = simulated(1, MILLION, VirtualClock(now, frozen=True))
    places = launcher.source.places(now)
    dice = Random(1)
    took = []
    reads = 0
    for _ in range(READS):
        told = launcher.source.at_place(places[dice.randrange(len(places))])
        started = time.perf_counter()
        try:
            framework = launcher.framework(told.name, Ask()).value
        except NoSuchFramework:  # its user deleted it
            continue
        spent = time.perf_counter() - started
        reads += 1
        if framework.summary.total_task_number <= MOST_TASKS:
            took.append(spent * 1000)
    took.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "reads": reads,
        "median": statistics.median(took),
        "p99": took[int(len(took) * 0.99)],
        "memory": peak,
    }


if __name__ == "__main__":
    print(json.dumps(read_at_random()))
