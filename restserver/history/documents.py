"""What is stored of an attempt: the launcher's own document, compressed."""

import hashlib
import json
import zlib

from contracts.launcher import open_dialect, wire
from contracts.launcher.port import LauncherUnreadable
from contracts.launcher.records import Framework, Summary
from restserver.history.database import HistoryFailed


class Damaged(HistoryFailed):
    """Of one attempt; the others can be read."""

    def __init__(self) -> None:
        super().__init__("An attempt in the history is damaged.")


def packed(framework: Framework) -> bytes:
    """Equal records, equal bytes."""
    document = open_dialect.encode_framework(framework)
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode())


def unpacked(document: bytes) -> Framework:
    """Raises :class:`Damaged` for bytes that something has damaged."""
    try:
        return open_dialect.decode_framework(wire.parse(zlib.decompress(document)))
    except (zlib.error, LauncherUnreadable) as error:
        raise Damaged from error


def as_json(document: bytes) -> object:
    """For export: the document as the launcher would tell it. Raises as above."""
    return open_dialect.encode_framework(unpacked(document))


def list_digest(summary: Summary) -> str:
    """Of everything the launcher's list says about one framework."""
    return hashlib.blake2b(repr(summary).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
