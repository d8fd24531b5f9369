"""A program that dies between reading and committing reads the same again."""

from pathlib import Path

import pytest

from rocksq import Conflict, InvalidArgument, StartPosition
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import needs_posix, run

Oldest = StartPosition.Oldest


def test_reading_takes_nothing(queue: Queue) -> None:
    queue.push([b"a", b"b", b"c"])
    assert queue.read(2).items == queue.read(2).items == [b"a", b"b"]
    assert queue.len == 3


def test_committing_takes_the_items_of_the_batch(queue: Queue) -> None:
    queue.push([b"a", b"b", b"c"])
    queue.commit(queue.read(2))
    assert queue.pop(9) == [b"c"]


def test_a_batch_tells_its_positions(queue: Queue) -> None:
    queue.push([b"a", b"b", b"c"])
    queue.pop()
    batch = queue.read(9)
    assert (batch.first, batch.next, len(batch), batch.expired) == (1, 3, 2, False)
    assert repr(batch) == "<rocksq.blocking.Batch first=1 next=3 items=2>"


def test_read_takes_one_item_unless_told_otherwise(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    assert queue.read().items == [b"a"]


def test_an_empty_batch_can_be_committed(queue: Queue) -> None:
    batch = queue.read(9)
    assert batch.items == []
    queue.commit(batch)


def test_a_batch_that_another_consumer_was_quicker_with_is_a_conflict(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    batch = queue.read()
    queue.pop()
    with pytest.raises(Conflict):
        queue.commit(batch)
    assert queue.pop(9) == [b"b"]


def test_a_batch_is_committed_once(queue: Queue) -> None:
    queue.push([b"a", b"b"])
    batch = queue.read()
    queue.commit(batch)
    with pytest.raises(Conflict):
        queue.commit(batch)


def test_a_batch_of_another_queue_is_refused(queue: Queue, tmp_path: Path) -> None:
    other = Queue(tmp_path / "other")
    with pytest.raises(InvalidArgument):
        other.commit(queue.read())


def test_something_else_than_a_batch_is_refused(queue: Queue) -> None:
    with pytest.raises(TypeError):
        queue.commit([b"a"])  # type: ignore[arg-type]


def test_what_was_read_and_not_committed_is_read_again_after_reopening(path: Path) -> None:
    with Queue(path) as queue:
        queue.push([b"a", b"b"])
        queue.commit(queue.read())
        queue.read()
    with Queue(path) as queue:
        assert queue.read(9).items == [b"b"]


def test_a_label_stays_until_the_batch_is_committed(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b", b"c"])
    batch = mpmc.read("label", Oldest, 2)
    assert mpmc.read("label", Oldest, 2).items == batch.items == [b"a", b"b"]
    mpmc.commit(batch)
    assert mpmc.next("label", Oldest, 9) == ([b"c"], False)


def test_a_label_moved_meanwhile_is_a_conflict(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    batch = mpmc.read("label", Oldest)
    mpmc.next("label", Oldest)
    with pytest.raises(Conflict):
        mpmc.commit(batch)


def test_labels_do_not_conflict_with_each_other(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a"])
    batch = mpmc.read("one", Oldest)
    mpmc.next("two", Oldest)
    mpmc.commit(batch)
    assert mpmc.labels == ["one", "two"]


@needs_posix
def test_a_program_that_is_killed_before_it_commits_loses_nothing(path: Path) -> None:
    program = """
import os, signal, sys
from rocksq.blocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity(sys.argv[1])
queue.push([b"a", b"b", b"c"])
queue.commit(queue.read())
queue.read(9)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run(program, path).returncode == -9
    assert Queue(path).pop(9) == [b"b", b"c"]
