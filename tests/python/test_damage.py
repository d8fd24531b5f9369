"""Damaged files, seen from Python."""

from collections.abc import Callable
from pathlib import Path

import pytest

import rocksq
from rocksq import Busy, Corrupt, PathError, StartPosition, WrongKind
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity
from rocksq.maintenance import Recovery, Report
from support import damaged


def test_an_intact_queue_has_nothing_to_report(tmp_path: Path) -> None:
    with PersistentQueueWithCapacity(tmp_path / "queue") as queue:
        assert queue.recovery is None
        queue.push([b"one", b"three"])
    report = rocksq.verify(tmp_path / "queue")
    assert isinstance(report, Report)
    assert report.is_intact
    assert (report.items, report.bytes, report.set_aside) == (2, 8, 0)
    assert (report.missing, report.problems, report.labels) == ((), (), ())
    assert report.kept is None
    assert report == rocksq.verify(str(tmp_path / "queue"))


def test_a_queue_says_what_was_lost_when_it_was_opened(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    with PersistentQueueWithCapacity(path) as queue:
        recovery = queue.recovery
        assert isinstance(recovery, Recovery)
        assert (recovery.first, recovery.next) == (2, 6)
        assert recovery.writes == 1
        assert recovery.bytes > 0
        assert Path(recovery.kept).is_dir()
        assert "position 2" in str(recovery)
        assert queue.pop(9) == [b"first", b"first" * 100]
    report = rocksq.repair(path)
    assert report.set_aside == 2
    with PersistentQueueWithCapacity(path) as queue:
        assert queue.pop(9) == [b"third", b"third" * 100]


def test_a_repair_says_what_is_gone(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    report = rocksq.repair(path)
    [missing] = report.missing
    assert (missing.first, missing.next) == (2, 4)
    assert missing.why
    assert report.items == 4
    assert report.kept is not None
    assert Path(report.kept).is_dir()
    assert not report.is_intact
    assert "missing=1" in repr(report)


def test_records_cannot_be_changed(tmp_path: Path) -> None:
    report = rocksq.verify(damaged(tmp_path))
    with pytest.raises(AttributeError):
        report.items = 7  # type: ignore[misc]


def test_a_damaged_queue_names_the_remedy(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    (path / "CURRENT").unlink()
    with pytest.raises(Corrupt, match=r"rocksq\.repair") as raised:
        PersistentQueueWithCapacity(path)
    assert raised.value.path == str(path)
    assert not rocksq.verify(path).is_intact
    assert rocksq.repair(path).items == 4


def test_a_backup_of_an_mpmc_queue_keeps_its_labels(tmp_path: Path) -> None:
    with MpmcQueue(tmp_path / "queue", ttl=0) as queue:
        queue.add([b"a", b"b"])
        queue.next("reader", StartPosition.Oldest)
        queue.nonblocking().blocking().backup(tmp_path / "copy")
        with pytest.raises(PathError, match="copy"):
            queue.backup(tmp_path / "copy")
    assert rocksq.verify(tmp_path / "copy").labels == ("reader",)
    with MpmcQueue(tmp_path / "copy", ttl=0) as copy:
        assert copy.recovery is None
        assert copy.next("reader", StartPosition.Oldest, 9) == ([b"b"], False)


@pytest.mark.parametrize("operation", [rocksq.verify, rocksq.repair])
def test_what_is_no_queue_is_refused_and_left_alone(
    tmp_path: Path, operation: Callable[[Path], Report]
) -> None:
    empty, file, other = (tmp_path / name for name in ("empty", "file", "other"))
    empty.mkdir()
    file.write_text("text")
    other.mkdir()
    (other / "letter").write_text("dear")
    for path, error in (
        (tmp_path / "none", PathError),
        (empty, WrongKind),
        (file, PathError),
        (other, WrongKind),
    ):
        with pytest.raises(error, match=path.name):
            operation(path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "empty",
        "file",
        "letter",
        "other",
    ]


@pytest.mark.parametrize("operation", [rocksq.verify, rocksq.repair])
def test_a_queue_that_is_open_is_neither_verified_nor_repaired(
    tmp_path: Path, operation: Callable[[Path], Report]
) -> None:
    with PersistentQueueWithCapacity(tmp_path / "queue") as queue:
        queue.push([b"item"])
        with pytest.raises(Busy, match="in this process already"):
            operation(tmp_path / "queue")
        assert queue.pop() == [b"item"]


def test_an_intact_queue_can_be_repaired_again_and_again(tmp_path: Path) -> None:
    with PersistentQueueWithCapacity(tmp_path / "queue") as queue:
        queue.push([b"one", b"two"])
    for _ in range(3):
        report = rocksq.repair(tmp_path / "queue")
        assert (report.items, report.missing, report.problems) == (2, (), ())
    with PersistentQueueWithCapacity(tmp_path / "queue") as queue:
        assert queue.pop(9) == [b"one", b"two"]


def test_a_backup_goes_to_a_new_place_outside_of_the_queue(tmp_path: Path) -> None:
    with PersistentQueueWithCapacity(tmp_path / "queue") as queue:
        queue.push([b"item"])
        (tmp_path / "copy.tmp").mkdir()
        for place in ("queue", "queue/copy", "copy", "none/copy"):
            with pytest.raises(PathError, match="Cannot back up"):
                queue.backup(tmp_path / place)
        with pytest.raises(PathError):
            queue.backup("")
        assert (tmp_path / "copy.tmp").is_dir()
        queue.backup(tmp_path / "second")
        assert queue.pop() == [b"item"]
    assert rocksq.verify(tmp_path / "second").items == 1


@pytest.mark.parametrize("tables", [False, True])
def test_a_queue_without_its_first_files_is_refused_and_repaired(
    tmp_path: Path, tables: bool
) -> None:
    """What a copy that was cut short, or a cleaner of old files, can leave."""
    path = tmp_path / "queue"
    with PersistentQueueWithCapacity(path) as queue:
        queue.push([b"one", b"two"])
    if tables:
        PersistentQueueWithCapacity(path).close()
    for name in ("HOLDER", "CURRENT"):
        (path / name).unlink()
    before = sorted(path.iterdir())
    with pytest.raises(WrongKind, match="of which rocksq.repair saves what is intact"):
        PersistentQueueWithCapacity(path)
    assert sorted(path.iterdir()) == before
    assert rocksq.repair(path).items == 2
    assert PersistentQueueWithCapacity(path).pop(9) == [b"one", b"two"]
