"""A response is a coroutine: tasks are made of it, and cancelling one loses nothing."""

import asyncio
import collections.abc
import gc
import random
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from rocksq import Closed, Full, StartPosition
from rocksq.nonblocking import MpmcQueue, Response
from rocksq.nonblocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE, run, succeeded

Main = Coroutine[Any, Any, None]
Run = Callable[[Main], None]


def run_on_uvloop(main: Main) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


on_each_loop = pytest.mark.parametrize("run_loop", [asyncio.run, run_on_uvloop])


def test_a_response_is_a_coroutine(later: Queue, tmp_path: Path) -> None:
    assert isinstance(later.len, collections.abc.Coroutine)
    assert asyncio.iscoroutine(later.len)
    with MpmcQueue(tmp_path / "labels", 0) as labels:
        assert asyncio.iscoroutine(labels.labels)


@on_each_loop
def test_a_task_is_made_of_a_response(later: Queue, run_loop: Run) -> None:
    async def main() -> None:
        popped = asyncio.create_task(later.pop(timeout=PATIENCE))
        await asyncio.create_task(later.push([b"a"]))
        assert await popped == [b"a"]

    run_loop(main())


@on_each_loop
def test_a_task_group_makes_tasks_of_responses(later: Queue, run_loop: Run) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(later.pop(timeout=PATIENCE)) for _ in range(3)]
            group.create_task(later.push([b"a", b"b", b"c"]))
        assert sorted(item for task in tasks for item in task.result()) == [b"a", b"b", b"c"]

    run_loop(main())


def test_tasks_of_responses_of_labels_wait_too(later_mpmc: MpmcQueue) -> None:
    async def main() -> None:
        read = later_mpmc.next("label", StartPosition.Oldest, timeout=PATIENCE)
        task = asyncio.create_task(read)
        await later_mpmc.add([b"a"])
        assert await task == ([b"a"], False)

    asyncio.run(main())


def test_a_failed_task_of_a_response_raises_what_the_operation_did(path: Path) -> None:
    async def main() -> None:
        async with Queue(path, max_elements=1) as queue:
            with pytest.raises(Full):
                await asyncio.create_task(queue.push([b"a", b"b"]))

    asyncio.run(main())


def test_asyncio_waits_for_the_first_of_several_tasks(later: Queue) -> None:
    async def main() -> None:
        never = asyncio.create_task(later.pop(timeout=None))
        pushed = asyncio.create_task(later.wait_below(elements=1))
        done, pending = await asyncio.wait([never, pushed], return_when=asyncio.FIRST_COMPLETED)
        assert (done, pending) == ({pushed}, {never})
        never.cancel()

    asyncio.run(main())


def test_responses_are_gathered_shielded_and_waited_for(later: Queue) -> None:
    async def main() -> None:
        await asyncio.gather(later.push([b"a"]), later.push([b"b"]))
        assert await asyncio.shield(later.pop()) == [b"a"]
        assert await asyncio.wait_for(later.pop(), PATIENCE) == [b"b"]

    asyncio.run(main())


def test_a_response_of_a_thread_is_run_by_its_loop(later: Queue) -> None:
    async def main() -> list[bytes]:
        loop = asyncio.get_running_loop()

        def ask() -> list[bytes]:
            return asyncio.run_coroutine_threadsafe(later.pop(), loop).result(PATIENCE)

        return await asyncio.to_thread(ask)

    later.push([b"a"])
    assert asyncio.run(main()) == [b"a"]


def test_asyncio_runs_a_response_by_itself(later: Queue) -> None:
    later.push([b"a"])
    assert asyncio.run(later.pop(timeout=PATIENCE)) == [b"a"]


def test_several_tasks_wait_for_one_response(later: Queue) -> None:
    async def main() -> None:
        response = later.pop(timeout=PATIENCE)
        tasks = [asyncio.create_task(response) for _ in range(3)]
        await asyncio.sleep(0)
        await later.push([b"a"])
        assert await asyncio.gather(*tasks) == [[b"a"]] * 3
        assert await response == [b"a"]

    asyncio.run(main())


