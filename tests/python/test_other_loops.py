"""anyio runs on asyncio; trio is told by a callback, or has a bridge to asyncio."""

import random
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
import trio

from rocksq import Closed
from rocksq.nonblocking import PersistentQueueWithCapacity as Queue
from rocksq.nonblocking import Response
from support import PATIENCE, run, succeeded


def test_anyio_cancels_a_wait_that_then_has_taken_nothing(later: Queue) -> None:
    async def main() -> None:
        with anyio.move_on_after(0.01) as scope:
            await later.pop(timeout=None)
        assert scope.cancelled_caught
        await later.push([b"a"])
        assert await later.pop(9) == [b"a"]

    anyio.run(main)


def test_tasks_of_anyio_wait_together(later: Queue) -> None:
    taken: list[bytes] = []

    async def work() -> None:
        taken.extend(await later.pop(timeout=PATIENCE))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(work)
            await later.push([b"%d" % n for n in range(10)])

    anyio.run(main)
    assert sorted(taken) == [b"%d" % n for n in range(10)]


async def answer(response: Response[list[bytes]]) -> list[bytes]:
    """As the guide has it: without a thread, and nothing is lost when it is cancelled."""
    token, ready = trio.lowlevel.current_trio_token(), trio.Event()

    def call_back(_: Response[list[bytes]]) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(ready.set)

    response.add_done_callback(call_back)
    try:
        await ready.wait()
    except trio.Cancelled:
        response.cancel()
        raise
    return response.result()


def test_trio_waits_without_a_thread(later: Queue) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:

            async def push() -> None:
                await trio.sleep(0.01)
                later.push([b"late"])

            nursery.start_soon(push)
            assert await answer(later.pop(timeout=PATIENCE)) == [b"late"]

    trio.run(main)


def test_trio_hears_of_errors(later: Queue) -> None:
    async def main() -> None:
        waiting = later.pop(timeout=None)
        await trio.to_thread.run_sync(later.close)
        with pytest.raises(Closed):
            await answer(waiting)

    trio.run(main)


def test_trio_waits_in_a_thread(later: Queue) -> None:
    async def main() -> list[bytes]:
        await trio.to_thread.run_sync(later.push([b"a"]).result)
        return await trio.to_thread.run_sync(later.pop(timeout=PATIENCE).result)

    assert trio.run(main) == [b"a"]


def test_what_trio_cancels_loses_nothing(later: Queue) -> None:
    """Thousands of waits end at random beside pushes, and each item comes once."""
    rng, total = random.Random(8), 2_000
    taken: list[bytes] = []
    counts = {"cancelled": 0}

    async def produce() -> None:
        for n in range(total):
            later.push([b"%d" % n])
            if n % 20 == 0:
                await trio.sleep(0)

    async def consume() -> None:
        while len(taken) < total:
            with trio.move_on_after(rng.choice([0, 0.0002, 0.001])) as scope:
                taken.extend(await answer(later.pop(timeout=1)))
            counts["cancelled"] += scope.cancelled_caught

    async def main() -> None:
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(produce)
                for _ in range(20):
                    nursery.start_soon(consume)

    trio.run(main)
    assert sorted(taken, key=int) == [b"%d" % n for n in range(total)]
    assert counts["cancelled"] > 100


def test_trio_asyncio_awaits_a_response(path: Path) -> None:
    """Importing it changes asyncio for the whole process."""
    program = """
import sys
import trio, trio_asyncio
from rocksq.nonblocking import PersistentQueueWithCapacity

async def work():
    async with PersistentQueueWithCapacity(sys.argv[1]) as queue:
        await queue.push([b"a"])
        return await queue.pop(timeout=30)

async def main():
    async with trio_asyncio.open_loop():
        return await trio_asyncio.aio_as_trio(work)()

print(trio.run(main))
"""
    assert succeeded(run(program, path)) == "[b'a']\n"


def test_trio_alone_cannot_await_a_response(later: Queue) -> None:
    async def main() -> None:
        await later.pop(timeout=None)

    with pytest.raises(RuntimeError, match="trio-asyncio"):
        trio.run(main)
