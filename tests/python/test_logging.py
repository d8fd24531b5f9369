"""What happens in and below a queue goes to `logging`."""

import asyncio
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import rocksq
from rocksq import nonblocking
from rocksq.blocking import MpmcQueue
from rocksq.blocking import PersistentQueueWithCapacity as Queue
from support import PATIENCE, damaged, file_limit, needs_posix, run, succeeded

MIB = 1 << 20
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "rocksq")
    return caplog


def told(log: pytest.LogCaptureFixture, path: Path) -> list[tuple[str, str]]:
    """Level and text of what was said about a queue."""
    return [
        (record.levelname, record.getMessage().removeprefix(f"{path}: "))
        for record in log.records
        if record.name == "rocksq" and getattr(record, "path", None) == str(path)
    ]


def wait_for(log: pytest.LogCaptureFixture, text: str) -> logging.LogRecord:
    end = time.monotonic() + PATIENCE
    while True:
        for record in log.records:
            if text in record.getMessage():
                return record
        assert time.monotonic() < end, log.messages
        time.sleep(0.01)


def test_opening_and_closing_are_told_before_they_return(
    log: pytest.LogCaptureFixture, path: Path
) -> None:
    before = time.time()
    queue = Queue(path)
    assert told(log, path) == [("INFO", "opened")]
    assert log.records[0].name == "rocksq"
    assert before - 0.1 < log.records[0].created < time.time() + 0.1
    assert log.records[0].threadName == threading.current_thread().name
    queue.close()
    queue.close()
    assert told(log, path) == [("INFO", "opened"), ("DEBUG", "closed")]


UNHEARD = "its response was dropped before anybody asked"


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelname == "WARNING"]


def test_a_failed_push_whose_response_was_dropped_is_told_once(
    log: pytest.LogCaptureFixture, path: Path
) -> None:
    with nonblocking.PersistentQueueWithCapacity(path, max_elements=1) as queue:
        queue.push([b"a", b"b"])
        record = wait_for(log, UNHEARD)
        assert (record.levelname, record.name) == ("WARNING", "rocksq")
        assert getattr(record, "path", None) == str(path)
        assert "Queue is full" in record.getMessage()
        assert queue.stats().rejected_items == 2
    assert len(warnings(log)) == 1


def test_a_failed_push_that_is_dropped_when_it_has_failed_is_told(
    log: pytest.LogCaptureFixture, path: Path
) -> None:
    with nonblocking.PersistentQueueWithCapacity(path, max_elements=1) as queue:
        response = queue.push([b"a", b"b"])
        while not response.done():
            pass
        assert not warnings(log)
        del response
        wait_for(log, UNHEARD)


def test_a_failed_push_that_was_asked_for_is_told_to_nobody_else(
    log: pytest.LogCaptureFixture, path: Path
) -> None:
    async def awaited(queue: nonblocking.PersistentQueueWithCapacity) -> None:
        with pytest.raises(rocksq.Full):
            await queue.push([b"a", b"b"])
        with pytest.raises(rocksq.Full):
            await asyncio.create_task(queue.push([b"a", b"b"]))

    with nonblocking.PersistentQueueWithCapacity(path, max_elements=1) as queue:
        for ask in ("result", "get"):
            with pytest.raises(rocksq.Full):
                getattr(queue.push([b"a", b"b"]), ask)()
        assert isinstance(queue.push([b"a", b"b"]).exception(), rocksq.Full)
        asyncio.run(awaited(queue))
        queue.push([b"only this one is dropped"] * 3)
        queue.push([b"a"])
        assert queue.pop().result() == [b"a"]
        wait_for(log, UNHEARD)
    assert len(warnings(log)) == 1


def test_a_push_that_was_cancelled_or_has_worked_is_no_news(
    log: pytest.LogCaptureFixture, path: Path
) -> None:
    with nonblocking.PersistentQueueWithCapacity(path, max_elements=1) as queue:
        queue.push([b"a"])
        assert queue.push([b"b"], timeout=None).cancel()
    assert not warnings(log)


