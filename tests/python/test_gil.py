"""Other Python threads run while a call works."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from rocksq import StartPosition, nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import Caller, figure, measured

LARGE = 32 << 20


class Watch:
    """A thread that measures for how long it did not get to run."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        last = time.perf_counter()
        while not self._over.is_set():
            now = time.perf_counter()
            self.longest = max(self.longest, now - last)
            last = now
            self._running.set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._running.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def shortest_stall(call: Callable[[], object], limit: float) -> float:
    """Seconds for which a call holds up another thread at least.

    Whatever else runs on the machine lengthens a stall, so a call that was fast enough once is.
    """
    stalls = [1.0]
    while min(stalls) >= limit and len(stalls) < 30:
        with Watch() as watch:
            call()
        stalls.append(watch.longest)
    return min(stalls)


@measured
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_pushing_and_popping_a_large_item_does_not_stall_other_threads(
    queue: Queue, kind: type[bytes]
) -> None:
    item = kind(LARGE)
    taken: list[bytes] = []

    def push() -> None:
        queue.push([item])

    def pop() -> None:
        taken[:] = queue.pop()

    def both() -> None:
        push()
        pop()

    figure("stall by a large item, s", shortest_stall(both, 0.03), at_most=0.03)
    assert taken == [item]


@measured
def test_a_large_item_does_not_stall_other_threads_through_responses(path: Path) -> None:
    queue = nonblocking.PersistentQueueWithCapacity(path)
    item = bytearray(LARGE)

    def both() -> None:
        queue.push([item])
        queue.pop().get()

    figure("stall by a large item later, s", shortest_stall(both, 0.03), at_most=0.03)


@measured
def test_many_small_items_do_not_stall_other_threads(queue: Queue) -> None:
    items = [b"x" * 100] * 300_000

    def both() -> None:
        queue.push(items)
        queue.pop(len(items))

    figure("stall by many items, s", shortest_stall(both, 0.2), at_most=0.2)


@measured
def test_closing_and_dropping_do_not_stall_other_threads(path: Path) -> None:
    def drop() -> None:
        queue = Queue(path)
        queue.push([bytes(LARGE)])
        queue.pop()
        del queue

    figure("stall by closing and dropping, s", shortest_stall(drop, 0.03), at_most=0.03)


class Spinner:
    """A thread that is busy in Python all the time, and how fast it is.

    What counts is the time in which it could have run: not that in which something else had the
    processor, of which there may be few.
    """

    def __init__(self) -> None:
        self.speed = 0.0
        self._over = False
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._spin)

    def _spin(self) -> None:
        schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        waited = -int(schedule.read_text().split()[1])
        begin = time.perf_counter_ns()
        count = 0
        self._running.set()
        while not self._over:
            count += 1
        took = time.perf_counter_ns() - begin
        waited += int(schedule.read_text().split()[1])
        self.speed = count / (took - waited)

    def __enter__(self) -> Self:
        self._thread.start()
        self._running.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()


needs_a_gil = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="there is no GIL"
)
needs_schedstat = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="needs the scheduler's figures"
)


def best_part(whole: Callable[[], float], part: Callable[[], float], enough: float) -> float:
    """What is left of the greatest of one figure in the other, measured by turns.

    Whatever else runs on the machine lowers both, so more is measured while it seems too little.
    """
    wholes, parts = [whole()], [part()]
    while len(parts) < 3 or (max(parts) < enough * max(wholes) and len(parts) < 30):
        wholes.append(whole())
        parts.append(part())
    return max(parts) / max(wholes)


@measured
@needs_schedstat
def test_a_busy_thread_keeps_its_speed_beside_large_items(queue: Queue) -> None:
    item = bytes(8 << 20)

    def alone() -> float:
        with Spinner() as spinner:
            time.sleep(0.2)
        return spinner.speed

    def beside() -> float:
        with Spinner() as spinner:
            end = time.perf_counter() + 0.2
            while time.perf_counter() < end:
                queue.push([item])
                assert len(queue.pop()) == 1
        return spinner.speed

    kept = best_part(alone, beside, 0.9)
    figure("speed that a busy thread keeps beside large items", kept, at_least=0.9)


