"""Queues of rocksq 0.3.0, made by its own wheel."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import rocksq
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity
from support import PATIENCE, run, succeeded

ROOT = Path(__file__).parents[2]
OLD_PYTHON = ROOT / ".venv-0.3.0/bin/python"
MAKE = ROOT / "tests/fixtures/0.3.0/make.py"

pytestmark = pytest.mark.skipif(
    not OLD_PYTHON.exists(), reason="needs rocksq 0.3.0: make .venv-0.3.0/.ready"
)

Make = Callable[[str], Path]


def item(n: int) -> bytes:
    """What `make.py` makes of a number."""
    return b"" if n % 100 == 99 else b"%d " % n + b"x" * (n * 7 % 97)


def items(first: int, end: int) -> list[bytes]:
    return [item(n) for n in range(first, end)]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make an old directory of this name."""

    def made(name: str) -> Path:
        old(MAKE.read_text(), str(tmp_path), name, file=MAKE)
        return tmp_path / name

    return made


def old(program: str, *arguments: str, file: Path | None = None) -> str:
    """Run a program with rocksq 0.3.0 and return what it printed."""
    what = [str(file)] if file else ["-c", program]
    return subprocess.run(
        [OLD_PYTHON, *what, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    ).stdout


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fifo_some", items(300, 1000)),
        ("fifo_killed", items(10, 400)),
        ("fifo_drained", []),
        ("fifo_empty", []),
    ],
)
def test_a_persistent_queue_just_works(make: Make, name: str, expected: list[bytes]) -> None:
    with PersistentQueueWithCapacity(make(name)) as queue:
        assert (len(queue), queue.payload_size) == (len(expected), sum(map(len, expected)))
        queue.push([b"new"])
        assert queue.pop(10_000) == [*expected, b"new"]


@pytest.mark.parametrize(
    ("name", "count", "labels"),
    [
        (
            "mpmc_labels",
            700,
            {
                "early": 10,
                "all": 400,
                "newest": 400,
                "nothing": 0,
                "middle": 257,
                "ünï ☃": 512,
                "": 1,
                "end": 700,
            },
        ),
        ("mpmc_killed", 300, {"half": 150}),
        ("mpmc_empty", 0, {}),
        ("mpmc_waiting", 5, {"first": 0}),
    ],
)
def test_an_mpmc_queue_just_works(
    make: Make, name: str, count: int, labels: dict[str, int]
) -> None:
    with MpmcQueue(make(name), 3600) as queue:
        assert len(queue) == count
        assert set(queue.labels) == set(labels)
        queue.add([b"new"])
        for label, place in {**labels, "another": 0}.items():
            read = queue.next(label, StartPosition.Oldest, 10_000)
            assert read == ([*items(place, count), b"new"], False), label


def test_an_expiry_confuses_neither_the_order_nor_the_labels(make: Make) -> None:
    with MpmcQueue(make("mpmc_expired"), 0) as queue:
        first = 700 - len(queue)
        assert first in (0, 300)  # whether RocksDB has removed the others is its own affair
        for label, place in {"slow": 10, "quick": 300, "ahead": 500}.items():
            read = queue.next(label, StartPosition.Oldest, 10_000)
            assert read == (items(max(place, first), 700), place < first), label


def test_counters_that_expired_are_made_up_for(make: Make) -> None:
    path = make("mpmc_lost")
    with MpmcQueue(path, 0) as queue:
        assert queue.next("new", StartPosition.Oldest, 10_000) == (items(0, 5), False)
        for label in set(queue.labels) - {"new"}:
            assert queue.next(label, StartPosition.Oldest, 10_000) == (items(0, 5), False)
        queue.add([b"more"])
        assert queue.next("new", StartPosition.Oldest, 10) == ([b"more"], False)


def test_ages_are_kept(make: Make) -> None:
    path = make("mpmc_killed")
    time.sleep(3.1)  # 0.3.0 keeps whole seconds
    with MpmcQueue(path, 2) as queue:
        assert len(queue) == 0
        assert queue.next("half", StartPosition.Oldest, 10) == ([], True)


def test_migrate_says_how_far_it_is_and_what_it_has_done(make: Make) -> None:
    path = make("mpmc_labels")
    calls: list[tuple[int, int]] = []
    migrated = rocksq.migrate(path, lambda done, total: calls.append((done, total)))
    assert calls[-1] == (700, 700)
    assert migrated is not None
    assert (migrated.items, migrated.labels) == (700, 8)
    assert (migrated.left_out, migrated.moved_labels) == (0, 0)
    assert repr(migrated) == "Migrated(items=700, labels=8, left_out=0, moved_labels=0)"
    assert rocksq.migrate(path) is None
    with MpmcQueue(path, 0) as queue:
        assert len(queue) == 700


