"""Nothing relies on the GIL: threads that use the same objects at once harm nothing.

With the GIL most of these interleavings are rare; without it they are the rule.
"""

import gc
import sys
import sysconfig
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest

import rocksq
from rocksq import Closed, Conflict, StartPosition, blocking, nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import Caller

THREADS, ROUNDS = 4, 200

T = TypeVar("T")


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make each call in a thread of its own; they begin together."""
    calls = list(calls)
    start = Barrier(len(calls))

    def begin(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    callers = [Caller(partial(begin, call)) for call in calls]
    return [caller.outcome() for caller in callers]


def numbered(call: Callable[[int], T]) -> list[T]:
    """Make a call in several threads, each with a number."""
    return at_once(partial(call, number) for number in range(THREADS))


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has the GIL"
)
def test_importing_rocksq_leaves_the_gil_off() -> None:
    assert rocksq.version()
    assert not sys._is_gil_enabled()  # type: ignore[attr-defined,unused-ignore]


def test_one_response_read_by_all_is_one_answer(
    later: nonblocking.PersistentQueueWithCapacity,
) -> None:
    for number in range(ROUNDS):
        item = b"%d" % number
        later.push([item])
        popped = later.pop()
        answers = at_once([popped.get] * THREADS)
        assert len({id(answer) for answer in answers}) == 1
        assert popped.get().data == [item]


def test_looking_at_a_response_while_it_becomes_ready(
    later: nonblocking.PersistentQueueWithCapacity,
) -> None:
    def look(response: nonblocking.Response[object]) -> nonblocking.ResponseVariant:
        while (answer := response.try_get()) is None:
            pass
        assert response.is_ready
        return answer

    for number in range(ROUNDS):
        pushed, popped = later.push([b"%d" % number]), later.pop()
        at_once([partial(look, pushed), partial(look, popped)] * 2)
        assert popped.get().data == [b"%d" % number]


def test_one_iterator_in_all_threads_gives_each_item_once(queue: Queue) -> None:
    items = [b"%d" % number for number in range(ROUNDS * 10)]
    queue.push(items)
    shared = iter(queue)
    seen = at_once([partial(list[bytes], shared)] * THREADS)
    assert sorted(item for part in seen for item in part) == sorted(items)


def test_one_consumer_in_all_threads_takes_each_item_once(queue: Queue) -> None:
    items = [b"%d" % number for number in range(ROUNDS * 10)]
    shared = queue.consume()

    def use(number: int) -> list[bytes]:
        if number:
            return list(shared)
        for item in items:
            queue.push([item])
        while not queue.is_empty:
            pass
        queue.close()
        return []

    taken = numbered(use)
    assert sorted(item for part in taken for item in part) == sorted(items)


def test_one_batch_is_committed_by_one(mpmc: MpmcQueue) -> None:
    def commit(batch: blocking.Batch) -> bool:
        try:
            mpmc.commit(batch)
        except Conflict:
            return False
        return True

    for number in range(ROUNDS):
        mpmc.add([b"%d" % number])
        batch = mpmc.read("label", StartPosition.Oldest)
        outcomes = at_once([partial(commit, batch)] * THREADS)
        assert sorted(outcomes) == [False] * (THREADS - 1) + [True]


def test_a_list_that_changes_while_it_is_pushed(queue: Queue) -> None:
    shared = [b"item"] * 100

    def use(number: int) -> None:
        for _ in range(ROUNDS):
            if number:
                queue.push(shared)
            else:
                shared.append(b"item")
                shared.pop()

    numbered(use)
    assert set(queue.pop(2**40)) == {b"item"}


def test_opening_closing_and_dropping_in_all_threads(path: Path) -> None:
    def live(number: int) -> None:
        for round_ in range(ROUNDS // 20):
            queue = Queue(f"{path}{number}", 1_000)
            later = queue.nonblocking()
            later.push([b"item"])
            if round_ % 2:
                queue.close()
            del queue, later
            gc.collect()

    numbered(live)
    for number in range(THREADS):
        assert Queue(f"{path}{number}", 1_000).pop(1_000) == [b"item"] * (ROUNDS // 20)


def test_closing_while_all_use_it(path: Path) -> None:
    for number in range(10):
        queue = Queue(f"{path}{number}")

        def use(number: int, queue: Queue = queue) -> None:
            try:
                while True:
                    queue.push([b"item"])
                    queue.pop()
                    _ = queue.len, queue.disk_size, repr(queue), queue.peek()
                    if number == 0:
                        queue.close()
            except Closed:
                assert queue.closed

        numbered(use)
