"""Event loops that cannot watch a descriptor, as the default one of Windows, are woken too."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from rocksq.nonblocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE


class WithoutReaders(asyncio.SelectorEventLoop):
    """As asyncio's ProactorEventLoop, which has these two from its abstract class."""

    def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        raise NotImplementedError

    def remove_reader(self, fd: Any) -> bool:
        raise NotImplementedError


class WithoutTheMethods(asyncio.SelectorEventLoop):
    def __getattribute__(self, name: str) -> Any:
        if name in {"add_reader", "remove_reader"}:
            raise AttributeError(name)
        return super().__getattribute__(name)


Run = Callable[[Coroutine[Any, Any, Any]], Any]
LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [WithoutReaders, WithoutTheMethods]


@pytest.fixture(params=LOOPS, ids=["raises", "has none"])
def runner(request: pytest.FixtureRequest) -> Run:
    def run(main: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(main, PATIENCE))

    return run


def test_a_pop_that_waits_is_woken_by_a_push(later: Queue, runner: Run) -> None:
    async def main() -> list[bytes]:
        async def pop() -> list[bytes]:
            return await later.pop(timeout=None)

        waiting = asyncio.ensure_future(pop())
        await asyncio.sleep(0)
        await later.push([b"a"])
        return await waiting

    assert runner(main()) == [b"a"]


def test_each_of_many_coroutines_is_woken(later: Queue, runner: Run) -> None:
    async def main() -> list[bytes]:
        async def pop() -> bytes:
            (item,) = await later.pop(timeout=None)
            return item

        waiting = [asyncio.ensure_future(pop()) for _ in range(100)]
        await asyncio.sleep(0)
        for n in range(100):
            await later.push([b"%02d" % n])
        return await asyncio.gather(*waiting)

    assert sorted(runner(main())) == [b"%02d" % n for n in range(100)]


def test_a_large_answer_comes(later: Queue, runner: Run) -> None:
    item = bytes(8 << 20)

    async def main() -> list[bytes]:
        await later.push([item])
        return await later.pop(timeout=None)

    assert runner(main()) == [item]


def test_a_wait_that_is_cancelled_has_taken_nothing(later: Queue, runner: Run) -> None:
    async def main() -> list[bytes]:
        async def pop() -> list[bytes]:
            return await later.pop(timeout=None)

        waiting = asyncio.ensure_future(pop())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await later.push([b"a"])
        return await later.pop()

    assert runner(main()) == [b"a"]


@pytest.mark.parametrize("loop_class", LOOPS)
def test_a_loop_that_is_closed_while_it_waits_is_not_called(
    later: Queue, loop_class: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def pop() -> list[bytes]:
        return await later.pop(timeout=None)

    event_loop = loop_class()
    waiting = event_loop.create_task(pop())
    event_loop.call_soon(event_loop.stop)
    event_loop.run_forever()
    waiting.cancel()
    event_loop.call_soon(event_loop.stop)
    event_loop.run_forever()
    event_loop.close()
    later.push([b"a"]).result()
    assert later.pop().result() == [b"a"]


def test_the_bell_of_a_loop_keeps_it_no_longer_than_its_owner_does(later: Queue) -> None:
    event_loop = WithoutReaders()

    async def push() -> None:
        await later.push([b"a"])

    event_loop.run_until_complete(push())
    event_loop.close()
    gone = weakref.ref(event_loop)
    del event_loop
    gc.collect()
    assert gone() is None
