"""Queues for the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rocksq import blocking, nonblocking


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def queue(path: Path) -> Iterator[blocking.PersistentQueueWithCapacity]:
    with blocking.PersistentQueueWithCapacity(path) as queue:
        yield queue


@pytest.fixture
def mpmc(path: Path) -> Iterator[blocking.MpmcQueue]:
    with blocking.MpmcQueue(path, 0) as queue:
        yield queue


@pytest.fixture
def later(path: Path) -> Iterator[nonblocking.PersistentQueueWithCapacity]:
    with nonblocking.PersistentQueueWithCapacity(path) as queue:
        yield queue


@pytest.fixture
def later_mpmc(path: Path) -> Iterator[nonblocking.MpmcQueue]:
    with nonblocking.MpmcQueue(path, 0) as queue:
        yield queue
