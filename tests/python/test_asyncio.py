"""Responses can be awaited."""

import asyncio
import gc
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
import uvloop

from rocksq import Closed, Conflict, Full, StartPosition, nonblocking
from rocksq.nonblocking import MpmcQueue
from rocksq.nonblocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE, Caller, run, succeeded

Oldest = StartPosition.Oldest
T = TypeVar("T")

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def run_with_uvloop(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def run_with_anyio(main: Coroutine[Any, Any, T]) -> T:
    async def program() -> T:
        return await main

    return anyio.run(program)


@pytest.fixture(params=[asyncio.run, run_with_uvloop, run_with_anyio])
def run_loop(request: pytest.FixtureRequest) -> Run:
    return request.param  # type: ignore[no-any-return]


async def until_waiting(queue: Queue) -> None:
    """Let what was asked for begin: what waits then waits in the queue's line."""
    await asyncio.sleep(0)
    await queue.len


def test_every_operation_can_be_awaited(later: Queue, run_loop: Run) -> None:
    async def main() -> None:
        await later.push([b"a", b"bc"])
        assert await later.len == 2
        assert await later.payload_size == 3
        assert await later.is_empty is False
        assert await later.disk_size > 0
        assert await later.peek(9) == [b"a", b"bc"]
        batch = await later.read(1)
        assert batch.items == [b"a"]
        await later.commit(batch)
        with pytest.raises(Conflict):
            await later.commit(batch)
        await later.flush()
        assert await later.pop(9) == [b"bc"]
        assert await later.pop() == []

    run_loop(main())


def test_every_operation_of_an_mpmc_queue_can_be_awaited(
    later_mpmc: MpmcQueue, run_loop: Run
) -> None:
    async def main() -> None:
        await later_mpmc.add([b"a", b"b", b"c"])
        assert await later_mpmc.next("x", Oldest) == ([b"a"], False)
        assert await later_mpmc.peek("x", Oldest) == [b"b"]
        batch = await later_mpmc.read("x", Oldest, 9)
        assert (batch.items, batch.first, batch.next) == ([b"b", b"c"], 1, 3)
        await later_mpmc.commit(batch)
        assert await later_mpmc.next("x", Oldest, timeout=0.001) == ([], False)
        assert await later_mpmc.labels == ["x"]
        assert await later_mpmc.remove_label("x") is True
        assert await later_mpmc.remove_label("x") is False
        assert (await later_mpmc.len, await later_mpmc.payload_size) == (3, 3)
        assert await later_mpmc.is_empty is False
        await later_mpmc.flush()

    run_loop(main())


def test_errors_are_raised_where_it_is_awaited(path: Path, run_loop: Run) -> None:
    async def main() -> None:
        with pytest.raises(Full, match="^Failed to push item: Queue is full"):
            await queue.push([b"a", b"b"])

    with Queue(path, 1) as queue:
        run_loop(main())


def test_awaiting_again_gives_the_same(later: Queue) -> None:
    async def main() -> None:
        await later.push([b"a", b"b"])
        response = later.pop()
        assert await response == [b"a"]
        assert await response == [b"a"]
        assert response.result() == [b"a"]
        assert response.get().data == [b"a"]
        assert await later.pop() == [b"b"]

    asyncio.run(main())


def test_a_pop_waits_for_an_item(later: Queue, run_loop: Run) -> None:
    async def main() -> None:
        popped = asyncio.ensure_future(later.pop(9, timeout=None))
        await until_waiting(later)
        await later.push([b"a", b"b"])
        assert await popped == [b"a", b"b"]

    run_loop(main())


def test_a_read_and_a_next_wait_for_an_item(later: Queue, tmp_path: Path, run_loop: Run) -> None:
    async def main() -> None:
        async with MpmcQueue(tmp_path / "mpmc", 0) as mpmc:
            read = asyncio.ensure_future(later.read(9, timeout=None))
            following = asyncio.ensure_future(mpmc.next("x", Oldest, timeout=PATIENCE))
            await until_waiting(later)
            await mpmc.labels
            await asyncio.gather(later.push([b"a"]), mpmc.add([b"b"]))
            assert (await read).items == [b"a"]
            assert await following == ([b"b"], False)

    run_loop(main())


def test_a_push_waits_for_room_behind_others(path: Path, run_loop: Run) -> None:
    async def main() -> None:
        async with Queue(path, 2) as queue:
            await queue.push([b"a", b"b"])
            large = asyncio.ensure_future(queue.push([b"c", b"d"], timeout=None))
            small = asyncio.ensure_future(queue.push([b"e"], timeout=None))
            await until_waiting(queue)
            assert await queue.pop() == [b"a"]
            await until_waiting(queue)
            assert not small.done()
            assert await queue.pop() == [b"b"]
            await large
            assert await queue.pop(2) == [b"c", b"d"]
            await small

    run_loop(main())


def test_a_wait_without_success_ends_in_time(path: Path, run_loop: Run) -> None:
    async def main() -> None:
        async with Queue(path, 1) as queue:
            begun = time.monotonic()
            assert await queue.pop(timeout=0.05) == []
            assert time.monotonic() - begun >= 0.05
            await queue.push([b"a"])
            with pytest.raises(Full):
                await queue.push([b"b"], timeout=0.01)
            assert await queue.pop(9) == [b"a"]

    run_loop(main())


def test_waits_end_in_the_order_of_their_deadlines(later: Queue) -> None:
    async def main() -> None:
        ended = []

        async def wait(timeout: float) -> None:
            await later.pop(timeout=timeout)
            ended.append(timeout)

        await asyncio.gather(*map(wait, [0.3, 0.1, 0.2]))
        assert ended == [0.1, 0.2, 0.3]

    asyncio.run(main())


def test_closing_ends_every_wait(path: Path, run_loop: Run) -> None:
    async def main() -> None:
        queue = Queue(path, 1)
        await queue.push([b"a"])
        pushes = [asyncio.ensure_future(queue.push([b"b"], timeout=None)) for _ in range(3)]
        await until_waiting(queue)
        async with queue:
            pass
        assert queue.closed
        for push in pushes:
            with pytest.raises(Closed):
                await push

    run_loop(main())


def test_waiting_consumers_and_threads_stand_in_one_line(later: Queue) -> None:
    blocking = later.blocking()

    async def main() -> None:
        first = asyncio.ensure_future(later.pop(timeout=None))
        await until_waiting(later)
        thread = Caller(lambda: blocking.pop(timeout=None)).until_asleep()
        third = asyncio.ensure_future(later.pop(timeout=None))
        await until_waiting(later)
        await later.push([b"1"])
        assert await first == [b"1"]
        await later.push([b"2"])
        assert await asyncio.to_thread(thread.outcome) == [b"2"]
        await later.push([b"3"])
        assert await third == [b"3"]

    asyncio.run(main())


def test_several_loops_share_a_queue_and_a_response(later: Queue) -> None:
    shared = later.pop(timeout=None)
    results: list[object] = []

    def run_thread() -> None:
        async def main() -> None:
            results.append(await shared)
            for _ in range(200):
                await later.push([b"x"])
                assert await later.pop(timeout=None) == [b"x"]

        asyncio.run(main())

    threads = [threading.Thread(target=run_thread) for _ in range(4)]
    for thread in threads:
        thread.start()
    while shared.done() or later.inflight_ops:
        pass
    later.push([b"shared"])
    for thread in threads:
        thread.join(PATIENCE)
    assert results == [[b"shared"]] * 4


def test_one_of_two_who_await_a_response_can_be_cancelled(later: Queue) -> None:
    async def wait(response: Awaitable[list[bytes]]) -> list[bytes]:
        return await response

    async def main() -> None:
        response = later.pop(timeout=None)
        first, second = (asyncio.create_task(wait(response)) for _ in range(2))
        await until_waiting(later)
        first.cancel()
        await until_waiting(later)
        await later.push([b"a"])
        assert await second == [b"a"]
        assert first.cancelled()

    asyncio.run(main())


def test_a_response_that_is_cancelled_cancels_who_awaits_it(later: Queue) -> None:
    async def main() -> None:
        response = later.pop(timeout=None)
        task = asyncio.ensure_future(response)
        await until_waiting(later)
        assert response.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(CancelledError):
            response.result()
        await later.push([b"a"])
        assert await later.pop() == [b"a"]

    asyncio.run(main())


def test_consume_takes_what_comes_until_the_queue_is_closed(path: Path, run_loop: Run) -> None:
    async def main() -> None:
        taken: list[bytes] = []

        async def consume() -> None:
            async for item in queue.consume():
                taken.append(item)  # noqa: PERF401

        async with Queue(path) as queue:
            consumer = asyncio.ensure_future(consume())
            for item in (b"a", b"b", b"c"):
                await queue.push([item])
            while not await queue.is_empty:
                await asyncio.sleep(0)
            await until_waiting(queue)
        await consumer
        assert taken == [b"a", b"b", b"c"]
        async for _ in queue.consume():
            pytest.fail("a closed queue gave an item")

    run_loop(main())


def test_consume_reads_under_a_label(later_mpmc: MpmcQueue, run_loop: Run) -> None:
    async def main() -> None:
        await later_mpmc.add([b"a", b"b", b"c"])
        newest = later_mpmc.consume("new", StartPosition.Newest)
        assert await anext(newest) == b"c"
        taken = []
        async for item in later_mpmc.consume("x", Oldest):
            taken.append(item)
            if item == b"c":
                break
        assert taken == [b"a", b"b", b"c"]

    run_loop(main())


def test_a_full_worker_does_not_hold_up_a_loop(path: Path) -> None:
    async def main() -> None:
        async with Queue(path, max_inflight_ops=1) as queue:
            slow = queue.push([bytes(64 << 20)])
            responses = [queue.push([str(number).encode()]) for number in range(100)]
            assert not slow.done()
            assert queue.inflight_ops <= 1
            await asyncio.gather(*responses)
            items = (await queue.pop(1000))[1:]
            assert items == [str(number).encode() for number in range(100)]

    asyncio.run(main())


def test_operations_that_wait_are_not_counted(path: Path) -> None:
    async def main() -> None:
        async with Queue(path, max_inflight_ops=2) as queue:
            waiting = [asyncio.ensure_future(queue.pop(timeout=None)) for _ in range(10)]
            await until_waiting(queue)
            assert queue.inflight_ops == 0
            await queue.push([b"x"] * 10)
            assert await asyncio.gather(*waiting) == [[b"x"]] * 10

    asyncio.run(main())


def test_async_with_leaves_the_loop_free_and_the_path_to_others(path: Path) -> None:
    async def main() -> None:
        async with Queue(path) as queue:
            queue.push([bytes(8 << 20)])
        assert queue.closed
        with pytest.raises(Closed):
            await queue.len
        async with Queue(path) as queue:
            assert await queue.len == 1

    asyncio.run(main())


def test_what_loops_leave_behind_goes_with_them(later: Queue) -> None:
    async def main() -> None:
        await later.push([b"a"])

    before = None
    for number in range(20):
        asyncio.run(main())
        gc.collect()
        if number == 9:
            before = len(list(Path("/proc/self/fd").iterdir()))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_ten_thousand_tasks_wait_on_one_queue(later: Queue) -> None:
    """Waiting takes no thread, and each item wakes one task."""

    async def main() -> None:
        threads = threading_count()
        tasks = [asyncio.ensure_future(later.pop(timeout=None)) for _ in range(10_000)]
        await until_waiting(later)
        while later.inflight_ops:
            await asyncio.sleep(0.01)
        assert threading_count() == threads
        await later.push([str(number).encode() for number in range(5_000)])
        while sum(task.done() for task in tasks) < 5_000:
            await asyncio.sleep(0.01)
        # In the order in which they came.
        assert [task.result() for task in tasks[:5_000]] == [
            [str(number).encode()] for number in range(5_000)
        ]
        for task in tasks[5_000:]:
            task.cancel()
        await asyncio.wait(tasks[5_000:])
        await later.push([b"last"])
        assert await later.pop() == [b"last"]

    asyncio.run(main())


def threading_count() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_the_interpreter_exits_while_tasks_wait(path: Path) -> None:
    program = """
import asyncio, sys
from rocksq.nonblocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1])

async def wait():
    taken.extend(await queue.pop(timeout=None))

async def main():
    tasks.extend(asyncio.ensure_future(wait()) for _ in range(100))
    await queue.push([b"x"] * 50)
    await asyncio.sleep(0)

tasks, taken = [], []
loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda *_: None)
loop.run_until_complete(main())
if sys.argv[2] == "closed":
    loop.close()
for task in tasks:
    task._log_destroy_pending = False
print(len(taken))
"""
    for number, state in enumerate(["open", "closed"]):
        home = path.with_name(f"queue-{number}")
        taken = int(succeeded(run(program, home, state)))
        with nonblocking.PersistentQueueWithCapacity(home) as queue:
            assert queue.len.result() + taken == 50


def test_a_forked_child_cannot_await(later: Queue) -> None:
    response = later.pop(timeout=None)
    later.len.result()
    child = os.fork()
    if child == 0:
        try:
            response.result(0)
        except BaseException as error:  # noqa: BLE001
            os._exit(0 if type(error).__name__ == "Forked" else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_waits_on_a_loop_that_is_closed_gives_back_when_it_goes(later: Queue) -> None:
    async def wait() -> None:
        await later.pop(timeout=None)
        pytest.fail("nobody runs the loop any more")

    def leave_behind() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(wait())
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        # Who waits is called all the same.
        later.push([b"a"]).result()
        assert later.len.result() == 0

    leave_behind()
    gc.collect()
    assert later.pop(timeout=PATIENCE).result() == [b"a"]
