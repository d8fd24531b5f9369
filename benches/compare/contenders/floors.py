"""The floors: no queue, only what has to be done for its bytes."""

from __future__ import annotations

import os
from collections import deque

from contenders.base import Contender


class Plain(Contender):
    """One `writev` a push and one `pread` a pop."""

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


class Durable(Plain):
    """The same, and after each call an `fdatasync`: of the bytes, or of the place of the next."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.place = os.open(f"{directory}/place", os.O_RDWR | os.O_CREAT)

    def push(self, items: list[bytes]) -> None:
        super().push(items)
        os.fdatasync(self.file)

    def pop(self, count: int) -> list[bytes]:
        items = super().pop(count)
        os.pwrite(self.place, self.offset.to_bytes(8), 0)
        os.fdatasync(self.place)
        return items

    def close(self) -> None:
        os.close(self.place)
        super().close()


class Copied(Contender):
    """One copy of each item on its way in, and one on its way out, in memory."""

    crash_safe = False

    def __init__(self, directory: str) -> None:
        self.items: deque[bytes] = deque()

    def push(self, items: list[bytes]) -> None:
        self.items.extend(bytes(memoryview(item)) for item in items)

    def pop(self, count: int) -> list[bytes]:
        count = min(count, len(self.items))
        return [bytes(memoryview(self.items.popleft())) for _ in range(count)]
