"""What one way of using a queue costs beside another.

Rounds of both are measured by turns, and the shortest of each counts: whatever else the machine
does makes a round longer, and nothing makes it shorter than it is.
"""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rocksq import StartPosition
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import figure, measured

pytestmark = measured

ENOUGH = 0.7
CALLS = 300
ROUNDS = 20
MORE_ROUNDS = 200
LABELS = [f"label {number}" for number in range(10)]


def timed(call: Callable[[], object], times: int = CALLS) -> float:
    """Seconds that so many calls take. Few, so that some rounds are not interrupted."""
    begin = time.perf_counter()
    for _ in range(times):
        call()
    return time.perf_counter() - begin


def rate(usual: Callable[[], float], other: Callable[[], float]) -> float:
    """The rate of `other` in parts of the usual one; more rounds when it seems too low."""
    shortest = [float("inf")] * 2
    for number in range(MORE_ROUNDS):
        shortest = [min(shortest[0], usual()), min(shortest[1], other())]
        if number >= ROUNDS and shortest[0] / shortest[1] >= ENOUGH:
            break
    return shortest[0] / shortest[1]


@pytest.mark.parametrize("size", [100, 1024])
@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("backlog", [False, True])
def test_read_and_commit_are_nearly_as_quick_as_pop(
    queue: Queue, size: int, count: int, *, backlog: bool
) -> None:
    items = [bytes(size)] * count
    if backlog:
        for _ in range((4 << 20) // (size * count)):
            queue.push(items)

    def push() -> None:
        for _ in range(CALLS):
            queue.push(items)

    def pop() -> None:
        assert len(queue.pop(count)) == count

    def read_and_commit() -> None:
        batch = queue.read(count)
        assert len(batch.items) == count
        queue.commit(batch)

    def round_of(call: Callable[[], None]) -> float:
        push()
        return timed(call)

    found = rate(lambda: round_of(pop), lambda: round_of(read_and_commit))
    what = f"read and commit beside pop, {count} x {size} B, {backlog=}"
    figure(what, found, at_least=ENOUGH)


@pytest.mark.parametrize("size", [100, 1024])
@pytest.mark.parametrize("backlog", [False, True])
def test_ten_labels_cost_little_more_than_ten_times_one(
    tmp_path: Path, size: int, *, backlog: bool
) -> None:
    items = [bytes(size)]
    one, ten = MpmcQueue(tmp_path / "one", 3600), MpmcQueue(tmp_path / "ten", 3600)
    if backlog:
        for _ in range((4 << 20) // size):
            one.add(items)
            ten.add(items)

    def read(queue: MpmcQueue, labels: list[str]) -> float:
        times = CALLS // len(labels)
        for _ in range(times):
            queue.add(items)

        def each() -> None:
            for label in labels:
                assert queue.next(label, StartPosition.Oldest) == (items, False)

        return timed(each, times)

    found = rate(lambda: read(one, LABELS[:1]), lambda: read(ten, LABELS))
    figure(f"ten labels beside one, {size} B, {backlog=}", found, at_least=ENOUGH)
    one.close()
    ten.close()
