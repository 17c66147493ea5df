"""What is kept of a body on its way through: all of it as it came, and a copy that can be judged, each within a bound."""

import zlib
from collections.abc import Iterable
from typing import Final

LONGEST_JUDGED: Final = 4 * 1024 * 1024
"""Bytes, as sent and unpacked; a job with two thousand tasks has less."""


class NotJudged(Exception):
    """The body is left alone. Says why."""


class Copy:
    """Of one body. ``pieces`` are those that were not passed on yet."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0
        self._all: list[bytes] | None = []

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.pieces.append(piece)
        if self.too_large:
            self._all = None
        elif self._all is not None:
            self._all.append(piece)

    @property
    def too_large(self) -> bool:
        return self.size > LONGEST_JUDGED

    def whole(self, encodings: Iterable[str]) -> bytes:
        """Unpacked; ``encodings`` are the values of ``Content-Encoding``. Raises :class:`NotJudged`."""
        if self._all is None:
            raise NotJudged("too large to judge")
        body = b"".join(self._all)
        coded = [word.strip().lower() for value in encodings for word in value.split(",")]
        for coding in reversed([word for word in coded if word not in ("", "identity")]):
            if coding not in _WINDOW:
                raise NotJudged(f"encoded as {coding}"[:60])
            body = _unpacked(body, coding)
        return body


_WINDOW: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def _unpacked(body: bytes, coding: str) -> bytes:
    unpacking = zlib.decompressobj(_WINDOW[coding])
    try:
        found = unpacking.decompress(body, LONGEST_JUDGED + 1)
    except zlib.error as error:
        raise NotJudged(f"said to be {coding}, and is not") from error
    if len(found) > LONGEST_JUDGED:
        raise NotJudged("too large to judge")
    return found
