"""Items are copied in one piece, and other threads run meanwhile."""

import os
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import figure, measured

pytestmark = measured


def work(call: Callable[[], object]) -> float:
    """Seconds of the processor's time that a call takes in this thread, whatever else runs."""
    start = time.thread_time()
    call()
    return time.thread_time() - start


def byte_by_byte(item: bytes) -> float:
    """What it takes to make a Python number of each byte."""
    return min(work(lambda: bytes(list(item))) for _ in range(3))


def test_a_large_item_is_copied_in_one_piece(path: Path) -> None:
    queue = Queue(str(path))
    item = os.urandom(1 << 20)
    push = min(work(lambda: queue.push([item])) for _ in range(15))
    figure("push of 1 MiB, s", push, at_most=byte_by_byte(item) / 1.5)


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="threads have no clocks")
def test_other_threads_run_while_a_large_item_is_pushed(path: Path) -> None:
    queue = Queue(str(path))
    item = os.urandom(8 << 20)
    clock = time.pthread_getcpuclockid(threading.get_ident())
    done: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            done.append(time.clock_gettime(clock))

    limit = byte_by_byte(item) / 3
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(3):
            queue.push([item])
    finally:
        ended.set()
        watcher.join()
    unwatched = max(later - sooner for sooner, later in pairwise(done))
    figure("push of 8 MiB in which no other thread ran, s", unwatched, at_most=limit)
