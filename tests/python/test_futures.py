"""A response speaks `concurrent.futures.Future`."""

import asyncio
import gc
import sys
import threading
import time
import weakref
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from rocksq import Closed, Full, StartPosition
from rocksq.nonblocking import MpmcQueue, Response
from rocksq.nonblocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE, Caller, run, succeeded


def test_result_gives_the_plain_value(later: Queue, tmp_path: Path) -> None:
    later.push([b"a", b"b"]).result()
    assert later.pop().result(timeout=PATIENCE) == [b"a"]
    assert later.len.result() == 1
    with MpmcQueue(tmp_path / "mpmc", 0) as mpmc:
        mpmc.add([b"a"]).result()
        assert mpmc.next("x", StartPosition.Oldest).result() == ([b"a"], False)
        assert mpmc.labels.result() == ["x"]


def test_result_waits_no_longer_than_it_should_and_cancels_nothing(later: Queue) -> None:
    response = later.pop(timeout=None)
    with pytest.raises(TimeoutError):
        response.result(0.01)
    with pytest.raises(TimeoutError):
        response.exception(timeout=0)
    assert not response.done()
    assert not response.cancelled()
    later.push([b"a"])
    assert response.result(PATIENCE) == [b"a"]
    assert response.done()
    assert not response.cancel()


def test_exception_tells_what_the_operation_failed_with(path: Path) -> None:
    with Queue(path, 1) as queue:
        assert queue.push([b"a"]).exception() is None
        refused = queue.push([b"b"])
        assert isinstance(refused.exception(), Full)
        with pytest.raises(Full):
            refused.result()


def test_asking_for_the_exception_claims_nothing(later: Queue) -> None:
    later.push([b"a"])
    response = later.pop()
    assert response.exception() is None
    assert response.cancel()
    assert later.pop().result() == [b"a"]


def test_what_was_cancelled_says_so(later: Queue) -> None:
    response = later.pop(timeout=None)
    assert response.cancel()
    assert response.cancel()
    assert response.cancelled()
    assert response.done()
    assert response.is_ready
    assert repr(response) == "<rocksq.nonblocking.Response cancelled>"
    for ask in (response.result, response.exception, response.get, response.try_get):
        with pytest.raises(CancelledError):
            ask()


def test_what_has_begun_is_running_and_cannot_be_cancelled(later: Queue) -> None:
    seen = False
    end = time.monotonic() + PATIENCE
    while not seen and time.monotonic() < end:
        large = later.push([bytes(32 << 20)])
        while not large.done():
            if large.running():
                seen = not large.cancel() or seen
        large.result()
        later.pop(9).result()
    assert seen


def test_what_waits_for_its_turn_can_be_cancelled(later: Queue) -> None:
    cancelled = 0
    for _ in range(20):
        later.push([bytes(8 << 20)])
        behind = later.push([b"b"])
        cancelled += behind.cancel()
    assert cancelled > 0
    assert later.len.result() == 40 - cancelled


def test_callbacks_are_called_in_their_order_with_the_response(later: Queue) -> None:
    response = later.pop(timeout=None)
    called: list[tuple[int, object]] = []
    done = threading.Event()
    for number in range(3):
        response.add_done_callback(lambda given, number=number: called.append((number, given)))  # type: ignore[misc]
    response.add_done_callback(lambda _: done.set())
    later.push([b"a"])
    assert done.wait(PATIENCE)
    assert called == [(number, response) for number in range(3)]
    response.add_done_callback(lambda given: called.append((3, given)))
    assert called[-1] == (3, response)
    assert response.result() == [b"a"]


def test_a_callback_may_wait_for_the_same_queue(path: Path) -> None:
    results: list[object] = []
    done = threading.Event()

    def call_back(response: Response[list[bytes]]) -> None:
        queue.push([b"more"]).result()
        results.extend([response.result(), queue.len.result()])
        done.set()

    with Queue(path, max_inflight_ops=1) as queue:
        queue.pop(timeout=None).add_done_callback(call_back)
        queue.push([b"a"])
        assert done.wait(PATIENCE)
    assert results == [[b"a"], 1]


def test_a_callback_may_wait_for_a_loop_that_awaits_a_large_answer(path: Path) -> None:
    size = 1 << 20
    results: list[object] = []

    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        async def pop() -> int:
            return len((await queue.pop(timeout=None))[0])

        def call_back(_: object) -> None:
            results.append(asyncio.run_coroutine_threadsafe(pop(), loop).result(PATIENCE))
            loop.call_soon_threadsafe(done.set)

        async with Queue(path) as queue:
            queue.pop(timeout=None).add_done_callback(call_back)
            await queue.push([b"a"])
            await queue.push([bytes(size)])
            await asyncio.wait_for(done.wait(), PATIENCE)

    asyncio.run(main())
    assert results == [size]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_callback_that_raises_disturbs_no_other(
    later: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_type))
    done = threading.Event()

    def fail(_: object) -> None:
        raise KeyError

    response = later.pop(timeout=None)
    response.add_done_callback(fail)
    response.add_done_callback(lambda _: done.set())
    later.push([b"a"])
    assert done.wait(PATIENCE)
    response.add_done_callback(fail)
    assert reported == [KeyError, KeyError]


def test_closing_calls_back(path: Path) -> None:
    outcomes: list[BaseException | None] = []
    done = threading.Event()
    queue = Queue(path)
    response = queue.pop(timeout=None)
    response.add_done_callback(lambda given: outcomes.append(given.exception()))
    response.add_done_callback(lambda _: done.set())
    queue.close()
    assert done.wait(PATIENCE)
    assert isinstance(outcomes[0], Closed)


def test_the_interpreter_calls_back_before_it_exits(path: Path) -> None:
    program = """
import sys
from rocksq.nonblocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1])
for number in range(3):
    response = queue.pop(timeout=None)
    response.add_done_callback(lambda given, number=number: print(number, given.exception()))
"""
    lines = succeeded(run(program, path)).splitlines()
    assert lines == [
        f"{number} The queue at {path} is closed: open it again to use it" for number in range(3)
    ]


def test_threads_wait_for_one_response(later: Queue) -> None:
    response = later.pop(timeout=None)
    waiting = [Caller(response.result).until_asleep() for _ in range(4)]
    later.push([bytes(8 << 20)])
    assert [call.outcome() for call in waiting] == [[bytes(8 << 20)]] * 4


def test_a_response_can_be_referred_to_weakly_and_goes(later: Queue) -> None:
    response = later.pop(timeout=None)
    response.add_done_callback(lambda _: None)
    reference = weakref.ref(response)
    later.push([b"a"])
    response.result()
    asyncio.run(asyncio.to_thread(later.len.result))
    del response
    end = time.monotonic() + PATIENCE
    while reference() is not None and time.monotonic() < end:
        gc.collect()
    assert reference() is None


@pytest.mark.parametrize("wrong", [-1, "1", float("nan"), True])
def test_a_timeout_that_is_none_is_refused(later: Queue, wrong: object) -> None:
    response = later.pop(timeout=None)
    with pytest.raises((ValueError, TypeError)):
        response.result(wrong)  # type: ignore[arg-type]
    with pytest.raises((ValueError, TypeError)):
        later.pop(timeout=wrong)  # type: ignore[arg-type]
