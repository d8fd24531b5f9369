"""Queues as instruments of OpenTelemetry.

>>> import tempfile
>>> from opentelemetry.sdk.metrics import MeterProvider
>>> from opentelemetry.sdk.metrics.export import InMemoryMetricReader
>>> from rocksq.blocking import PersistentQueueWithCapacity
>>> from rocksq.metrics.opentelemetry import QueueInstruments
>>> reader = InMemoryMetricReader()
>>> provider = MeterProvider(metric_readers=[reader])
>>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
>>> instruments = QueueInstruments(provider.get_meter("app"))
>>> instruments.add(queue, name="frames")
>>> queue.push([b"item"])
>>> data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0]
>>> {metric.name: metric.data.data_points[0].value for metric in data.metrics}["rocksq.items"]
1
"""

from collections.abc import Callable, Iterable, Iterator

import rocksq
from rocksq.metrics import _extras
from rocksq.metrics._readings import (
    COUNTS,
    LABEL_LEVELS,
    LEVELS,
    LabelMetric,
    Metric,
    Queue,
    Queues,
)

with _extras.needed("opentelemetry"):
    from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

__all__ = ["QueueInstruments"]


class QueueInstruments:
    """Observable instruments for any number of queues.

    They belong to `meter`, or to one of the name `rocksq` from the global provider. Make one object
    of this class for each meter.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self._queues = Queues()
        meter = get_meter("rocksq", rocksq.version()) if meter is None else meter
        for metric in LEVELS:
            meter.create_observable_gauge(
                metric.dotted, [self._observe(metric)], metric.unit, metric.text
            )
        for metric in COUNTS:
            meter.create_observable_counter(
                metric.dotted, [self._observe(metric)], metric.unit, metric.text
            )
        for lag in LABEL_LEVELS:
            meter.create_observable_gauge(
                lag.dotted, [self._observe_labels(lag)], lag.unit, lag.text
            )

    def add(self, queue: Queue, name: str | None = None) -> None:
        """Show `queue`, under `name` or its path. It stays open for the sake of this at least.

        Raises `ValueError` when another open queue has that name.
        """
        self._queues.add(queue, name)

    def remove(self, queue: Queue) -> None:
        """Show `queue` no longer."""
        self._queues.remove(queue)

    def _observe(self, metric: Metric) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_options: CallbackOptions) -> Iterator[Observation]:
            for reading in self._queues.read(labels=False):
                value = metric.read(reading.stats)
                if value is not None:
                    yield Observation(value, {"queue": reading.queue})

        return callback

    def _observe_labels(
        self, metric: LabelMetric
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_options: CallbackOptions) -> Iterator[Observation]:
            for reading in self._queues.read():
                for label in reading.labels:
                    attributes = {"queue": reading.queue, "label": label.label}
                    yield Observation(metric.read(label), attributes)

        return callback
