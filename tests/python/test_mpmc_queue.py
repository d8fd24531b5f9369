"""The MPMC queue does what that of rocksq 0.3.0 did, or promised."""

import time
from pathlib import Path

import pytest

from rocksq import StartPosition, remove_mpmc_queue
from rocksq.blocking import MpmcQueue

Oldest, Newest = StartPosition.Oldest, StartPosition.Newest


def test_every_label_reads_every_item_once(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    for label in ("one", "two"):
        assert mpmc.next(label, Oldest, 9) == ([b"a", b"b"], False)
        assert mpmc.next(label, Oldest, 9) == ([], False)


def test_next_reads_one_item_unless_told_otherwise(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    assert mpmc.next("label", Oldest) == ([b"a"], False)


def test_newest_begins_at_the_last_item(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b", b"c"])
    assert mpmc.next("label", Newest, 9) == ([b"c"], False)


def test_a_label_that_is_known_goes_on_whatever_position_is_asked_for(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b", b"c"])
    mpmc.next("label", Oldest)
    assert mpmc.next("label", Newest, 9) == ([b"b", b"c"], False)


def test_reading_takes_nothing_from_the_queue(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    mpmc.next("label", Oldest, 9)
    assert (mpmc.len, mpmc.payload_size, mpmc.is_empty) == (2, 2, False)


def test_labels_are_listed_and_removed(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a"])
    mpmc.next("two", Oldest)
    mpmc.next("one", Oldest)
    assert mpmc.labels == ["one", "two"]
    assert mpmc.remove_label("one") is True
    assert mpmc.remove_label("one") is False
    assert mpmc.labels == ["two"]


def test_a_removed_label_begins_anew(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a"])
    mpmc.next("label", Oldest)
    mpmc.remove_label("label")
    assert mpmc.next("label", Oldest) == ([b"a"], False)


@pytest.mark.parametrize("label", ["", "ü€😀", "a\0b", "x" * 1000])
def test_a_label_is_any_text(mpmc: MpmcQueue, label: str) -> None:
    mpmc.add([b"a"])
    assert mpmc.next(label, Oldest) == ([b"a"], False)
    assert mpmc.labels == [label]


def test_next_of_zero_moves_nothing(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a"])
    assert mpmc.next("label", Oldest, 0) == ([], False)
    assert mpmc.next("label", Oldest) == ([b"a"], False)


def test_a_huge_number_means_all_there_is(mpmc: MpmcQueue) -> None:
    mpmc.add([b"a", b"b"])
    assert mpmc.next("label", Oldest, 2**60) == ([b"a", b"b"], False)


def test_labels_keep_their_place_over_reopening(path: Path) -> None:
    with MpmcQueue(path, 0) as queue:
        queue.add([b"a", b"b"])
        queue.next("label", Oldest)
    with MpmcQueue(path, 0) as queue:
        assert queue.next("label", Oldest, 9) == ([b"b"], False)


def test_items_expire_and_the_loss_is_told_once(path: Path) -> None:
    queue = MpmcQueue(path, 3)
    queue.add([b"old"])
    queue.next("early", Oldest)
    queue.add([b"lost"])
    time.sleep(3.1)
    assert (queue.len, queue.is_empty) == (0, True)
    queue.add([b"new"])
    assert queue.next("early", Oldest, 9) == ([b"new"], True)
    queue.add([b"newer"])
    assert queue.next("early", Oldest, 9) == ([b"newer"], False)


def test_a_queue_tells_what_it_is(path: Path) -> None:
    queue = MpmcQueue(path, 60)
    assert (queue.path, queue.ttl, len(queue), bool(queue)) == (str(path), 60, 0, False)
    assert repr(queue) == f'<rocksq.blocking.MpmcQueue path="{path}" ttl=60 len=0 bytes=0>'


def test_arguments_can_be_named(path: Path) -> None:
    queue = MpmcQueue(path=path, ttl=0)
    queue.add(items=[b"a"], no_gil=False)
    taken = queue.next(label="label", start_position=Oldest, max_elements=1, no_gil=True)
    assert taken == ([b"a"], False)
    assert queue.remove_label("label", no_gil=True)


def test_the_longest_ttl_can_be_opened(path: Path) -> None:
    assert MpmcQueue(path, 2**64 - 1).is_empty


def test_a_removed_queue_is_empty_when_it_is_made_again(path: Path) -> None:
    with MpmcQueue(path, 0) as queue:
        queue.add([b"a"])
    remove_mpmc_queue(path)
    assert MpmcQueue(path, 0).is_empty
