"""Errors of the operating system: the call that meets one raises, and the same object goes on."""

import logging
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rocksq
from rocksq import nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE, file_limit, start

KIB = 1 << 10
MIB = 1 << 20


def item(number: int, size: int = 64 * KIB) -> bytes:
    return number.to_bytes(4, "little") * (size // 4)


def numbers(items: list[bytes]) -> list[int]:
    return [int.from_bytes(item[:4], "little") for item in items]


def until_it_works(push: Callable[[], None]) -> None:
    """Push until there is room again, which housekeeping makes."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return push()
        except rocksq.DiskFull:
            assert time.monotonic() < end, "space never comes back"
            time.sleep(0.01)


def mount(disk: Path, options: str) -> None:
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "rocksq-test", disk],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield the root of a small file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    root = tmp_path / "disk"
    root.mkdir()
    try:
        mount(root, "size=24m")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot mount: {error.stderr.decode().strip()}")
    yield root
    subprocess.run(["umount", "--lazy", root], check=True)


def add_until(kind: type[Exception], add: Callable[[int], object]) -> tuple[int, Exception]:
    """Add items numbered from 0 until that fails; return how many went in, and the error."""
    for number in range(1000):
        try:
            add(number)
        except kind as error:
            return number, error
    raise AssertionError(kind)


def test_a_write_that_fails_fails_no_later_call(path: Path) -> None:
    with Queue(path) as queue:
        with file_limit(MIB):
            accepted, error = add_until(rocksq.IOFailure, lambda n: queue.push([item(n)]))
        assert getattr(error, "path", None) == str(path)
        queue.push([item(accepted)])
        assert numbers(queue.pop(1000)) == list(range(accepted + 1))
        queue.push([item(0)])
    with Queue(path) as queue:
        assert numbers(queue.pop(1000)) == [0]


def test_an_mpmc_write_that_fails_fails_no_later_call(path: Path) -> None:
    with MpmcQueue(path, 0) as queue:
        with file_limit(MIB):
            accepted, _ = add_until(rocksq.IOFailure, lambda n: queue.add([item(n)]))
        queue.add([item(accepted)])
        items, expired = queue.next("x", rocksq.StartPosition.Oldest, 1000)
        assert (numbers(items), expired) == (list(range(accepted + 1)), False)
        assert queue.labels == ["x"]


def test_a_pop_that_fails_takes_nothing(path: Path) -> None:
    with Queue(path) as queue:
        queue.push([item(number) for number in range(40)])
        with file_limit(MIB), pytest.raises(rocksq.IOFailure):
            queue.pop()
        assert numbers(queue.pop(2)) == [0, 1]


def test_a_response_tells_of_a_write_that_failed(path: Path) -> None:
    with nonblocking.PersistentQueueWithCapacity(path) as later:
        with file_limit(MIB):
            response = later.push([item(number) for number in range(40)])
            with pytest.raises(rocksq.IOFailure):
                response.get()

        later.push([item(7)]).get()
        assert numbers(later.pop(100).get().data or []) == [7]


def test_a_full_disk_has_an_error_of_its_own_and_can_be_drained(disk: Path) -> None:
    with Queue(disk / "queue") as queue:
        pushed, error = add_until(rocksq.DiskFull, lambda n: queue.push([item(n)]))
        assert getattr(error, "path", None) == str(disk / "queue")
        with pytest.raises(rocksq.DiskFull):
            queue.push([item(0)])
        assert len(queue) == pushed > 100
        for number in range(pushed):
            assert numbers(queue.pop()) == [number]
        until_it_works(lambda: queue.push([item(5)]))
    with Queue(disk / "queue") as queue:
        assert numbers(queue.pop(1000)) == [5]


def test_a_queue_goes_on_when_others_make_room(disk: Path) -> None:
    with MpmcQueue(disk / "queue", 0) as queue:
        queue.add([item(0)])
        stranger = disk / "stranger"
        with stranger.open("wb", buffering=0) as file:
            add_until(OSError, lambda _: file.write(bytes(64 * KIB)))
        added, _ = add_until(rocksq.DiskFull, lambda n: queue.add([item(n)]))
        assert len(queue) == added + 1
        stranger.unlink()
        queue.add([item(100)])
        assert len(queue) == added + 2


def test_no_queue_is_opened_on_a_read_only_file_system(disk: Path) -> None:
    with Queue(disk / "queue") as queue:
        queue.push([b"a"])
    mount_again = ["mount", "-o", "remount,ro", str(disk)]
    subprocess.run(mount_again, check=True)
    for name in ("queue", "fresh"):
        with pytest.raises(rocksq.PathError, match="read-only"):
            Queue(disk / name)
    mount_again[2] = "remount,rw"
    subprocess.run(mount_again, check=True)
    assert Queue(disk / "queue").pop() == [b"a"]


HOLDER = """
import sys
from rocksq.blocking import PersistentQueueWithCapacity
queue = PersistentQueueWithCapacity(sys.argv[1])
print("ready")
input()
"""


def test_a_path_that_another_process_holds_names_it(path: Path) -> None:
    with start(HOLDER, path) as holder:
        with pytest.raises(rocksq.Busy) as caught:
            Queue(path)
        assert f"process {holder.id} has it open" in str(caught.value)
        assert "open_timeout" in str(caught.value)
        assert "IO error" not in str(caught.value)
        holder.tell("")


def test_a_directory_without_permission_is_a_path_error(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may do everything")
    tmp_path.chmod(0o500)
    with pytest.raises(rocksq.PathError, match="permission denied"):
        Queue(tmp_path / "queue")


def test_a_full_disk_is_said_once(disk: Path) -> None:
    with Queue(disk / "queue") as queue:
        _, first = add_until(rocksq.DiskFull, lambda n: queue.push([item(n)]))
        with pytest.raises(rocksq.DiskFull) as again:
            queue.push([item(0)])
        for error in (first, again.value):
            text = str(error).lower()
            assert text.count("no space") == 1, text
            assert text.count("make room") == 1, text
            assert "errno" not in text
            assert "os error" not in text
        assert "while appending to file" in str(first)
        queue.pop(1000)


def test_what_is_logged_is_words(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rocksq")
    with Queue(path) as queue, file_limit(MIB):
        add_until(rocksq.Error, lambda n: queue.push([item(n)]))
    stopped = [r.getMessage() for r in caplog.records if "RocksDB stopped" in r.getMessage()]
    assert "RocksDB stopped while it wrote to the log: IO error: " in stopped[0]
    for record in caplog.records:
        if record.name == "rocksq":
            assert not re.search(
                r"Err\(|Ok\(|Some\(|Error \{|K[A-Z][a-z]+[A-Z]", record.getMessage()
            )


@pytest.fixture
def small_disk(disk: Path) -> Path:
    """Yield the root of a file system of 8 MiB."""
    subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
    return disk


@pytest.mark.parametrize("size", [10_000, 100_000])
@pytest.mark.parametrize("level", list(rocksq.Durability))
def test_a_queue_that_was_drained_takes_items_at_once_though_it_had_filled_the_disk(
    small_disk: Path, level: rocksq.Durability, size: int
) -> None:
    with Queue(small_disk / "queue", durability=level) as queue:
        for _ in range(4):
            pushed, _ = add_until(rocksq.DiskFull, lambda n: queue.push([item(n, size)]))
            assert pushed * size > 4 * MIB
            assert numbers(queue.pop(pushed)) == list(range(pushed))
            queue.push([item(0, size)])
            assert numbers(queue.pop(9)) == [0]


@pytest.mark.parametrize("together", [False, True])
def test_a_nonblocking_queue_that_was_drained_takes_items_at_once(
    small_disk: Path, together: bool
) -> None:
    with nonblocking.PersistentQueueWithCapacity(small_disk / "queue") as later:
        for _ in range(4):
            pushed, _ = add_until(rocksq.DiskFull, lambda n: later.push([item(n)]).get())
            later.pop(pushed).get()
            responses = [later.push([item(n)]) for n in range(5 if together else 1)]
            for response in responses:
                response.get()
            assert numbers(later.pop(9).get().data or []) == list(range(len(responses)))
