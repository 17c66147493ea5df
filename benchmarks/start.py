"""Cold start: from starting the process to the whole first answer, against a bare falcon and waitress program."""

import statistics
import time
from collections.abc import Iterator, Sequence

from benchmarks.process import BARE, RESTSERVER, body_of, serving
from benchmarks.table import Row

TARGET = 2.5


def first_answer(arguments: Sequence[str], path: str) -> float:
    started = time.perf_counter()
    with serving(arguments) as server:
        body_of(server.url + path)
        return time.perf_counter() - started


def rows(*, quick: bool) -> Iterator[Row]:
    instant = "2026-03-01T12:00:00Z"
    simulated = (*RESTSERVER, "serve", "-p", "0", "--seed", "1", "--at", instant, "--frozen")
    with serving(simulated) as server:
        name = some_job(server.url)
    ours, bare = [], []
    for _ in range(3 if quick else 9):
        ours.append(first_answer(simulated, f"/api/v2/jobs/{name}"))
        bare.append(first_answer(BARE, "/"))
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    yield Row(
        what="cold start to the first simulated job detail",
        figure=f"{statistics.median(ours):.2f} s",
        against=f"bare falcon and waitress, {statistics.median(bare):.2f} s",
        ratio=ratio,
        target=f"at most {TARGET}",
        met=ratio <= TARGET,
    )


def some_job(url: str, state: str = "RUNNING") -> str:
    """The name of a simulated job in that state, asked of the control plane."""
    import json

    jobs = json.loads(body_of(f"{url}/__admin/jobs?state={state}&limit=1"))["jobs"]
    return str(jobs[0]["name"])
