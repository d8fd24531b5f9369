"""The interpreter exits: nothing is lost, nothing hangs."""

from pathlib import Path

import pytest

from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import needs_posix, run, succeeded

LEVELS = pytest.mark.parametrize("level", ["Buffered", "Written", "Synced"])


@LEVELS
def test_pushes_under_way_are_not_lost(path: Path, level: str) -> None:
    program = """
import sys
from rocksq import Durability
from rocksq.nonblocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1], durability=getattr(Durability, sys.argv[2]))
responses = [queue.push([bytes(1000)]) for _ in range(900)]
"""
    succeeded(run(program, path, level))
    assert Queue(path).len == 900


@LEVELS
def test_pushes_under_way_through_a_view_are_not_lost(path: Path, level: str) -> None:
    program = """
import sys
from rocksq import Durability
from rocksq.blocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1], durability=getattr(Durability, sys.argv[2]))
view = queue.nonblocking()
for _ in range(900):
    view.push([bytes(1000)])
"""
    succeeded(run(program, path, level))
    assert Queue(path).len == 900


@LEVELS
@pytest.mark.parametrize("end", ["sys.exit(3)", "raise SystemExit(3)", "print(1 / 0)"])
def test_nothing_is_lost_however_the_program_ends(path: Path, end: str, level: str) -> None:
    program = f"""
import sys
from rocksq import Durability
from rocksq.nonblocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1], durability=Durability.{level})
for _ in range(500):
    queue.push([bytes(1000)])
{end}
"""
    assert run(program, path).returncode in {1, 3}
    assert Queue(path).len == 500


def test_daemon_threads_that_wait_are_woken(tmp_path: Path) -> None:
    program = """
import sys, threading
import rocksq
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(f"{sys.argv[1]}/queue", 1)
mpmc = MpmcQueue(f"{sys.argv[1]}/mpmc", 0)
for wait in (
    lambda: queue.pop(timeout=None),
    lambda: queue.read(timeout=None),
    lambda: list(queue.consume()),
    lambda: mpmc.next("label", StartPosition.Oldest, timeout=None),
):
    started = threading.Event()

    def call(wait=wait, started=started):
        started.set()
        try:
            wait()
        except rocksq.Closed:
            pass

    threading.Thread(target=call, daemon=True).start()
    started.wait()
"""
    succeeded(run(program, tmp_path))


@LEVELS
def test_daemon_threads_at_work_are_no_obstacle(tmp_path: Path, level: str) -> None:
    program = """
import sys, threading
import rocksq
from rocksq import nonblocking
from rocksq.blocking import PersistentQueueWithCapacity

level = getattr(rocksq.Durability, sys.argv[2])
queue = PersistentQueueWithCapacity(f"{sys.argv[1]}/queue", durability=level)
later = nonblocking.PersistentQueueWithCapacity(f"{sys.argv[1]}/later", durability=level)
enough = threading.Semaphore(0)

def work(call):
    for number in range(10**9):
        try:
            call()
        except rocksq.Closed:
            return
        if number == 20:
            enough.release()

for call in (
    lambda: queue.push([b"x" * 100_000]),
    lambda: queue.pop(3, timeout=None),
    lambda: later.push([bytearray(100_000)]).get(),
    lambda: later.pop(3).get(),
):
    threading.Thread(target=work, args=[call], daemon=True).start()
for _ in range(4):
    enough.acquire()
"""
    for _ in range(3):
        succeeded(run(program, tmp_path, level))


def test_queues_in_cycles_and_globals_are_closed(tmp_path: Path) -> None:
    program = """
import sys
from rocksq import nonblocking
from rocksq.blocking import PersistentQueueWithCapacity

class Holder:
    pass

holder = Holder()
holder.itself = holder
holder.queue = nonblocking.PersistentQueueWithCapacity(f"{sys.argv[1]}/0")
holder.iterator = iter(holder.queue.blocking())
for _ in range(300):
    holder.queue.push([bytes(1000)])
sys.modules["keeps"] = holder
queues = [PersistentQueueWithCapacity(f"{sys.argv[1]}/{number}") for number in range(1, 20)]
for queue in queues:
    queue.push([b"a"])
"""
    succeeded(run(program, tmp_path))
    assert Queue(tmp_path / "0").len == 300
    assert all(Queue(tmp_path / str(number)).len == 1 for number in range(1, 20))


def test_an_exit_handler_can_still_use_a_queue_that_was_open_before(path: Path) -> None:
    program = """
import atexit, sys
from rocksq.blocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1])
atexit.register(lambda: queue.push([b"goodbye"]))
"""
    succeeded(run(program, path))
    assert Queue(path).pop() == [b"goodbye"]


@needs_posix
def test_a_signal_that_ends_the_program_loses_nothing_that_was_acknowledged(path: Path) -> None:
    program = """
import os, signal, sys
from rocksq.blocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1])
queue.push([b"a"] * 100)
queue.pop(10)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run(program, path).returncode == -9
    assert Queue(path).len == 90
