"""Queues in plain files."""

from __future__ import annotations

from contenders.base import OneByOne


class Queuelib(OneByOne):
    """`queuelib`, which leaves new items in the buffers of the process."""

    crash_safe = False

    def __init__(self, directory: str) -> None:
        from queuelib import FifoDiskQueue

        self.queue = FifoDiskQueue(f"{directory}/queue")
        self.put = self.queue.push  # type: ignore[method-assign]
        self.get = self.queue.pop  # type: ignore[method-assign]

    def put(self, item: bytes) -> None:
        self.queue.push(item)

    def get(self) -> bytes | None:
        item: bytes | None = self.queue.pop()
        return item

    def close(self) -> None:
        self.queue.close()
