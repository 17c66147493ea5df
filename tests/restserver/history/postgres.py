"""A private PostgreSQL, on a socket in a folder of its own, for as long as somebody needs it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder of the newest installed server; Debian keeps it off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).resolve().parent if here else None


@contextmanager
def running(bin_folder: Path) -> Iterator[str]:
    """Its address. The server refuses to run as root, so root lends it to the user ``postgres``."""
    folder = Path(tempfile.mkdtemp(prefix="history-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_user, str(bin_folder / program), *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL
        )

    data = str(folder / "data")
    try:
        call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
