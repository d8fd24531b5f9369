"""The memory that the queues of a process share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import rocksq
from rocksq.blocking import PersistentQueueWithCapacity

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    budget = rocksq.memory_budget()
    yield
    rocksq.set_memory_budget(budget)


def test_the_default_is_128_mebibytes() -> None:
    assert rocksq.memory_budget() == 128 * MIB


def test_a_budget_that_is_too_small_is_refused_with_the_smallest_one() -> None:
    with pytest.raises(rocksq.InvalidArgument, match="at least 16777216 bytes"):
        rocksq.set_memory_budget(16 * MIB - 1)
    assert rocksq.memory_budget() == 128 * MIB


@pytest.mark.parametrize("size", [-1, 1 << 64])
def test_a_size_that_is_none_is_refused(size: int) -> None:
    with pytest.raises(OverflowError):
        rocksq.set_memory_budget(size)


def test_the_budget_can_be_changed_while_a_queue_is_in_use(tmp_path: Path) -> None:
    item = b"x" * MIB
    with PersistentQueueWithCapacity(str(tmp_path / "queue")) as queue:
        for budget in (16 * MIB, 2**64 - 1, 128 * MIB):
            rocksq.set_memory_budget(budget)
            assert rocksq.memory_budget() == budget
            for _ in range(24):
                queue.push([item])
        assert queue.pop(100) == [item] * 72
