"""Damaged files, seen from Python."""

from pathlib import Path

import pytest

import rocksq
from rocksq import Corrupt, PathError, StartPosition
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


def test_what_is_no_queue_is_refused(tmp_path: Path) -> None:
    for operation in (rocksq.verify, rocksq.repair):
        with pytest.raises(PathError):
            operation(tmp_path / "none")
