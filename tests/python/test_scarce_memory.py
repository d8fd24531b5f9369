"""A process that gets no more memory: a call raises `MemoryError`, and the queue goes on."""

import sys
from pathlib import Path

import pytest

from support import run, succeeded

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs a limit on the address space"
)

LIMITED = """
import asyncio, resource, sys
from pathlib import Path
import rocksq
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from rocksq.nonblocking import PersistentQueueWithCapacity as Nonblocking

MIB = 1 << 20
path = sys.argv[1] + "/queue"

def let_memory_grow_by(mebibytes):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + mebibytes * MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))

def let_memory_grow():
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
"""


@pytest.mark.parametrize("size", [300, 100], ids=["first copy", "second copy"])
def test_a_push_without_memory_for_a_copy_changes_nothing(tmp_path: Path, size: int) -> None:
    program = """
item = bytearray(int(sys.argv[2]) * MIB)
with Queue(path) as queue:
    queue.push([b"before"])
    let_memory_grow_by(150)
    try:
        queue.push([item])
    except MemoryError as error:
        print(type(error).__name__)
    queue.push([b"after"])
    print(queue.pop(9))
"""
    printed = succeeded(run(LIMITED + program, tmp_path, size))
    assert printed == "OutOfMemory\n[b'before', b'after']\n"


def test_a_nonblocking_push_without_memory_changes_nothing(tmp_path: Path) -> None:
    program = """
item = bytearray(300 * MIB)
with Nonblocking(path) as queue:
    queue.push([b"before"]).result()
    let_memory_grow_by(150)
    try:
        queue.push([item]).result()
    except MemoryError as error:
        print(type(error).__name__)
    queue.push([b"after"]).result()
    print(queue.pop(9).result())
"""
    printed = succeeded(run(LIMITED + program, tmp_path))
    assert printed == "OutOfMemory\n[b'before', b'after']\n"


def test_an_item_that_memory_does_not_suffice_for_stays_in_the_queue(tmp_path: Path) -> None:
    program = """
with Queue(path) as queue:
    queue.push([bytes(200 * MIB)])
with Queue(path) as queue:
    let_memory_grow_by(100)
    try:
        queue.pop()
    except MemoryError as error:
        print(type(error).__name__)
    queue.push([b"after"])
    let_memory_grow()
    print([len(item) for item in queue.pop(9)])
"""
    printed = succeeded(run(LIMITED + program, tmp_path))
    assert printed == f"OutOfMemory\n[{200 << 20}, 5]\n"


def test_an_opening_without_memory_is_refused(tmp_path: Path) -> None:
    program = """
with Queue(path) as queue:
    queue.push([b"item"])
let_memory_grow_by(8)
try:
    Queue(path)
except MemoryError as error:
    print(type(error).__name__)
let_memory_grow()
with Queue(path) as queue:
    print(queue.pop())
"""
    assert succeeded(run(LIMITED + program, tmp_path)) == "OutOfMemory\n[b'item']\n"
