"""Calls wait for items and for room, as long as they were told to, and no longer."""

import time
from pathlib import Path

import pytest

from rocksq import Closed, Full, StartPosition
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import Caller, figure, measured, needs_posix, run, start, succeeded, until_asleep

Oldest = StartPosition.Oldest


def test_pop_waits_for_an_item(queue: Queue) -> None:
    popped = Caller(lambda: queue.pop(9, timeout=None)).until_asleep()
    queue.push([b"a"])
    assert popped.outcome() == [b"a"]


def test_read_waits_for_an_item(queue: Queue) -> None:
    read = Caller(lambda: queue.read(9, None)).until_asleep()
    queue.push([b"a"])
    assert read.outcome().items == [b"a"]


def test_next_waits_for_an_item(mpmc: MpmcQueue) -> None:
    calls = [Caller(lambda: mpmc.next("one", Oldest, timeout=None)).until_asleep()]
    calls.append(Caller(lambda: mpmc.next("two", Oldest, timeout=60.0)).until_asleep())
    mpmc.add([b"a"])
    assert [call.outcome() for call in calls] == [([b"a"], False)] * 2


def test_push_waits_for_room(path: Path) -> None:
    queue = Queue(path, 1)
    queue.push([b"a"])
    pushed = Caller(lambda: queue.push([b"b"], timeout=None)).until_asleep()
    assert queue.pop() == [b"a"]
    pushed.outcome()
    assert queue.pop() == [b"b"]


def test_a_push_that_can_never_fit_fails_at_once(path: Path) -> None:
    with pytest.raises(Full):
        Queue(path, 1).push([b"a", b"b"], timeout=None)


def test_a_wait_without_success_ends(queue: Queue) -> None:
    begun = time.monotonic()
    assert queue.pop(timeout=0.05) == []
    assert time.monotonic() - begun >= 0.05


def test_an_mpmc_wait_without_success_ends_in_time(mpmc: MpmcQueue) -> None:
    assert mpmc.next("label", Oldest, timeout=0.01) == ([], False)
    assert mpmc.read("label", Oldest, 1, 0.01).items == []


def test_a_push_without_room_in_time_is_full(path: Path) -> None:
    queue = Queue(path, 1)
    queue.push([b"a"])
    with pytest.raises(Full):
        queue.push([b"b"], timeout=0.01)
    assert queue.pop(9) == [b"a"]


@pytest.mark.parametrize("forever", [None, float("inf"), 1e30, 10**12])
def test_a_long_wait_returns_as_soon_as_an_item_is_there(
    queue: Queue, forever: float | None
) -> None:
    popped = Caller(lambda: queue.pop(timeout=forever)).until_asleep()
    queue.push([b"a"])
    assert popped.outcome() == [b"a"]


def test_items_that_are_there_are_not_waited_for(queue: Queue) -> None:
    queue.push([b"a"])
    assert queue.pop(9, timeout=None) == [b"a"]


def test_close_wakes_every_consumer_with_closed(queue: Queue) -> None:
    waiting = [Caller(lambda: queue.pop(timeout=None)).until_asleep() for _ in range(5)]
    queue.close()
    for call in waiting:
        with pytest.raises(Closed):
            call.outcome()


def test_close_wakes_a_producer_with_closed(path: Path) -> None:
    queue = Queue(path, 1)
    queue.push([b"a"])
    pushed = Caller(lambda: queue.push([b"b"], timeout=None)).until_asleep()
    queue.close()
    with pytest.raises(Closed):
        pushed.outcome()


def test_close_wakes_an_mpmc_consumer_with_closed(mpmc: MpmcQueue) -> None:
    waiting = Caller(lambda: mpmc.next("label", Oldest, timeout=None)).until_asleep()
    mpmc.close()
    with pytest.raises(Closed):
        waiting.outcome()


def test_each_waiter_gets_one_of_the_items(queue: Queue) -> None:
    waiting = [Caller(lambda: queue.pop(timeout=None)).until_asleep() for _ in range(4)]
    queue.push([b"a", b"b", b"c", b"d"])
    assert sorted(call.outcome()[0] for call in waiting) == [b"a", b"b", b"c", b"d"]


