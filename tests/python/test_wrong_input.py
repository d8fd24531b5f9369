"""Whatever a call is given, it raises an exception that says what is wrong."""

import array
import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rocksq import InvalidArgument, PathError, StartPosition
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from rocksq.nonblocking import PersistentQueueWithCapacity as NonblockingQueue

Oldest = StartPosition.Oldest


@pytest.mark.parametrize(
    "item",
    [
        b"bytes",
        bytearray(b"bytes"),
        memoryview(b"bytes"),
        memoryview(b"some bytes")[5:],
        array.array("B", b"bytes"),
        (ctypes.c_ubyte * 5)(*b"bytes"),
        type("Bytes", (bytes,), {})(b"bytes"),
    ],
)
def test_everything_bytes_like_is_an_item(queue: Queue, item: Any) -> None:
    queue.push([item])
    assert queue.pop() == [b"bytes"]


def test_buffers_of_larger_elements_are_items(queue: Queue) -> None:
    numbers = array.array("d", [1.5, -2.5])
    queue.push([numbers])
    assert queue.pop() == [numbers.tobytes()]


@pytest.mark.parametrize("empty", [bytearray(), memoryview(b""), array.array("d")])
def test_empty_buffers_are_items(queue: Queue, empty: Any) -> None:
    queue.push([empty])
    assert queue.pop() == [b""]


@pytest.mark.parametrize(
    "kind", [list, tuple, iter, set, dict.fromkeys, lambda items: (i for i in items)]
)
def test_every_iterable_of_items_will_do(queue: Queue, kind: Any) -> None:
    queue.push(kind([b"a", b"b"]))
    assert sorted(queue.pop(9)) == [b"a", b"b"]


@pytest.mark.parametrize("item", [b"ab", "ab", bytearray(b"ab"), memoryview(b"ab")])
def test_a_single_item_in_place_of_the_iterable_is_named_as_the_mistake(
    queue: Queue, item: Any
) -> None:
    name = type(item).__name__
    with pytest.raises(TypeError) as caught:
        queue.push(item)
    assert str(caught.value) == (
        f"push() takes an iterable of items; wrap the single {name} object in a list: [item]"
    )
    assert queue.is_empty


@pytest.mark.parametrize("items", [None, 5, 1.5, object()])
def test_what_cannot_be_iterated_is_refused(queue: Queue, items: Any) -> None:
    with pytest.raises(TypeError, match=r"push\(\) takes an iterable of items"):
        queue.push(items)


@pytest.mark.parametrize("item", ["text", None, 5, [1, 2], {}, object()])
def test_an_item_that_is_not_bytes_like_is_named_by_its_index(queue: Queue, item: Any) -> None:
    with pytest.raises(TypeError, match=f"^item 1 is not bytes-like but '{type(item).__name__}'"):
        queue.push([b"fine", item])
    assert queue.is_empty


def test_text_gets_advice(queue: Queue) -> None:
    with pytest.raises(TypeError, match=r"item\.encode\(\)"):
        queue.push(["text"])  # type: ignore[list-item]


def test_a_buffer_with_gaps_is_named_by_its_index(queue: Queue) -> None:
    with pytest.raises(TypeError, match="^item 0 is a buffer with gaps"):
        queue.push([memoryview(b"abcdef")[::2]])


def test_a_released_view_is_named_by_its_index(queue: Queue) -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(TypeError, match="^item 0 "):
        queue.push([view])


def test_what_an_iterator_raises_goes_through(queue: Queue) -> None:
    def items() -> Iterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        queue.push(items())
    assert queue.is_empty


def test_an_iterator_may_use_the_queue_itself(queue: Queue) -> None:
    def items() -> Iterator[bytes]:
        queue.push([b"first"])
        yield b"second"

    queue.push(items())
    assert queue.pop(9) == [b"first", b"second"]


def test_a_buffer_cannot_be_resized_while_it_is_pushed_and_can_be_after(queue: Queue) -> None:
    item = bytearray(b"abc")
    queue.push([item])
    item.append(1)
    assert queue.pop() == [b"abc"]


@pytest.mark.parametrize("number", [-1, -(2**70), 2**64, 2**70])
def test_a_number_out_of_range_is_an_overflow(queue: Queue, number: int) -> None:
    for call in (queue.pop, queue.read, queue.peek):
        with pytest.raises(OverflowError):
            call(number)


def test_a_bool_is_a_number_as_everywhere_in_python(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    assert (queue.pop(True), queue.pop(False)) == ([b"a"], [])


@pytest.mark.parametrize("number", [1.0, "1", None, [], b"1"])
def test_a_number_of_another_type_is_refused(queue: Queue, number: Any) -> None:
    for call in (queue.pop, queue.read, queue.peek):
        with pytest.raises(TypeError):
            call(number)


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan"), float("-inf")])
def test_a_timeout_below_zero_or_not_a_number_is_refused(queue: Queue, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        queue.pop(timeout=timeout)
    with pytest.raises(ValueError, match="timeout"):
        queue.push([b"a"], timeout=timeout)


@pytest.mark.parametrize("timeout", ["1", b"1", True, [], object()])
def test_a_timeout_of_another_type_is_refused(queue: Queue, timeout: Any) -> None:
    with pytest.raises(TypeError):
        queue.pop(timeout=timeout)


@pytest.mark.parametrize("path", [None, 5, b"bytes", object()])
def test_a_path_of_another_type_is_refused(path: Any) -> None:
    with pytest.raises(TypeError):
        Queue(path)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_capacity_out_of_range_is_an_overflow(path: Path, number: int) -> None:
    with pytest.raises(OverflowError):
        Queue(path, number)
    with pytest.raises(OverflowError):
        MpmcQueue(path, number)
    with pytest.raises(OverflowError):
        NonblockingQueue(path, 1, number)
    assert not path.exists()


@pytest.mark.parametrize("path", ["", "with\0nul", "/dev/null", "x" * 5000])
def test_an_impossible_path_is_an_error_of_ours(path: str) -> None:
    with pytest.raises((PathError, InvalidArgument)):
        Queue(path)


def test_an_unencodable_path_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        Queue("/tmp/\ud800")


def test_an_unencodable_label_is_a_value_error(mpmc: MpmcQueue) -> None:
    with pytest.raises(ValueError):
        mpmc.next("\ud800", Oldest)


def test_a_label_that_is_too_long_is_an_invalid_argument(mpmc: MpmcQueue) -> None:
    with pytest.raises(InvalidArgument):
        mpmc.next("x" * 100_000, Oldest)


@pytest.mark.parametrize("label", [None, 5, b"label"])
def test_a_label_of_another_type_is_refused(mpmc: MpmcQueue, label: Any) -> None:
    for call in (
        lambda: mpmc.next(label, Oldest),
        lambda: mpmc.read(label, Oldest),
        lambda: mpmc.peek(label, Oldest),
        lambda: mpmc.consume(label, Oldest),
        lambda: mpmc.remove_label(label),
    ):
        with pytest.raises(TypeError):
            call()


def test_nonblocking_calls_refuse_at_the_call(path: Path) -> None:
    queue = NonblockingQueue(path)
    with pytest.raises(TypeError, match="wrap the single bytes object"):
        queue.push(b"a")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="item 0"):
        queue.push([5])  # type: ignore[list-item]
    with pytest.raises(OverflowError):
        queue.pop(-1)