@measured
@needs_a_gil
def test_small_pushes_beside_a_busy_thread_keep_half_their_rate(queue: Queue) -> None:
    item = bytes(1024)

    def kept() -> float:
        """The time that pushes take by themselves, of the time in which they are done.

        Beside the time of the same pushes, not of others: that of the processor differs by half.
        """
        with Spinner():
            began, alone = time.perf_counter(), time.thread_time()
            for _ in range(32 << 10):  # so many that the queue flushes meanwhile
                queue.push([item])
            took, alone = time.perf_counter() - began, time.thread_time() - alone
        queue.pop(32 << 10)
        return alone / took

    # The interpreter gives each of two busy threads half of the time, by turns.
    tries = [kept()]
    while tries[-1] < 0.45 and len(tries) < 10:
        tries.append(kept())
    figure("rate that small pushes keep beside a busy thread", tries[-1], at_least=0.45)


class Chances:
    """A thread that counts how often it got the GIL, which nobody is made to let go of."""

    def __init__(self) -> None:
        self.count = 0
        self._over = False
        self._thread = threading.Thread(target=self._take)
        self._interval = sys.getswitchinterval()

    def _take(self) -> None:
        while not self._over:
            self.count += 1
            time.sleep(0)

    def __enter__(self) -> Self:
        sys.setswitchinterval(100)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()
        sys.setswitchinterval(self._interval)


@needs_a_gil
def test_small_calls_that_need_not_wait_keep_the_gil(queue: Queue, tmp_path: Path) -> None:
    mpmc = MpmcQueue(tmp_path / "mpmc", 60)

    def calls(count: int) -> None:
        for _ in range(count):
            queue.push([b"item"])
            assert queue.pop() == [b"item"]
            mpmc.add([b"item"])
            assert mpmc.next("label", StartPosition.Oldest) == ([b"item"], False)

    calls(1)  # the label is made
    with Chances() as others:
        before = others.count
        calls(500)
        assert others.count - before <= 5


@measured
@needs_a_gil
def test_small_pushes_keep_the_gil_while_the_queue_flushes(queue: Queue) -> None:
    item = bytes(1024)
    pushes = 48 << 10  # flushed three times
    with Chances() as others:
        before = others.count
        for _ in range(pushes):
            queue.push([item])
        # While the log is synced, which takes longer on a busy disk, they let go of it.
        share = (others.count - before) / pushes
    figure("small pushes that let go of the GIL", share, at_most=0.02)


@measured
@needs_a_gil
@pytest.mark.parametrize("kind", ["fifo", "mpmc"])
def test_a_thread_that_polls_an_empty_queue_holds_nobody_up(
    queue: Queue, tmp_path: Path, kind: str
) -> None:
    mpmc = MpmcQueue(tmp_path / "mpmc", 60)
    mpmc.next("label", StartPosition.Oldest)
    fifo = Queue(tmp_path / "fifo")
    over = threading.Event()

    def poll() -> None:
        while not over.is_set():
            if kind == "fifo":
                assert fifo.pop() == []
            else:
                assert mpmc.next("label", StartPosition.Oldest)[0] == []

    poller = threading.Thread(target=poll)
    poller.start()
    item = bytes(8 << 10)  # written without the GIL
    begin = time.perf_counter()
    for _ in range(200):
        queue.push([item])
    took = time.perf_counter() - begin
    over.set()
    poller.join()
    limit = sys.getswitchinterval() / 2
    figure(f"push beside a thread that polls ({kind}), s", took / 200, at_most=limit)


def test_a_call_waits_without_the_gil(queue: Queue) -> None:
    for no_gil in (True, False):
        popped = Caller(lambda no_gil=no_gil: queue.pop(1, no_gil, timeout=None))  # type: ignore[misc]
        popped.until_asleep()
        queue.push([b"a"])
        assert popped.outcome() == [b"a"]


def test_an_iterator_and_a_label_can_be_used_by_threads_at_once(tmp_path: Path) -> None:
    mpmc = MpmcQueue(tmp_path / "mpmc", 0)
    mpmc.add([bytes(1000)] * 2000)
    shared = iter(mpmc)
    calls = [Caller(lambda: sum(1 for _ in shared)) for _ in range(3)]
    assert sum(call.outcome() for call in calls) == 2000
    assert len(mpmc.next("label", StartPosition.Oldest, 9999)[0]) == 2000