def test_one_cancelled_task_leaves_the_response_to_the_others(later: Queue) -> None:
    async def main() -> None:
        response = later.pop(timeout=PATIENCE)
        first, second = (asyncio.create_task(response) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        await later.push([b"a"])
        assert await second == [b"a"]

    asyncio.run(main())


def test_a_task_that_is_cancelled_while_it_waits_has_taken_nothing(later: Queue) -> None:
    async def main() -> None:
        task = asyncio.create_task(later.pop(timeout=None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await later.push([b"a"])
        assert await later.pop() == [b"a"]

    asyncio.run(main())


def test_a_task_that_is_cancelled_before_its_first_step_has_taken_nothing(later: Queue) -> None:
    later.push([b"a", b"b"])

    async def main() -> None:
        response = later.pop()
        assert response.exception(PATIENCE) is None
        task = asyncio.create_task(response)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert response.cancelled()
        assert await later.pop(9) == [b"a", b"b"]

    asyncio.run(main())


@on_each_loop
def test_tasks_that_are_cancelled_at_random_lose_nothing(later: Queue, run_loop: Run) -> None:
    rng, total = random.Random(16), 500
    taken: list[bytes] = []

    async def consume() -> None:
        while len(taken) < total:
            task = asyncio.create_task(later.pop(timeout=0.05))
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)
            if rng.random() < 0.5:
                task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                taken.extend(task.result())

    async def produce() -> None:
        for number in range(total):
            await asyncio.create_task(later.push([b"%d" % number]))

    async def main() -> None:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            group.create_task(produce())
            for _ in range(8):
                group.create_task(consume())

    run_loop(main())
    assert sorted(taken, key=int) == [b"%d" % number for number in range(total)]


def test_closing_the_queue_ends_a_task_that_waits(later: Queue) -> None:
    async def main() -> None:
        task = asyncio.create_task(later.pop(timeout=None))
        await asyncio.sleep(0)
        await asyncio.to_thread(later.close)
        with pytest.raises(Closed):
            await task

    asyncio.run(main())


def test_a_response_that_was_closed_gives_its_items_back(later: Queue) -> None:
    later.push([b"a"])
    response = later.pop()
    response.close()
    assert response.cancelled()
    assert later.pop().result() == [b"a"]


def test_a_response_that_was_never_awaited_warns_of_nothing(later: Queue) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        later.push([b"a"])
        later.pop().close()
        gc.collect()


def test_a_task_that_its_loop_left_behind_has_taken_nothing(later: Queue) -> None:
    loop = asyncio.new_event_loop()
    task = loop.create_task(later.pop(timeout=None))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    del task, loop
    gc.collect()
    later.push([b"a"])
    assert later.pop().result() == [b"a"]


def test_a_task_names_its_response(later: Queue) -> None:
    async def main() -> None:
        task = asyncio.create_task(later.pop(timeout=None))
        assert "Response" in repr(task)
        task.cancel()

    asyncio.run(main(), debug=True)


def test_a_coroutine_can_be_stepped_by_hand(later: Queue) -> None:
    later.push([b"a"])
    response = later.pop()
    assert response.exception(PATIENCE) is None
    with pytest.raises(StopIteration) as ended:
        response.send(None)
    assert ended.value.value == [b"a"]
    with pytest.raises(KeyError):
        response.throw(KeyError("thrown"))


def test_trio_asyncio_runs_a_response(path: Path) -> None:
    """Importing it changes asyncio for the whole process."""
    program = """
import sys
import trio, trio_asyncio
from rocksq.nonblocking import PersistentQueueWithCapacity

async def main():
    async with trio_asyncio.open_loop():
        with PersistentQueueWithCapacity(sys.argv[1]) as queue:
            await trio_asyncio.aio_as_trio(queue.push)([b"a"])
            return await trio_asyncio.aio_as_trio(queue.pop)(timeout=30)

print(trio.run(main))
"""
    assert succeeded(run(program, path)) == "[b'a']\n"


@pytest.mark.parametrize("ask", [bool, lambda response: not response], ids=["if", "not"])
def test_the_truth_of_a_response_is_refused(
    later: Queue, ask: Callable[[Response[bool]], bool]
) -> None:
    with pytest.raises(TypeError, match=r"`await` it, or ask it for \.result\(\)"):
        ask(later.is_empty)
