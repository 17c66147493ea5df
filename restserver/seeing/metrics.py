"""What is counted, as plain numbers: cheap enough for every request, and read only when somebody asks ``/metrics``.

One :class:`Metrics` per application, no globals. What labels may say is bounded: operations, statuses, outcomes, sides; never
the name of a job, and every path that is no endpoint is one label. Whoever keeps figures of its own (a shield, an archiver)
hangs in a source that tells them when asked, so that it costs nothing in between. How they are written down for Prometheus
is :mod:`restserver.exposition`'s business.
"""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add
from typing import Final, TypeAlias

from msgspec import Struct, field

Labels: TypeAlias = tuple[str, ...]
"""The values, in the order of the names."""

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds; one without bound follows."""


class Figure(Struct, frozen=True):
    """A figure that goes up (``counter``) or up and down (``gauge``), at this moment."""

    name: str
    """Without the ending ``_total`` of a counter."""
    kind: str
    meaning: str
    labels: Labels
    values: Mapping[Labels, float]


class Spread(Struct, frozen=True):
    """How long something took: for each labelling the number in each bucket, and the sum in seconds."""

    name: str
    meaning: str
    labels: Labels
    values: Mapping[Labels, tuple[Sequence[int], float]]


Source: TypeAlias = Callable[[], Iterable[Figure | Spread]]


class Counts:
    """Counts by labels. Thread-safe."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._lock = threading.Lock()
        self._values: defaultdict[Labels, int] = defaultdict(int)

    def one_more(self, *labels: str) -> None:
        with self._lock:
            self._values[labels] += 1

    def figure(self) -> Figure:
        with self._lock:
            return Figure(self._name, "counter", self._meaning, self._labels, dict(self._values))


class Tally:
    """Durations by labels, in buckets. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: defaultdict[Labels, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 2))
        """The number in each bucket, and at the end the sum in nanoseconds."""

    def took(self, nanoseconds: int, *labels: str) -> None:
        bucket = bisect_left(_BOUNDS, nanoseconds)
        with self._lock:
            found = self._found[labels]
            found[bucket] += 1
            found[-1] += nanoseconds

    def values(self) -> dict[Labels, tuple[Sequence[int], float]]:
        """The sum in seconds."""
        with self._lock:
            return {labels: (tuple(found[:-1]), found[-1] / 1e9) for labels, found in self._found.items()}


_BOUNDS: Final = tuple(round(seconds * 1e9) for seconds in BUCKETS)


class Durations(Tally):
    """How long by labels. Thread-safe."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        super().__init__()
        self._name, self._meaning, self._labels = name, meaning, labels

    def spread(self) -> Spread:
        return Spread(self._name, self._meaning, self._labels, self.values())


class Answered(Tally):
    """Requests by operation and status, and how long they took by operation: told twice, counted once. Thread-safe."""

    def number(self) -> Figure:
        counts = {labels: sum(buckets) for labels, (buckets, _) in self.values().items()}
        return Figure("restserver_requests", "counter", "Requests answered.", ("operation", "status"), counts)

    def spread(self) -> Spread:
        summed: dict[Labels, tuple[Sequence[int], float]] = {}
        for (operation, _), (buckets, seconds) in self.values().items():
            before, so_far = summed.get((operation,), ((0,) * len(buckets), 0.0))
            summed[operation,] = tuple(map(add, before, buckets)), so_far + seconds
        meaning = "From a request's arrival in the application to its answer."
        return Spread("restserver_request_duration_seconds", meaning, ("operation",), summed)


class Metrics(Struct):
    """All that is counted of one application."""

    requests: Answered = field(default_factory=Answered)
    calls: Counts = field(
        default_factory=lambda: Counts(
            "restserver_launcher_calls",
            "Calls really made to launcher and resource manager.",
            "side",
            "operation",
            "outcome",
        )
    )
    call_seconds: Durations = field(
        default_factory=lambda: Durations(
            "restserver_launcher_call_duration_seconds", "How long those calls took.", "side", "operation"
        )
    )
    resource_manager_failures: Counts = field(
        default_factory=lambda: Counts(
            "restserver_resource_manager_failures",
            "Calls to the resource manager that failed; the requests went on without figures.",
            "reason",
        )
    )
    sources: list[Source] = field(default_factory=list)
    """Of figures that others keep."""

    def answered(self, operation: str, status: str, nanoseconds: int) -> None:
        self.requests.took(nanoseconds, operation, status)

    def told(self) -> Iterable[Figure | Spread]:
        yield self.requests.number()
        yield self.requests.spread()
        yield self.calls.figure()
        yield self.call_seconds.spread()
        yield self.resource_manager_failures.figure()
        for source in self.sources:
            yield from source()