def test_what_progress_raises_stops_the_conversion(make: Make) -> None:
    path = make("fifo_some")
    before = picture(path)

    def stop(_done: int, _total: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        rocksq.migrate(path, stop)
    assert picture(path) == before
    program = "import sys; from rocksq.blocking import *"
    count = "print(PersistentQueueWithCapacity(sys.argv[1], 10**6).len)"
    assert old(f"{program}\n{count}", str(path)) == "700\n"


def test_a_kill_while_it_is_built_leaves_the_old_queue(make: Make) -> None:
    path = make("fifo_some")
    program = "import os, sys, rocksq; rocksq.migrate(sys.argv[1], lambda *_: os._exit(9))"
    assert run(program, path).returncode == 9
    assert (path / "migrating.2").is_dir()
    pop = (
        "import sys; from rocksq.blocking import *; "
        "print(len(PersistentQueueWithCapacity(sys.argv[1], 10**6).pop(100)))"
    )
    assert old(pop, str(path)) == "100\n"
    with PersistentQueueWithCapacity(path) as queue:
        assert queue.pop(10_000) == items(400, 1000)
    assert not (path / "migrating.2").exists()


def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "queue", 100_000)
    program = (
        "import sys; from rocksq.blocking import *\n"
        "print('ready', flush=True); PersistentQueueWithCapacity(sys.argv[1])"
    )
    for attempt in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(attempt * 0.05)
            process.kill()
    with PersistentQueueWithCapacity(path) as queue:
        assert queue.pop(10**6) == numbered(0, 100_000)


def test_the_old_version_changes_nothing_while_the_files_are_exchanged(make: Make) -> None:
    path = make("mpmc_labels")
    (path / "CURRENT").write_text("rocksq converts mpmc sweep MANIFEST-000005 700 8 0 0\n")
    before = {name: file for name, file in picture(path).items() if not name.startswith("LO")}
    with pytest.raises(subprocess.CalledProcessError):
        old("import sys; from rocksq.blocking import *; MpmcQueue(sys.argv[1], 9)", str(path))
    after = {name: file for name, file in picture(path).items() if not name.startswith("LO")}
    assert after == before


def test_the_old_version_refuses_what_was_converted(make: Make) -> None:
    path = make("mpmc_labels")
    MpmcQueue(path, 0).close()
    with pytest.raises(subprocess.CalledProcessError):
        old("import sys; from rocksq.blocking import *; MpmcQueue(sys.argv[1], 9)", str(path))
    with MpmcQueue(path, 0) as queue:
        assert len(queue) == 700


def test_a_queue_that_the_old_version_has_open_is_busy(make: Make) -> None:
    path = make("fifo_some")
    program = (
        "import sys; from rocksq.blocking import *\n"
        "queue = PersistentQueueWithCapacity(sys.argv[1], 10**6); print('ready', flush=True)\n"
        "sys.stdin.read(1)"
    )
    with subprocess.Popen(
        [OLD_PYTHON, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for convert in (PersistentQueueWithCapacity, rocksq.migrate):
            with pytest.raises(rocksq.Busy, match=str(process.pid)):
                convert(path)
        with pytest.raises(rocksq.Busy):
            rocksq.remove_queue(path)
        process.kill()
    with PersistentQueueWithCapacity(path, open_timeout=PATIENCE) as queue:
        assert len(queue) == 700


def test_ctrl_c_stops_migrate(make: Make) -> None:
    path = make("fifo_some")
    program = (
        "import os, signal, sys, rocksq\n"
        "try: rocksq.migrate(sys.argv[1], lambda *_: os.kill(os.getpid(), signal.SIGINT))\n"
        "except KeyboardInterrupt: print('stopped')"
    )
    assert succeeded(run(program, path)) == "stopped\n"
    with PersistentQueueWithCapacity(path) as queue:
        assert len(queue) == 700


def test_nothing_and_the_wrong_things_are_refused(tmp_path: Path, make: Make) -> None:
    with pytest.raises(rocksq.PathError):
        rocksq.migrate(tmp_path / "nothing")
    path = make("fifo_empty")
    before = picture(path)
    with pytest.raises(rocksq.WrongKind):
        MpmcQueue(path, 0)
    with pytest.raises(rocksq.WrongKind):
        rocksq.remove_mpmc_queue(path)
    assert picture(path) == before
    rocksq.remove_queue(path)
    assert not path.exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(rocksq.PathError):
        rocksq.migrate(tmp_path)


def test_a_million_items_are_converted(tmp_path: Path) -> None:
    path = filled(tmp_path / "queue", 10**6)
    assert rocksq.migrate(path) is not None
    with PersistentQueueWithCapacity(path) as queue:
        assert len(queue) == 10**6
        for first in range(0, 10**6, 10**5):
            assert queue.pop(10**5) == numbered(first, 10**5)


def filled(path: Path, count: int) -> Path:
    """Make an old persistent queue with so many items of 70 bytes."""
    fill = (
        "import sys; from rocksq.blocking import *\n"
        "queue, count = PersistentQueueWithCapacity(sys.argv[1], 10**7), int(sys.argv[2])\n"
        "for n in range(0, count, 10**4): queue.push([b'%07d' % i * 10 for i in range(n, n+10**4)])"
    )
    old(fill, str(path), str(count))
    return path


def numbered(first: int, count: int) -> list[bytes]:
    return [b"%07d" % n * 10 for n in range(first, first + count)]


def picture(path: Path) -> dict[str, tuple[bytes, int]]:
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.iterdir()}
