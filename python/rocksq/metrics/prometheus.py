"""Queues as metrics of prometheus_client.

>>> import tempfile
>>> from prometheus_client import CollectorRegistry, generate_latest
>>> from rocksq.blocking import PersistentQueueWithCapacity
>>> from rocksq.metrics.prometheus import QueueCollector
>>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
>>> queue.push([b"item"])
>>> collector = QueueCollector()
>>> collector.add(queue, name="frames")
>>> registry = CollectorRegistry()
>>> registry.register(collector)
>>> 'rocksq_items{queue="frames"} 1.0' in generate_latest(registry).decode()
True
"""

from collections.abc import Iterator

from rocksq.metrics import _extras
from rocksq.metrics._readings import COUNTS, LABEL_LEVELS, LEVELS, Queue, Queues, Reading

with _extras.needed("prometheus"):
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector

__all__ = ["QueueCollector"]


class QueueCollector(Collector):
    """A collector of the metrics of any number of queues.

    Register it with a registry of prometheus_client, which then asks it at every scrape.
    """

    def __init__(self) -> None:
        self._queues = Queues()

    def add(self, queue: Queue, name: str | None = None) -> None:
        """Show `queue`, under `name` or its path. It stays open for the sake of this at least.

        Raises `ValueError` when another open queue has that name.
        """
        self._queues.add(queue, name)

    def remove(self, queue: Queue) -> None:
        """Show `queue` no longer."""
        self._queues.remove(queue)

    def describe(self) -> Iterator[Metric]:
        """Tell the names of the metrics, so that registering looks at no queue."""
        yield from self._families([])

    def collect(self) -> Iterator[Metric]:
        """Look at the queues."""
        yield from self._families(self._queues.read())

    def _families(self, readings: list[Reading]) -> Iterator[Metric]:
        for metric in LEVELS:
            gauge = GaugeMetricFamily(metric.name, metric.text, labels=["queue"])
            for reading in readings:
                value = metric.read(reading.stats)
                if value is not None:
                    gauge.add_metric([reading.queue], value)
            yield gauge
        for metric in COUNTS:
            counter = CounterMetricFamily(metric.name, metric.text, labels=["queue"])
            for reading in readings:
                counter.add_metric([reading.queue], metric.read(reading.stats) or 0)
            yield counter
        for lag in LABEL_LEVELS:
            gauge = GaugeMetricFamily(lag.name, lag.text, labels=["queue", "label"])
            for reading in readings:
                for label in reading.labels:
                    gauge.add_metric([reading.queue, label.label], lag.read(label))
            yield gauge
