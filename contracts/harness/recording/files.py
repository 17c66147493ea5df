"""The files of a recording: appended to line by line, rotated, packed when they are done, never damaged.

A line is one write to the end of a plain file, so a recorder that is killed leaves whole lines and at most one torn tail,
which readers leave out. A file that is done is packed under a temporary name and takes the place of the plain one only when it
is whole and on the disk; if the program dies between the two, both are there and say the same, and the next start tidies up.
"""

import contextlib
import gzip
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.clock import Instant, Milliseconds, iso
from contracts.launcher.recordings import Exchange, to_line

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a plain file; packed it is about a twentieth of that."""
OLDEST: Final[Milliseconds] = 24 * 3_600_000
UNFINISHED: Final = ".part"
LOCK: Final = ".lock"
_BARE: Final = str.maketrans("", "", "-:Z")


class NotWritten(Exception):
    """The disk took no more. What was written before is whole; the message is one clear line."""


@dataclass(frozen=True)
class Limits:
    """When a file is done."""

    size: int = LARGEST
    age: Milliseconds = OLDEST


class RecordingFiles:
    """The files ``NAME-INSTANT.jsonl`` of a folder. Raises :class:`NotWritten`, whatever it is asked to do."""

    def __init__(self, folder: Path, name: str, limits: Limits = Limits()) -> None:
        self._folder, self._name, self._limits = folder, name, limits
        self._file: int | None = None
        self._path = folder
        self._began: Instant | None = None
        """When the file was asked about first, by the clock of whoever asks: what it holds may be told by another one."""
        self._size = 0
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
            self._tidy()

    @property
    def fresh(self) -> bool:
        """Whether the next line will be the first of a file."""
        return self._file is None

    def write(self, exchange: Exchange) -> None:
        """The whole line, or nothing of it."""
        line = to_line(exchange).encode() + b"\n"
        with _told(self._folder):
            file = self._open(exchange.instant)
            try:
                _write_all(file, line)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(file, self._size)
                raise
        self._size += len(line)

    def rotate(self, now: Instant) -> None:
        """Ends the file if it is large or old enough; to be asked after every look."""
        if self._file is None:
            return
        self._began = now if self._began is None else self._began
        if self._size >= self._limits.size or now - self._began >= self._limits.age:
            self.close()

    def leave(self) -> None:
        """Ends the file, and lets another recorder have the folder."""
        try:
            self.close()
        finally:
            os.close(self._lock)

    def close(self) -> None:
        """Ends and packs the file; the next line begins another one."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with _told(self._folder):
            try:
                os.fsync(file)
            finally:
                os.close(file)
        _pack(self._path)

    def _open(self, now: Instant) -> int:
        if self._file is None:
            self._path = self._free_path(now)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            self._began, self._size = None, 0
        return self._file

    def _free_path(self, now: Instant) -> Path:
        """Named by its first instant, so that the order of the names is the order of the files."""
        while True:
            stamp = iso(now - now % 1000).translate(_BARE)
            path = self._folder / f"{self._name}-{stamp}{now % 1000:03}Z.jsonl"
            if not path.exists() and not _packed(path).exists():
                return path
            now += 1

    def _locked(self) -> int:
        """Held until the process ends, however it ends: what one recorder writes no other may tidy up."""
        lock = os.open(self._folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o644)
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(lock)
                raise OSError(error.errno, "another recorder is writing there") from error
        return lock

    def _tidy(self) -> None:
        """What an earlier run left behind when it was killed."""
        for path in self._folder.glob(f"{self._name}-*.jsonl.gz{UNFINISHED}"):
            path.unlink()
        for path in sorted(self._folder.glob(f"{self._name}-*.jsonl")):
            if _packed(path).exists():
                path.unlink()
            else:
                _pack(path)


def _packed(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")


def _pack(path: Path) -> None:
    """Where there is no room for both, the plain file stays, which reads as well; who writes next will notice."""
    unfinished = path.with_name(f"{path.name}.gz{UNFINISHED}")
    try:
        with path.open("rb") as plain, unfinished.open("wb") as file:
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packing:
                shutil.copyfileobj(plain, packing)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(_packed(path))
        path.unlink()
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritten(f"{folder} cannot be written: {error.strerror or error}") from error
