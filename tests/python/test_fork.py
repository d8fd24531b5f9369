"""A forked child cannot use the queue and harms nothing; the parent goes on."""

from pathlib import Path

import pytest

from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import needs_posix, run, succeeded

pytestmark = needs_posix

LEVELS = pytest.mark.parametrize("level", ["Buffered", "Written", "Synced"])

SETTING = """
import os, sys, warnings
import rocksq
from rocksq import Forked, StartPosition
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity
from rocksq import nonblocking

warnings.simplefilter("ignore")
directory = sys.argv[1]
level = getattr(rocksq.Durability, sys.argv[2] if len(sys.argv) > 2 else "Written")
queue = PersistentQueueWithCapacity(f"{directory}/queue", durability=level)
mpmc = MpmcQueue(f"{directory}/mpmc", 0, durability=level)
later = nonblocking.PersistentQueueWithCapacity(f"{directory}/later", durability=level)
queue.push([b"a"])
mpmc.add([b"a"])
later.push([b"a"]).get()

def wait(child):
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, status
"""

CALLS = """
batch, response, items = queue.read(), later.len, iter(queue)
consumer = queue.consume()
calls = [
    lambda: queue.push([b"b"]),
    lambda: queue.push([b"b"], timeout=None),
    lambda: queue.pop(),
    lambda: queue.pop(timeout=None),
    lambda: queue.read(),
    lambda: queue.commit(batch),
    lambda: queue.peek(),
    lambda: queue.len,
    lambda: queue.is_empty,
    lambda: queue.disk_size,
    lambda: queue.payload_size,
    lambda: queue.flush(),
    lambda: queue.close(),
    lambda: queue.nonblocking(),
    lambda: later.blocking().nonblocking(),
    lambda: next(items),
    lambda: next(consumer),
    lambda: mpmc.add([b"b"]),
    lambda: mpmc.next("label", StartPosition.Oldest),
    lambda: mpmc.labels,
    lambda: mpmc.remove_label("label"),
    lambda: mpmc.close(),
    lambda: later.push([b"b"]),
    lambda: later.pop(),
    lambda: later.len,
    lambda: later.inflight_ops,
    lambda: later.close(),
    lambda: response.get(),
    lambda: PersistentQueueWithCapacity(f"{directory}/new"),
    lambda: rocksq.remove_queue(f"{directory}/none"),
]
child = os.fork()
if child == 0:
    for number, call in enumerate(calls):
        try:
            call()
        except Forked:
            continue
        print("call", number, "did not raise", flush=True)
        os._exit(1)
    repr(queue), repr(later), queue.path, queue.closed, later.closed, response.is_ready
    os._exit(0)
wait(child)
"""

GOES_ON = """
queue.push([b"b"])
assert queue.pop(9) == [b"a", b"b"]
later.push([b"b"]).get()
assert later.pop(9).get().data == [b"a", b"b"]
mpmc.add([b"b"])
assert mpmc.next("label", StartPosition.Oldest, 9) == ([b"a", b"b"], False)
"""


@LEVELS
def test_every_call_in_a_child_raises_forked_and_the_parent_goes_on(
    tmp_path: Path, level: str
) -> None:
    assert succeeded(run(SETTING + CALLS + GOES_ON, tmp_path, level)) == ""


@LEVELS
@pytest.mark.parametrize("leave", ["sys.exit(0)", "os._exit(0)", "pass"])
def test_a_child_may_leave_in_every_way(tmp_path: Path, leave: str, level: str) -> None:
    program = (
        SETTING
        + f"""
child = os.fork()
if child == 0:
    {leave}
else:
    wait(child)
    {GOES_ON.strip().replace(chr(10), chr(10) + "    ")}
"""
    )
    assert succeeded(run(program, tmp_path, level)) == ""
    assert Queue(tmp_path / "queue").is_empty


def test_a_child_may_drop_and_collect_what_it_got_from_the_parent(tmp_path: Path) -> None:
    program = (
        SETTING
        + f"""
import gc
child = os.fork()
if child == 0:
    del queue, mpmc, later
    gc.collect()
    sys.exit(0)
wait(child)
{GOES_ON}
"""
    )
    assert succeeded(run(program, tmp_path)) == ""


def test_a_child_may_leave_a_with_block(tmp_path: Path) -> None:
    program = (
        SETTING
        + f"""
with queue, mpmc, later:
    child = os.fork()
    if child == 0:
        sys.exit(0)
    wait(child)
    {GOES_ON.strip().replace(chr(10), chr(10) + "    ")}
"""
    )
    assert succeeded(run(program, tmp_path)) == ""


