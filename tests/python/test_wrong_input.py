"""Whatever a call is given, it raises an exception that says what is wrong."""

import array
import ctypes
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import rocksq
from rocksq import Durability, InvalidArgument, OnFull, OutOfRange, PathError, StartPosition
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from rocksq.nonblocking import MpmcQueue as NonblockingMpmcQueue
from rocksq.nonblocking import PersistentQueueWithCapacity as NonblockingQueue

Oldest = StartPosition.Oldest


@pytest.fixture
def mpmc_other(tmp_path: Path) -> Iterator[MpmcQueue]:
    with MpmcQueue(tmp_path / "labels", 0) as queue:
        yield queue


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


@pytest.mark.parametrize("kind", [list, tuple, iter, deque, lambda items: (i for i in items)])
def test_every_iterable_of_items_will_do(queue: Queue, kind: Any) -> None:
    queue.push(kind([b"a", b"b"]))
    assert queue.pop(9) == [b"a", b"b"]


@pytest.mark.parametrize("kind", [set, frozenset, dict.fromkeys])
def test_what_has_no_order_is_refused(queue: Queue, mpmc_other: MpmcQueue, kind: Any) -> None:
    for push in (queue.push, queue.nonblocking().push, mpmc_other.add):
        with pytest.raises(TypeError, match=rf"in their order, and a {type(kind(())).__name__} is"):
            push(kind([b"a", b"b"]))
    assert queue.is_empty


def test_text_in_place_of_the_iterable_is_to_be_encoded_and_wrapped(queue: Queue) -> None:
    for push in (queue.push, queue.nonblocking().push):
        with pytest.raises(
            TypeError, match=r"encode .* and wrap it in a list: \[item\.encode\(\)\]"
        ):
            push("text")  # type: ignore[arg-type]


@pytest.mark.parametrize("item", [b"ab", bytearray(b"ab"), memoryview(b"ab")])
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


def named(call: Callable[..., object], name: str) -> Callable[[int], object]:
    return lambda number: call(**{name: number})


def number_calls(queue: Any, labels: Any) -> Iterator[tuple[str, Callable[[int], object]]]:
    """Every argument that is a number, by its name, of the queues and their other faces."""
    later, labels_later = queue.nonblocking(), labels.nonblocking()
    for face in (queue, later):
        yield "max_elements", face.pop
        yield from (("n", call) for call in (face.read, face.peek, face.batches))
    for face in (labels, labels_later):
        yield "max_elements", partial(face.next, "x", Oldest)
        for call in (face.read, face.peek, face.batches):
            yield "n", partial(call, "x", Oldest)
    for face in (queue, later, labels, labels_later):
        yield "elements", named(face.wait_below, "elements")
        yield "bytes", named(face.wait_below, "bytes")
    for face in (queue, labels):
        yield "max_inflight_ops", face.nonblocking
        for name in ("high_elements", "low_elements", "high_bytes", "low_bytes"):
            yield name, named(partial(face.watch, print), name)
    yield "size", rocksq.set_memory_budget


@pytest.mark.parametrize(
    "number",
    [-1, -(2**70), 2**64, 2**70, 1 << 99_999],
    ids=["-1", "-2**70", "2**64", "2**70", "huge"],
)
def test_a_number_out_of_range_is_named_with_its_range(
    queue: Queue, mpmc_other: MpmcQueue, number: int
) -> None:
    for name, call in number_calls(queue, mpmc_other):
        with pytest.raises(InvalidArgument, match=rf"^{name} is a number from 0 to \d+ ") as caught:
            call(number)
        assert isinstance(caught.value, OverflowError)
        assert isinstance(caught.value, OutOfRange)


