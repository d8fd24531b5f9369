"""The persistent queue does what that of rocksq 0.3.0 did."""

from pathlib import Path

import pytest

from rocksq import Full, remove_queue
from rocksq.blocking import PersistentQueueWithCapacity as Queue


def test_items_come_out_in_the_order_in_which_they_went_in(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    queue.push([b"c"])
    assert queue.pop(2) + queue.pop(2) == [b"a", b"b", b"c"]


def test_pop_takes_one_item_unless_told_otherwise(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    assert queue.pop() == [b"a"]


def test_an_empty_queue_gives_an_empty_list(queue: Queue) -> None:
    assert queue.pop(10) == []


def test_pop_gives_fewer_items_when_fewer_are_there(queue: Queue) -> None:
    queue.push([b"a"])
    assert queue.pop(10) == [b"a"]


def test_pop_of_zero_takes_nothing(queue: Queue) -> None:
    queue.push([b"a"])
    assert queue.pop(0) == []
    assert queue.len == 1


@pytest.mark.parametrize("many", [2**31, 2**50, 2**60, 2**64 - 1])
def test_a_huge_number_means_all_there_is(queue: Queue, many: int) -> None:
    queue.push([b"a", b"b"])
    assert queue.pop(many) == [b"a", b"b"]


def test_empty_items_are_items(queue: Queue) -> None:
    queue.push([b"", b"x", b""])
    assert queue.pop(9) == [b"", b"x", b""]


def test_pushing_no_items_does_nothing(queue: Queue) -> None:
    queue.push([])
    assert queue.is_empty


@pytest.mark.parametrize("size", [1, 1000, 64 * 1024, 64 * 1024 + 1, 1 << 20, 5 << 20])
def test_items_of_every_size_come_back_the_same(queue: Queue, size: int) -> None:
    items = [bytes([number]) * (size + number) for number in range(3)]
    queue.push(items)
    assert queue.pop(9) == items


def test_a_hundred_thousand_items_come_back_the_same(queue: Queue) -> None:
    items = [str(number).encode() for number in range(100_000)]
    queue.push(items)
    assert queue.pop(len(items)) == items


def test_a_full_queue_refuses_all_items_with_the_text_that_programs_know(path: Path) -> None:
    queue = Queue(path, max_elements=3)
    queue.push([b"a", b"b"])
    with pytest.raises(RuntimeError) as caught:
        queue.push([b"c", b"d"])
    assert str(caught.value) == "Failed to push item: Queue is full"
    assert queue.pop(9) == [b"a", b"b"]


def test_a_list_longer_than_the_capacity_never_fits(path: Path) -> None:
    with pytest.raises(Full):
        Queue(path, 1).push([b"a", b"b"])


def test_reopening_with_less_capacity_drops_nothing(path: Path) -> None:
    with Queue(path, 3) as queue:
        queue.push([b"a", b"b", b"c"])
    with Queue(path, 1) as queue:
        assert queue.pop(9) == [b"a", b"b", b"c"]


def test_sizes_count_items_and_their_bytes(queue: Queue) -> None:
    queue.push([b"four", b"sixsix"])
    assert (queue.len, queue.payload_size, queue.is_empty) == (2, 10, False)
    queue.pop()
    assert (queue.len, queue.payload_size, queue.is_empty) == (1, 6, False)
    queue.pop()
    assert (queue.len, queue.payload_size, queue.is_empty) == (0, 0, True)


def test_the_disk_size_grows_with_what_is_stored(queue: Queue) -> None:
    before = queue.disk_size
    queue.push([bytes(4 << 20)])
    assert queue.disk_size - before > 2 << 20


def test_python_asks_for_the_length_in_its_own_way(queue: Queue) -> None:
    assert not queue
    queue.push([b"a", b"b"])
    assert (len(queue), bool(queue)) == (2, True)


def test_a_queue_tells_what_it_is(path: Path) -> None:
    queue = Queue(path, 5)
    assert (queue.path, queue.max_elements) == (str(path), 5)
    assert repr(queue) == (
        f'<rocksq.blocking.PersistentQueueWithCapacity path="{path}" max_elements=5 len=0 bytes=0>'
    )
    queue.close()
    assert repr(queue).endswith("closed>")


@pytest.mark.parametrize("no_gil", [True, False])
def test_no_gil_changes_no_result(queue: Queue, no_gil: bool) -> None:
    queue.push([b"a"], no_gil)
    assert queue.pop(1, no_gil) == [b"a"]


def test_arguments_can_be_named(path: Path) -> None:
    queue = Queue(path=str(path), max_elements=10)
    queue.push(items=[b"a"], no_gil=True)
    assert queue.pop(max_elements=1, no_gil=True) == [b"a"]


def test_items_survive_reopening(path: Path) -> None:
    with Queue(path) as queue:
        queue.push([b"a", b"b", b"c"])
        queue.pop()
    with Queue(path) as queue:
        assert queue.pop(9) == [b"b", b"c"]


def test_a_removed_queue_is_empty_when_it_is_made_again(path: Path) -> None:
    with Queue(path) as queue:
        queue.push([b"a"])
    remove_queue(path)
    assert not path.exists()
    assert Queue(path).is_empty


def test_removing_what_is_not_there_is_no_error(path: Path) -> None:
    remove_queue(path)
    remove_queue(str(path))
