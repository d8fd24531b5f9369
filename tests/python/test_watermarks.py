"""Producers slow down before a queue is full."""

import asyncio
import queue as stdlib_queue
from pathlib import Path

import pytest

from rocksq import Closed, InvalidArgument, StartPosition, nonblocking
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity
from support import PATIENCE, Caller, run


def test_a_producer_waits_until_there_is_less(tmp_path: Path) -> None:
    with PersistentQueueWithCapacity(tmp_path / "q") as queue:
        queue.push([b"aa", b"bb", b"cc"])
        assert not queue.wait_below(elements=3, timeout=0)
        assert not queue.wait_below(bytes=6, timeout=0.01)
        assert queue.wait_below(elements=4, bytes=7)
        wait = Caller(lambda: queue.wait_below(elements=3, bytes=3)).until_asleep()
        queue.pop()
        assert wait.is_alive()
        queue.pop()
        assert wait.outcome()


def test_a_wait_ends_with_the_queue(tmp_path: Path) -> None:
    queue = PersistentQueueWithCapacity(tmp_path / "q")
    queue.push([b"a"])
    wait = Caller(lambda: queue.wait_below(elements=1)).until_asleep()
    answer = queue.nonblocking().wait_below(elements=1)
    queue.close()
    with pytest.raises(Closed):
        wait.outcome()
    with pytest.raises(Closed):
        answer.result()


def test_marks_must_make_sense(tmp_path: Path) -> None:
    with PersistentQueueWithCapacity(tmp_path / "q") as queue:
        for face in (queue, queue.nonblocking()):
            with pytest.raises(TypeError, match="needs a number of elements, of bytes, or both"):
                face.wait_below()
            with pytest.raises(InvalidArgument, match="watermark is at least 1"):
                face.wait_below(elements=0)
        with pytest.raises(TypeError, match="needs a number"):
            queue.watch(print)
        with pytest.raises(InvalidArgument):
            queue.watch(print, high_elements=1, low_elements=0)
        for marks in ({"high_elements": 1, "low_elements": 2}, {"high_bytes": 1, "low_bytes": 2}):
            with pytest.raises(InvalidArgument, match="low watermark is above the high one"):
                queue.watch(print, **marks)
        with pytest.raises(TypeError, match="callable"):
            queue.watch(1, high_elements=1)  # type: ignore[arg-type]


def test_a_coroutine_waits_until_there_is_less(tmp_path: Path) -> None:
    async def main() -> None:
        async with nonblocking.PersistentQueueWithCapacity(tmp_path / "q") as queue:
            await queue.push([b"a", b"b"])
            assert await queue.wait_below(elements=2, timeout=0.01) is False
            waits = [asyncio.ensure_future(queue.wait_below(elements=n)) for n in (1, 2)]
            cancelled = asyncio.ensure_future(queue.wait_below(bytes=1))
            await asyncio.sleep(0)
            assert queue.inflight_ops <= 3
            cancelled.cancel()
            await queue.pop()
            assert await waits[1] is True
            assert not waits[0].done()
            await queue.pop()
            assert await waits[0] is True

    asyncio.run(main())


def test_an_mpmc_queue_can_be_waited_for(tmp_path: Path) -> None:
    with MpmcQueue(tmp_path / "q", 1) as queue:
        queue.add([b"a"])
        queue.next("label", StartPosition.Oldest)
        assert not queue.wait_below(elements=1, timeout=0)
        assert queue.nonblocking().wait_below(elements=1).result()
        assert queue.wait_below(elements=1, timeout=0)


def test_a_callback_is_told_of_high_and_low(tmp_path: Path) -> None:
    told: stdlib_queue.Queue[bool] = stdlib_queue.Queue()
    with PersistentQueueWithCapacity(tmp_path / "q") as queue:
        queue.push([b"a", b"b"])
        watch = queue.watch(told.put, high_elements=3, low_elements=2)
        queue.push([b"c"])
        assert told.get(timeout=PATIENCE) is True
        queue.pop()
        assert queue.len == 2
        queue.pop()
        assert told.get(timeout=PATIENCE) is False
        queue.push([b"d", b"e"])
        assert told.get(timeout=PATIENCE) is True
        watch.stop()
        watch.stop()
        queue.pop(9)
        bytes_told: stdlib_queue.Queue[bool] = stdlib_queue.Queue()
        queue.push([b"1234"])
        queue.watch(bytes_told.put, high_bytes=4)
        assert bytes_told.get(timeout=PATIENCE) is True
        queue.pop()
        assert bytes_told.get(timeout=PATIENCE) is False
    assert told.empty()


def test_a_callback_may_use_the_queue(tmp_path: Path) -> None:
    with PersistentQueueWithCapacity(tmp_path / "q") as queue:
        told: stdlib_queue.Queue[list[bytes] | None] = stdlib_queue.Queue()
        queue.watch(lambda high: told.put(queue.pop(9) if high else None), high_elements=2)
        for _ in range(3):
            queue.push([b"a", b"b"])
            assert told.get(timeout=PATIENCE) == [b"a", b"b"]
            assert told.get(timeout=PATIENCE) is None


EXIT = """
import sys
from rocksq.blocking import PersistentQueueWithCapacity
queue = PersistentQueueWithCapacity(sys.argv[1])
queue.watch(lambda is_high: 1 / 0, high_elements=1)
queue.push([b"item"])
queue.wait_below(elements=1, timeout=0.05)
"""


def test_a_watch_does_not_outlive_the_interpreter(tmp_path: Path) -> None:
    ended = run(EXIT, tmp_path / "q")
    assert ended.returncode == 0
    assert "ZeroDivisionError" in ended.stderr
