"""What is open in a process: it is shared, listed, and can be closed by one who lost hold of it."""

import _thread
import asyncio
import gc
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import rocksq
from rocksq import Busy, Closed, OnFull, StartPosition, WrongKind, blocking, nonblocking
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE, Caller, needs_posix, run, succeeded


def own(path: Path) -> list[rocksq.OpenQueue]:
    return [each for each in rocksq.open_queues() if Path(each.path).is_relative_to(path)]


@pytest.mark.parametrize("module", [blocking, nonblocking])
def test_a_queue_that_is_opened_again_is_the_same_queue(path: Path, module: Any) -> None:
    queue = Queue(path)
    again = module.PersistentQueueWithCapacity(path)
    again.push([b"a"])
    again.close()
    assert queue.pop() == [b"a"]
    with pytest.raises(Closed):
        again.push([b"b"])


def test_labels_of_a_queue_that_is_opened_again_are_shared(path: Path) -> None:
    queue, again = blocking.MpmcQueue(path, 60), nonblocking.MpmcQueue(path, 60)
    queue.add([b"a", b"b"])
    assert again.next("label", StartPosition.Oldest).result() == ([b"a"], False)
    assert queue.next("label", StartPosition.Oldest) == ([b"b"], False)


def test_closing_one_opening_leaves_the_others(path: Path) -> None:
    queue, again = Queue(path), Queue(path)
    view = again.nonblocking()
    again.close()
    assert (again.closed, view.closed, queue.closed) == (True, True, False)
    assert "closed" in repr(again)
    assert "len=0" in repr(queue)
    queue.close()
    rocksq.remove_queue(path)


def test_a_with_statement_closes_its_own_opening(path: Path) -> None:
    queue = Queue(path)
    with Queue(path) as again:
        again.push([b"a"])
    assert queue.pop() == [b"a"]


def test_closing_an_opening_ends_its_waits_alone(path: Path) -> None:
    queue, again = Queue(path), Queue(path)
    ended = Caller(lambda: again.pop(timeout=None)).until_asleep()
    goes_on = Caller(lambda: queue.pop(timeout=PATIENCE)).until_asleep()
    again.close()
    with pytest.raises(Closed):
        ended.outcome()
    queue.push([b"a"])
    assert goes_on.outcome() == [b"a"]


def test_closing_an_opening_ends_its_coroutines_alone(path: Path) -> None:
    async def main() -> None:
        queue = nonblocking.PersistentQueueWithCapacity(path)
        again = nonblocking.PersistentQueueWithCapacity(path)
        goes_on = asyncio.create_task(queue.pop(timeout=PATIENCE))
        ended = asyncio.create_task(again.pop(timeout=None))
        await asyncio.sleep(0)
        async with again:
            pass
        with pytest.raises(Closed):
            await ended
        await queue.push([b"a"])
        assert await goes_on == [b"a"]
        async with queue:
            pass

    asyncio.run(main())


def test_openings_that_were_forgotten_are_closed(path: Path) -> None:
    queues = [Queue(path) for _ in range(10)]
    assert len(own(path)) == 10
    del queues[1:]
    gc.collect()
    assert len(own(path)) == 1


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"max_elements": 20}, "max_elements=10 instead of 20"),
        ({"max_elements": 10, "max_bytes": 100}, "max_bytes=None instead of 100"),
        ({"max_elements": 10, "on_full": OnFull.DropOldest}, "on_full=Error instead of DropOldest"),
    ],
    ids=["max_elements", "max_bytes", "on_full"],
)
def test_other_options_are_refused_and_named(
    path: Path, other: dict[str, Any], difference: str
) -> None:
    queue = Queue(path, max_elements=10)
    with pytest.raises(Busy, match=difference):
        Queue(path, **other)
    assert not queue.closed


def test_the_place_that_opened_a_queue_is_named(path: Path) -> None:
    line = sys._getframe().f_lineno + 1
    queue = Queue(path, 10)
    [listed] = own(path)
    assert (listed.path, listed.kind) == (str(path), "persistent")
    assert listed.opened_at == f"{__file__}:{line}"
    assert listed.opened_at in repr(listed)
    for busy in (lambda: Queue(path, 20), lambda: rocksq.remove_queue(path)):
        with pytest.raises(Busy, match=f"opened at .*test_open_queues.py:{line}"):
            busy()
    queue.close()
    assert not own(path)


