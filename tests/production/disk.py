"""A small disk of one's own, which can be full and read-only; for root on Linux only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """To the last byte."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def empty(self) -> None:
        self._filler.unlink()

    def read_only(self, yes: bool) -> bool:
        """Whether the system allowed it: it does not while a file is open for writing."""
        return not subprocess.run(
            ["/bin/mount", "-o", f"remount,{'ro' if yes else 'rw'}", str(self.folder)], capture_output=True, check=False
        ).returncode


@contextmanager
def small_disk(folder: Path, mebibytes: int = 32) -> Iterator[Disk | None]:
    """``None`` where nobody lets us mount one."""
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not mounted:
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)
