"""Answers a second of a polled job detail, on both servers, against the no-op ceiling of each and against other tools.

All servers are up at the same time and asked in turn, round after round; a ratio is the median of the rounds' ratios.
"""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from benchmarks import noop, peers
from benchmarks.load import Load, load
from benchmarks.process import BARE, RESTSERVER, Served, answer_of, serving
from benchmarks.start import some_job
from benchmarks.table import Row

CONNECTIONS = 32
TARGET_BARE = 0.75
TARGET_ALL_ON = 0.60
TARGET_FAST_BARE = 4.0
TARGET_FAST_ALL_ON = 2.0
MUST_BE_AHEAD_OF = ("Express", "WireMock")
AS_BARE = (peers.WITHOUT_JOURNAL,)
"""Those that note nothing are held against ours where it notes least."""
SETTLING_SECONDS = 1.0
"""Asked before the first round, so that nobody is measured cold; some of the others take longer."""
WORLD = (*RESTSERVER, "serve", "-p", "0", "--seed", "1", "--at", "2026-03-01T12:00:00Z", "--frozen")
RECORDED = (*RESTSERVER, "serve", "-p", "0", "--backend", "recorded")
QUIET = ("--access-log", "off")
NOOP = ("-m", "benchmarks.noop")
NO_GRANIAN = "the extra restserver[fast] is not installed"

Runs = dict[str, list[Load]]


def rows(*, quick: bool) -> Iterator[Row]:
    seconds, rounds = (0.7, 3) if quick else (2.0, 7)
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)

        def up(*arguments: str) -> Served:
            return stack.enter_context(serving(arguments))

        quiet = up(*WORLD, *QUIET)
        path = f"/api/v2/jobs/{some_job(quiet.url)}"
        answer = answer_of(quiet.url + path)
        body = answer.body
        recorded = up(*RECORDED, *QUIET)
        recorded_path = f"/api/v2/jobs/{some_job(recorded.url, 'FAILED')}"
        fixed, file = folder / "answer.json", folder / "body.json"
        noop.keep(answer, fixed)
        file.write_bytes(body)
        servers = {
            "quiet": (quiet, path),
            "all on": (up(*WORLD), path),
            "ceiling": (up(*NOOP, "waitress", str(fixed)), path),
            "handed over": (up(*NOOP, "handed-over", str(fixed)), path),
            "recorded": (recorded, recorded_path),
            "stock": (up(*BARE, "--body", str(file)), "/"),
        }
        if find_spec("granian") is None:
            absent["granian"] = NO_GRANIAN
        else:
            servers["fast quiet"] = (up(*WORLD, *QUIET, "--server", "granian"), path)
            servers["fast all on"] = (up(*WORLD, "--server", "granian"), path)
            servers["fast ceiling"] = (up(*NOOP, "granian", str(fixed)), path)
        for peer in peers.PEERS:
            try:
                served = stack.enter_context(peers.serving_peer(peer, folder / peer.name, body))
            except peers.Absent as error:
                absent[peer.name] = str(error)
            else:
                servers[peer.name] = (served, peers.PATH)
        runs = measured(servers, seconds, rounds)
    yield from told(runs, absent, f"simulated job detail ({len(body) / 1000:.1f} kB), {CONNECTIONS} connections")


def measured(servers: dict[str, tuple[Served, str]], seconds: float, rounds: int) -> Runs:
    settling = {peer.name: peer.settling_seconds for peer in peers.PEERS}
    for name, (server, path) in servers.items():
        load(server.port, path, connections=CONNECTIONS, seconds=settling.get(name, SETTLING_SECONDS))
    runs: Runs = {name: [] for name in servers}
    for _ in range(rounds):
        for name, (server, path) in servers.items():
            runs[name].append(load(server.port, path, connections=CONNECTIONS, seconds=seconds))
    failed = {name: sum(run.failures for run in each) for name, each in runs.items()}
    if any(failed.values()):
        raise RuntimeError(f"answers that were not 200: {failed}")
    return runs


def told(runs: Runs, absent: dict[str, str], what: str) -> Iterator[Row]:
    def row(label: str, ours: str, against: str, theirs: str, least: float | None) -> Row:
        pairs = zip(runs[ours], runs[theirs], strict=True)
        ratio = statistics.median(a.per_second / b.per_second for a, b in pairs)
        return Row(
            what=f"{what}, {label}",
            figure=_per_second(runs[ours]),
            against=f"{against}, {_per_second(runs[theirs])}",
            ratio=ratio,
            target="" if least is None else f"at least {least:.2f}",
            met=None if least is None else ratio >= least,
        )

    yield row(
        "waitress, access log off",
        "quiet",
        "a no-op application of the same bytes, headers too, on the same server",
        "ceiling",
        TARGET_BARE,
    )
    yield row(
        "waitress, everything on",
        "all on",
        "a no-op application of the same bytes, headers too, on the same server",
        "ceiling",
        TARGET_ALL_ON,
    )
    handed_over = "a no-op application whose questions are each handed over to a thread, as waitress itself does"
    yield row("waitress, access log off", "quiet", handed_over, "handed over", None)
    yield row("waitress, everything on", "all on", handed_over, "handed over", None)
    yield row("waitress, access log off", "quiet", "the recorded launcher's in its place", "recorded", None)
    yield row(
        "waitress, access log off", "quiet", "a falcon application of fixed bytes on stock waitress", "stock", None
    )
    if "granian" in absent:
        yield Row(what=f"{what}, granian", figure="not measured", against=absent["granian"])
    else:
        yield row("granian, access log off", "fast quiet", "waitress, access log off", "quiet", TARGET_FAST_BARE)
        yield row("granian, everything on", "fast all on", "waitress, everything on", "all on", TARGET_FAST_ALL_ON)
        yield row(
            "granian, access log off",
            "fast quiet",
            "a no-op application of the same bytes, headers too, on the same server",
            "fast ceiling",
            None,
        )
    for peer in peers.PEERS:
        against = f"{peer.name} ({peers.VERSIONS[peer.package]}), the same bytes fixed"
        ours = ("waitress, access log off", "quiet") if peer.name in AS_BARE else ("waitress, everything on", "all on")
        if peer.name in absent:
            yield Row(what=f"{what}, {ours[0]}", figure="not measured", against=f"{against}: {absent[peer.name]}")
        else:
            yield row(*ours, against, peer.name, 1.0 if peer.name in MUST_BE_AHEAD_OF else None)


def _per_second(runs: list[Load]) -> str:
    return f"{statistics.median(run.per_second for run in runs):,.0f}/s"
