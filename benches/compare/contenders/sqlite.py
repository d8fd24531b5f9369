"""Queues on SQLite."""

from __future__ import annotations

from contenders.base import Contender, OneByOne


class Bytes:
    """Items as they are, in place of a queue's own encoding."""

    def dumps(self, item: bytes) -> bytes:
        """Encode an item."""
        return item

    def loads(self, data: bytes) -> bytes:
        """Decode an item."""
        return data


class Localqueue(Contender):
    """`localqueue`, an engine in Rust; items are acknowledged after they were taken."""

    def __init__(self, directory: str) -> None:
        from localqueue import Empty, SimpleQueue

        self.queue: SimpleQueue[bytes] = SimpleQueue(f"{directory}/queue", serializer=Bytes())
        self.empty = Empty

    def push(self, items: list[bytes]) -> None:
        if len(items) == 1:
            self.queue.put(items[0])
        else:
            self.queue.put_many(items)

    def pop(self, count: int) -> list[bytes]:
        items = []
        while len(items) < count:
            try:
                job = self.queue.get_nowait()
            except self.empty:
                break
            self.queue.ack(job)
            items.append(job.data)
        return items

    def close(self) -> None:
        self.queue.close()


class Litequeue(OneByOne):
    """`litequeue`; items are text for it, SQLite keeps the bytes."""

    def __init__(self, directory: str) -> None:
        from litequeue import LiteQueue

        self.queue = LiteQueue(f"{directory}/queue.db")

    def put(self, item: bytes) -> None:
        self.queue.put(item)

    def get(self) -> bytes | None:
        message = self.queue.pop()
        if message is None:
            return None
        self.queue.done(message.message_id)
        data: bytes = message.data
        return data

    def close(self) -> None:
        self.queue.close()


class Diskcache(OneByOne):
    """`diskcache.Deque`."""

    def __init__(self, directory: str) -> None:
        from diskcache import Deque

        self.queue = Deque(directory=f"{directory}/queue")

    def put(self, item: bytes) -> None:
        self.queue.append(item)

    def get(self) -> bytes | None:
        try:
            item: bytes = self.queue.popleft()
        except IndexError:
            return None
        return item


class Huey(OneByOne):
    """The SQLite storage of `huey`."""

    def __init__(self, directory: str) -> None:
        from huey.storage import SqliteStorage

        self.queue = SqliteStorage(filename=f"{directory}/queue.db", strict_fifo=True)

    def put(self, item: bytes) -> None:
        self.queue.enqueue(item)

    def get(self) -> bytes | None:
        item: bytes | None = self.queue.dequeue()
        return item

    def close(self) -> None:
        self.queue.close()
