"""An event loop is never held up, and wakes soon.

Whatever else runs on the machine makes a pause longer, so what was quick enough once is, and a
pause is compared with those of a loop that does nothing at the same time.
"""

import asyncio
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from rocksq import DiskFull
from rocksq.nonblocking import PersistentQueueWithCapacity as Queue
from support import figure, measured

pytestmark = measured

LONGEST_PAUSE = 0.02
"""Seconds."""
WAKE_UP = 0.002
"""Seconds; measured: a tenth of a thousandth."""
TRIES = 10

Work = Callable[[Queue], Awaitable[object]]


async def longest_pause(work: Awaitable[object]) -> float:
    """Seconds for which the loop did not get to run anything else while it did the work."""
    longest, over = 0.0, False

    async def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not over:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest = max(longest, now - last)
            last = now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await work
    over = True
    await watching
    return longest


async def is_held_up(work: Awaitable[object]) -> bool:
    """Whether the loop paused for too long, and longer than the machine lets any loop pause."""
    begun = time.perf_counter()
    pause = await longest_pause(work)
    idle = await longest_pause(asyncio.sleep(time.perf_counter() - begun))
    return pause > max(LONGEST_PAUSE, 2 * idle)


async def is_always_held_up(path: Path, work: Work, tries: int = TRIES) -> bool:
    async with Queue(path) as queue:
        for _ in range(tries):
            if not await is_held_up(work(queue)):
                return False
        return True


async def large_items(queue: Queue) -> None:
    item = bytes(4 << 20)
    for _ in range(8):
        await queue.push([item])
    popped = await queue.pop(8)
    assert [len(item) for item in popped] == [4 << 20] * 8


async def long_backlog(queue: Queue) -> None:
    for _ in range(20):
        await queue.push([b"x" * 100] * 2_000)
    assert len(await queue.pop(40_000)) == 40_000


async def flushes(queue: Queue) -> None:
    for _ in range(5):
        queue.push([bytes(1 << 20)])
        await queue.flush()


async def more_than_may_be_under_way(queue: Queue) -> None:
    narrow = queue.blocking().nonblocking(max_inflight_ops=1)
    responses = [narrow.push([b"x"]) for _ in range(1_000)]
    for response in responses:
        await response


@pytest.mark.parametrize("work", [large_items, long_backlog, flushes, more_than_may_be_under_way])
def test_the_loop_goes_on_during(path: Path, work: Work) -> None:
    assert not asyncio.run(is_always_held_up(path, work))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_the_loop_goes_on_while_the_disk_is_full(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(16 << 20))

    async def push_until_full(queue: Queue) -> None:
        refusals = 0
        while refusals < 2:
            try:
                await queue.push([bytes(1 << 20)])
            except DiskFull:
                refusals += 1

    async def main() -> None:
        async with Queue(small_disk / "queue") as queue:
            # Later tries measure little more than the refusals: only what is written to tables then
            # makes room again.
            held_up = [await is_held_up(push_until_full(queue)) for _ in range(5)]
            assert not all(held_up)
            ballast.unlink()
            assert len(await queue.pop(100)) > 10

    asyncio.run(main())


async def wake_up(queue: Queue) -> float:
    """Seconds from a push to the coroutine that waited for it."""

    async def wait() -> float:
        await queue.pop(timeout=None)
        return time.perf_counter()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.001)
    pushed = time.perf_counter()
    queue.push([b"item"])
    return await waiting - pushed


@pytest.mark.parametrize("others", [0, 10_000])
def test_a_coroutine_wakes_soon(path: Path, others: int) -> None:
    async def main() -> float:
        async with Queue(path) as queue:
            crowd = [asyncio.ensure_future(queue.read(timeout=None)) for _ in range(others)]
            await asyncio.sleep(0.1)
            for task in crowd:
                task.cancel()
            medians = [1.0]
            while min(medians) >= WAKE_UP and len(medians) <= TRIES:
                medians.append(statistics.median([await wake_up(queue) for _ in range(100)]))
            return min(medians)

    figure(f"wake-up among {others} cancelled, s", asyncio.run(main()), at_most=WAKE_UP)


def test_ten_thousand_tasks_that_wait_take_no_processor_time(path: Path) -> None:
    async def main() -> float:
        async with Queue(path) as queue:
            tasks = [asyncio.ensure_future(queue.pop(timeout=None)) for _ in range(10_000)]
            await asyncio.sleep(1)
            spent = time.process_time()
            await asyncio.sleep(2)
            spent = time.process_time() - spent
            for task in tasks:
                task.cancel()
            return spent

    figure("10,000 waiting tasks, s of processor in 2 s", asyncio.run(main()), at_most=0.2)
