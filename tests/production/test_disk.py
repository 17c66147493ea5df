"""The disk under the history is full, or read-only: serving goes on, readiness says so, and it heals by itself."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.production.disk import Disk, small_disk
from tests.production.judged import complaint, endpoints
from tests.production.programs import Program, ask, pause, running

pytestmark = pytest.mark.proof

NAME = "story~succeeded"
OTHER = "story~running"
PATIENCE = 20


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("launcher") / "log"
    world = ("--jobs", "20", "--rate", "60", "--profile", "failing", "--access-log", "off")
    with running("simulate", "--dialect", "open", "-p", "0", *world, log=log) as program:
        yield program.told


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "data") as disk:
        if disk is None and not os.environ.get("CI"):
            pytest.skip("nobody may mount a small disk here")
        assert disk is not None, "a small disk cannot be mounted"
        yield disk


def serve(launcher: str, disk: Disk) -> tuple[str, ...]:
    where = ("--launcher-url", launcher, "--rm-url", launcher, "--dialect", "open")
    return (
        "serve",
        "--backend",
        "launcher",
        "-p",
        "0",
        *where,
        "--data-dir",
        str(disk.folder),
        "--poll-interval",
        "0.5",
    )


def parts(server: Program) -> tuple[int, dict[str, str]]:
    told = ask(f"{server.told}/readyz")
    return told.status, told.json()["parts"]


def is_told(server: Program, part: str, ok: bool) -> None:
    """Waits until readiness says so of that part; it stays ready all the while."""
    for _ in range(PATIENCE * 10):
        status, told = parts(server)
        assert status == 200
        if (told[part] == "ok") is ok:
            return
        pause(0.1)
    pytest.fail(f"{part} is still {told[part]!r}")


def everything_is_promised(server: Program) -> dict[str, int]:
    statuses = {}
    for operation, path in endpoints(NAME).items():
        answer = ask(server.told + path)
        assert complaint(operation, answer.status, answer.body) is None
        statuses[operation] = answer.status
    return statuses


def test_a_full_disk(launcher: str, disk: Disk, tmp_path: Path) -> None:
    with running(*serve(launcher, disk), log=tmp_path / "log") as server:
        is_told(server, "archiver", ok=True)
        assert set(everything_is_promised(server).values()) == {200}
        disk.fill()
        is_told(server, "archiver", ok=False)
        is_told(
            server, "history", ok=False
        )  # of the last write: a poll that has nothing to write clears it for a moment
        assert everything_is_promised(server)["getJob"] == 200
        disk.empty()
        is_told(server, "archiver", ok=True)
        is_told(server, "history", ok=True)
        assert set(everything_is_promised(server).values()) == {200}
        assert server.terminate() == 0


def test_a_disk_that_is_read_only_from_the_start(launcher: str, disk: Disk, tmp_path: Path) -> None:
    assert disk.read_only(True)
    with running(*serve(launcher, disk), log=tmp_path / "log") as server:
        assert everything_is_promised(server) == {
            "getJob": 200,
            "getAttempt": 500,
            "getAttempts": 500,
            "getVersions": 500,
        }
        is_told(server, "history", ok=False)
        assert disk.read_only(False)
        is_told(server, "archiver", ok=True)
        assert set(everything_is_promised(server).values()) == {200}
        assert server.terminate() == 0


def test_a_disk_that_becomes_read_only(launcher: str, disk: Disk, tmp_path: Path) -> None:
    with running(*serve(launcher, disk), log=tmp_path / "log") as server:
        is_told(server, "archiver", ok=True)
        server.kill()  # the system does not turn a disk under an open file
    assert disk.read_only(True)
    with running(*serve(launcher, disk), log=tmp_path / "log") as server:
        assert everything_is_promised(server)["getJob"] == 200
        is_told(server, "archiver", ok=False)


def test_a_state_that_cannot_be_saved_is_said_and_the_change_refused(disk: Disk, tmp_path: Path) -> None:
    state = disk.folder / "state.json"
    with running("serve", "-p", "0", "--jobs", "5", "--state", str(state), log=tmp_path / "log") as server:
        clock = f"{server.told}/__admin/clock"
        assert ask(clock, "PUT", {"action": "freeze"}).status == 200
        kept = state.read_bytes()
        disk.fill()
        refused = ask(clock, "PUT", {"action": "advance", "by": "PT1H"})
        assert refused.status >= 500
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert state.read_bytes() == kept
        assert ask(f"{server.told}/api/v2/jobs/{NAME}").status == 200
        disk.empty()
        assert ask(clock, "PUT", {"action": "advance", "by": "PT1H"}).status == 200
