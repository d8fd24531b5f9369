"""Queues are opened, closed, and opened again."""

import copy
import gc
import os
import pickle
import weakref
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import rocksq
from rocksq import Busy, Closed, StartPosition, blocking, nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import Caller, start

Oldest = StartPosition.Oldest


def test_with_closes_the_queue(path: Path) -> None:
    with Queue(path) as queue:
        assert not queue.closed
    assert queue.closed


def test_with_does_not_swallow_exceptions(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Queue(path):
        raise ZeroDivisionError


def test_closing_twice_does_nothing(queue: Queue) -> None:
    queue.close()
    queue.close()


def test_a_closed_queue_cannot_be_entered(queue: Queue) -> None:
    queue.close()
    with pytest.raises(Closed), queue:
        pass


@pytest.mark.parametrize(
    "call",
    [
        lambda queue: queue.push([b"a"]),
        lambda queue: queue.push([]),
        lambda queue: queue.pop(),
        lambda queue: queue.pop(timeout=None),
        lambda queue: queue.read(),
        lambda queue: queue.peek(),
        lambda queue: queue.flush(),
        lambda queue: queue.len,
        lambda queue: queue.is_empty,
        lambda queue: queue.payload_size,
        lambda queue: queue.disk_size,
        len,
        bool,
        list,
    ],
)
def test_a_closed_queue_raises_closed(queue: Queue, call: Callable[[Queue], object]) -> None:
    queue.close()
    with pytest.raises(Closed) as caught:
        call(queue)
    assert caught.value.path == queue.path


@pytest.mark.parametrize(
    "call",
    [
        lambda queue: queue.add([b"a"]),
        lambda queue: queue.next("label", Oldest),
        lambda queue: queue.read("label", Oldest),
        lambda queue: queue.peek("label", Oldest),
        lambda queue: queue.labels,
        lambda queue: queue.remove_label("label"),
        lambda queue: queue.flush(),
        lambda queue: queue.len,
        lambda queue: queue.is_empty,
        lambda queue: queue.payload_size,
        lambda queue: queue.disk_size,
        len,
        bool,
        list,
    ],
)
def test_a_closed_mpmc_queue_raises_closed(
    mpmc: MpmcQueue, call: Callable[[MpmcQueue], object]
) -> None:
    mpmc.close()
    with pytest.raises(Closed):
        call(mpmc)


def test_a_closed_queue_can_be_opened_again_at_once(path: Path) -> None:
    for number in range(5):
        queue = Queue(path)
        queue.push([str(number).encode()])
        queue.close()
    assert Queue(path).len == 5


def test_a_queue_that_is_forgotten_is_closed(path: Path) -> None:
    queue = Queue(path)
    queue.push([b"a"])
    del queue
    gc.collect()
    assert Queue(path).len == 1


def test_a_queue_that_is_open_otherwise_cannot_be_opened(path: Path, queue: Queue) -> None:
    with pytest.raises(Busy) as caught:
        Queue(path, 10)
    assert caught.value.path == str(path)
    assert queue.is_empty


def test_a_queue_that_is_open_otherwise_can_be_waited_for(path: Path, queue: Queue) -> None:
    opened = Caller(lambda: Queue(path, 10, open_timeout=None)).until_asleep()
    queue.close()
    assert opened.outcome().is_empty


def test_waiting_for_an_open_queue_ends_in_time(path: Path, queue: Queue) -> None:
    with pytest.raises(Busy):
        Queue(path, 10, open_timeout=0.1)
    assert queue.is_empty


def open_queue(module: Any, path: Path) -> Queue:
    queue = module.PersistentQueueWithCapacity(path, open_timeout=None)
    blocking: Queue = queue if isinstance(queue, Queue) else queue.blocking()
    return blocking


@pytest.mark.parametrize("module", [blocking, nonblocking])
def test_another_process_can_be_waited_for(path: Path, module: Any) -> None:
    program = """
import sys
from rocksq.blocking import PersistentQueueWithCapacity

with PersistentQueueWithCapacity(sys.argv[1]) as queue:
    print("ready")
    queue.push([sys.stdin.readline().encode()])
"""
    with start(program, path) as other:
        with pytest.raises(Busy, match=str(other.id)):
            module.PersistentQueueWithCapacity(path)
        opened = Caller(lambda: open_queue(module, path)).until_asleep()
        other.tell("written by the other")
        queue = opened.outcome()
        assert queue.pop() == [b"written by the other\n"]
        queue.close()


def test_the_faces_of_a_queue_share_its_items(queue: Queue) -> None:
    queue.nonblocking().push([b"a"]).get()
    assert queue.nonblocking().blocking().pop() == [b"a"]


def test_a_face_keeps_the_queue_open(path: Path) -> None:
    face = Queue(path).nonblocking()
    gc.collect()
    face.push([b"a"]).get()
    assert face.blocking().len == 1


def test_closing_one_face_closes_the_queue(path: Path) -> None:
    queue = nonblocking.MpmcQueue(path, 0)
    queue.blocking().close()
    assert queue.closed
    with pytest.raises(Closed):
        queue.add([b"a"]).get()


def test_a_path_is_text_or_a_path(path: Path) -> None:
    for form in (path, str(path), os.fsencode(path).decode()):
        with Queue(form) as queue:
            assert queue.path == str(path)


def test_a_path_need_not_be_unicode(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    with Queue(path) as queue:
        queue.push([b"a"])
        assert queue.path == path
        assert repr(queue)


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    queue = Queue("relative")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    queue.push([bytes(3 << 20)] * 10)
    queue.flush()
    queue.close()
    assert Queue(tmp_path / "relative").len == 10
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_version_is_that_of_the_package() -> None:

    assert rocksq.version() == version("rocksq")


def test_importing_the_package_brings_its_modules() -> None:
    assert rocksq.blocking is blocking
    assert rocksq.nonblocking is nonblocking
    for module in (blocking, nonblocking):
        for name in module.__all__:
            assert getattr(module, name).__module__.startswith("rocksq.")


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_queue_that_is_pickled_or_copied_asks_for_its_path(
    tmp_path: Path, copied: Callable[[object], object]
) -> None:
    path = tmp_path / "queue"
    with Queue(path) as queue, blocking.MpmcQueue(tmp_path / "labels", 0) as labels:
        for face in (queue, queue.nonblocking(), labels, labels.nonblocking()):
            with pytest.raises(TypeError, match=f"send its path, .{face.path}"):
                copied(face)


def test_a_queue_can_be_held_weakly(tmp_path: Path) -> None:
    queue, labels = Queue(tmp_path / "queue"), blocking.MpmcQueue(tmp_path / "labels", 0)
    faces: list[object] = [queue, queue.nonblocking(), labels, labels.nonblocking()]
    held = [weakref.ref(face) for face in faces]
    assert [each() for each in held] == faces
    del queue, labels, faces
    gc.collect()
    assert [each() for each in held] == [None] * 4
    rocksq.remove_queue(tmp_path / "queue")
