"""`persist-queue` on SQLite and in files; its items are pickled."""

from __future__ import annotations

from contenders.base import OneByOne


class PersistQueueFile(OneByOne):
    """In files."""

    def __init__(self, directory: str) -> None:
        from persistqueue import Queue
        from persistqueue.exceptions import Empty

        self.queue = Queue(f"{directory}/queue", autosave=True)
        self.empty = Empty

    def put(self, item: bytes) -> None:
        self.queue.put(item)

    def get(self) -> bytes | None:
        try:
            item: bytes = self.queue.get(block=False)
        except self.empty:
            return None
        return item


class PersistQueueSqlite(PersistQueueFile):
    """On SQLite."""

    def __init__(self, directory: str) -> None:
        from persistqueue import SQLiteQueue
        from persistqueue.exceptions import Empty

        self.queue = SQLiteQueue(f"{directory}/queue", auto_commit=True, multithreading=True)
        self.empty = Empty

    def close(self) -> None:
        self.queue.close()
