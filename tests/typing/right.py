"""Typical programs: no checker finds an error in them."""

import asyncio
from pathlib import Path
from threading import Thread
from typing import assert_type

import rocksq
from rocksq import Durability, Error, Full, OnFull, StartPosition, blocking, nonblocking
from rocksq.blocking import Batch, Consumer, LiveItems, MpmcQueue, PersistentQueueWithCapacity
from rocksq.nonblocking import MpmcResponse, Response


def push_and_pop(path: Path) -> None:
    with PersistentQueueWithCapacity(path, 1_000, open_timeout=None) as queue:
        assert_type(queue, PersistentQueueWithCapacity)
        queue.push([b"bytes", bytearray(b"bytearray"), memoryview(b"view")])
        queue.push((b"a", b"b"), no_gil=False, durability=Durability.Synced)
        assert_type(queue.durability, Durability)
        queue.push((str(number).encode() for number in range(3)), timeout=0.5)
        assert_type(queue.pop(), list[bytes])
        assert_type(queue.pop(10, False, timeout=None), list[bytes])
        assert_type(queue.pop(max_elements=10, no_gil=True), list[bytes])


def look(queue: PersistentQueueWithCapacity) -> tuple[int, int, int, bool, str]:
    assert_type(queue.peek(3), list[bytes])
    assert_type(iter(queue), LiveItems)
    total = sum(len(item) for item in queue)
    if queue:
        print(repr(queue), total, queue.max_elements)
    return len(queue), queue.payload_size, queue.disk_size, queue.is_empty, queue.path


def at_least_once(queue: PersistentQueueWithCapacity) -> None:
    batch = queue.read(100, timeout=1)
    assert_type(batch, Batch)
    assert_type(batch.items, list[bytes])
    print(batch.first, batch.next, len(batch), batch.expired)
    assert_type(batch[0], bytes)
    assert_type(batch[:2], list[bytes])
    print([item.decode() for item in batch])
    for each in queue.batches(100, timeout=None):
        with each as same:
            assert_type(same, Batch)
    batch.commit(durability=Durability.Synced)
    try:
        queue.commit(batch)
    except rocksq.Conflict as conflict:
        assert_type(conflict.path, str | None)


def consume(queue: PersistentQueueWithCapacity, done: list[bytes]) -> None:
    consumer = queue.consume()
    assert_type(consumer, Consumer)
    done.extend(consumer)


def threads(queue: PersistentQueueWithCapacity) -> None:
    done: list[bytes] = []
    consumers = [Thread(target=consume, args=(queue, done)) for _ in range(3)]
    for thread in consumers:
        thread.start()
    queue.close()


def labels(path: str) -> dict[str, list[bytes]]:
    queue = MpmcQueue(path, ttl=60)
    queue.add([b"one", b"two"])
    items, expired = queue.next("audit", StartPosition.Oldest, 10, timeout=1)
    assert_type(items, list[bytes])
    assert_type(expired, bool)
    batch = queue.read("search", StartPosition.Newest, 10)
    queue.commit(batch)
    assert_type(queue.remove_label("search"), bool)
    return {label: queue.peek(label, StartPosition.Oldest, 5) for label in queue.labels}


def later(path: Path) -> list[bytes] | None:
    queue = nonblocking.PersistentQueueWithCapacity(path, max_inflight_ops=10)
    pushed = queue.push([b"item"])
    assert_type(pushed, Response[None])
    unparametrised: Response = pushed
    unparametrised.get()
    pushed.get()
    answer = queue.pop().try_get()
    if answer is None or not pushed.is_ready:
        return None
    assert_type(queue.len.get().len, int | None)
    assert_type(queue.inflight_ops, int)
    assert_type(queue.blocking(), blocking.PersistentQueueWithCapacity)
    return answer.data


async def awaited(queue: nonblocking.PersistentQueueWithCapacity) -> None:
    async with queue:
        assert_type(await queue.pop(timeout=None), list[bytes])
        assert_type(queue.push([b"item"]).result(), None)
        assert_type(await queue.len, int)
        assert_type(await queue.read(), nonblocking.Batch)
        await queue.commit(await queue.read())
        async for batch in queue.batches(100):
            async with batch:
                assert_type(list(batch), list[bytes])
            await batch.commit()
        async for item in queue.consume():
            assert_type(item, bytes)


async def tasks(queue: nonblocking.PersistentQueueWithCapacity) -> None:
    task = asyncio.create_task(queue.pop(timeout=None))
    assert_type(task, asyncio.Task[list[bytes]])
    async with asyncio.TaskGroup() as group:
        assert_type(group.create_task(queue.len), asyncio.Task[int])
        group.create_task(queue.push([b"item"]))
    queue.push([b"item"])
    assert_type(await asyncio.gather(queue.len, queue.pop()), tuple[int, list[bytes]])
    assert_type(await asyncio.wait_for(queue.pop(), 1), list[bytes])
    assert_type(await asyncio.shield(queue.pop()), list[bytes])
    print(await asyncio.wait([task, asyncio.ensure_future(queue.len)]))


def later_with_labels(queue: nonblocking.MpmcQueue) -> None:
    response = queue.next("label", StartPosition.Oldest)
    assert_type(response, MpmcResponse[tuple[list[bytes], bool]])
    answer = response.get()
    if answer.data is not None:
        items, expired = answer.data
        print(b"".join(items), expired)
    assert_type(queue.labels.get().labels, list[str] | None)
    assert_type(queue.remove_label("label").get().removed_label, bool | None)


def full(queue: PersistentQueueWithCapacity) -> bool:
    try:
        queue.push([b"item"])
    except Full:
        return True
    except (Error, OSError) as error:
        raise SystemExit(str(error)) from error
    return False


def administrate(path: Path) -> str:
    rocksq.remove_queue(path)
    rocksq.remove_mpmc_queue(str(path))
    assert_type(int(StartPosition.Newest), int)
    return rocksq.version()


def bounded(path: Path) -> None:
    queue = MpmcQueue(path, 0, max_elements=10, max_bytes=100, on_full=OnFull.DropOldest)
    assert_type(queue.max_bytes, int | None)
    assert_type(queue.on_full, OnFull)
    assert_type(queue.wait_below(elements=5), bool)
    assert_type(queue.stats().oldest_age, float | None)
    assert_type([label.items for label in queue.label_stats()], list[int])
    queue.watch(print, high_bytes=50).stop()


async def bounded_later(queue: nonblocking.PersistentQueueWithCapacity) -> None:
    assert_type(await queue.wait_below(bytes=50, timeout=None), bool)
    assert_type(queue.stats().items, int)
