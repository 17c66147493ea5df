"""Answers a second of a polled job detail, against a fixed body of the same bytes on pinned and on stock waitress."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import Load, load
from benchmarks.process import BARE, RESTSERVER, body_of, serving
from benchmarks.start import some_job
from benchmarks.table import Row

CONNECTIONS = 32
TARGET_BARE = 0.75
TARGET_ALL_ON = 0.60


def rows(*, quick: bool) -> Iterator[Row]:
    seconds, rounds = (1.5, 2) if quick else (4.0, 5)
    world = (*RESTSERVER, "serve", "-p", "0", "--seed", "1", "--at", "2026-03-01T12:00:00Z", "--frozen")
    with tempfile.TemporaryDirectory() as folder, serving((*world, "--access-log", "off")) as quiet:
        path = f"/api/v2/jobs/{some_job(quiet.url)}"
        body = Path(folder) / "body.json"
        body.write_bytes(body_of(quiet.url + path))
        with (
            serving(world) as logging,
            serving((*BARE, "--pinned", "--body", str(body))) as ceiling,
            serving((*BARE, "--body", str(body))) as stock,
        ):
            servers = {
                "quiet": (quiet, path),
                "logging": (logging, path),
                "ceiling": (ceiling, "/"),
                "stock": (stock, "/"),
            }
            runs: dict[str, list[Load]] = {name: [] for name in servers}
            for _ in range(rounds):
                for name, (server, asked) in servers.items():
                    runs[name].append(load(server.port, asked, connections=CONNECTIONS, seconds=seconds))
        size = body.stat().st_size
    failed = sum(run.failures for each in runs.values() for run in each)
    if failed:
        raise RuntimeError(f"{failed} answers were not 200")
    per_second = {name: statistics.median(run.per_second for run in each) for name, each in runs.items()}

    def ratio(ours: str, theirs: str) -> float:
        pairs = zip(runs[ours], runs[theirs], strict=True)
        return statistics.median(a.per_second / b.per_second for a, b in pairs)

    what = f"simulated job detail ({size / 1000:.1f} kB), {CONNECTIONS} connections"
    for name, label, target in (("quiet", "access log off", TARGET_BARE), ("logging", "everything on", TARGET_ALL_ON)):
        value = ratio(name, "ceiling")
        yield Row(
            what=f"{what}, {label}",
            figure=f"{per_second[name]:,.0f}/s",
            against=f"fixed bytes on pinned waitress, {per_second['ceiling']:,.0f}/s",
            ratio=value,
            target=f"at least {target:.2f}",
            met=value >= target,
        )
    yield Row(
        what=f"{what}, access log off",
        figure=f"{per_second['quiet']:,.0f}/s",
        against=f"fixed bytes on stock waitress, {per_second['stock']:,.0f}/s",
        ratio=ratio("quiet", "stock"),
    )
