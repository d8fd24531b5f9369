"""What several tests need."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from math import inf
from pathlib import Path
from typing import Generic, Self, TypeVar

import pytest

from rocksq.blocking import PersistentQueueWithCapacity

T = TypeVar("T")

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and fork")

PATIENCE = 90.0
"""Seconds after which something that should have happened has not."""


class Caller(threading.Thread, Generic[T]):
    """A call in a thread of its own, and what came of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._future: Future[T] = Future()
        self.start()

    def run(self) -> None:
        try:
            self._future.set_result(self._call())
        except BaseException as error:  # noqa: BLE001
            self._future.set_exception(error)

    def outcome(self) -> T:
        return self._future.result(PATIENCE)

    def until_asleep(self) -> Self:
        """Wait until the call sleeps: it has nothing left to do but wait."""
        until_asleep(os.getpid(), self.native_id or 0)
        return self


measured = pytest.mark.measured
"""How fast or how idle something is: for `make measure`, and not for `make test`."""


def figure(what: str, value: float, *, at_most: float = inf, at_least: float = -inf) -> None:
    """Check a figure, and leave it for the table of `make measure`."""
    if table := os.environ.get("ROCKSQ_MEASURED"):
        bounds = (("at most", at_most), ("at least", at_least))
        [limit] = [f"{text} {bound:.4g}" for text, bound in bounds if abs(bound) < inf]
        with Path(table).open("a", encoding="utf-8") as file:
            file.write(f"{what}\t{value:.4g}\t{limit}\n")
    assert at_least <= value <= at_most, what


def until_asleep(process: int, thread: int | None = None) -> None:
    """Wait until a thread has been asleep for some time; only Linux tells."""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("needs /proc")
    stat = Path(f"/proc/{process}/task/{thread or process}/stat")
    asleep = 0
    end = time.monotonic() + PATIENCE
    while asleep < 5:
        assert time.monotonic() < end, "the thread never sleeps"
        state = stat.read_text().rpartition(")")[2].split()[0]
        asleep = asleep + 1 if state == "S" else 0
        time.sleep(0.002)


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


class Program:
    """A program that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.id = process.pid
        self.interrupt = partial(process.send_signal, signal.SIGINT)
        self._in, self._out = process.stdin, process.stdout

    def line(self) -> str:
        """Wait for the next line that it prints."""
        assert self._out is not None
        return self._out.readline().rstrip()

    def tell(self, line: str) -> None:
        """Hand it a line."""
        assert self._in is not None
        self._in.write(line + "\n")
        self._in.flush()


@contextmanager
def start(program: str, *arguments: object) -> Iterator[Program]:
    """Start a program in a Python of its own and wait until it says that it is ready."""
    with subprocess.Popen(
        [sys.executable, "-uc", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            running = Program(process)
            assert running.line() == "ready"
            yield running
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def succeeded(process: subprocess.CompletedProcess[str]) -> str:
    """Check that a program ended well and return what it printed."""
    assert (process.returncode, process.stderr) == (0, ""), process
    return process.stdout


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as `ulimit -f` does."""
    import resource  # noqa: PLC0415 # not everywhere

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def damaged(directory: Path) -> Path:
    """A queue of three pushes whose second one is damaged in the log of a copy."""
    with PersistentQueueWithCapacity(directory / "live") as queue:
        for item in (b"first", b"second", b"third"):
            queue.push([item, item * 100])
        queue.backup(directory / "copy")
    [log] = (directory / "copy").glob("*.log")
    content = bytearray(log.read_bytes())
    content[content.index(b"secondsecond")] ^= 1
    log.write_bytes(content)
    return directory / "copy"
