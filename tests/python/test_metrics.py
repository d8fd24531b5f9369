"""Queues show themselves to prometheus_client and OpenTelemetry, the real ones."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from rocksq import OnFull, StartPosition, metrics
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity
from rocksq.metrics.opentelemetry import QueueInstruments
from rocksq.metrics.prometheus import QueueCollector
from support import run

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[PersistentQueueWithCapacity]:
    path = tmp_path / "fifo"
    with PersistentQueueWithCapacity(path, 2, on_full=OnFull.DropOldest) as queue:
        queue.push([b"a"])
        queue.push([b"bb"])
        queue.push([b"ccc"])
        queue.pop()
        yield queue


@pytest.fixture
def mpmc(tmp_path: Path) -> Iterator[MpmcQueue]:
    with MpmcQueue(tmp_path / "mpmc", 60) as queue:
        queue.add([b"a", b"bb"])
        queue.next("ahead", StartPosition.Oldest, 2)
        queue.next("behind", StartPosition.Oldest, 1)
        yield queue


def scraped(registry: CollectorRegistry) -> Samples:
    """The samples that a server on the loopback gives."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        with urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def documented(column: int) -> set[str]:
    """The names in the table of the documentation."""
    rows = [line for line in (metrics.__doc__ or "").splitlines() if line.startswith("| `")]
    return {row.split("|")[column].strip().strip("`") for row in rows}


def test_prometheus_scrapes_queues(fifo: PersistentQueueWithCapacity, mpmc: MpmcQueue) -> None:
    collector = QueueCollector()
    collector.add(fifo)
    collector.add(mpmc.nonblocking(), name="shared")
    registry = CollectorRegistry()
    registry.register(collector)
    samples = scraped(registry)
    path, shared = ("queue", fifo.path), ("queue", "shared")
    assert samples["rocksq_items", (path,)] == 1
    assert samples["rocksq_payload_bytes", (path,)] == 3
    assert samples["rocksq_pushed_items_total", (path,)] == 3
    assert samples["rocksq_popped_items_total", (path,)] == 1
    assert samples["rocksq_dropped_items_total", (path,)] == 1
    assert samples["rocksq_rejected_items_total", (path,)] == 0
    assert 0 <= samples["rocksq_oldest_item_age_seconds", (path,)] < 60
    assert samples["rocksq_disk_bytes", (path,)] == fifo.stats().disk_bytes
    assert samples["rocksq_label_lag_items", (("label", "ahead"), shared)] == 0
    assert samples["rocksq_label_lag_bytes", (("label", "behind"), shared)] == 2
    assert {name for name, _ in samples} == documented(1)


def test_prometheus_sees_no_queue_that_is_closed_or_removed(
    fifo: PersistentQueueWithCapacity, mpmc: MpmcQueue
) -> None:
    collector = QueueCollector()
    collector.add(fifo, name="name")
    collector.add(mpmc)
    with pytest.raises(ValueError, match="'name'"):
        collector.add(mpmc, name="name")
    registry = CollectorRegistry()
    registry.register(collector)
    fifo.close()
    assert {labels for name, labels in scraped(registry) if name == "rocksq_items"} == {
        (("queue", mpmc.path),)
    }
    collector.remove(mpmc)
    assert scraped(registry) == {}
    collector.add(mpmc, name="name")


def test_a_path_that_is_no_text_spoils_no_scrape(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    with PersistentQueueWithCapacity(path) as queue:
        collector = QueueCollector()
        collector.add(queue)
        registry = CollectorRegistry()
        registry.register(collector)
        assert scraped(registry)["rocksq_items", (("queue", f"{tmp_path}/\ufffd"),)] == 0


def test_an_empty_queue_has_no_oldest_item(tmp_path: Path) -> None:
    with PersistentQueueWithCapacity(tmp_path / "q") as queue:
        collector = QueueCollector()
        collector.add(queue)
        registry = CollectorRegistry()
        registry.register(collector)
        names = {name for name, _ in scraped(registry)}
        assert "rocksq_items" in names
        assert "rocksq_oldest_item_age_seconds" not in names


def test_opentelemetry_reads_queues(fifo: PersistentQueueWithCapacity, mpmc: MpmcQueue) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    instruments = QueueInstruments(provider.get_meter("test"))
    instruments.add(fifo, name="frames")
    instruments.add(mpmc)
    values: Samples = {}
    units = {}
    data = reader.get_metrics_data()
    assert data is not None
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        units[metric.name] = metric.unit
        for point in metric.data.data_points:
            assert isinstance(point, NumberDataPoint)
            attributes = {key: str(value) for key, value in (point.attributes or {}).items()}
            values[metric.name, tuple(sorted(attributes.items()))] = point.value
    frames, shared = ("queue", "frames"), ("queue", mpmc.path)
    assert values["rocksq.items", (frames,)] == 1
    assert values["rocksq.dropped_items", (frames,)] == 1
    assert values["rocksq.popped_items", (shared,)] == 3
    assert values["rocksq.label_lag.items", (("label", "behind"), shared)] == 1
    assert {name for name, _ in values} == documented(2)
    assert (units["rocksq.items"], units["rocksq.payload"]) == ("{item}", "By")
    provider.shutdown()


@pytest.mark.parametrize(
    ("extra", "library"),
    [("prometheus", "prometheus_client"), ("opentelemetry", "opentelemetry")],
)
def test_a_missing_extra_is_named(extra: str, library: str) -> None:
    program = f"""
import sys
sys.modules["{library}"] = None
import rocksq.metrics.{extra}
"""
    process = run(program)
    assert process.returncode == 1
    assert f"pip install rocksq[{extra}]" in process.stderr
    assert "ModuleNotFoundError" in process.stderr
