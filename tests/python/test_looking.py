"""Items can be looked at where they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rocksq import Closed, StartPosition
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import Caller

Oldest, Newest = StartPosition.Oldest, StartPosition.Newest


def test_peek_shows_the_next_items_and_leaves_them(queue: Queue) -> None:
    queue.push([b"a", b"b", b"c"])
    assert (queue.peek(), queue.peek(2), queue.peek(9)) == (
        [b"a"],
        [b"a", b"b"],
        [b"a", b"b", b"c"],
    )
    assert queue.len == 3


def test_peek_shows_what_a_label_would_read_and_makes_no_label(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    mpmc.next("label", Oldest)
    assert mpmc.peek("label", Oldest, 9) == [b"b"]
    assert (mpmc.peek("new", Oldest), mpmc.peek("new", Newest)) == ([b"a"], [b"b"])
    assert mpmc.labels == ["label"]


def test_iterating_shows_all_items_and_leaves_them(queue: Queue) -> None:
    items = [str(number).encode() for number in range(1000)]
    queue.push(items)
    assert list(queue) == items
    assert queue.len == 1000


def test_iterating_begins_at_the_oldest_item_that_was_not_taken(queue: Queue) -> None:
    queue.push([b"a", b"b", b"c"])
    queue.pop()
    assert list(queue) == [b"b", b"c"]


def test_iterating_over_an_mpmc_queue_ignores_the_labels(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    mpmc.next("label", Oldest, 9)
    assert list(mpmc) == [b"a", b"b"]


def test_an_iterator_sees_what_is_pushed_before_its_end_and_nothing_after(queue: Queue) -> None:
    queue.push([b"a"])
    items = iter(queue)
    assert next(items) == b"a"
    queue.push([b"b"])
    assert list(items) == [b"b"]
    queue.push([b"c"])
    assert list(items) == []


def test_an_iterator_keeps_the_queue_open(path: Path) -> None:
    def items() -> Iterator[bytes]:
        queue = Queue(path)
        queue.push([b"a"])
        return iter(queue)

    assert list(items()) == [b"a"]


def test_an_iterator_of_a_closed_queue_raises(queue: Queue) -> None:
    items = iter(queue)
    queue.close()
    with pytest.raises(Closed):
        next(items)


def test_threads_can_share_an_iterator(queue: Queue) -> None:
    items = [str(number).encode() for number in range(2000)]
    queue.push(items)
    shared = iter(queue)
    seen = [Caller(lambda: list(shared)) for _ in range(4)]
    assert sorted(item for call in seen for item in call.outcome()) == sorted(items)
