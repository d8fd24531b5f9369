"""Queues are bounded by items and by bytes, and say what becomes of what does not fit."""

import copy
import pickle
import time
from pathlib import Path

import pytest

import rocksq
from rocksq import Conflict, Full, OnFull, StartPosition, blocking, nonblocking
from support import Caller

Oldest = StartPosition.Oldest


def test_on_full_is_a_value_like_any_other() -> None:
    assert [repr(choice) for choice in OnFull] == ["OnFull.Error", "OnFull.DropOldest"]
    assert all(pickle.loads(pickle.dumps(choice)) is choice for choice in OnFull)
    assert all(copy.deepcopy(choice) is choice for choice in OnFull)
    assert OnFull.__module__ == rocksq.__name__


def test_every_class_takes_bounds(tmp_path: Path) -> None:
    drop = OnFull.DropOldest
    fifo = blocking.PersistentQueueWithCapacity(tmp_path / "1", 7, max_bytes=8, on_full=drop)
    fast = nonblocking.PersistentQueueWithCapacity(tmp_path / "2", 7, max_bytes=8, on_full=drop)
    mpmc = blocking.MpmcQueue(tmp_path / "3", 0, max_elements=7, max_bytes=8, on_full=drop)
    quick = nonblocking.MpmcQueue(tmp_path / "4", 0, max_elements=7, max_bytes=8, on_full=drop)
    for queue in (fifo, fast, mpmc, quick, fifo.nonblocking(), quick.blocking()):
        assert (queue.max_elements, queue.max_bytes, queue.on_full) == (7, 8, drop)


def test_nothing_is_bounded_by_bytes_unless_asked_for(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "fifo") as fifo:
        assert (fifo.max_bytes, fifo.on_full) == (None, OnFull.Error)
    with blocking.MpmcQueue(tmp_path / "mpmc", 0) as mpmc:
        assert (mpmc.max_elements, mpmc.max_bytes, mpmc.on_full) == (None, None, OnFull.Error)


@pytest.mark.parametrize("wrong", [0, 1, "DropOldest", True, OnFull])
def test_on_full_is_one_of_its_values(tmp_path: Path, wrong: object) -> None:
    with pytest.raises(TypeError, match="on_full is rocksq.OnFull.Error"):
        blocking.PersistentQueueWithCapacity(tmp_path / "q", on_full=wrong)  # type: ignore[arg-type]


def test_wrong_bounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OverflowError):
        blocking.PersistentQueueWithCapacity(tmp_path / "q", max_bytes=-1)
    with pytest.raises(TypeError):
        blocking.PersistentQueueWithCapacity(tmp_path / "q", max_bytes=1.5)  # type: ignore[arg-type]


def test_a_queue_that_is_full_of_bytes_says_so(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "q", max_bytes=4) as queue:
        queue.push([b"aa", b"bb"])
        for timeout in (0, 0.02):
            with pytest.raises(Full, match="Failed to push item: Queue is full") as caught:
                queue.push([b"c"], timeout=timeout)
            assert str(caught.value) == "Failed to push item: Queue is full"
            assert "max_bytes" in caught.value.__notes__[0]
        with pytest.raises(Full):
            queue.push([b"ccccc"], timeout=None)
        assert list(queue) == [b"aa", b"bb"]


@pytest.mark.parametrize("on_full", OnFull)
def test_what_can_never_fit_fails_at_once_says_so_and_drops_nothing(
    tmp_path: Path, on_full: OnFull
) -> None:
    with blocking.PersistentQueueWithCapacity(
        tmp_path / "q", 3, max_bytes=4, on_full=on_full
    ) as queue:
        queue.push([b"aa", b"bb"])
        for items in ([b"ccccc"], [b"c"] * 4):
            for push in (queue.push, lambda *a, **k: queue.nonblocking().push(*a, **k).result()):
                with pytest.raises(Full) as caught:
                    push(items, timeout=None)
                assert str(caught.value) == "Failed to push item: Queue is full"
                [note] = caught.value.__notes__
                assert f"more than the queue can ever hold (items: {len(items)}, " in note
                [again] = pickle.loads(pickle.dumps(caught.value)).__notes__
                assert again == note
        assert list(queue) == [b"aa", b"bb"]


