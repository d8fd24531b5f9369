"""Queues on RocksDB: rocksq in its versions and faces, and `rocksdict` by hand."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any, ClassVar

from contenders.base import Contender

CAPACITY = 1_000_000_000
IN_FLIGHT = 500


class Rocksq(Contender):
    """`rocksq.blocking.PersistentQueueWithCapacity`, of this version or of 0.3.0."""

    options: dict[str, Any] = {}

    def __init__(self, directory: str) -> None:
        from rocksq.blocking import PersistentQueueWithCapacity

        self.queue: Any = PersistentQueueWithCapacity(
            f"{directory}/queue", CAPACITY, **self.options
        )
        self.push = self.queue.push  # type: ignore[method-assign]
        self.pop = self.queue.pop  # type: ignore[method-assign]

    def push(self, items: list[bytes]) -> None:
        self.queue.push(items)

    def pop(self, count: int) -> list[bytes]:
        items: list[bytes] = self.queue.pop(count)
        return items


class RocksqAtLevel(Rocksq):
    """rocksq at a level of durability."""

    level: ClassVar[str]

    def __init__(self, directory: str) -> None:
        from rocksq import Durability  # type: ignore[attr-defined]

        self.options = {"durability": getattr(Durability, self.level)}
        super().__init__(directory)


class RocksqBuffered(RocksqAtLevel):
    """rocksq at the level Buffered."""

    crash_safe = False
    level = "Buffered"


class RocksqSynced(RocksqAtLevel):
    """rocksq at the level Synced."""

    level = "Synced"


class RocksqReadCommit(Rocksq):
    """rocksq whose items are read, and then committed."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        del self.pop

    def pop(self, count: int) -> list[bytes]:
        batch = self.queue.read(count)
        self.queue.commit(batch)
        items: list[bytes] = batch.items
        return items


class RocksqNonblocking(Contender):
    """The nonblocking face, with so many operations in flight."""

    def __init__(self, directory: str) -> None:
        from rocksq.nonblocking import PersistentQueueWithCapacity

        self.queue: Any = PersistentQueueWithCapacity(f"{directory}/queue", CAPACITY, IN_FLIGHT)
        self.pushes: deque[Any] = deque()
        self.pops: deque[Any] = deque()

    def push(self, items: list[bytes]) -> None:
        if len(self.pushes) >= IN_FLIGHT:
            self.pushes.popleft().get()
        self.pushes.append(self.queue.push(items))

    def pop(self, count: int) -> list[bytes]:
        while self.pushes:
            self.pushes.popleft().get()
        while len(self.pops) < IN_FLIGHT:
            self.pops.append(self.queue.pop(count))
        items: list[bytes] = self.pops.popleft().get().data
        return items


class RocksqMpmc(Contender):
    """`rocksq.blocking.MpmcQueue` read under one label."""

    def __init__(self, directory: str) -> None:
        from rocksq import StartPosition
        from rocksq.blocking import MpmcQueue

        self.queue = MpmcQueue(f"{directory}/queue", 3600)
        self.push = self.queue.add  # type: ignore[method-assign]
        self.oldest = StartPosition.Oldest

    def push(self, items: list[bytes]) -> None:
        self.queue.add(items)

    def pop(self, count: int) -> list[bytes]:
        items: list[bytes] = self.queue.next("label", self.oldest, count)[0]
        return items


class Rocksdict(Contender):
    """A queue by hand on `rocksdict`: a key for each item, and the numbers of first and next."""

    def __init__(self, directory: str) -> None:
        from rocksdict import Options, Rdict, WriteBatch

        self.items = Rdict(f"{directory}/queue", Options(raw_mode=True))
        self.batch = WriteBatch
        self.first = 0
        self.next = 0

    def push(self, items: list[bytes]) -> None:
        if len(items) == 1:
            self.items[self.next.to_bytes(8)] = items[0]
        else:
            batch = self.batch(raw_mode=True)
            for number, item in enumerate(items, self.next):
                batch[number.to_bytes(8)] = item
            self.items.write(batch)
        self.next += len(items)

    def pop(self, count: int) -> list[bytes]:
        keys = [n.to_bytes(8) for n in range(self.first, min(self.first + count, self.next))]
        if len(keys) == 1:
            items = [self.items[keys[0]]]
            del self.items[keys[0]]
        else:
            items = list(islice(self.items.values(from_key=keys[0]), len(keys))) if keys else []
            batch = self.batch(raw_mode=True)
            for key in keys:
                batch.delete(key)
            self.items.write(batch)
        self.first += len(keys)
        return items

    def close(self) -> None:
        self.items.close()
