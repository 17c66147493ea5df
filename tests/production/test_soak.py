"""Under load, faults and restarts of the launcher for a while: memory stays flat, no thread and no descriptor is left behind.

Two minutes by default, an hour with ``SOAK_SECONDS=3600``.
"""

import os
import random
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from contracts.clock import real_now
from tests.production.clients import Client, load, names_of
from tests.production.programs import Program, Told, ask, pause, running, start

pytestmark = pytest.mark.proof

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
RATE = 30
MEBIBYTE = 1 << 20
FAULTS: Sequence[dict[str, object]] = (
    {"kind": "latency", "fixedDelayMilliseconds": 20_000},
    {"kind": "unavailable"},
    {"kind": "throttled"},
    {"kind": "malformed"},
    {"kind": "truncated"},
    {"kind": "reset"},
    {"kind": "stale"},
)
TOLERABLE_GROWTH = 0.10
"""Of memory, between the second third of the time and the last."""


def test_a_long_while_leaves_nothing_behind(tmp_path: Path) -> None:
    began = datetime.now(UTC)

    def simulate(port: str) -> tuple[str, ...]:
        at = datetime(2026, 3, 1, 12, tzinfo=UTC) + (datetime.now(UTC) - began) * RATE
        time = ("--at", at.isoformat(timespec="milliseconds"), "--rate", str(RATE))
        return ("simulate", "--dialect", "open", "--profile", "failing", "--jobs", "60", *time, "-p", port)

    with running(*simulate("0"), "--access-log", "off", log=tmp_path / "launcher") as first:
        where = ("--launcher-url", first.told, "--rm-url", first.told, "--dialect", "open")
        kept = ("--data-dir", str(tmp_path), "--poll-interval", "1", "--launcher-timeout", "1", "--cache-ttl", "0.2")
        with running("serve", "--backend", "launcher", "-p", "0", *where, *kept, log=tmp_path / "serve") as server:
            get: Callable[[str], Told] = lambda path: ask(server.told + path)  # noqa: E731 - one line says it
            names = [*names_of(first.told, 60), "nobody~knows-it"]
            clients = [Client(get, names, random.Random(number)) for number in range(4)]
            with load(clients, pause=0.005):
                samples = _watched(server, first, partial(_restarted, simulate, tmp_path / "launcher"))
            pause(3)  # for the last calls to end
            at_rest = server.threads(), server.descriptors()
            assert server.terminate() == 0
    assert [complaint for client in clients for complaint in client.complaints] == []
    assert [lost for client in clients for lost in client.lost] == []
    assert {200, 404, 500} <= set().union(*(client.met("getJob") for client in clients)) <= {200, 404, 500}
    third = len(samples) // 3
    earlier, later = (statistics.median(one[0] for one in part) for part in (samples[third:-third], samples[-third:]))
    assert later - earlier < max(TOLERABLE_GROWTH * earlier, 8 * MEBIBYTE), (earlier, later)
    threads, descriptors = samples[third][1:]
    # Threads and connections are pooled: what is open at rest was open under load, and no more than a third in.
    assert at_rest[0] <= threads + 2
    assert at_rest[1] <= descriptors + 8
    assert "Traceback" not in (tmp_path / "serve").read_text()


def _restarted(simulate: Callable[[str], tuple[str, ...]], log: Path, launcher: Program) -> Program:
    """Killed, and back on the same port after a moment."""
    port = launcher.told.rpartition(":")[2]
    launcher.kill()
    pause(1)
    return start(*simulate(port), "--access-log", "off", log=log)


def _watched(server: Program, launcher: Program, restarted: Callable[[Program], Program]) -> list[tuple[int, int, int]]:
    """Memory, threads and descriptors every half second, while things go wrong before it."""
    samples = []
    dice = random.Random(1)
    until = real_now() + SECONDS * 1000
    began = launcher
    next_trouble = real_now() + 5000
    try:
        while real_now() < until:
            pause(0.5)
            samples.append((server.memory(), server.threads(), server.descriptors()))
            if real_now() >= next_trouble:
                next_trouble = real_now() + 6000
                if dice.random() < 0.4:
                    launcher = restarted(launcher)
                else:
                    fault = {**dice.choice(FAULTS), "side": "launcher", "ttl": 2 * RATE, "probability": 0.7}
                    ask(f"{launcher.told}/__admin/faults", "POST", fault)
    finally:
        if launcher is not began:
            launcher.kill()
    return samples