def test_waiting_ends_when_there_is_room_for_the_bytes(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(tmp_path / "q", max_bytes=4) as queue:
        queue.push([b"aa", b"bb"])
        push = Caller(lambda: queue.push([b"cccc"], timeout=None)).until_asleep()
        queue.pop()
        with pytest.raises(Full):
            queue.push([b"d"])  # it would fit, but not before those who wait
        queue.pop()
        push.outcome()
        assert list(queue) == [b"cccc"]


def test_the_oldest_make_room(tmp_path: Path) -> None:
    path = tmp_path / "q"
    with blocking.PersistentQueueWithCapacity(path, 3, on_full=OnFull.DropOldest) as queue:
        queue.push([b"a"])
        queue.push([b"b", b"c"])
        batch = queue.read()
        queue.nonblocking().push([b"d"]).result()
        with pytest.raises(Conflict):
            queue.commit(batch)
        assert list(queue) == [b"b", b"c", b"d"]
        assert queue.stats().dropped_items == 1
        with pytest.raises(Full):
            queue.push([b"x"] * 4)
    with blocking.PersistentQueueWithCapacity(path, 1) as queue:
        assert queue.len == 3


def test_what_was_pushed_as_one_is_dropped_as_one(tmp_path: Path) -> None:
    drop = OnFull.DropOldest
    with blocking.PersistentQueueWithCapacity(tmp_path / "q", 7, on_full=drop) as queue:
        for n in range(4):
            queue.push([b"topic", b"header", b"frame %d" % n])
        assert queue.pop(3) == [b"topic", b"header", b"frame 2"]
        large = bytes(700_000)
        queue.push([large] * 3)
        queue.push([b"topic"])
        queue.push([b"one more than fits"])
        assert list(queue) == [large] * 3 + [b"topic", b"one more than fits"]
        queue.push([b"topic", b"header", b"frame"])
        assert queue.len == 5
    with blocking.MpmcQueue(tmp_path / "mpmc", 60, max_elements=4, on_full=drop) as mpmc:
        mpmc.add([b"1", b"2", b"3"])
        mpmc.next("label", Oldest, 1)
        mpmc.add([b"4", b"5"])
        assert mpmc.next("label", Oldest, 9) == ([b"4", b"5"], True)


def test_labels_learn_what_was_dropped(tmp_path: Path) -> None:
    with blocking.MpmcQueue(tmp_path / "q", 0, max_bytes=2, on_full=OnFull.DropOldest) as queue:
        queue.next("label", Oldest, 0)
        queue.add([b"a"])
        queue.add([b"b"])
        queue.add([b"c"])
        assert queue.next("label", Oldest, 1) == ([b"b"], True)
        assert queue.next("label", Oldest, 1) == ([b"c"], False)


def test_items_that_expire_make_room_on_an_mpmc_queue(tmp_path: Path) -> None:
    with blocking.MpmcQueue(tmp_path / "q", 3, max_elements=1) as queue:
        queue.add([b"a"])
        with pytest.raises(Full):
            queue.add([b"b"], timeout=0.01)
        begun = time.monotonic()
        queue.add([b"b"], timeout=None)
        assert list(queue) == [b"b"]
        queue.nonblocking().add([b"c"], timeout=None).result()
        assert list(queue) == [b"c"]
        assert time.monotonic() - begun > 1


def test_without_a_ttl_nobody_waits_for_room(tmp_path: Path) -> None:
    with blocking.MpmcQueue(tmp_path / "q", 0, max_elements=1) as queue:
        queue.add([b"a"])
        queue.next("label", Oldest, 9)
        for add in (queue.add, lambda *a, **k: queue.nonblocking().add(*a, **k).result()):
            with pytest.raises(Full) as caught:
                add([b"b"], timeout=None)
            assert "without a TTL" in caught.value.__notes__[0]
