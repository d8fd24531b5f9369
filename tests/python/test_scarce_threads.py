"""A process that gets no more threads: calls fail or are done without one, and nothing aborts."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import run, succeeded

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.name != "posix" or os.geteuid() != 0,
    reason="needs root, to become somebody for whom the limit on processes holds",
)

NOBODY = """
import asyncio, concurrent.futures, os, resource, sys, threading
import rocksq
from rocksq import StartPosition, exceptions
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity as Queue
from rocksq.nonblocking import PersistentQueueWithCapacity as Nonblocking

path = sys.argv[1] + "/queue"

def become_nobody():
    os.setuid(65534)

def let_no_thread_start():
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder in which anybody may write, and which anybody can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o777)
        yield Path(name)


OPENINGS = [
    "Queue(path)",
    "MpmcQueue(path, ttl=60)",
    "Nonblocking(path)",
]


@pytest.mark.parametrize("opening", OPENINGS)
def test_an_opening_without_a_thread_is_refused(folder: Path, opening: str) -> None:
    program = f"""
become_nobody()
let_no_thread_start()
try:
    {opening}
except rocksq.IOFailure as error:
    print("thread" in str(error))
"""
    assert succeeded(run(NOBODY + program, folder)) == "True\n"


@pytest.mark.parametrize(
    "call", ["rocksq.verify(path)", "rocksq.remove_queue(path)", "Queue(path)"]
)
def test_a_queue_stays_as_it_is_when_there_is_no_thread_for_a_call(folder: Path, call: str) -> None:
    push = 'become_nobody()\nwith Queue(path) as queue: queue.push([b"item"])'
    refused = f"""
become_nobody()
let_no_thread_start()
try:
    {call}
except rocksq.IOFailure:
    print("refused")
"""
    pop = "become_nobody()\nwith Queue(path) as queue: print(queue.pop(9))"
    printed = [succeeded(run(NOBODY + program, folder)) for program in (push, refused, pop)]
    assert printed == ["", "refused\n", "[b'item']\n"]


def test_a_queue_can_be_opened_again_without_a_thread_or_is_refused(folder: Path) -> None:
    program = """
become_nobody()
Queue(path).close()
let_no_thread_start()
try:
    Queue(path).close()
except rocksq.IOFailure:
    pass
print("alive")
"""
    assert succeeded(run(NOBODY + program, folder)) == "alive\n"


def test_a_large_answer_comes_to_a_coroutine_without_a_helper_thread(folder: Path) -> None:
    program = """
become_nobody()
queue = Nonblocking(path)
queue.push([bytes(200_000)]).result()

async def pop():
    return await queue.pop()

let_no_thread_start()
print([len(item) for item in asyncio.run(pop())])
"""
    assert succeeded(run(NOBODY + program, folder)) == "[200000]\n"


def test_a_callback_is_called_without_a_helper_thread(folder: Path) -> None:
    program = """
become_nobody()
queue = Nonblocking(path)
queue.push([b"1"]).result()
queue.pop().result()
called = threading.Event()
let_no_thread_start()
response = queue.pop(timeout=None)
response.add_done_callback(lambda response: called.set())
queue.push([b"2"]).result()
print(called.wait(20), response.result())
"""
    assert succeeded(run(NOBODY + program, folder)) == "True [b'2']\n"
