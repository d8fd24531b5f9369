"""How durable a call is can be chosen for a queue and for each call."""

import copy
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rocksq
from rocksq import Durability, StartPosition, blocking, nonblocking

if TYPE_CHECKING:
    from collections.abc import Callable

Oldest = StartPosition.Oldest
LEVELS = list(Durability)


def test_levels_are_ordered_values_like_any_other() -> None:
    assert [int(level) for level in LEVELS] == [0, 1, 2]
    assert [repr(level) for level in LEVELS] == [
        "Durability.Buffered",
        "Durability.Written",
        "Durability.Synced",
    ]
    assert all(pickle.loads(pickle.dumps(level)) is level for level in LEVELS)
    assert all(copy.deepcopy(level) is level for level in LEVELS)
    assert Durability.__module__ == rocksq.__name__


def test_a_queue_is_written_unless_it_says_otherwise(tmp_path: Path) -> None:
    with blocking.PersistentQueueWithCapacity(str(tmp_path / "fifo")) as fifo:
        assert fifo.durability is Durability.Written
        assert fifo.nonblocking().durability is Durability.Written
    with blocking.MpmcQueue(str(tmp_path / "mpmc"), 0) as mpmc:
        assert mpmc.durability is Durability.Written


@pytest.mark.parametrize("level", LEVELS)
def test_every_class_takes_a_level(tmp_path: Path, level: Durability) -> None:
    with blocking.PersistentQueueWithCapacity(str(tmp_path / "1"), durability=level) as fifo:
        assert fifo.durability is level
    with nonblocking.PersistentQueueWithCapacity(str(tmp_path / "2"), durability=level) as fast:
        assert fast.durability is level
        assert fast.blocking().durability is level
    with blocking.MpmcQueue(str(tmp_path / "3"), 0, durability=level) as mpmc:
        assert mpmc.durability is level
    with nonblocking.MpmcQueue(str(tmp_path / "4"), 0, durability=level) as quick:
        assert quick.durability is level


@pytest.mark.parametrize("level", [*LEVELS, None])
def test_every_call_takes_a_level(tmp_path: Path, level: Durability | None) -> None:
    with blocking.PersistentQueueWithCapacity(str(tmp_path / "fifo")) as fifo:
        fifo.push([b"a", b"b", b"c", b"d"], durability=level)
        assert fifo.pop(durability=level) == [b"a"]
        fifo.commit(fifo.read(), durability=level)
        fast = fifo.nonblocking()
        assert fast.pop(durability=level).get().data == [b"c"]
        fast.push([b"e"], durability=level).get()
        assert fifo.pop(9) == [b"d", b"e"]
    with blocking.MpmcQueue(str(tmp_path / "mpmc"), 0) as mpmc:
        mpmc.add([b"a", b"b", b"c"], durability=level)
        assert mpmc.next("x", Oldest, durability=level) == ([b"a"], False)
        mpmc.commit(mpmc.read("x", Oldest), durability=level)
        quick = mpmc.nonblocking()
        quick.add([b"d"], durability=level).get()
        assert quick.next("x", Oldest, 9, durability=level).get().data == ([b"c", b"d"], False)


def test_a_call_writes_when_its_level_says_so(tmp_path: Path) -> None:
    fifo = blocking.PersistentQueueWithCapacity(str(tmp_path / "fifo"))
    mpmc = blocking.MpmcQueue(str(tmp_path / "mpmc"), 0)
    fast, quick = fifo.nonblocking(), mpmc.nonblocking()

    def commit(level: Durability) -> None:
        fifo.commit(fifo.read(), durability=level)
        mpmc.commit(mpmc.read("x", Oldest), durability=level)

    calls: dict[str, Callable[[Durability], object]] = {
        "push": lambda level: fifo.push([b"item"] * 9, durability=level),
        "pop": lambda level: fifo.pop(durability=level),
        "add": lambda level: mpmc.add([b"item"] * 9, durability=level),
        "next": lambda level: mpmc.next("x", Oldest, durability=level),
        "commit": commit,
        "nonblocking push": lambda level: fast.push([b"item"], durability=level).result(),
        "nonblocking pop": lambda level: fast.pop(durability=level).result(),
        "nonblocking add": lambda level: quick.add([b"item"], durability=level).result(),
        "nonblocking next": lambda level: quick.next("x", Oldest, durability=level).result(),
    }
    with fifo, mpmc:
        for name, call in calls.items():
            before = (fifo.stats().log_bytes, mpmc.stats().log_bytes)
            call(Durability.Buffered)
            assert before == (fifo.stats().log_bytes, mpmc.stats().log_bytes), name
            call(Durability.Written)
            assert before != (fifo.stats().log_bytes, mpmc.stats().log_bytes), name


@pytest.mark.parametrize("wrong", [0, 1, True, "Synced", b"", StartPosition.Oldest])
def test_anything_else_is_refused_with_the_names_of_the_levels(
    tmp_path: Path, wrong: object
) -> None:
    with blocking.PersistentQueueWithCapacity(str(tmp_path / "fifo")) as fifo:
        with pytest.raises(TypeError, match=r"Durability\.Buffered, \.Written or \.Synced"):
            fifo.push([b"a"], durability=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="Durability"):
            fifo.nonblocking().pop(durability=wrong)  # type: ignore[arg-type]
        assert fifo.len == 0
    with pytest.raises(TypeError, match="Durability"):
        blocking.MpmcQueue(str(tmp_path / "mpmc"), 0, durability=wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "mpmc").exists()


def test_both_faces_flush(tmp_path: Path) -> None:
    buffered = Durability.Buffered
    with blocking.PersistentQueueWithCapacity(str(tmp_path / "1"), durability=buffered) as fifo:
        fifo.push([b"a"])
        fifo.flush()
        assert fifo.nonblocking().flush().get().data is None
    with blocking.MpmcQueue(str(tmp_path / "2"), 0, durability=buffered) as mpmc:
        mpmc.add([b"a"])
        mpmc.flush()
        assert mpmc.nonblocking().flush().get().data is None
