"""The nonblocking classes answer with responses, as those of rocksq 0.3.0 did."""

import gc
from pathlib import Path

import pytest

from rocksq import Closed, Full, StartPosition
from rocksq.nonblocking import (
    MpmcQueue,
    MpmcResponse,
    MpmcResponseVariant,
    PersistentQueueWithCapacity,
    Response,
    ResponseVariant,
)
from support import Caller

Oldest = StartPosition.Oldest
Queue = PersistentQueueWithCapacity


def fields(response: Response[object]) -> tuple[object, ...]:
    variant = response.get()
    assert isinstance(variant, ResponseVariant)
    return (variant.data, variant.len, variant.size)


def mpmc_fields(response: MpmcResponse[object]) -> tuple[object, ...]:
    variant = response.get()
    assert isinstance(variant, MpmcResponseVariant)
    return (variant.data, variant.labels, variant.removed_label, variant.len, variant.size)


def test_each_operation_fills_its_own_field(later: Queue) -> None:
    assert fields(later.push([b"a", b"bc"])) == (None, None, None)
    assert fields(later.len) == (None, 2, None)
    assert fields(later.payload_size) == (None, None, 3)
    assert fields(later.pop()) == ([b"a"], None, None)
    assert fields(later.pop(9)) == ([b"bc"], None, None)
    assert fields(later.pop()) == ([], None, None)
    disk_size = later.disk_size.get().size
    assert disk_size is not None
    assert disk_size > 0


def test_each_mpmc_operation_fills_its_own_field(later_mpmc: MpmcQueue) -> None:
    assert mpmc_fields(later_mpmc.add([b"a"])) == (None, None, None, None, None)
    read = later_mpmc.next("label", Oldest)
    assert mpmc_fields(read) == (([b"a"], False), None, None, None, None)
    assert mpmc_fields(later_mpmc.labels) == (None, ["label"], None, None, None)
    assert mpmc_fields(later_mpmc.remove_label("label")) == (None, None, True, None, None)
    assert mpmc_fields(later_mpmc.remove_label("label")) == (None, None, False, None, None)
    assert mpmc_fields(later_mpmc.len) == (None, None, None, 1, None)
    assert mpmc_fields(later_mpmc.payload_size) == (None, None, None, None, 1)
    disk_size = later_mpmc.disk_size.get().size
    assert disk_size is not None
    assert disk_size > 0


def test_a_response_gives_the_same_again(later: Queue) -> None:
    later.push([b"a"])
    response = later.pop()
    assert response.get().data == [b"a"]
    assert response.get().data == [b"a"]
    again = response.try_get()
    assert again is not None
    assert again.data == [b"a"]
    assert response.is_ready


def test_a_response_that_was_waited_for_is_ready(later: Queue) -> None:
    first, second = later.push([b"a"]), later.len
    second.get()
    assert first.is_ready
    assert first.try_get() is not None


def test_a_response_that_is_dropped_unread_harms_nothing(later: Queue) -> None:
    for number in range(1000):
        later.push([str(number).encode()])
        later.pop(0)
    gc.collect()
    assert later.len.get().len == 1000


def test_an_error_is_raised_by_the_response_each_time(path: Path) -> None:
    queue = Queue(path, 1)
    queue.push([b"a"])
    response = queue.push([b"b"])
    for read in (response.get, response.get, response.try_get):
        with pytest.raises(Full, match="^Failed to push item: Queue is full"):
            read()
    assert queue.pop(9).get().data == [b"a"]


def test_operations_are_done_in_the_order_of_the_calls(later: Queue) -> None:
    responses = []
    for number in range(300):
        later.push([str(number).encode()])
        responses.append(later.pop())
    assert [response.get().data for response in responses] == [
        [str(number).encode()] for number in range(300)
    ]


def test_buffers_may_be_changed_after_the_call(later: Queue) -> None:
    small, large = bytearray(b"abc"), bytearray(1 << 20)
    response = later.push([small, large, b"bytes"])
    small[:] = b"xyz-and-more"
    large[:] = b"\xff" * (1 << 20)
    response.get()
    assert later.pop(9).get().data == [b"abc", bytes(1 << 20), b"bytes"]


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_call_waits_when_too_many_operations_are_under_way(path: Path, limit: int) -> None:
    queue = Queue(path, max_inflight_ops=limit)
    for number in range(200):
        queue.push([str(number).encode()])
        assert queue.inflight_ops <= max(limit, 1)
    assert queue.len.get().len == 200


def test_an_operation_that_is_answered_is_no_longer_under_way(later: Queue) -> None:
    later.push([b"a"])
    later.len.get()
    assert later.inflight_ops == 0


def test_closing_lets_the_operations_under_way_finish(path: Path) -> None:
    queue = Queue(path)
    responses = [queue.push([bytes(1000)]) for _ in range(500)]
    queue.close()
    assert all(response.is_ready for response in responses)
    for response in responses:
        response.get()
    assert Queue(path).len.get().len == 500


def test_a_queue_that_is_forgotten_finishes_its_operations(path: Path) -> None:
    queue = Queue(path)
    last = [queue.push([bytes(1000)]) for _ in range(500)][-1]
    del queue
    gc.collect()
    last.get()
    assert Queue(path).len.get().len == 500


def test_a_closed_queue_raises_closed(later: Queue) -> None:
    later.close()
    assert later.closed
    with pytest.raises(Closed):
        later.push([b"a"])
    with pytest.raises(Closed):
        _ = later.len
    later.close()


def test_with_closes_the_queue(path: Path) -> None:
    with MpmcQueue(path, 0) as queue:
        response = queue.add([b"a"])
    assert queue.closed
    assert response.get().data is None


def test_a_queue_tells_what_it_is(path: Path, tmp_path: Path) -> None:
    queue, mpmc = Queue(path, 7), MpmcQueue(tmp_path / "mpmc", 60)
    assert (queue.path, queue.max_elements) == (str(path), 7)
    assert (mpmc.path, mpmc.ttl) == (str(tmp_path / "mpmc"), 60)
    assert repr(queue).startswith("<rocksq.nonblocking.PersistentQueueWithCapacity path=")
    assert repr(mpmc).startswith("<rocksq.nonblocking.MpmcQueue path=")


def test_arguments_can_be_given_in_every_way(path: Path, tmp_path: Path) -> None:
    queue = Queue(path=str(path), max_elements=9, max_inflight_ops=5)
    queue.push(items=[b"a"], no_gil=False)
    assert queue.pop(max_elements=1, no_gil=False).get().data == [b"a"]
    mpmc = MpmcQueue(str(tmp_path / "mpmc"), 0, 5)
    mpmc.add([b"a"], True)
    assert mpmc.next("label", Oldest, 1, True).get().data == ([b"a"], False)


def test_threads_can_wait_for_one_response(later: Queue) -> None:
    later.push([bytes(8 << 20)])
    response = later.pop()
    waiting = [Caller(lambda: response.get().data) for _ in range(4)]
    for call in waiting:
        assert call.outcome() == [bytes(8 << 20)]
