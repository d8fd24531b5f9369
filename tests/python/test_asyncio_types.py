"""Type checkers know what a response gives; `mypy` checks the `assert_type` calls."""

import asyncio
from pathlib import Path
from typing import assert_type

from rocksq import StartPosition
from rocksq.nonblocking import (
    AsyncConsumer,
    Batch,
    MpmcQueue,
    MpmcResponse,
    PersistentQueueWithCapacity,
    Response,
    ResponseVariant,
)


def test_what_is_awaited_has_its_type(path: Path) -> None:
    async def main() -> None:
        async with PersistentQueueWithCapacity(path) as queue:
            assert_type(queue, PersistentQueueWithCapacity)
            assert_type(queue.push([b"a"]), Response[None])
            assert_type(await queue.pop(), list[bytes])
            assert_type(await queue.pop(1, timeout=1.5), list[bytes])
            assert_type(await queue.len, int)
            assert_type(await queue.is_empty, bool)
            assert_type(await queue.read(), Batch)
            assert_type(await queue.peek(), list[bytes])
            assert_type(queue.pop().result(timeout=1), list[bytes])
            assert_type(queue.pop().get(), ResponseVariant)
            assert_type(queue.pop().exception(), BaseException | None)
            assert_type(queue.consume(), AsyncConsumer)
            assert_type(await asyncio.wait_for(queue.pop(), 1), list[bytes])
            first, second = await asyncio.gather(queue.pop(), queue.len)
            assert_type(first, list[bytes])
            assert_type(second, int)
            await queue.push([b"a"])
            async for item in queue.consume():
                assert_type(item, bytes)
                break

    asyncio.run(main())


def test_what_is_awaited_of_an_mpmc_queue_has_its_type(path: Path) -> None:
    async def main() -> None:
        async with MpmcQueue(path, 0) as queue:
            assert_type(queue.add([b"a"]), MpmcResponse[None])
            following = await queue.next("x", StartPosition.Oldest)
            assert_type(following, tuple[list[bytes], bool])
            assert_type(await queue.labels, list[str])
            assert_type(await queue.remove_label("x"), bool)

    asyncio.run(main())


def test_responses_can_be_named_in_annotations_at_run_time(path: Path) -> None:
    def first(response: Response[list[bytes]]) -> bytes:
        return response.result()[0]

    with PersistentQueueWithCapacity(path) as queue:
        queue.push([b"a"])
        assert first(queue.pop()) == b"a"
    assert first.__annotations__["response"].__origin__ is Response
    assert MpmcResponse[int].__args__ == (int,)  # type: ignore[attr-defined]
