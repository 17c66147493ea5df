"""The archiver killed again and again while a simulated launcher lives: afterwards the history is the truth, but for gaps it names."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.request import Request, urlopen

import pytest

from restserver.history.database import Database
from restserver.history.store import Store
from tests.restserver.history import postgres
from tests.restserver.history.truth import World, compared_with_the_truth

SEED, JOBS, RATE, PROFILE = 11, 60, 240, "failing"
KILLS = int(os.environ.get("KILLS", "100"))

pytestmark = pytest.mark.proof


@contextmanager
def started(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The process, and the last word of its first line."""
    process = subprocess.Popen([sys.executable, "-m", "restserver", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def history_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'history.sqlite'}"
        return
    programs = postgres.programs()
    if programs is None and not os.environ.get("CI"):
        pytest.skip("not on this machine: postgresql")
    assert programs is not None, "PostgreSQL is missing"
    with postgres.running(programs) as url:
        yield url


def test_an_archiver_killed_at_random_loses_nothing_that_it_saw(history_url: str) -> None:
    dice = Random(3)
    world = ("--seed", str(SEED), "--jobs", str(JOBS), "--rate", str(RATE), "--profile", PROFILE)
    with started("simulate", "--dialect", "open", "-p", "0", *world, "--access-log", "off") as (_, launcher):
        where = ("--launcher-url", launcher, "--rm-url", launcher, "--history", history_url)
        archive = ("archive", "--dialect", "open", *where, "--log-level", "error")
        for _ in range(KILLS):
            with started(*archive, "--poll-interval", "0.1") as (process, _):
                threading.Event().wait(dice.uniform(0.0, 0.8))
                process.send_signal(signal.SIGKILL)
        freeze(launcher)
        for _ in range(3):
            subprocess.run([sys.executable, "-m", "restserver", *archive, "--once"], check=True)
        now = freeze(launcher)
    database = Database(history_url)
    try:
        compared, gaps = compared_with_the_truth(Store(database), World(SEED, JOBS, PROFILE), now)
    finally:
        database.close()
    assert compared > 40
    assert gaps < compared / 5


def freeze(launcher: str) -> str:
    """The instant at which its world now stands still."""
    body = json.dumps({"action": "freeze"}).encode()
    asked = Request(f"{launcher}/__admin/clock", body, {"Content-Type": "application/json"}, method="PUT")
    with urlopen(asked) as response:
        now: str = json.load(response)["now"]
        return now