def test_a_number_of_items_has_two_names(queue: Queue, mpmc_other: MpmcQueue) -> None:
    queue.push([b"a", b"b", b"c"])
    mpmc_other.add([b"a", b"b", b"c"])
    later = queue.nonblocking()
    peeked = [queue.peek(n=2), queue.peek(max_elements=2), later.peek(max_elements=2).result()]
    assert all(len(items) == 2 for items in peeked)
    assert len(queue.read(n=2)) == len(queue.read(max_elements=2)) == 2
    assert len(later.read(max_elements=2).result()) == 2
    assert len(mpmc_other.peek("x", Oldest, max_elements=2)) == 2
    assert len(mpmc_other.read("x", Oldest, max_elements=2)) == 2
    assert mpmc_other.next("x", Oldest, n=2) == ([b"a", b"b"], False)
    assert mpmc_other.nonblocking().next("x", Oldest, n=2).result() == ([b"c"], False)
    assert queue.pop(n=2) == [b"a", b"b"]
    assert later.pop(n=2).result() == [b"c"]
    assert list(queue.batches(max_elements=2, timeout=0)) == []


def test_one_of_the_two_names_of_a_number_is_enough(queue: Queue) -> None:
    later = queue.nonblocking()
    calls: tuple[Any, ...] = (queue.read, queue.peek, queue.batches)
    for call in (*calls, later.read, later.peek, later.batches):
        with pytest.raises(TypeError, match="two names of one number"):
            call(3, max_elements=2)
    with pytest.raises(TypeError, match="two names of one number"):
        queue.pop(2, n=3)


@pytest.mark.parametrize("second", [5, 0.5, None])
def test_a_second_argument_that_is_meant_as_a_timeout_is_to_be_named(
    queue: Queue, second: Any
) -> None:
    for call in (
        lambda: queue.pop(1, second),
        lambda: queue.push([b"a"], second),
        lambda: queue.nonblocking().pop(1, second),
    ):
        with pytest.raises(TypeError, match=f"name a timeout, as in timeout={second}"):
            call()


@pytest.mark.parametrize("second", [b"b", "b"])
def test_a_second_item_is_to_be_put_into_the_list(queue: Queue, second: Any) -> None:
    for push in (queue.push, queue.nonblocking().push):
        with pytest.raises(TypeError, match=r"into one list, as in \[first, second\]"):
            push(b"a", second)  # type: ignore[arg-type]


ELSEWHERE = {
    "put": "push",
    "get": "pop",
    "qsize": "len",
    "empty": "is_empty",
    "append": "push",
}


@pytest.mark.parametrize(("name", "ours"), ELSEWHERE.items())
def test_the_names_of_other_queues_lead_to_ours(
    queue: Queue, mpmc_other: MpmcQueue, name: str, ours: str
) -> None:
    ours_of_labels = {"push": "add", "pop": "next"}.get(ours, ours)
    for face, here in (
        (queue, ours),
        (queue.nonblocking(), ours),
        (mpmc_other, ours_of_labels),
        (mpmc_other.nonblocking(), ours_of_labels),
    ):
        with pytest.raises(AttributeError, match=f"no attribute '{name}': here it is '{here}'"):
            getattr(face, name)
        assert not hasattr(face, name)
        assert name not in dir(face)
        assert here in dir(face)


def test_a_member_in_capitals_leads_to_ours() -> None:
    for kind, name, ours in (
        (StartPosition, "OLDEST", "StartPosition.Oldest"),
        (Durability, "SYNCED", "Durability.Synced"),
        (OnFull, "DROP_OLDEST", "OnFull.DropOldest"),
    ):
        with pytest.raises(AttributeError, match=f"has no '{name}': there is .*{ours}"):
            getattr(kind, name)
        assert not hasattr(kind, "__of_no_class__")


@pytest.mark.parametrize("bound", ["max_elements", "max_bytes"])
def test_a_bound_of_zero_is_refused(path: Path, bound: str) -> None:
    options: Any = {bound: 0}
    for opened in (
        lambda: Queue(path, **options),
        lambda: NonblockingQueue(path, **options),
        lambda: MpmcQueue(path, 60, **options),
        lambda: NonblockingMpmcQueue(path, 60, **options),
    ):
        with pytest.raises(InvalidArgument, match=f"{bound} is 0"):
            opened()
    assert not path.exists()


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
