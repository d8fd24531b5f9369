"""What rocksq 0.3.0 gets wrong, done right.

Every test here fails on 0.3.0, and `tests/differential/test_faults.py` checks that it does. So they
keep to what 0.3.0 offers: a queue is closed by dropping it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rocksq import StartPosition, nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import run, succeeded

Oldest = StartPosition.Oldest

PATIENCE = 20.0
"""Seconds after which something that should have happened has not."""

TTL = 1
REST = 2.2
"""Longer than the TTL, also where whole seconds are counted. The clock is the machine's."""


posix = pytest.mark.skipif(os.name != "posix", reason="there is no fork and no such permission")


def numbered(*numbers: int) -> list[bytes]:
    return [str(number).encode() for number in range(*numbers)]


def picture(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*")}


def in_time(program: str, path: Path) -> str:
    """What a program prints that is over in time."""
    finished = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return succeeded(finished)


# ---- responses ------------------------------------------------------------------------------


def test_a_response_that_is_dropped_unread_loses_nothing(path: Path) -> None:
    program = """
import sys
from rocksq.nonblocking import PersistentQueueWithCapacity
queue = PersistentQueueWithCapacity(sys.argv[1])
for number in range(100):
    queue.push([b"item"])
print(len(queue.pop(1000).get().data))
"""
    assert in_time(program, path) == "100\n"


def test_a_push_onto_a_full_queue_raises_in_its_response(path: Path) -> None:
    queue = nonblocking.PersistentQueueWithCapacity(str(path), 1)
    response = queue.push([b"a", b"b"])
    with pytest.raises(RuntimeError, match="Queue is full"):
        response.get()


def test_a_response_gives_its_answer_again(path: Path) -> None:
    response = nonblocking.PersistentQueueWithCapacity(str(path)).len
    assert (response.get().len, response.get().len) == (0, 0)


# ---- expiry ---------------------------------------------------------------------------------


def test_readers_get_every_live_item_in_order_after_others_have_expired(path: Path) -> None:
    ttl = 3  # long enough for what happens while the second half lives
    queue: MpmcQueue | None = MpmcQueue(str(path), ttl)
    assert queue is not None
    queue.add(numbered(150))
    time.sleep(ttl + REST - TTL)
    added = time.monotonic()
    queue.add(numbered(150, 300))
    # 0.3.0 lets go of what has expired when RocksDB compacts: after four openings, and some time.
    for number in range(300, 307):
        queue = None
        queue = MpmcQueue(str(path), ttl)
        time.sleep(0.2)
        queue.add(numbered(number, number + 1))
        items, _ = queue.next(f"label {number}", Oldest, 1000)
        if time.monotonic() - added < ttl:
            alive = [item for item in items if int(item) >= 150]
            assert alive == numbered(150, number + 1)
        else:
            assert items == numbered(number + 1)[-len(items) :]


def test_a_queue_that_rested_longer_than_its_ttl_is_empty_and_goes_on(path: Path) -> None:
    for _ in range(4):
        MpmcQueue(str(path), TTL).add([bytes(1 << 20)] * 8)
    time.sleep(REST)
    MpmcQueue(str(path), TTL)
    queue = MpmcQueue(str(path), TTL)
    assert queue.len == 0
    queue.add([b"a"])
    assert queue.len == 1


def test_labels_do_not_expire(path: Path) -> None:
    for _ in range(5):
        queue = MpmcQueue(str(path), TTL)
        queue.add([b"a"])
        queue.next("label", Oldest)
        del queue
    time.sleep(REST)
    # 0.3.0 loses them when RocksDB compacts: after some openings, and when it finds the time.
    for _ in range(12):
        queue = MpmcQueue(str(path), TTL)
        queue.add([b"b"])
        queue.next("other", Oldest)
        del queue
    queue = MpmcQueue(str(path), TTL)
    time.sleep(1.5)
    del queue
    assert sorted(MpmcQueue(str(path), TTL).labels) == ["label", "other"]


def test_an_item_is_neither_read_nor_counted_after_its_ttl(path: Path) -> None:
    queue = MpmcQueue(str(path), TTL)
    queue.next("label", Oldest)
    queue.add([b"a"])
    time.sleep(REST)
    assert (queue.len, queue.is_empty) == (0, True)
    assert queue.next("label", Oldest) == ([], True)
    assert queue.next("label", Oldest) == ([], False)


def test_a_label_that_read_before_the_first_item_reads_on_after_a_reopening(path: Path) -> None:
    program = """
import sys
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue
queue = MpmcQueue(sys.argv[1], 0)
queue.next("label", StartPosition.Oldest)
del queue
queue = MpmcQueue(sys.argv[1], 0)
print(queue.next("label", StartPosition.Oldest), queue.len)
"""
    assert in_time(program, path) == "([], False) 0\n"


# ---- numbers --------------------------------------------------------------------------------


def test_a_pop_of_no_items_takes_nothing(path: Path) -> None:
    queue = Queue(str(path))
    queue.push([b"a", b"b"])
    assert queue.pop(0) == []
    assert queue.len == 2


def test_a_number_of_items_that_no_memory_could_hold_means_all_there_are(path: Path) -> None:
    queue = Queue(str(path))
    queue.push([b"a", b"b"])
    assert queue.pop(2**50) == [b"a", b"b"]


def test_the_largest_number_of_items_means_all_there_are(path: Path) -> None:
    queue = Queue(str(path))
    queue.push([b"a", b"b"])
    assert queue.pop(2**64 - 1) == [b"a", b"b"]


# ---- two kinds of queue, two processes ------------------------------------------------------


def test_a_persistent_queue_opened_as_mpmc_is_refused_and_unharmed(path: Path) -> None:
    Queue(str(path)).push([b"a"])
    before = picture(path)
    with pytest.raises(RuntimeError):
        MpmcQueue(str(path), 0)
    assert picture(path) == before
    assert Queue(str(path)).pop() == [b"a"]


def test_an_mpmc_queue_opened_as_persistent_is_refused_in_words(path: Path) -> None:
    MpmcQueue(str(path), 0).add([b"a"])
    before = picture(path)
    with pytest.raises(RuntimeError, match="MPMC"):
        Queue(str(path))
    assert picture(path) == before
    assert MpmcQueue(str(path), 0).next("label", Oldest) == ([b"a"], False)


def in_child(work: Callable[[], object]) -> int:
    """The exit code of a forked child in which `work` raises a RuntimeError; None if it hangs."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
        except RuntimeError:
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


@posix
def test_a_forked_child_cannot_write_and_the_parent_goes_on(path: Path) -> None:
    queue = Queue(str(path))
    queue.push([b"a"])
    assert in_child(lambda: queue.push([b"child"])) == 0
    queue.push([b"b"])
    assert queue.pop(9) == [b"a", b"b"]


@posix
def test_a_forked_child_with_a_nonblocking_queue_does_not_hang(path: Path) -> None:
    queue = nonblocking.PersistentQueueWithCapacity(str(path))
    assert in_child(lambda: queue.push([b"child"]).get()) == 0
    queue.push([b"a"]).get()
    assert queue.pop(9).get().data == [b"a"]


# ---- items ----------------------------------------------------------------------------------


def test_a_tuple_of_items_is_taken(path: Path) -> None:
    queue = Queue(str(path))
    queue.push((b"a", b"b"))
    assert queue.pop(9) == [b"a", b"b"]


def test_a_list_of_numbers_is_no_item(path: Path) -> None:
    numbers: Any = [1, 2, 3]
    with pytest.raises(TypeError, match="item 0"):
        Queue(str(path)).push([numbers])


def test_a_string_as_an_item_raises_a_type_error(path: Path) -> None:
    text: Any = "text"
    with pytest.raises(TypeError, match="item 0"):
        Queue(str(path)).push([text])


# ---- disk -----------------------------------------------------------------------------------


def test_disk_space_comes_back_while_the_queue_is_open(path: Path) -> None:
    queue = Queue(str(path))
    for _ in range(32):
        queue.push([os.urandom(1 << 20)])
    queue.pop(32)
    end = time.monotonic() + PATIENCE
    while queue.disk_size > 4 << 20:
        assert time.monotonic() < end, f"{queue.disk_size} bytes are still taken"
        time.sleep(0.05)


def test_no_log_files_pile_up(path: Path) -> None:
    for _ in range(10):
        Queue(str(path))
    assert [name for name in os.listdir(path) if name.startswith("LOG.old")] == []  # noqa: PTH208


# ---- the interface --------------------------------------------------------------------------


def test_a_queue_can_be_closed(path: Path) -> None:
    queue = Queue(str(path))
    queue.close()
    with pytest.raises(RuntimeError, match="closed"):
        queue.push([b"a"])
    assert Queue(str(path)).is_empty


def test_the_payload_of_an_mpmc_queue_has_a_size(path: Path) -> None:
    queue = MpmcQueue(str(path), 0)
    queue.add([b"abc", b"d"])
    assert queue.payload_size == 4


def test_start_positions_can_be_keys() -> None:
    assert {Oldest: "old"}[StartPosition.Oldest] == "old"


def test_correct_programs_pass_a_type_checker(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(
        """
import rocksq
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity
from rocksq.nonblocking import MpmcQueue as Later
from rocksq.nonblocking import MpmcResponse, Response

queue = PersistentQueueWithCapacity("path", max_elements=5)
queue.push([b"a"], no_gil=False)
items: list[bytes] = queue.pop(max_elements=1)
sizes: list[int] = [queue.len, queue.disk_size, queue.payload_size]
mpmc = MpmcQueue("path", 5)
read: tuple[list[bytes], bool] = mpmc.next("label", StartPosition.Oldest)
labels: list[str] = mpmc.labels
later = Later("path", ttl=5, max_inflight_ops=1)
response: MpmcResponse = later.next("label", StartPosition.Newest, max_elements=1)
data = response.get().data
first: bytes | None = data[0][0] if data else None
rocksq.remove_queue(path="path")
rocksq.remove_mpmc_queue("path")
version: str = rocksq.version()
positions: set[StartPosition] = {StartPosition.Oldest}
"""
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", program],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert checked.stdout.startswith("Success"), checked.stdout + checked.stderr


# ---- errors ---------------------------------------------------------------------------------

RAW = ("IO error", "LOCK", "RocksDB", "Os {")
"""What RocksDB and Rust say."""


def refusal(path: Path) -> str:
    with pytest.raises(RuntimeError) as caught:
        Queue(str(path))
    text = str(caught.value)
    assert not any(raw in text for raw in RAW), text
    return text


def test_the_holder_of_a_path_is_named(path: Path) -> None:
    program = """
import sys
from rocksq.blocking import PersistentQueueWithCapacity
queue = PersistentQueueWithCapacity(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert str(holder.pid) in refusal(path)
        holder.communicate()


def test_a_path_that_is_open_otherwise_is_refused_in_words(path: Path) -> None:
    queue = Queue(str(path), 10)
    assert "in this process already" in refusal(path)
    assert queue.is_empty


def test_a_file_in_place_of_the_directory_is_refused_in_words(path: Path) -> None:
    path.write_text("data")
    assert "not a directory" in refusal(path)


def test_a_parent_directory_that_cannot_be_made_is_named() -> None:
    assert "/proc/none" in refusal(Path("/proc/none/queue"))


@posix
def test_a_directory_without_permission_is_refused_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    program = f"""
import os, sys
from rocksq.blocking import PersistentQueueWithCapacity
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    PersistentQueueWithCapacity(sys.argv[1] + "/queue")
except RuntimeError as error:
    text = str(error)
    assert not any(raw in text for raw in {RAW}), text
    print(text)
"""
    assert "permission denied" in succeeded(run(program, tmp_path))
