"""Exceptions sort failures by what the caller does next."""

import copy
import pickle
import queue as standard
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rocksq
from rocksq import StartPosition, blocking, exceptions, nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue

CLASSES = [getattr(exceptions, name) for name in exceptions.__all__]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_an_error_of_ours_and_a_runtime_error(kind: type[rocksq.Error]) -> None:
    assert issubclass(kind, rocksq.Error)
    assert issubclass(kind, RuntimeError)
    assert getattr(rocksq, kind.__name__) is kind


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("path", [None, "/some/where"])
def test_errors_can_be_pickled_and_copied(kind: type[rocksq.Error], path: str | None) -> None:
    error = kind("what went wrong", path)
    error.add_note("a note")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(again), str(again), again.path) == (kind, "what went wrong", path)
        assert again.__notes__ == error.__notes__
        assert again.args == error.args


def test_full_is_also_full_of_the_standard_library(path: Path) -> None:
    with pytest.raises(standard.Full):
        Queue(path, 1).push([b"a", b"b"])


def test_full_has_its_old_text_and_the_advice_in_a_note(path: Path) -> None:
    with pytest.raises(rocksq.Full) as caught:
        Queue(path, 1).push([b"a", b"b"])
    assert str(caught.value) == "Failed to push item: Queue is full"
    assert caught.value.path == str(path)
    assert "max_elements" in caught.value.__notes__[0]


def test_the_other_kind_of_queue_is_told_apart_and_left_alone(path: Path) -> None:
    with Queue(path) as queue:
        queue.push([b"a"])
    with pytest.raises(rocksq.WrongKind) as caught:
        MpmcQueue(path, 0)
    assert caught.value.path == str(path)
    with pytest.raises(rocksq.WrongKind):
        rocksq.remove_mpmc_queue(path)
    assert Queue(path).pop() == [b"a"]


def test_files_of_others_are_left_alone(path: Path) -> None:
    path.mkdir()
    (path / "precious").write_text("data")
    with Queue(path) as queue:
        queue.push([b"a"])
    rocksq.remove_queue(path)
    rocksq.remove_queue(path)
    assert [file.name for file in path.iterdir()] == ["precious"]


def test_missing_parent_directories_are_made(tmp_path: Path) -> None:
    with Queue(tmp_path / "missing" / "too" / "queue") as queue:
        queue.push([b"a"])
    assert (tmp_path / "missing" / "too" / "queue").is_dir()


def test_a_parent_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    parent = tmp_path / "missing" / ("x" * 300)
    with pytest.raises(rocksq.PathError) as caught:
        Queue(parent / "queue")
    assert f"cannot make the directory {parent}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_directory_is_a_path_error(path: Path) -> None:
    path.write_text("data")
    with pytest.raises(rocksq.PathError) as caught:
        Queue(path)
    assert str(path) in str(caught.value)
    assert path.read_text() == "data"


def test_an_open_queue_cannot_be_removed(path: Path, queue: Queue) -> None:
    with pytest.raises(rocksq.Busy):
        rocksq.remove_queue(path)
    queue.push([b"a"])
    assert queue.pop() == [b"a"]


def test_invalid_arguments_are_value_errors(queue: Queue, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="another queue"):
        Queue(tmp_path / "other").commit(queue.read())


def test_the_text_of_an_error_says_where(path: Path, queue: Queue) -> None:
    assert queue.is_empty
    with pytest.raises(rocksq.Busy, match=str(path)):
        blocking.PersistentQueueWithCapacity(path, 10)


FACES: list[Callable[[Path], Any]] = [
    Queue,
    nonblocking.PersistentQueueWithCapacity,
    lambda path: MpmcQueue(path, 0),
    lambda path: nonblocking.MpmcQueue(path, 0),
]


def asked(call: Callable[[], Any]) -> None:
    outcome = call()
    if hasattr(outcome, "get"):
        outcome.get()


@pytest.mark.parametrize("face", FACES)
def test_an_error_of_a_closed_queue_names_it(path: Path, face: Callable[[Path], Any]) -> None:
    queue = face(path)
    queue.close()
    calls: list[Callable[[], Any]] = [queue.flush, queue.stats]
    if hasattr(queue, "push"):
        calls += [lambda: queue.push([b"a"]), queue.pop, queue.read, lambda: queue.pop(timeout=9)]
    else:
        calls += [
            lambda: queue.add([b"a"]),
            lambda: queue.next("x", StartPosition.Oldest),
            lambda: queue.next("x", StartPosition.Oldest, timeout=9),
        ]
    for call in calls:
        with pytest.raises(rocksq.Closed, match="is closed: open it again") as caught:
            asked(call)
        assert str(caught.value).startswith(f"The queue at {path} is closed")
        assert caught.value.path == str(path)


def test_a_wait_that_a_close_ends_names_the_queue(path: Path) -> None:
    queue = nonblocking.PersistentQueueWithCapacity(path)
    waiting = queue.pop(timeout=None)
    queue.close()
    with pytest.raises(rocksq.Closed, match=f"^The queue at {re.escape(str(path))} is closed"):
        waiting.get()
