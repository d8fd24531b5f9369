"""What every contender can do, whatever its own interface looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar


class Contender(ABC):
    """A queue of byte strings in a directory."""

    crash_safe: ClassVar[bool] = True
    """Whether what a call has done survives kill -9 once it has returned."""

    @abstractmethod
    def __init__(self, directory: str) -> None:
        """Open a new queue in an empty directory."""

    @abstractmethod
    def push(self, items: list[bytes]) -> None:
        """Add the items at the end, in one call where the interface has one."""

    @abstractmethod
    def pop(self, count: int) -> list[bytes]:
        """Take up to so many items, oldest first."""

    def close(self) -> None:
        """Close the queue."""


class OneByOne(Contender):
    """A queue whose interface takes and gives single items."""

    @abstractmethod
    def put(self, item: bytes) -> None:
        """Add one item."""

    @abstractmethod
    def get(self) -> bytes | None:
        """Take one item; None when there is none."""

    def push(self, items: list[bytes]) -> None:
        """Add the items one after another."""
        for item in items:
            self.put(item)

    def pop(self, count: int) -> list[bytes]:
        """Take the items one after another."""
        items = []
        while len(items) < count and (item := self.get()) is not None:
            items.append(item)
        return items
