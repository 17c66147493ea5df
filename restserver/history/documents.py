"""What is stored of an attempt: the launcher's own document, compressed."""

import hashlib
import json
import zlib

from contracts.launcher import open_dialect, wire
from contracts.launcher.records import Framework, Summary


def packed(framework: Framework) -> bytes:
    """Equal records, equal bytes."""
    document = open_dialect.encode_framework(framework)
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode())


def unpacked(document: bytes) -> Framework:
    return open_dialect.decode_framework(wire.parse(zlib.decompress(document)))


def as_json(document: bytes) -> object:
    """For export: the document as the launcher would tell it."""
    return wire.parse(zlib.decompress(document))


def list_digest(summary: Summary) -> str:
    """Of everything the launcher's list says about one framework."""
    return hashlib.blake2b(repr(summary).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
