"""Every fault of a launcher, on a real wire, before every endpoint: a documented answer, and before the deadline is long over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.faults.kinds import KINDS
from tests.production.judged import complaint, endpoints
from tests.production.programs import Program, ask, running

pytestmark = pytest.mark.proof

DEADLINE = 1.0
GRACE = 9.0
"""What the machine may be late by; without a deadline a silent launcher would hold an answer up for longer than both."""

TOLD: dict[str, tuple[dict[str, object], ...]] = {
    "latency": (
        {"fixedDelayMilliseconds": 50},
        {"fixedDelayMilliseconds": 60_000},
        {"delayDistribution": {"type": "lognormal", "median": 20, "sigma": 0.5}},
        {"delayDistribution": {"type": "uniform", "lower": 0, "upper": 40}},
    ),
    "throttled": ({"status": 429}, {"status": 503}),
    "error_status": tuple({"status": status} for status in (400, 401, 403, 404, 500, 503)),
    "dribble": (
        {"numberOfChunks": 4, "totalDuration": 100},
        {"numberOfChunks": 400, "totalDuration": 60_000},
    ),
    "timeout": ({"fixedDelayMilliseconds": 60_000},),
}
FAULTS = [(kind, told) for kind in KINDS if KINDS[kind].launcher for told in TOLD.get(kind, ({},))]


@pytest.fixture(scope="module", params=["open", "private"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Launcher, server, and a job that both know."""
    folder = tmp_path_factory.mktemp("served")
    dialect: str = request.param
    # Time goes on quickly, so that no injected delay outlives its test by much.
    world = ("--jobs", "40", "--rate", "10", "--access-log", "off")
    with running("simulate", "--dialect", dialect, "-p", "0", *world, log=folder / "simulate") as launcher:
        server = _server(launcher, dialect, folder)
        with running(*server, log=folder / "serve") as program:
            yield launcher.told, program.told, "story~succeeded"


def _server(launcher: Program, dialect: str, folder: Path) -> tuple[str, ...]:
    where = ("--launcher-url", launcher.told, "--rm-url", launcher.told, "--dialect", dialect)
    unprotected = ("--cache-ttl", "0", "--breaker", "off", "--launcher-timeout", str(DEADLINE))
    return ("serve", "--backend", "launcher", "-p", "0", *where, *unprotected, "--data-dir", str(folder))


@pytest.mark.parametrize(("kind", "told"), FAULTS)
def test_a_fault_of_the_launcher_is_a_documented_answer_in_time(
    served: tuple[str, str, str], kind: str, told: dict[str, object]
) -> None:
    launcher, server, name = served
    made = ask(f"{launcher}/__admin/faults", "POST", {"kind": kind, "side": "launcher", **told})
    assert made.status == 201, made.body
    try:
        for operation, path in endpoints(name).items():
            answer = ask(server + path, timeout=DEADLINE + GRACE)
            assert complaint(operation, answer.status, answer.body) is None
            assert b"\tat " not in answer.body.replace(b"\\t", b"\t") or answer.status == 200
    finally:
        assert ask(f"{launcher}/__admin/faults", "DELETE").status == 200
    for operation, path in endpoints(name).items():
        healed = ask(server + path)
        assert healed.status == 200
        assert complaint(operation, healed.status, healed.body) is None
