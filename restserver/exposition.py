"""``/metrics``: the figures in Prometheus' text format, written by its official client.

The client is imported when the first scrape comes: it costs a quarter of a bare server's start. It gets the figures through a
collector of its own kind, into a registry of this application; besides ours there are its figures of the process.
"""

from itertools import accumulate
from typing import TYPE_CHECKING, Final

import falcon

from restserver.resources import ReadOnly
from restserver.seeing.metrics import BUCKETS, Figure, Metrics, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Exposition(ReadOnly):
    """``/metrics``"""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._registry: CollectorRegistry | None = None

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        del req
        resp.content_type = CONTENT_TYPE
        resp.set_header("Cache-Control", "no-store")
        resp.data = self.text()

    on_head = on_get

    def text(self) -> bytes:
        from prometheus_client import generate_latest

        if self._registry is None:  # two scrapes at once may each make one: the last stays, both tell the same
            self._registry = registry_of(self._metrics)
        return bytes(generate_latest(self._registry))


def registry_of(metrics: Metrics) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
    from prometheus_client.registry import Collector

    class Told(Collector):
        def collect(self) -> "Iterable[Metric]":
            return [family(told) for told in metrics.told()]

    registry = CollectorRegistry()
    registry.register(Told())
    for standard in (GCCollector, PlatformCollector, ProcessCollector):
        standard(registry=registry)
    return registry


def family(told: Figure | Spread) -> "Metric":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if isinstance(told, Spread):
        spread = HistogramMetricFamily(told.name, told.meaning, labels=told.labels)
        bounds = [*map(str, BUCKETS), "+Inf"]
        for labels, (counts, total) in told.values.items():
            spread.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)
        return spread
    made = CounterMetricFamily if told.kind == "counter" else GaugeMetricFamily
    figures = made(told.name, told.meaning, labels=told.labels)
    for labels, value in told.values.items():
        figures.add_metric(labels, value)
    return figures
