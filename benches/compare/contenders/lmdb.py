"""Queues on LMDB."""

from __future__ import annotations

from contenders.base import Contender, OneByOne

MAP_SIZE = 16 << 30
LARGEST_ITEM = 4 << 20


class LmdbQueue(OneByOne):
    """`lmdb-queue`; its items are encoded with msgpack, and acknowledged after they were taken."""

    def __init__(self, directory: str) -> None:
        from equeue import Queue, QueueEmpty

        self.queue: Queue[bytes] = Queue(f"{directory}/queue", map_size=MAP_SIZE)
        self.empty = QueueEmpty

    def put(self, item: bytes) -> None:
        self.queue.put(item)

    def get(self) -> bytes | None:
        try:
            record = self.queue.get(timeout=0.01)
        except self.empty:
            return None
        record.ack()
        return record.payload

    def close(self) -> None:
        self.queue.close()


class Nque(Contender):
    """`nque`, which syncs each transaction."""

    def __init__(self, directory: str) -> None:
        from nque import FifoBasicQueueLmdb

        self.queue = FifoBasicQueueLmdb(
            f"{directory}/queue", items_count_max=1_000_000, item_bytes_max=LARGEST_ITEM
        )

    def push(self, items: list[bytes]) -> None:
        self.queue.put(items)

    def pop(self, count: int) -> list[bytes]:
        items: list[bytes] = self.queue.pop(count)
        return items
