"""The recordings format: what a real launcher and its resource manager answered over HTTP, one exchange per line.

A recording is a file ``NAME.jsonl`` or ``NAME.jsonl.gz``; a folder of them is read in the order of their names. Each line is
one JSON object: ``scenario``, ``t_ms`` (milliseconds since the epoch, at receipt; by the clock of a simulated launcher where
one was asked), ``source`` (``launcher``, ``rm`` and what else was asked), ``request`` {method, path, headers, body} and
``response`` {status, reason, headers, body}. A header that occurred twice is a list. ``status`` null: no answer came, and
``reason`` says why. ``before_ms``, which may be absent: when the same was asked last before, and did not answer this yet. Only
changes are recorded, so nothing else tells how long nobody looked.

A recorder that was killed leaves its last line, or the tail of the gzip stream, cut off. Such a tail is left out and named,
never an error: what was recorded before it is whole. Anything else that is not the format is an error with file and line.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TypeAlias, TypeVar, cast

from msgspec import Struct

from contracts.clock import EARLIEST, LATEST, Instant

SUFFIXES = (".jsonl", ".jsonl.gz")

Headers: TypeAlias = Mapping[str, str | list[str]]
Warn: TypeAlias = Callable[[str], None]

LAUNCHER = "launcher"
RESOURCE_MANAGER = "rm"


class Request(Struct, frozen=True):
    method: str
    path: str
    """As it was sent, percent-encoding and query included."""
    headers: Headers
    body: str | None


class Response(Struct, frozen=True):
    status: int | None
    """``None``: no answer."""
    reason: str | None
    headers: Headers
    body: str | None


class Exchange(Struct, frozen=True):
    scenario: str
    instant: Instant
    """When the answer was there."""
    source: str
    request: Request
    response: Response
    before: Instant | None = None
    """When the same was asked last before this, and did not answer this yet; ``None``: that is not known."""


class RecordingsError(Exception):
    """Recordings that cannot be used. The message is one clear line."""


class NoRecordings(RecordingsError):
    """Nothing to replay where recordings were said to be."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"no recordings in {self.path}: {self.reason}"


class UnreadableRecording(RecordingsError):
    """A line that is not the format, and is not merely a cut-off end."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path = path
        self.line = line
        """Counted from 1; ``None``: the file as a whole."""
        self.reason = reason

    def __str__(self) -> str:
        where = str(self.path) if self.line is None else f"{self.path}, line {self.line}"
        return f"{where} is not a recording: {self.reason}"


def files_of(path: Path) -> tuple[Path, ...]:
    """The recordings in a folder, by name; a file is itself. Raises NoRecordings."""
    try:
        if path.is_file():
            return (path,)
        if not path.exists():
            raise NoRecordings(path, "there is no such folder or file")
        files = sorted(found for found in path.iterdir() if found.name.endswith(SUFFIXES) and found.is_file())
    except OSError as error:
        raise NoRecordings(path, f"it cannot be read ({error.strerror})") from error
    if not files:
        raise NoRecordings(path, "it holds no *.jsonl or *.jsonl.gz file")
    return tuple(files)


def name_of(path: Path) -> str:
    """The name of a recording: its file name without the suffix."""
    return re.sub(r"\.jsonl(\.gz)?$", "", path.name)


def exchanges(path: Path, warn: Warn) -> Iterator[Exchange]:
    """The exchanges of one recording, in the order of the file. Raises UnreadableRecording; ``warn`` hears of a cut-off end."""
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                exchange = _exchange(path, number, line, warn)
                if exchange is not None:
                    yield exchange
    except EOFError:
        warn(f"{path}: the compressed stream is cut off after line {number}; what follows is left out")
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableRecording(path, None, f"the compressed stream is damaged ({error})") from error
    except OSError as error:
        raise UnreadableRecording(path, None, f"it cannot be read ({error.strerror})") from error


def to_line(exchange: Exchange) -> str:
    """The line of an exchange, without its line break."""
    request, response = exchange.request, exchange.response
    document = {
        "scenario": exchange.scenario,
        "t_ms": exchange.instant,
        **({} if exchange.before is None else {"before_ms": exchange.before}),
        "source": exchange.source,
        "request": {
            "method": request.method,
            "path": request.path,
            "headers": dict(request.headers),
            "body": request.body,
        },
        "response": {
            "status": response.status,
            "reason": response.reason,
            "headers": dict(response.headers),
            "body": response.body,
        },
    }
    return json.dumps(document)


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.name.endswith(".gz") else path.open("rb")


def _exchange(path: Path, number: int, line: bytes, warn: Warn) -> Exchange | None:
    try:
        document: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        # Only the very last line of a file has no line break, so only a cut-off end is forgiven.
        if not line.endswith(b"\n"):
            warn(f"{path}: line {number} is cut off and left out")
            return None
        raise UnreadableRecording(path, number, "it is not JSON") from error
    try:
        return _from_document(document)
    except _Misfit as misfit:
        raise UnreadableRecording(path, number, str(misfit)) from None


class _Misfit(Exception):
    """What is wrong with a line, in a few words."""


def _from_document(document: object) -> Exchange:
    line = _object(document, "the line")
    request = _object(_at(line, "request"), "request")
    response = _object(_at(line, "response"), "response")
    instant = _typed(_at(line, "t_ms"), int, "t_ms")
    if not EARLIEST <= instant <= LATEST:
        raise _Misfit("t_ms is outside the years 1970 to 9999")
    return Exchange(
        scenario=_typed(_at(line, "scenario"), str, "scenario"),
        instant=instant,
        source=_typed(_at(line, "source"), str, "source"),
        request=Request(
            method=_typed(_at(request, "method"), str, "request.method"),
            path=_typed(_at(request, "path"), str, "request.path"),
            headers=_headers(_at(request, "headers"), "request.headers"),
            body=_optional(_at(request, "body"), str, "request.body"),
        ),
        response=Response(
            status=_optional(_at(response, "status"), int, "response.status"),
            reason=_optional(_at(response, "reason"), str, "response.reason"),
            headers=_headers(_at(response, "headers"), "response.headers"),
            body=_optional(_at(response, "body"), str, "response.body"),
        ),
        before=_optional(line.get("before_ms"), int, "before_ms"),
    )


_V = TypeVar("_V", bound=str | int)


def _at(owner: Mapping[str, object], key: str) -> object:
    if key not in owner:
        raise _Misfit(f"{key} is missing")
    return owner[key]


def _object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _Misfit(f"{where} is not an object")
    return value


def _typed(value: object, kind: type[_V], where: str) -> _V:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise _Misfit(f"{where} is not {'a text' if kind is str else 'an integer'}")
    return value


def _optional(value: object, kind: type[_V], where: str) -> _V | None:
    return None if value is None else _typed(value, kind, where)


def _headers(value: object, where: str) -> Headers:
    if value is None:
        return {}
    headers: dict[str, str | list[str]] = {}
    for name, content in _object(value, where).items():
        # A header that came twice; the order is the order on the wire.
        several = content if isinstance(content, list) else [content]
        texts = [_typed(text, str, f"{where}.{name}") for text in several]
        headers[name] = texts if isinstance(content, list) else texts[0]
    return headers
