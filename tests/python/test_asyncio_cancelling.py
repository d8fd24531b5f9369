"""Cancelling loses nothing: an item is handed to a coroutine that goes on, or is in the queue."""

import asyncio
import gc
import random
import threading
import time
from pathlib import Path

import pytest
import uvloop

from rocksq import Closed, StartPosition, blocking
from rocksq.nonblocking import MpmcQueue, Response
from rocksq.nonblocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE

Oldest = StartPosition.Oldest


def numbered(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def test_a_pop_that_timed_out_has_taken_nothing(later: Queue) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(later.pop(timeout=None), 0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await later.pop(timeout=None)
        await later.push([b"a"])
        assert await later.pop() == [b"a"]

    asyncio.run(main())


def test_a_response_that_is_dropped_gives_its_items_back_in_front(later: Queue) -> None:
    later.push([b"a", b"b", b"c"])
    response: Response[list[bytes]] | None = later.pop(2)
    assert later.len.result() == 1
    del response
    gc.collect()
    assert later.len.result() == 3
    assert later.pop(9).result() == [b"a", b"b", b"c"]


def test_a_response_that_is_cancelled_gives_its_items_back_in_front(later: Queue) -> None:
    later.push([b"a", b"b", b"c"])
    first, second = later.pop(), later.pop()
    assert later.len.result() == 1
    assert first.cancel()
    assert first.cancelled()
    assert second.result() == [b"b"]
    assert not second.cancel()
    assert later.pop(9).result() == [b"a", b"c"]


def test_a_next_that_is_cancelled_gives_its_items_back_to_its_label(
    later_mpmc: MpmcQueue,
) -> None:
    later_mpmc.add([b"a", b"b"])
    response = later_mpmc.next("x", Oldest)
    assert later_mpmc.next("y", Oldest).result() == ([b"a"], False)
    assert response.cancel()
    assert later_mpmc.next("x", Oldest, 9).result() == ([b"a", b"b"], False)
    assert later_mpmc.next("y", Oldest, 9).result() == ([b"b"], False)


def test_what_was_given_back_is_there_after_a_reopen(path: Path) -> None:
    with Queue(path) as queue:
        queue.push(numbered(10))
        responses = [queue.pop() for _ in range(10)]
        queue.len.result()
        for number in (7, 3, 5):
            assert responses[number].cancel()
        for number in (0, 1, 2, 4, 6, 8, 9):
            assert responses[number].result() == [str(number).encode()]
        assert queue.len.result() == 3
    with Queue(path) as queue:
        assert queue.pop(9).result() == [b"3", b"5", b"7"]


def test_closing_takes_back_what_nobody_came_for(path: Path) -> None:
    queue = Queue(path)
    queue.push([b"a", b"b"])
    claimed, unclaimed = queue.pop(), queue.pop()
    assert claimed.result() == [b"a"]
    queue.len.result()
    queue.close()
    assert claimed.result() == [b"a"]
    with pytest.raises(Closed):
        unclaimed.result()
    assert unclaimed.cancel()
    with blocking.PersistentQueueWithCapacity(path) as again:
        assert again.pop(9) == [b"b"]


def test_a_response_keeps_its_queue_open_until_it_is_claimed(path: Path) -> None:
    queue = Queue(path)
    queue.push([b"a", b"b"])
    response, other = queue.pop(), queue.pop()
    del queue
    assert response.result() == [b"a"]
    del other
    gc.collect()
    with blocking.PersistentQueueWithCapacity(path, open_timeout=PATIENCE) as again:
        assert again.pop(9) == [b"b"]


def test_a_task_that_is_cancelled_after_its_item_came_gives_it_back(later: Queue) -> None:
    async def pop() -> list[bytes]:
        return await later.pop(timeout=None)

    async def main() -> None:
        task = asyncio.create_task(pop())
        await asyncio.sleep(0.01)
        await later.push([b"a", b"b"])
        # The answer is there before the loop gets to know of it.
        time.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await later.pop(9) == [b"a", b"b"]

    asyncio.run(main())


def test_a_push_that_is_cancelled_before_it_begins_pushes_nothing(path: Path) -> None:
    async def main() -> None:
        async with Queue(path, 1) as queue:
            await queue.push([b"a"])
            waiting = asyncio.ensure_future(queue.push([b"b"], timeout=None))
            await asyncio.sleep(0)
            await queue.len
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await queue.pop() == [b"a"]
            await queue.push([b"c"])
            assert await queue.pop(9) == [b"c"]

    asyncio.run(main())


def test_a_push_that_nobody_waits_for_is_done(path: Path) -> None:
    with Queue(path, 1) as queue:
        queue.push([b"a"])
        queue.push([b"b"], timeout=None)
        gc.collect()
        assert queue.pop().result() == [b"a"]
        assert queue.pop(timeout=PATIENCE).result() == [b"b"]


def test_a_task_group_that_fails_loses_nothing(later: Queue) -> None:
    taken: list[bytes] = []

    async def consume() -> None:
        while True:
            taken.extend(await later.pop(timeout=None))

    async def fail_in_the_middle() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(consume())
            for item in numbered(1000):
                later.push([item])
            while len(taken) < 300:
                await asyncio.sleep(0)
            raise ValueError

    with pytest.raises(ExceptionGroup):
        asyncio.run(fail_in_the_middle())
    left = later.pop(9999).result()
    assert sorted(taken + left) == sorted(numbered(1000))
    assert left == sorted(left, key=int)


def test_a_loop_that_shuts_down_loses_nothing(later: Queue) -> None:
    taken: list[bytes] = []

    async def consume() -> None:
        while True:
            taken.extend(await later.pop(timeout=None))

    async def main() -> None:
        tasks = [asyncio.create_task(consume()) for _ in range(50)]
        later.push(numbered(100))
        while len(taken) < 20:
            await asyncio.sleep(0)
        assert tasks

    for _ in range(10):
        taken.clear()
        asyncio.run(main())
        left = later.pop(9999).result()
        assert sorted(taken + left) == sorted(numbered(100))


def test_a_task_that_is_cancelled_while_it_leaves_a_queue_closes_it(path: Path) -> None:
    async def use(queue: Queue) -> None:
        async with queue:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    async def main() -> None:
        for _ in range(20):
            queue = await asyncio.to_thread(Queue, path, open_timeout=PATIENCE)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.create_task(use(queue))
            async with asyncio.timeout(PATIENCE):
                while not queue.closed:
                    await asyncio.sleep(0.001)

    asyncio.run(main())


class Consumers:
    """Tasks that take items and are cancelled at random, until every item was taken."""

    def __init__(self, queue: Queue, seed: int) -> None:
        self.taken: list[bytes] = []
        self.cancellations = 0
        self._queue = queue
        self._random = random.Random(seed)

    async def _take(self) -> None:
        match self._random.randrange(4):
            case 0:
                items = await self._queue.pop(self._random.randint(1, 3), timeout=None)
            case 1:
                items = await asyncio.wait_for(
                    self._queue.pop(2, timeout=None), self._random.random() / 1000
                )
            case 2:
                async with asyncio.timeout(self._random.random() / 1000):
                    items = await self._queue.pop(2, timeout=None)
            case _:
                items = [await anext(self._queue.consume())]
        # The coroutine goes on: from here on the items are its own.
        self.taken.extend(items)

    async def run(self, until: asyncio.Event) -> None:
        tasks: set[asyncio.Task[None]] = set()
        while not until.is_set():
            while len(tasks) < 50:
                tasks.add(asyncio.create_task(self._take()))
            await asyncio.sleep(self._random.random() / 500)
            for task in self._random.sample(sorted(tasks, key=id), 25):
                task.cancel()
            done = {task for task in tasks if task.done()}
            self._count(done)
            tasks -= done
        for task in tasks:
            task.cancel()
        if tasks:
            done, _ = await asyncio.wait(tasks)
            self._count(done)

    def _count(self, done: set[asyncio.Task[None]]) -> None:
        for task in done:
            if task.cancelled() or isinstance(task.exception(), TimeoutError):
                self.cancellations += 1
            elif (error := task.exception()) is not None:
                raise error


CANCELLATIONS = 5_000


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_thousands_of_random_cancellations_lose_and_double_nothing(
    later: Queue, new_loop: "type[asyncio.AbstractEventLoop]"
) -> None:
    seed = random.randrange(1 << 30)
    print("seed", seed)
    groups = [Consumers(later, seed + number) for number in range(2)]
    over = threading.Event()

    async def main(consumers: Consumers) -> None:
        ending = asyncio.Event()
        running = asyncio.create_task(consumers.run(ending))
        while not over.is_set() and not running.done():
            await asyncio.sleep(0.01)
        ending.set()
        await running

    def run_thread(consumers: Consumers) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main(consumers))

    threads = [threading.Thread(target=run_thread, args=[consumers]) for consumers in groups]
    for thread in threads:
        thread.start()
    pushed: list[bytes] = []
    end = time.monotonic() + PATIENCE * 4
    while (
        sum(consumers.cancellations for consumers in groups) < CANCELLATIONS
        and all(thread.is_alive() for thread in threads)
        and time.monotonic() < end
    ):
        batch = [b"%08d" % number for number in range(len(pushed), len(pushed) + 20)]
        later.push(batch).result()
        pushed += batch
    over.set()
    for thread in threads:
        thread.join()
    gc.collect()
    left = later.pop(len(pushed)).result()
    taken = [item for consumers in groups for item in consumers.taken]
    assert sum(consumers.cancellations for consumers in groups) >= CANCELLATIONS
    assert taken
    assert sorted(taken + left) == pushed
    # What is left is in the order of its push, whatever was given back in between.
    assert left == sorted(left)


def test_given_back_items_keep_their_order_under_random_cancellation(later: Queue) -> None:
    """One consumer, whose every other pop is cancelled, still sees the order of the pushes."""
    items = numbered(3000)
    later.push(items)
    chance = random.Random(7)
    taken: list[bytes] = []

    async def main() -> None:
        while len(taken) < len(items):
            task = asyncio.ensure_future(later.pop(chance.randint(1, 5)))
            for _ in range(chance.randint(1, 4)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                task.cancel()
            try:
                taken.extend(await task)
            except asyncio.CancelledError:
                continue

    asyncio.run(main())
    assert taken == items