@LEVELS
def test_a_child_of_a_busy_parent_harms_nothing(tmp_path: Path, level: str) -> None:
    program = (
        SETTING
        + """
import itertools, threading

done, pushed, seen = threading.Event(), [b"a"], []

def produce():
    for number in itertools.count():
        if done.is_set():
            return
        pushed.append(str(number).encode())
        later.push(pushed[-1:])
        queue.push(pushed[-1:])
        mpmc.add(pushed[-1:])

def read():
    while not done.is_set():
        seen.extend(mpmc.next("label", StartPosition.Oldest, 9, timeout=0.01)[0])

threads = [threading.Thread(target=produce), threading.Thread(target=read)]
for thread in threads:
    thread.start()
for _ in range(40):
    response = later.len  # answered in the parent alone
    child = os.fork()
    if child == 0:
        try:
            queue.push([b"from the child"])
        except Forked:
            sys.exit(0)
        sys.exit(1)
    wait(child)
    assert response.get().len > 0
done.set()
for thread in threads:
    thread.join()
seen.extend(mpmc.next("label", StartPosition.Oldest, 10**9)[0])
assert seen == queue.pop(10**9) == later.pop(10**9).get().data == pushed
"""
    )
    assert succeeded(run(program, tmp_path, level)) == ""


def test_a_child_of_a_process_without_queues_can_open_one(tmp_path: Path) -> None:
    program = """
import os, sys
import rocksq
from rocksq.blocking import PersistentQueueWithCapacity

child = os.fork()
if child == 0:
    queue = PersistentQueueWithCapacity(sys.argv[1])
    queue.push([b"from the child"])
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert PersistentQueueWithCapacity(sys.argv[1]).pop() == [b"from the child"]
"""
    assert succeeded(run(program, tmp_path / "queue")) == ""


def test_a_child_of_a_process_that_has_closed_its_queues_can_open_them(tmp_path: Path) -> None:
    program = """
import asyncio, logging, os, sys, threading
import rocksq
from rocksq import nonblocking
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity as Queue

directory = sys.argv[1]

async def pop(queue):
    return await queue.pop()

def use(name):
    with Queue(f"{directory}/fifo") as queue, MpmcQueue(f"{directory}/mpmc", ttl=60) as mpmc:
        queue.push([name])
        mpmc.add([name])
    with nonblocking.PersistentQueueWithCapacity(f"{directory}/later") as later:
        later.push([bytes(200_000)]).get()
        assert len(asyncio.run(pop(later))[0]) == 200_000
        called = threading.Event()
        later.len.add_done_callback(lambda response: called.set())
        assert called.wait(60)

use(b"parent")
child = os.fork()
if child == 0:
    use(b"child")
    left_open = Queue(f"{directory}/fifo")
    left_open.push([b"left open"])
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
use(b"parent again")
assert Queue(f"{directory}/fifo").pop(9) == [b"parent", b"child", b"left open", b"parent again"]
"""
    assert succeeded(run(program, tmp_path)) == ""


def test_what_happens_in_a_child_is_logged_when_the_parent_had_closed_its_queues(
    tmp_path: Path,
) -> None:
    program = """
import logging, os, sys
from rocksq.blocking import PersistentQueueWithCapacity as Queue

logging.basicConfig(level=logging.INFO, format="%(levelname)s", stream=sys.stdout)
logging.getLogger("rocksq").setLevel(logging.DEBUG)
Queue(sys.argv[1]).close()
sys.stdout.flush()
records = []
handler = logging.Handler()
handler.emit = records.append
logging.getLogger("rocksq").addHandler(handler)
child = os.fork()
if child == 0:
    Queue(sys.argv[1]).close()
    os._exit(0 if any(record.path for record in records) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    assert run(program, tmp_path / "queue").returncode == 0


SERVERS = ["post_fork", "lifespan", "worker_process_init", "spawn", "forkserver"]


@pytest.mark.parametrize("word", SERVERS)
def test_the_refusal_in_a_child_says_what_to_do(tmp_path: Path, word: str) -> None:
    program = (
        SETTING
        + """
child = os.fork()
if child == 0:
    try:
        PersistentQueueWithCapacity(f"{directory}/new")
    except Forked as error:
        print(error, flush=True)
    os._exit(0)
wait(child)
"""
    )
    assert word in succeeded(run(program, tmp_path))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_started_afresh_can_open_queues(tmp_path: Path, method: str) -> None:
    program = tmp_path / "program.py"
    program.write_text("""
import multiprocessing, sys
from rocksq.blocking import PersistentQueueWithCapacity

def work(path):
    with PersistentQueueWithCapacity(path, open_timeout=None) as queue:
        queue.push([b"from the child"])

if __name__ == "__main__":
    path, method = sys.argv[1:]
    queue = PersistentQueueWithCapacity(path)
    child = multiprocessing.get_context(method).Process(target=work, args=(path,))
    child.start()
    queue.close()
    child.join()
    assert child.exitcode == 0
    assert PersistentQueueWithCapacity(path).pop() == [b"from the child"]
""")
    start = "import sys, runpy; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    process = run(start, program, tmp_path / "queue", method)
    assert process.returncode == 0, process.stderr
