"""What was written stays: over kills, rotations, full disks and other recorders."""

import gzip
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.harness.recording.files import Limits, NotWritten, RecordingFiles
from contracts.launcher.recordings import Exchange, Request, Response, exchanges, files_of

AT = 1_795_465_000_000


def exchange(number: int, body: str = "{}") -> Exchange:
    request = Request("GET", f"/v1/Frameworks/a~{number}", {"Accept": "application/json"}, None)
    return Exchange("recorded", AT + number, "launcher", request, Response(200, "OK", {}, body))


def read(folder: Path) -> tuple[list[Exchange], list[str]]:
    warnings: list[str] = []
    found = [one for path in files_of(folder) for one in exchanges(path, warnings.append)]
    return found, warnings


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_lines_are_there_at_once_and_are_packed_in_the_end(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path / "new" / "folder", "recorded")
    folder = tmp_path / "new" / "folder"
    for number in range(3):
        files.write(exchange(number))
        assert read(folder) == ([exchange(one) for one in range(number + 1)], [])
    assert names(folder) == ["recorded-20261123T201640000Z.jsonl"]
    files.leave()
    assert names(folder) == ["recorded-20261123T201640000Z.jsonl.gz"]
    assert read(folder) == ([exchange(number) for number in range(3)], [])


@pytest.mark.parametrize(("limits", "instant"), [(Limits(size=100), AT), (Limits(age=1000), AT + 1001)])
def test_a_file_that_is_large_or_old_is_done(tmp_path: Path, limits: Limits, instant: int) -> None:
    files = RecordingFiles(tmp_path, "recorded", limits)
    for number in range(3):
        files.write(exchange(number))
        files.rotate(AT)
        assert files.fresh == (limits.size == 100)
    files.rotate(instant)
    assert files.fresh
    files.write(exchange(3))
    files.leave()
    assert read(tmp_path) == ([exchange(number) for number in range(4)], [])
    assert all(name.endswith(".jsonl.gz") for name in names(tmp_path)), names(tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from contracts.harness.recording.files import Limits, RecordingFiles
from tests.harness.recording.test_files import exchange
files = RecordingFiles(Path(sys.argv[1]), "recorded", Limits(size=5000))
for number in range(10**9):
    files.write(exchange(number, "x" * (number % 997)))
    print(number, flush=True)
    files.rotate(0)
"""


def test_a_kill_at_any_moment_loses_nothing_that_was_written(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    for turn in range(3):
        folder = tmp_path / str(turn)
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True, cwd=root
        ) as process:
            assert process.stdout is not None
            while int(process.stdout.readline()) < 60 + turn * 7:
                pass
            process.kill()
            last = [int(line) for line in process.stdout.read().splitlines()[:-1]]
        written = max(last, default=60 + turn * 7)
        RecordingFiles(folder, "recorded").leave()
        found, _ = read(folder)
        assert [one.request.path for one in found[: written + 1]] == [
            exchange(number).request.path for number in range(written + 1)
        ]


def test_what_a_killed_recorder_left_is_tidied_up(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path, "recorded")
    files.write(exchange(1))
    plain = next(tmp_path.glob("*.jsonl"))
    content = plain.read_bytes()
    files.leave()
    packed = next(tmp_path.glob("*.jsonl.gz"))
    plain.write_bytes(content)  # killed after the packed one was whole and before the plain one was gone
    (tmp_path / "recorded-20261123T201641000Z.jsonl.gz.part").write_bytes(b"half")  # killed while packing
    (tmp_path / "recorded-20261123T201642000Z.jsonl").write_bytes(content + content[:40])  # killed amid a line
    (tmp_path / "of-others.jsonl").write_bytes(content)
    RecordingFiles(tmp_path, "recorded").leave()
    assert names(tmp_path) == ["of-others.jsonl", packed.name, "recorded-20261123T201642000Z.jsonl.gz"]
    found, warnings = read(tmp_path)
    assert found == [exchange(1)] * 3
    assert len(warnings) == 1, "the torn line is named"


def test_files_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path, "recorded")
    for number in range(3):
        files.write(exchange(number))
        files.close()
    files.leave()
    assert [one.instant for one in read(tmp_path)[0]] == [AT, AT + 1, AT + 2], "in the order of their names"


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As a full disk, but for this process: what does not fit is refused, what fits of it may be written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_is_said_and_leaves_whole_lines(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path, "recorded")
    files.write(exchange(1))
    size = next(tmp_path.glob("*.jsonl")).stat().st_size
    with no_file_larger_than(size + 50), pytest.raises(NotWritten, match=f"{tmp_path} cannot be written: "):
        files.write(exchange(2))
    assert read(tmp_path) == ([exchange(1)], [])
    with no_file_larger_than(20):
        files.leave()  # nor is there room to pack it
    assert names(tmp_path) == ["recorded-20261123T201640001Z.jsonl"]
    assert read(tmp_path) == ([exchange(1)], [])


def test_a_folder_belongs_to_one_recorder(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path, "recorded")
    with pytest.raises(NotWritten, match="another recorder is writing there"):
        RecordingFiles(tmp_path, "recorded")
    files.leave()
    RecordingFiles(tmp_path, "recorded").leave()


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotWritten, match="Not a directory"):
        RecordingFiles(tmp_path / "file" / "x", "recorded")


def test_a_packed_file_holds_no_name_and_no_time_of_its_own(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path, "recorded")
    files.write(exchange(1))
    files.leave()
    packed = next(tmp_path.glob("*.gz")).read_bytes()
    assert packed[3:8] == bytes(5), "no name, no time stamp"
    assert gzip.decompress(packed).endswith(b"\n")
    assert (tmp_path / ".lock").stat().st_size == 0


@pytest.mark.parametrize("ahead", [-20 * 365 * 86_400_000, 20 * 365 * 86_400_000])
def test_the_age_of_a_file_goes_by_one_clock_though_its_lines_go_by_another(tmp_path: Path, ahead: int) -> None:
    """Those of a simulated launcher are told by its own clock."""
    files = RecordingFiles(tmp_path, "recorded", Limits(age=1000))
    files.write(exchange(0))
    for passed in (0, 500):
        files.rotate(AT + ahead + passed)
        assert not files.fresh
    files.rotate(AT + ahead + 1000)
    assert files.fresh
    files.leave()
