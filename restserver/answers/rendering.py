"""Bodies as bytes, and the bytes kept: a poller that asks again before anything changed costs no presenting and no JSON.

The launcher is always asked. What it answers names its edition, and kept bytes are used again only if the editions, and
the base URL where the body holds one, are the same; so nothing kept can outlive what it tells. The entity tag is a digest
of the bytes: whoever made them, equal tags are equal bodies, across restarts and settings too. A body that is sent packed to
those who take it so is two, each with its tag; the packed one is made when first asked for, once, and kept beside the other.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Hashable
from functools import cached_property
from threading import Lock
from typing import Final
from wsgiref.types import WSGIEnvironment

from cachetools import LRUCache
from msgspec import Struct
from msgspec.json import Encoder as JsonEncoder
from msgspec.structs import replace

from contracts.clock import Instant, iso
from restserver.answers.at_once import AT_ONCE, NotAtOnce
from restserver.answers.encodings import GZIP, takes_gzip
from restserver.answers.presenters import Body

STALE_SINCE: Final = "X-Stale-Since"
"""Of an answer that is older than promised, because the launcher fails: since when it is too old."""
KEPT_BYTES = 16 * 1024 * 1024
PACKED_FROM: Final = 1024
"""Bytes. A smaller body, with its headers, goes in one packet of a network either way."""

_LEVEL: Final = 6
"""Of zlib: of 1.4 kB it leaves 0.6 in 13 µs, of 7 kB 1.2 in 40; the highest saves no more, and takes up to five times as long."""
_encode: Final = JsonEncoder().encode
_OVERHEAD = 1024
"""Bytes an entry costs besides its body, roughly: key, editions, tag, bookkeeping."""


def json_bytes(body: object) -> bytes:
    """Compact UTF-8. Text of a launcher may hold half a surrogate pair, which only an escape can carry.

    By msgspec: 2.3 µs for a job detail of 3.4 kB where the standard library takes 16, and 14 ms for an attempt of 10,000 tasks
    (3.7 MB) where that holds everybody up for 174. The bytes are the same, but for the spelling of numbers below 0.0001 and from
    10^16 on. It would write null for a number that is none: see :func:`restserver.answers.presenters.finite`.
    """
    try:
        return _encode(body)
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


class Rendered(Struct, frozen=True, dict=True, weakref=True):
    body: bytes
    etag: str
    """Without its quotes."""
    editions: Hashable
    stale_since: Instant | None = None
    """As of the launcher's answer; never of kept bytes, which may be asked for again when it is fresh."""
    encoding: str | None = None
    """Of the body, if it is packed."""

    @property
    def varies(self) -> bool:
        """Whether it is sent to some in one encoding, and to others in another."""
        return self.encoding is not None or len(self.body) >= PACKED_FROM

    def headers(self) -> list[tuple[str, str]]:
        """That come with the body, and without it to a client that has it."""
        told = [("ETag", f'"{self.etag}"'), ("Cache-Control", "no-cache")]  # may be kept, but asked about each time
        if self.varies:
            told.append(("Vary", "Accept-Encoding"))
        return told if self.stale_since is None else [*told, (STALE_SINCE, iso(self.stale_since))]

    @cached_property
    def with_body(self) -> tuple[tuple[str, str], ...]:
        """All headers of a 200 that say something of its body."""
        about = [*self.headers(), ("Content-Type", "application/json"), ("Content-Length", str(len(self.body)))]
        return (*about, *([] if self.encoding is None else [("Content-Encoding", self.encoding)]))

    @cached_property
    def without_body(self) -> tuple[tuple[str, str], ...]:
        """All headers of a 304 that say something of the body."""
        return tuple(self.headers())

    def marked(self, stale_since: Instant | None) -> "Rendered":
        return self if stale_since is None else replace(self, stale_since=stale_since)


class Renderer:
    """Renders, and keeps the newest bytes of each answer, ``capacity`` bytes in all. Thread-safe."""

    def __init__(self, capacity: int = KEPT_BYTES) -> None:
        self._lock = Lock()
        self._kept: LRUCache[Hashable, Rendered] = LRUCache(capacity, getsizeof=_size)

    def rendered(self, key: Hashable, editions: Hashable, present: Callable[[], Body]) -> Rendered:
        """The bytes of ``present()``; ``key`` says which answer, ``editions`` of what."""
        return self._found(key, editions) or self._made(key, editions, json_bytes(present()))

    def rendered_bytes(self, key: Hashable, editions: Hashable, make: Callable[[], bytes]) -> Rendered:
        return self._found(key, editions) or self._made(key, editions, make())

    def _found(self, key: Hashable, editions: Hashable) -> Rendered | None:
        try:
            with self._lock:
                kept: Rendered = self._kept[key]
        except KeyError:
            return None
        return kept if kept.editions == editions else None

    def _made(self, key: Hashable, editions: Hashable, body: bytes, encoding: str | None = None) -> Rendered:
        made = Rendered(body, hashlib.blake2b(body, digest_size=12).hexdigest(), editions, encoding=encoding)
        if _size(made) <= self._kept.maxsize:
            with self._lock:
                self._kept[key] = made
        return made

    def fitting(self, rendered: Rendered, environ: WSGIEnvironment) -> Rendered:
        """That, or the same packed, as whoever asks takes it."""
        accepted: str | None = environ.get("HTTP_ACCEPT_ENCODING")
        if accepted is None or not rendered.varies or not takes_gzip(accepted):
            return rendered
        key = GZIP, rendered.etag
        packed = self._found(key, None)
        if packed is None:
            if AT_ONCE in environ:
                raise NotAtOnce
            packed = self._made(key, None, gzip.compress(rendered.body, _LEVEL, mtime=0), GZIP)
        return packed.marked(rendered.stale_since)

    @property
    def kept_bytes(self) -> float:
        with self._lock:
            return self._kept.currsize


def _size(rendered: Rendered) -> int:
    return len(rendered.body) + _OVERHEAD
