"""Queues in plain files, and the floor: what the operating system asks for the bytes alone."""

from __future__ import annotations

import os

from contenders.base import Contender, OneByOne


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


class Floor(Contender):
    """One `writev` a push and one `pread` a pop: no queue, only its bytes."""

    def __init__(self, directory: str) -> None:
        self.file = os.open(f"{directory}/bytes", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self.sizes: list[int] = []
        self.taken = 0
        self.offset = 0

    def push(self, items: list[bytes]) -> None:
        os.writev(self.file, items)
        self.sizes.extend(map(len, items))

    def pop(self, count: int) -> list[bytes]:
        sizes = self.sizes[self.taken : self.taken + count]
        data = os.pread(self.file, sum(sizes), self.offset)
        self.taken += len(sizes)
        self.offset += len(data)
        if len(sizes) == 1:
            return [data]
        items, at = [], 0
        for size in sizes:
            items.append(data[at : at + size])
            at += size
        return items

    def close(self) -> None:
        os.close(self.file)