@pytest.mark.parametrize("module", [blocking, nonblocking])
def test_both_kinds_of_both_faces_are_listed(tmp_path: Path, module: Any) -> None:
    queues = [
        module.PersistentQueueWithCapacity(tmp_path / "a"),
        module.MpmcQueue(tmp_path / "b", 0),
    ]
    listed = own(tmp_path)
    assert [each.kind for each in listed] == ["persistent", "mpmc"]
    assert all(each.opened_at.startswith(__file__) for each in listed)
    for queue in queues:
        queue.close()


def test_a_cell_of_a_notebook_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IPython is asked what it calls the file that it made of a cell."""
    compiler = SimpleNamespace(format_code_name={"<cell>": ("Cell", "In[3]")}.get)
    shell = SimpleNamespace(compile=compiler)
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    cell = "\nqueue = Queue(path)"
    names = {"Queue": Queue, "path": path}
    exec(compile(cell, "<cell>", "exec"), names)
    assert [each.opened_at for each in own(path)] == ["Cell In[3], line 2"]
    exec(compile(cell, "<cell>", "exec"), names)
    assert len(own(path)) == 1
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    other = Queue(path)
    assert any(each.opened_at.startswith(__file__) for each in own(path))
    other.close()


def test_a_thread_that_does_nothing_else_opens_a_queue(path: Path) -> None:
    _thread.start_new_thread(Queue, (path,))
    end = time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.001)
    with Queue(path, open_timeout=PATIENCE) as queue:
        assert queue.is_empty


def test_what_is_open_can_be_closed_at_once(tmp_path: Path) -> None:
    program = """
import sys
import rocksq
from rocksq import blocking, nonblocking

queues = [
    blocking.PersistentQueueWithCapacity(sys.argv[1] + "/a"),
    nonblocking.PersistentQueueWithCapacity(sys.argv[1] + "/a"),
    nonblocking.MpmcQueue(sys.argv[1] + "/b", 0),
]
queues[1].push([b"a"])
assert len(rocksq.open_queues()) == 3
rocksq.close_all()
assert rocksq.open_queues() == []
assert all(queue.closed for queue in queues)
rocksq.close_all()
print(blocking.PersistentQueueWithCapacity(sys.argv[1] + "/a").pop())
"""
    assert succeeded(run(program, tmp_path)) == "[b'a']\n"


def test_an_exception_that_keeps_a_queue_is_no_trouble(path: Path) -> None:
    def fail() -> None:
        queue = Queue(path)
        queue.push([b"a"])
        raise KeyError

    with pytest.raises(KeyError) as kept:
        fail()
    assert Queue(path).pop() == [b"a"]
    assert kept.tb is not None


@needs_posix
def test_a_forked_child_lists_and_closes_nothing(path: Path) -> None:
    queue = Queue(path)
    if (child := os.fork()) == 0:
        try:
            rocksq.close_all()
            os._exit(len(rocksq.open_queues()))
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not queue.closed
    queue.push([b"a"])


@needs_posix
def test_a_forked_child_that_opens_its_own_queues_shares_and_lists_them(path: Path) -> None:
    program = """
import os
import sys
import rocksq
from rocksq.blocking import PersistentQueueWithCapacity

PersistentQueueWithCapacity(sys.argv[1]).close()
if (child := os.fork()) == 0:
    one, other = (PersistentQueueWithCapacity(sys.argv[1]) for _ in range(2))
    one.push([b"a"])
    assert other.pop() == [b"a"]
    assert len(rocksq.open_queues()) == 2
    rocksq.close_all()
    assert one.closed and other.closed
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert succeeded(run(program, path)) == "0\n"


def test_openings_left_open_lose_nothing_at_the_end(path: Path) -> None:
    program = """
import sys
from rocksq import nonblocking

queues = [nonblocking.PersistentQueueWithCapacity(sys.argv[1]) for _ in range(3)]
for queue in queues:
    for _ in range(100):
        queue.push([b"a"])
"""
    succeeded(run(program, path))
    assert Queue(path).len == 300


def test_a_queue_that_is_open_as_another_kind_says_what_to_do(path: Path) -> None:
    with Queue(path), pytest.raises(WrongKind, match="close that one first and use another path"):
        blocking.MpmcQueue(path, 0)


def test_a_queue_that_another_process_has_says_what_workers_can_do(path: Path) -> None:
    program = "import sys; from rocksq.blocking import *; PersistentQueueWithCapacity(sys.argv[1])"
    with Queue(path):
        refused = run(program, path)
    assert "Busy: " in refused.stderr
    assert "or give each process a queue at a path of its own" in refused.stderr
