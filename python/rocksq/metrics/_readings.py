"""What both kinds of metrics show, and how it is read."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

from rocksq import blocking, nonblocking
from rocksq.blocking import LabelStats, Stats
from rocksq.exceptions import Closed, Forked

MpmcQueue: TypeAlias = blocking.MpmcQueue | nonblocking.MpmcQueue
Queue: TypeAlias = (
    MpmcQueue | blocking.PersistentQueueWithCapacity | nonblocking.PersistentQueueWithCapacity
)


@dataclass(frozen=True)
class Metric:
    """A number about a queue. `name` is that of Prometheus, `dotted` that of OpenTelemetry."""

    name: str
    dotted: str
    unit: str
    text: str
    read: Callable[[Stats], float | None]


@dataclass(frozen=True)
class LabelMetric:
    """A number about a label of an MPMC queue."""

    name: str
    dotted: str
    unit: str
    text: str
    read: Callable[[LabelStats], float]


ITEMS = "{item}"
BYTES = "By"

LEVELS = (
    Metric("rocksq_items", "rocksq.items", ITEMS, "Items in the queue.", lambda s: s.items),
    Metric(
        "rocksq_payload_bytes",
        "rocksq.payload",
        BYTES,
        "Bytes of the items in the queue.",
        lambda s: s.payload_bytes,
    ),
    Metric(
        "rocksq_disk_bytes",
        "rocksq.disk",
        BYTES,
        "Bytes that the queue takes on the file system.",
        lambda s: s.disk_bytes,
    ),
    Metric(
        "rocksq_oldest_item_age_seconds",
        "rocksq.oldest_item.age",
        "s",
        "Seconds since the oldest item in the queue was pushed.",
        lambda s: s.oldest_age,
    ),
)
"""Numbers that go up and down."""

COUNTS = (
    Metric(
        "rocksq_pushed_items",
        "rocksq.pushed_items",
        ITEMS,
        "Items pushed since the queue was opened.",
        lambda s: s.pushed_items,
    ),
    Metric(
        "rocksq_popped_items",
        "rocksq.popped_items",
        ITEMS,
        "Items taken since the queue was opened; read under labels, on an MPMC queue.",
        lambda s: s.popped_items,
    ),
    Metric(
        "rocksq_returned_items",
        "rocksq.returned_items",
        ITEMS,
        "Items taken and given back since the queue was opened.",
        lambda s: s.returned_items,
    ),
    Metric(
        "rocksq_dropped_items",
        "rocksq.dropped_items",
        ITEMS,
        "Items dropped to make room since the queue was opened.",
        lambda s: s.dropped_items,
    ),
    Metric(
        "rocksq_expired_items",
        "rocksq.expired_items",
        ITEMS,
        "Items lost to the TTL since the queue was opened.",
        lambda s: s.expired_items,
    ),
    Metric(
        "rocksq_rejected_items",
        "rocksq.rejected_items",
        ITEMS,
        "Items of pushes that failed since the queue was opened: no room, or a failed write.",
        lambda s: s.rejected_items,
    ),
    Metric(
        "rocksq_log_written_bytes",
        "rocksq.log_written",
        BYTES,
        "Bytes written to RocksDB's log since the queue was opened.",
        lambda s: s.log_bytes,
    ),
    Metric(
        "rocksq_table_written_bytes",
        "rocksq.table_written",
        BYTES,
        "Bytes written to RocksDB's tables since the queue was opened.",
        lambda s: s.table_bytes,
    ),
    Metric(
        "rocksq_errors",
        "rocksq.errors",
        "{error}",
        "Writes, syncs and background work that failed since the queue was opened.",
        lambda s: s.errors,
    ),
)
"""Numbers that only go up."""

LABEL_LEVELS = (
    LabelMetric(
        "rocksq_label_lag_items",
        "rocksq.label_lag.items",
        ITEMS,
        "Items that the label has not read.",
        lambda s: s.items,
    ),
    LabelMetric(
        "rocksq_label_lag_bytes",
        "rocksq.label_lag.payload",
        BYTES,
        "Bytes of the items that the label has not read.",
        lambda s: s.payload_bytes,
    ),
)


@dataclass(frozen=True)
class Reading:
    """What one look at a queue gave."""

    queue: str
    stats: Stats
    labels: list[LabelStats]


class Queues:
    """Queues by name."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._queues: dict[str, Queue] = {}

    def add(self, queue: Queue, name: str | None) -> None:
        name = printable(queue.path) if name is None else name
        with self._lock:
            there = self._queues.get(name)
            if there is not None and there is not queue and not there.closed:
                raise ValueError(f"there is another open queue of the name {name!r}: give it one")
            self._queues[name] = queue

    def remove(self, queue: Queue) -> None:
        with self._lock:
            self._queues = {name: q for name, q in self._queues.items() if q is not queue}

    def read(self, *, labels: bool = True) -> list[Reading]:
        """Look at every queue that is open, and at its labels if they are wanted."""
        with self._lock:
            queues = list(self._queues.items())
        readings = (reading(name, queue, labels=labels) for name, queue in queues)
        return [reading for reading in readings if reading is not None]


def reading(name: str, queue: Queue, *, labels: bool) -> Reading | None:
    try:
        lags = queue.label_stats() if labels and isinstance(queue, MpmcQueue) else []
        return Reading(name, queue.stats(), lags)
    except (Closed, Forked):
        return None


def printable(path: str) -> str:
    """Return the path as text: one that is none would keep all queues from being shown."""
    return os.fsencode(path).decode(errors="replace")