def test_all_four_classes_are_heard(log: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    for number, kind in enumerate(
        (
            Queue,
            nonblocking.PersistentQueueWithCapacity,
            lambda path: MpmcQueue(path, 0),
            lambda path: nonblocking.MpmcQueue(path, 0),
        )
    ):
        path = tmp_path / str(number)
        with kind(path):  # type: ignore[operator]
            pass
        assert told(log, path) == [("INFO", "opened"), ("DEBUG", "closed")]


def test_leaving_an_async_with_is_told_before_it_is_over(
    log: pytest.LogCaptureFixture, path: Path
) -> None:
    async def main() -> None:
        for _ in range(30):
            log.clear()
            async with nonblocking.PersistentQueueWithCapacity(path):
                pass
            assert told(log, path) == [("INFO", "opened"), ("DEBUG", "closed")]

    asyncio.run(main())


def test_a_queue_that_was_not_closed_says_so(log: pytest.LogCaptureFixture, path: Path) -> None:
    program = """
import os, sys
from rocksq.blocking import PersistentQueueWithCapacity
queue = PersistentQueueWithCapacity(sys.argv[1])
os._exit(0)
"""
    succeeded(run(program, path))
    Queue(path).close()
    assert told(log, path)[0] == ("INFO", "opened; it had not been closed in order")


def test_a_recovery_that_lost_something_is_a_warning(
    log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    path = damaged(tmp_path)
    with Queue(path) as queue:
        recovery = queue.recovery
    assert ("WARNING", str(recovery)) in told(log, path)


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="needs the fixtures of the repository")
def test_a_conversion_is_told(log: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    path = tmp_path / "old"
    shutil.copytree(FIXTURES / "0.3.0/fifo_some", path)
    migrated = rocksq.migrate(path)
    assert migrated is not None
    [(level, text)] = told(log, path)
    assert level == "INFO"
    assert text.startswith("converted from rocksq 0.3.0: ")
    assert not [record for record in log.records if record.levelno >= logging.WARNING]


def test_space_that_comes_back_is_told(log: pytest.LogCaptureFixture, path: Path) -> None:
    with Queue(path) as queue:
        queue.push([bytes(MIB)] * 4)
        queue.pop(4)
        record = wait_for(log, "gave space back: flushed")
    assert (record.levelname, record.threadName) == ("DEBUG", "rocksq-teller")


@needs_posix
def test_what_stops_the_store_is_an_error_and_what_repairs_it_a_warning(
    log: pytest.LogCaptureFixture, path: Path
) -> None:
    with Queue(path) as queue:
        with file_limit(MIB), pytest.raises(rocksq.IOFailure):
            queue.push([bytes(2 * MIB)])
        assert wait_for(log, "RocksDB stopped").levelname == "ERROR"
        queue.push([b"item"])
        assert wait_for(log, "opened anew").levelname == "WARNING"
        assert queue.pop(9) == [b"item"]


def test_a_level_that_changes_while_a_queue_is_open_counts(
    caplog: pytest.LogCaptureFixture, path: Path
) -> None:
    caplog.set_level(logging.WARNING, "rocksq")
    with Queue(path) as queue:
        assert caplog.messages == []
        caplog.set_level(logging.DEBUG, "rocksq")
        end = time.monotonic() + PATIENCE
        while not any("gave space back" in message for message in caplog.messages):
            queue.push([bytes(MIB)] * 4)
            queue.pop(4)
            assert time.monotonic() < end
            time.sleep(0.01)


def test_the_lines_of_rocksdb_are_told_to_those_who_ask_for_them(
    log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    Queue(tmp_path / "quiet").close()
    assert {record.name for record in log.records} == {"rocksq"}
    with log.at_level(logging.DEBUG, "rocksq.rocksdb"):
        Queue(tmp_path / "loud").close()
        wait_for(log, "RocksDB version")
    lines = [record for record in log.records if record.name == "rocksq.rocksdb"]
    assert all(getattr(record, "path", None) == str(tmp_path / "loud") for record in lines)


def test_nothing_is_printed_by_default(tmp_path: Path) -> None:
    """Not even a warning, which Python prints when a logger has no handler at all."""
    program = """
import sys
from rocksq.blocking import PersistentQueueWithCapacity
from rocksq.nonblocking import MpmcQueue

queue = PersistentQueueWithCapacity(sys.argv[1])
print(queue.recovery is not None)
later = MpmcQueue(sys.argv[2], 0)
later.add([b"item"]).get()
"""
    copy = tmp_path / "copy"
    with Queue(tmp_path / "live") as queue:
        for item in (b"first", b"second", b"third"):
            queue.push([item * 100])
        queue.backup(copy)
    [file] = copy.glob("*.log")
    file.write_bytes(file.read_bytes().replace(b"secondsecond", b"secondSecond"))
    assert succeeded(run(program, copy, tmp_path / "other")) == "True\n"


LOGGED = """
import contextlib, logging, os, sys, threading, warnings
warnings.simplefilter("ignore")
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(levelname)s %(message)s")
import rocksq
from rocksq.blocking import PersistentQueueWithCapacity
from rocksq import nonblocking
"""


def test_the_close_at_the_exit_is_told(path: Path) -> None:
    program = LOGGED + "queue = PersistentQueueWithCapacity(sys.argv[1])"
    said = succeeded(run(program, path)).splitlines()
    assert said == [f"INFO {path}: opened", f"DEBUG {path}: closed"]


def test_daemons_that_log_do_not_hold_up_the_exit(tmp_path: Path) -> None:
    program = LOGGED + (
        """
def work(n):
    # A traceback that a daemon prints while the interpreter ends may abort it.
    with contextlib.suppress(rocksq.Closed):
        while True:
            with nonblocking.PersistentQueueWithCapacity(f"{sys.argv[1]}/{n}") as queue:
                queue.push([bytes(1 << 20)] * 2).get()
                queue.pop(2).get()

logging.getLogger("rocksq.rocksdb").setLevel(logging.DEBUG)
for n in range(3):
    threading.Thread(target=work, args=(n,), daemon=True).start()
import time
time.sleep(0.3)
"""
    )
    for _ in range(3):
        succeeded(run(program, tmp_path))


@needs_posix
def test_children_neither_hang_nor_say_anything_twice(tmp_path: Path) -> None:
    """They are forked while others note what RocksDB says."""
    program = LOGGED + (
        """
logging.getLogger("rocksq.rocksdb").setLevel(logging.DEBUG)
queue = PersistentQueueWithCapacity(f"{sys.argv[1]}/queue")
stop = threading.Event()

def work():
    while not stop.is_set():
        PersistentQueueWithCapacity(f"{sys.argv[1]}/other").close()

thread = threading.Thread(target=work)
thread.start()
logging.disable(logging.CRITICAL)
for _ in range(100):
    child = os.fork()
    if child == 0:
        try:
            queue.close()
        except rocksq.Forked:
            pass
        rocksq._native.close_at_exit()
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
stop.set()
thread.join()
print("over")
"""
    )
    assert succeeded(run(program, tmp_path)).splitlines()[-1] == "over"


@needs_posix
def test_a_child_of_a_process_without_queues_is_heard(path: Path) -> None:
    program = LOGGED + (
        """
child = os.fork()
if child == 0:
    PersistentQueueWithCapacity(sys.argv[1]).close()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    )
    said = succeeded(run(program, path)).splitlines()
    assert said == [f"INFO {path}: opened", f"DEBUG {path}: closed"]


def handler_that(act: Callable[[logging.LogRecord], None]) -> logging.Handler:
    class Acting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            act(record)

    return Acting()


@contextmanager
def handled(handler: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("rocksq")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def test_a_handler_may_use_the_queue_that_it_hears_of(path: Path, tmp_path: Path) -> None:
    with Queue(tmp_path / "log") as kept:

        def keep(record: logging.LogRecord) -> None:
            # The last events come when both queues are about to be closed.
            with suppress(rocksq.Closed):
                kept.push([record.getMessage().encode()])
                if "gave space back: flushed" in record.getMessage():
                    queue.push([b"heard"])

        with handled(handler_that(keep)), Queue(path) as queue:
            queue.push([bytes(MIB)] * 4)
            assert len(queue.pop(4)) == 4
            assert queue.pop(timeout=PATIENCE) == [b"heard"]
        assert kept.pop() == [f"{path}: opened".encode()]


def test_what_a_handler_raises_goes_to_the_caller(path: Path) -> None:
    def refuse(record: logging.LogRecord) -> None:
        if "opened" in record.getMessage():
            raise KeyboardInterrupt(record.getMessage())

    with handled(handler_that(refuse)), pytest.raises(KeyboardInterrupt, match="opened"):
        Queue(path)
    Queue(path).close()
