"""What is in a queue, and what has happened to it."""

import time
from functools import partial
from pathlib import Path

import pytest

from rocksq import Closed, Durability, Full, OnFull, StartPosition, blocking, nonblocking
from rocksq.blocking import Stats
from support import Caller, figure, measured

Oldest = StartPosition.Oldest


def test_what_came_and_went_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "q"
    with blocking.PersistentQueueWithCapacity(path, 3, on_full=OnFull.DropOldest) as queue:
        queue.push([b"a", b"bb"])
        queue.push([b"ccc"])
        queue.pop()
        queue.push([b"d", b"e"])
        for stats in (queue.stats(), queue.nonblocking().stats()):
            assert (stats.pushed_items, stats.popped_items, stats.dropped_items) == (5, 1, 1)
            assert (stats.items, stats.payload_bytes) == (3, 5)
            assert stats.expired_items == stats.errors == 0
    with blocking.PersistentQueueWithCapacity(path) as queue:
        assert (queue.stats().items, queue.stats().pushed_items) == (3, 0)


def awaited(queue: nonblocking.PersistentQueueWithCapacity, timeout: float) -> None:
    queue.push([b"c"], timeout=timeout).result()


def test_items_that_did_not_fit_are_counted(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "q", 2) as queue:
        later = queue.nonblocking()
        queue.push([b"a", b"b"])
        pushes = [
            partial(queue.push, [b"c"]),
            partial(queue.push, [b"c"], timeout=0.01),
            partial(queue.push, [bytes(1 << 20)]),
            partial(queue.push, [b"c"], durability=Durability.Synced),
            partial(awaited, later, timeout=0),
            partial(awaited, later, timeout=0.01),
        ]
        for rejected, push in enumerate(pushes, start=1):
            with pytest.raises(Full):
                push()
            assert queue.stats().rejected_items == rejected
        with pytest.raises(Full):
            queue.push([b"a", b"b", b"c"])
        stats = queue.stats()
        assert (stats.rejected_items, stats.pushed_items, stats.errors) == (9, 2, 0)
        assert "rejected_items=9" in repr(stats)


def test_what_is_given_back_is_counted_and_no_count_goes_down(tmp_path: Path) -> None:
    with nonblocking.PersistentQueueWithCapacity(tmp_path / "q") as queue:
        queue.push([b"a", b"b", b"c"])
        response = queue.pop(2)
        assert queue.len.result() == 1
        assert queue.stats().popped_items == 2
        assert response.cancel()
        assert queue.len.result() == 3
        assert (queue.stats().popped_items, queue.stats().returned_items) == (2, 2)
        assert len(queue.pop(3).result()) == 3
        assert (queue.stats().popped_items, queue.stats().returned_items) == (5, 2)


def test_the_age_is_that_of_the_oldest_item(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "q") as queue:
        assert queue.stats().oldest_age is None
        before = time.monotonic()
        queue.push([b"a"])
        time.sleep(0.02)
        age = queue.stats().oldest_age
        assert age is not None
        assert 0.02 <= age <= time.monotonic() - before + 0.001
        queue.pop()
        assert queue.stats().oldest_age is None


def test_bytes_on_disk_are_counted(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "q") as queue:
        before = queue.stats()
        assert before.disk_bytes > 0
        queue.push([bytes(100_000)])
        after = queue.stats()
        assert 100_000 <= after.log_bytes - before.log_bytes < 110_000
        assert after.table_bytes >= before.table_bytes
        queue.push([b"buffered"], durability=Durability.Buffered)
        assert queue.stats().log_bytes == after.log_bytes
    with blocking.PersistentQueueWithCapacity(tmp_path / "q") as queue:
        assert queue.stats().disk_bytes >= 100_000


def test_labels_lag_by_what_they_have_not_read(tmp_path: Path) -> None:
    with blocking.MpmcQueue(tmp_path / "q", 60) as queue:
        queue.add([b"a", b"bb"])
        queue.next("ahead", Oldest, 9)
        queue.next("behind", Oldest, 1)
        queue.add([b"ccc"])
        assert queue.stats().popped_items == 3
        for stats in (queue.label_stats(), queue.nonblocking().label_stats()):
            lags = [(label.label, label.items, label.payload_bytes) for label in stats]
            assert lags == [("ahead", 1, 3), ("behind", 2, 5)]
        assert repr(stats[0]) == 'LabelStats(label="ahead", items=1, payload_bytes=3)'


def test_stats_do_not_change_and_show_themselves(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "q") as queue:
        stats = queue.stats()
        with pytest.raises(AttributeError):
            stats.items = 1  # type: ignore[misc]
        queue.push([b"a"])
        assert stats.items == 0
        fields = [name for name in vars(Stats) if not name.startswith("_")]
        assert len(fields) == 13
        for field in fields:
            assert f"{field}=" in repr(stats)


def test_a_closed_queue_has_none(tmp_path: Path) -> None:
    queue = blocking.MpmcQueue(tmp_path / "q", 0)
    queue.close()
    for face in (queue, queue.nonblocking()):
        with pytest.raises(Closed):
            face.stats()
        with pytest.raises(Closed):
            face.label_stats()


def test_stats_wait_for_nobody_who_waits(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "q") as queue:
        pop = Caller(lambda: queue.pop(timeout=None)).until_asleep()
        waits = queue.nonblocking().pop(timeout=None)
        assert queue.stats().items == 0
        assert queue.nonblocking().stats().popped_items == 0
        queue.push([b"a", b"b"])
        assert sorted(pop.outcome() + waits.result()) == [b"a", b"b"]
        assert queue.stats().popped_items == 2


@measured
def test_a_snapshot_costs_no_more_with_many_labels(tmp_path: Path) -> None:
    def cost(queue: blocking.MpmcQueue) -> float:
        queue.stats()
        costs = []
        for _ in range(300):
            begun = time.perf_counter()
            queue.stats()
            costs.append(time.perf_counter() - begun)
        return sorted(costs)[len(costs) // 4]

    with blocking.MpmcQueue(tmp_path / "q", 3600, durability=Durability.Buffered) as queue:
        queue.add([b"item"])
        alone = cost(queue)
        for label in range(5_000):
            queue.next(str(label), Oldest)
        assert len(queue.label_stats()) == 5_000
        among_many = cost(queue)
    figure("stats() with 5,000 labels, s", among_many, at_most=5 * alone + 20e-6)


def test_repr_tells_what_is_there(tmp_path: Path) -> None:
    queue = blocking.PersistentQueueWithCapacity(tmp_path / "fifo", 5)
    queue.push([b"abc"])
    fast = queue.nonblocking()
    for face in (queue, fast):
        assert repr(face).endswith("max_elements=5 len=1 bytes=3>")
    queue.close()
    for face in (queue, fast):
        assert repr(face).endswith(" closed>")
