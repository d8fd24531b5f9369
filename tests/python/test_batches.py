"""Batch after batch: each is committed when its block ends well, and read again otherwise."""

import asyncio
import gc
from pathlib import Path

import pytest

from rocksq import Conflict, Durability, InvalidArgument, StartPosition, blocking, nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from rocksq.nonblocking import PersistentQueueWithCapacity as Later
from support import PATIENCE, Caller

Oldest = StartPosition.Oldest
LABELLED = ("label", Oldest)


def handle(item: bytes) -> None:
    if item == b"bad":
        raise ValueError(item)


def test_a_batch_is_committed_when_its_block_ends_well(queue: Queue) -> None:
    queue.push([b"a", b"b", b"c"])
    seen = []
    for batch in queue.batches(2, timeout=0):
        with batch:
            seen.append(list(batch))
            assert queue.len == 3 - batch.first
    assert seen == [[b"a", b"b"], [b"c"]]
    assert queue.is_empty


def test_a_batch_whose_block_raises_stays_in_the_queue(queue: Queue) -> None:
    queue.push([b"good", b"bad"])
    with pytest.raises(ValueError, match="bad"):  # noqa: PT012
        for batch in queue.batches(1, timeout=0):
            with batch:
                for item in batch:
                    handle(item)
    assert list(queue) == [b"bad"]


def test_a_batch_whose_block_raised_is_the_next_one_again(queue: Queue) -> None:
    queue.push([b"bad"])
    failures = 0
    for batch in queue.batches(timeout=0):
        try:
            with batch:
                if failures < 3:
                    handle(batch[0])
        except ValueError:
            failures += 1
    assert failures == 3
    assert queue.is_empty


