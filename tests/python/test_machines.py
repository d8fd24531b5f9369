"""Both queues against plain models, with reopening at any time."""

import shutil
import tempfile
from collections import deque
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rocksq import Conflict, Full, StartPosition
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity

CAPACITY = 12
ITEMS = st.lists(st.binary(max_size=20), max_size=5)
NUMBERS = st.integers(0, 7)
LABELS = st.sampled_from(["a", "b", "ü"])
SETTINGS = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class PersistentQueueMachine(RuleBasedStateMachine):
    """The persistent queue is a deque on disk."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.model: deque[bytes] = deque()
        self.open()

    def open(self) -> None:
        self.queue = PersistentQueueWithCapacity(self.directory / "queue", CAPACITY)

    @rule(items=ITEMS)
    def push(self, items: list[bytes]) -> None:
        if len(self.model) + len(items) > CAPACITY:
            with pytest.raises(Full):
                self.queue.push(items)
        else:
            self.queue.push(items)
            self.model += items

    @rule(items=ITEMS)
    def push_later(self, items: list[bytes]) -> None:
        response = self.queue.nonblocking().push(items)
        if len(self.model) + len(items) > CAPACITY:
            with pytest.raises(Full):
                response.get()
        else:
            response.get()
            self.model += items

    @rule(number=NUMBERS)
    def pop(self, number: int) -> None:
        expected = [self.model.popleft() for _ in range(min(number, len(self.model)))]
        assert self.queue.pop(number) == expected

    @rule(number=NUMBERS)
    def read_and_commit(self, number: int) -> None:
        batch = self.queue.read(number)
        assert batch.items == list(self.model)[:number]
        self.queue.commit(batch)
        for _ in batch.items:
            self.model.popleft()

    @precondition(lambda self: self.model)
    @rule(number=NUMBERS)
    def commit_too_late(self, number: int) -> None:
        batch = self.queue.read(number)
        assert self.queue.pop() == [self.model.popleft()]
        with pytest.raises(Conflict):
            self.queue.commit(batch)

    @rule()
    def reopen(self) -> None:
        self.queue.close()
        self.open()

    @rule()
    def flush(self) -> None:
        self.queue.flush()

    @invariant()
    def looks_like_the_model(self) -> None:
        items = list(self.model)
        assert list(self.queue) == self.queue.peek(99) == items
        assert self.queue.len == len(items)
        assert self.queue.payload_size == sum(map(len, items))
        assert self.queue.is_empty is (not items)

    def teardown(self) -> None:
        self.queue.close()
        shutil.rmtree(self.directory)


class MpmcMachine(RuleBasedStateMachine):
    """The MPMC queue without a TTL is a list on disk, and a place in it for each label."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.items: list[bytes] = []
        self.places: dict[str, int] = {}
        self.open()

    def open(self) -> None:
        self.queue = MpmcQueue(self.directory / "queue", 0)

    def place(self, label: str, start: StartPosition) -> int:
        newest = max(len(self.items) - 1, 0)
        return self.places.get(label, newest if start is StartPosition.Newest else 0)

    @rule(items=ITEMS)
    def add(self, items: list[bytes]) -> None:
        self.queue.add(items)
        self.items += items

    @rule(label=LABELS, start=st.sampled_from(StartPosition), number=st.integers(1, 7))
    def next(self, label: str, start: StartPosition, number: int) -> None:
        place = self.place(label, start)
        expected = self.items[place : place + number]
        assert self.queue.next(label, start, number) == (expected, False)
        self.places[label] = place + len(expected)

    @rule(label=LABELS, start=st.sampled_from(StartPosition), number=st.integers(1, 7))
    def read_and_commit(self, label: str, start: StartPosition, number: int) -> None:
        place = self.place(label, start)
        batch = self.queue.read(label, start, number)
        assert batch.items == self.items[place : place + number]
        assert (batch.first, batch.next) == (place, place + len(batch.items))
        self.queue.commit(batch)
        self.places[label] = batch.next

    @rule(label=LABELS)
    def remove_label(self, label: str) -> None:
        assert self.queue.remove_label(label) is (self.places.pop(label, None) is not None)

    @rule()
    def reopen(self) -> None:
        self.queue.close()
        self.open()

    @rule(label=LABELS, start=st.sampled_from(StartPosition), number=NUMBERS)
    def peek(self, label: str, start: StartPosition, number: int) -> None:
        place = self.place(label, start)
        assert self.queue.peek(label, start, number) == self.items[place : place + number]

    @invariant()
    def looks_like_the_model(self) -> None:
        assert list(self.queue) == self.items
        assert self.queue.len == len(self.items)
        assert self.queue.payload_size == sum(map(len, self.items))
        assert self.queue.labels == sorted(self.places)

    def teardown(self) -> None:
        self.queue.close()
        shutil.rmtree(self.directory)


TestPersistentQueue = PersistentQueueMachine.TestCase
TestPersistentQueue.settings = SETTINGS
TestMpmcQueue = MpmcMachine.TestCase
TestMpmcQueue.settings = SETTINGS
