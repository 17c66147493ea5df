"""One document that holds a whole world, and the file it is kept in.

The file is either the old one or the new one, never something between: written beside it, brought to the disk, put in its
place. Who was told that something is done finds it done after any crash.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.launcher.half_pairs import read_json

VERSION = 1
LARGEST: int = 64 << 20


class BadState(ValueError):
    """A document that no world can be restored from."""


class StateNotSaved(Exception):
    """The change could not be kept, so it was not made; the file is as it was."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"nothing was changed, for the state could not be saved to {path}: {reason}")


class StateFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Mapping[str, Any] | None:
        """``None``: there is no such file yet. Raises BadState."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadState(f"{self.path} cannot be read: {error.strerror}") from error
        return parsed(content, str(self.path))

    def save(self, document: Mapping[str, Any]) -> None:
        """Raises StateNotSaved."""
        beside = self.path.with_name(f".{self.path.name}.new")
        try:
            # First: once the new file is in its place, nothing may be missing.
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                with beside.open("wb") as file:
                    file.write(json.dumps(document, ensure_ascii=False).encode())
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(self.path)
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise StateNotSaved(self.path, error.strerror or str(error)) from error


def parsed(content: bytes, where: str) -> Mapping[str, Any]:
    """The document, if it is one of this version. Raises BadState."""
    if len(content) > LARGEST:
        raise BadState(f"{where}: larger than {LARGEST} bytes")
    try:
        document = read_json(content)
    except (ValueError, RecursionError) as error:
        raise BadState(f"{where}: not JSON: {error}") from error
    return versioned(document, where)


def versioned(document: object, where: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise BadState(f"{where}: a state is an object")
    if document.get("version") != VERSION:
        raise BadState(f"{where}: of version {document.get('version')!r}; this program reads version {VERSION}")
    return document