def test_a_loop_that_leaves_early_leaves_its_batch(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    for _ in queue.batches():
        break
    assert queue.len == 2


def test_batches_of_a_label_move_the_label(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b", b"c"])
    seen = []
    for batch in mpmc.batches(*LABELLED, 2, timeout=0):
        with batch:
            seen.append(batch.items)
    assert seen == [[b"a", b"b"], [b"c"]]
    assert mpmc.next(*LABELLED) == ([], False)
    assert mpmc.len == 3


def test_batches_wait_until_the_queue_is_closed(queue: Queue) -> None:
    taken: list[bytes] = []

    def consume() -> None:
        for batch in queue.batches(10):
            with batch:
                taken.extend(batch)

    consumer = Caller(consume).until_asleep()
    queue.push([b"a"])
    assert queue.wait_below(elements=1, timeout=PATIENCE)
    queue.close()
    consumer.outcome()
    assert taken == [b"a"]


@pytest.fixture
def batch(queue: Queue) -> blocking.Batch:
    queue.push([b"a", b"b", b"c"])
    return queue.read(3)


def test_a_batch_can_be_iterated_over_and_indexed(batch: blocking.Batch) -> None:
    assert list(batch) == [b"a", b"b", b"c"]
    assert (batch[0], batch[-1], batch[1:]) == (b"a", b"c", [b"b", b"c"])
    assert b"b" in batch
    assert [*map(bytes.decode, batch)] == ["a", "b", "c"]
    with pytest.raises(IndexError):
        batch[3]


def test_an_empty_batch_is_false(queue: Queue) -> None:
    assert not queue.read()
    queue.push([b"a"])
    assert queue.read()


def test_a_batch_commits_itself(queue: Queue, batch: blocking.Batch) -> None:
    batch.commit(durability=Durability.Synced)
    assert queue.is_empty
    with pytest.raises(Conflict):
        batch.commit()


def test_a_batch_that_another_consumer_took_raises_at_the_end_of_its_block(queue: Queue) -> None:
    queue.push([b"a"])
    with pytest.raises(Conflict), queue.read():
        queue.pop()


def test_a_batch_of_one_face_is_committed_by_the_other(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    later = queue.nonblocking()
    later.commit(queue.read()).result()
    queue.commit(later.read().result())
    assert queue.is_empty


def test_a_loop_that_does_nothing_about_a_batch_is_told(queue: Queue) -> None:
    queue.push([b"a"])
    batches = queue.batches()
    next(batches)
    with pytest.raises(RuntimeError, match="with batch:"):
        next(batches)


def test_a_loop_may_commit_by_the_queue(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    for batch in queue.batches(timeout=0):
        queue.commit(batch)
    assert queue.is_empty


@pytest.mark.parametrize("face", [Queue, Later])
def test_batches_of_no_items_are_refused(face: type[Queue | Later], path: Path) -> None:
    with face(path) as queue, pytest.raises(InvalidArgument, match="n is a number from 1"):
        queue.batches(0)


def test_a_batch_keeps_its_queue_open(path: Path) -> None:
    batch = Queue(path).read()
    gc.collect()
    batch.commit()


def test_batches_are_committed_in_coroutines(later: Later) -> None:
    async def main() -> None:
        await later.push([b"a", b"b", b"c"])
        seen = []
        async for batch in later.batches(2, timeout=0):
            async with batch:
                seen.append(list(batch))
        assert seen == [[b"a", b"b"], [b"c"]]
        assert await later.is_empty

    asyncio.run(main())


def test_a_batch_whose_coroutine_raises_stays_in_the_queue(later: Later) -> None:
    async def main() -> None:
        await later.push([b"good", b"bad"])
        with pytest.raises(ValueError, match="bad"):  # noqa: PT012
            async for batch in later.batches():
                async with batch:
                    handle(batch[0])
        assert await later.pop(9) == [b"bad"]

    asyncio.run(main())


def test_a_batch_whose_coroutine_is_cancelled_stays_in_the_queue(later: Later) -> None:
    async def work() -> None:
        async for batch in later.batches():
            async with batch:
                await asyncio.sleep(PATIENCE)

    async def main() -> None:
        await later.push([b"a"])
        task = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        assert await later.pop(9) == [b"a"]

    asyncio.run(main())


def test_batches_of_a_label_are_committed_in_coroutines(path: Path) -> None:
    async def main() -> None:
        async with nonblocking.MpmcQueue(path, 0) as queue:
            await queue.add([b"a", b"b"])
            async for batch in queue.batches(*LABELLED, 2, timeout=0):
                async with batch:
                    assert batch.items == [b"a", b"b"]
            assert await queue.next(*LABELLED) == ([], False)

    asyncio.run(main())


def test_batches_end_in_coroutines_when_the_queue_is_closed(later: Later) -> None:
    taken: list[bytes] = []

    async def work() -> None:
        async for batch in later.batches(9):
            async with batch:
                taken.extend(batch)

    async def main() -> None:
        task = asyncio.create_task(work())
        await later.push([b"a"])
        await later.wait_below(elements=1)
        await asyncio.to_thread(later.close)
        await task
        async for _ in later.batches():
            raise AssertionError

    asyncio.run(main())
    assert taken == [b"a"]


def test_a_coroutine_that_does_nothing_about_a_batch_is_told(later: Later) -> None:
    async def main() -> None:
        await later.push([b"a"])
        batches = later.batches()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(later.batches(timeout=None)), 0)
        await anext(batches)
        with pytest.raises(RuntimeError, match="async with batch:"):
            await anext(batches)

    asyncio.run(main())


def test_a_wait_for_a_batch_that_was_cancelled_leaves_the_loop_as_it_was(later: Later) -> None:
    async def main() -> None:
        batches = later.batches(9)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(batches)
        await later.push([b"a"])
        assert list(await anext(batches)) == [b"a"]

    asyncio.run(main())


def test_a_batch_of_the_nonblocking_face_commits_in_a_thread(later: Later) -> None:
    later.push([b"a", b"b"])
    with later.read().result() as batch:
        assert list(batch) == [b"a"]
    later.read().result().commit().result()
    assert later.is_empty.result()