def test_consume_takes_what_comes_until_the_queue_is_closed(queue: Queue) -> None:
    consumed = Caller(lambda: list(queue.consume())).until_asleep()
    for item in (b"a", b"b"):
        queue.push([item])
        consumed.until_asleep()
    queue.close()
    assert consumed.outcome() == [b"a", b"b"]


def test_consume_reads_under_a_label(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    consumer = mpmc.consume("label", Oldest)
    assert [next(consumer), next(consumer)] == [b"a", b"b"]
    mpmc.close()
    assert list(consumer) == []


INTERRUPTED = """
import sys
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity

directory, call = sys.argv[1:]
queue = PersistentQueueWithCapacity(f"{directory}/queue", max_elements=1)
mpmc = MpmcQueue(f"{directory}/mpmc", 0)
holder = PersistentQueueWithCapacity(f"{directory}/held")
if call == "push":
    queue.push([b"first"])
calls = {
    "pop": lambda: queue.pop(timeout=None),
    "timed pop": lambda: queue.pop(timeout=60),
    "push": lambda: queue.push([b"second"], timeout=None),
    "read": lambda: queue.read(timeout=None),
    "next": lambda: mpmc.next("label", StartPosition.Oldest, timeout=None),
    "consume": lambda: next(queue.consume()),
    "open": lambda: PersistentQueueWithCapacity(f"{directory}/held", 10, open_timeout=None),
}
print("ready")
for _ in range(5):
    try:
        calls[call]()
    except KeyboardInterrupt:
        print("interrupted")
print(queue.pop(9))
queue.push([b"after"])
print(queue.pop(timeout=10))
"""


@needs_posix
@pytest.mark.parametrize("call", ["pop", "timed pop", "push", "read", "next", "consume", "open"])
def test_ctrl_c_ends_a_wait(tmp_path: Path, call: str) -> None:
    left = [b"first"] if call == "push" else []
    with start(INTERRUPTED, tmp_path, call) as program:
        for _ in range(5):
            until_asleep(program.id)
            program.interrupt()
            assert program.line() == "interrupted"
        assert (program.line(), program.line()) == (str(left), "[b'after']")


@measured
@needs_posix
def test_ctrl_c_ends_a_wait_soon(tmp_path: Path) -> None:
    with start(INTERRUPTED, tmp_path, "pop") as program:
        delays = []
        for _ in range(5):
            until_asleep(program.id)
            sent = time.monotonic()
            program.interrupt()
            assert program.line() == "interrupted"
            delays.append(time.monotonic() - sent)
        assert (program.line(), program.line()) == ("[]", "[b'after']")
    # The machine may be busy with something else: the quickest of the answers is ours.
    figure("end of a wait by Ctrl-C, s", min(delays), at_most=0.1)


@needs_posix
def test_an_interrupted_wait_loses_nothing(tmp_path: Path) -> None:
    program = """
import signal, sys, threading
from rocksq.blocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1])
items = [str(number).encode() for number in range(2000)]

def produce():
    for item in items:
        queue.push([item])
        if int(item) % 20 == 0:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

class Interruption(Exception):
    pass

def interrupt(*_):
    if waiting:
        raise Interruption

taken, waiting = [], False
signal.signal(signal.SIGUSR1, interrupt)
producer = threading.Thread(target=produce)
producer.start()
while len(taken) < len(items):
    # The handler may also run when the call has returned; a batch is not lost by that.
    try:
        waiting = True
        batch = queue.read(7, timeout=None)
        waiting = False
    except Interruption:
        waiting = False
        continue
    queue.commit(batch)
    taken += batch.items
assert taken == items
"""
    succeeded(run(program, tmp_path / "queue"))


def test_a_wait_of_another_thread_does_not_keep_the_main_thread_from_signals(
    tmp_path: Path,
) -> None:
    program = """
import sys, threading
from rocksq import Closed
from rocksq.blocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1])

def wait():
    try:
        queue.pop(timeout=None)
    except Closed:
        pass

threading.Thread(target=wait, daemon=True).start()
print("ready")
try:
    threading.Event().wait()
except KeyboardInterrupt:
    print("interrupted")
"""
    with start(program, tmp_path / "queue") as running:
        until_asleep(running.id)
        running.interrupt()
        assert running.line() == "interrupted"
