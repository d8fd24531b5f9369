"""A directory that is removed, or moved, while its queue is open."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rocksq
from rocksq import nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE, needs_posix

MIB = 1 << 20

pytestmark = needs_posix

FACES: list[Callable[[Any], Any]] = [
    Queue,
    nonblocking.PersistentQueueWithCapacity,
    lambda path: MpmcQueue(path, 0),
    lambda path: nonblocking.MpmcQueue(path, 0),
]


def done(outcome: Any) -> Any:
    return outcome.get() if hasattr(outcome, "get") else outcome


def add(queue: Any, items: list[bytes]) -> None:
    done((queue.push if hasattr(queue, "push") else queue.add)(items))


def remove(path: Path) -> None:
    """Remove a directory in which a thread may be making files."""
    while path.exists():
        shutil.rmtree(path, ignore_errors=True)


@pytest.mark.parametrize("size", [1, 4 * MIB])
@pytest.mark.parametrize("face", FACES)
def test_a_queue_whose_directory_was_removed_says_so_when_it_is_flushed_and_closed(
    path: Path, face: Callable[[Any], Any], size: int
) -> None:
    queue = face(path)
    add(queue, [bytes(size)])
    remove(path)
    with pytest.raises(rocksq.PathError, match="directory was deleted while it was open") as caught:
        done(queue.flush())
    assert caught.value.path == str(path)
    with pytest.raises(rocksq.PathError, match="directory was deleted while it was open"):
        done(queue.close())
    assert queue.closed
    done(queue.close())
    assert not path.exists()
    with face(path) as queue:
        add(queue, [b"a"])


def test_a_directory_that_was_removed_and_made_again_is_not_the_same(path: Path) -> None:
    queue = Queue(path)
    queue.push([b"a"])
    shutil.rmtree(path)
    path.mkdir()
    with pytest.raises(rocksq.PathError, match="deleted"):
        queue.flush()
    with pytest.raises(rocksq.PathError, match="deleted"):
        queue.close()
    assert list(path.iterdir()) == []


def test_a_holder_file_that_was_deleted_is_named(path: Path) -> None:
    queue = Queue(path)
    queue.push([b"a"])
    (path / "HOLDER").unlink()
    with pytest.raises(rocksq.PathError, match="file HOLDER in its directory was deleted"):
        queue.flush()
    with pytest.raises(rocksq.PathError, match="HOLDER"), queue:
        pass
    assert Queue(path).pop() == [b"a"]


def test_a_queue_that_was_moved_keeps_what_it_acknowledges(path: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    with Queue(path) as queue:
        queue.push([b"before"])
        path.rename(moved)
        queue.push([b"behind"])
        queue.flush()
    assert not path.exists()
    assert Queue(moved).pop(9) == [b"before", b"behind"]


def push_until_refused(queue: Queue) -> tuple[int, rocksq.Error]:
    """Push until a file would have to be made; that push may or may not be there."""
    for number in range(100):
        try:
            queue.push([number.to_bytes(4, "little") * (MIB // 4)])
        except rocksq.OutcomeUnknown:
            pass
        except rocksq.Error as error:
            return number, error
    raise AssertionError("never refused")


def test_a_queue_that_was_moved_is_refused_new_files_and_goes_on_when_it_is_back(
    path: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    queue = Queue(path)
    path.rename(moved)
    pushed, error = push_until_refused(queue)
    assert isinstance(error, rocksq.PathError)
    assert "was moved while it was open; move it back" in str(error)
    assert not path.exists()
    moved.rename(path)
    queue.push([b"last"])
    items = queue.pop(100)
    queue.close()
    assert [int.from_bytes(item[:4], "little") for item in items[:-1]] == list(
        range(len(items) - 1)
    )
    assert pushed - 1 <= len(items) - 1 <= pushed
    assert items[-1] == b"last"


def push_for(queue: Queue, deadline: float) -> None:
    while time.monotonic() < deadline:
        queue.push([b"a"])


def test_nothing_is_written_to_what_takes_the_place_of_a_queue_that_was_moved(
    path: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    queue = Queue(path)
    queue.push([b"a"])
    path.rename(moved)
    path.mkdir()
    for number in range(6):
        queue.push([number.to_bytes(4, "little") * (MIB // 2)])
    # The housekeeping looks after 12 MiB, before RocksDB makes a file by itself.
    deadline = time.monotonic() + PATIENCE
    with pytest.raises(rocksq.PathError, match="was moved"):
        push_for(queue, deadline)
    with pytest.raises(rocksq.PathError, match="was moved"):
        queue.close()
    assert list(path.iterdir()) == []
    with Queue(moved) as queue:
        assert len(queue) >= 7


def test_closing_leaves_alone_what_took_the_place_of_a_queue_that_was_removed(
    path: Path, tmp_path: Path
) -> None:
    queue = Queue(path)
    queue.push([b"a"])
    with Queue(tmp_path / "other") as other:
        other.push([b"b"])
    shutil.rmtree(path)
    (tmp_path / "other").rename(path)
    with pytest.raises(rocksq.PathError, match="deleted"):
        queue.close()
    path.rename(tmp_path / "other")
    assert Queue(tmp_path / "other").pop() == [b"b"]
