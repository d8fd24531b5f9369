"""What can go wrong, sorted by what the caller does next.

Every class is under `Error`, which is a `RuntimeError`.

>>> import tempfile
>>> from rocksq import Full
>>> from rocksq.blocking import PersistentQueueWithCapacity
>>> with tempfile.TemporaryDirectory() as directory:
...     with PersistentQueueWithCapacity(f"{directory}/queue", max_elements=1) as queue:
...         try:
...             queue.push([b"one", b"two"])
...         except Full as error:
...             print(error)
Failed to push item: Queue is full
"""

import queue

__all__ = [
    "Busy",
    "Closed",
    "Conflict",
    "Corrupt",
    "DiskFull",
    "Error",
    "Forked",
    "Full",
    "IOFailure",
    "InvalidArgument",
    "OutOfMemory",
    "OutOfRange",
    "OutcomeUnknown",
    "PathError",
    "UnsupportedFormat",
    "WrongKind",
]


class Error(RuntimeError):
    """Any failure of a queue. Its text says what was tried, why it failed and what to do.

    `path` is the queue's directory, or None where the failure belongs to none.
    """

    path: str | None

    def __init__(self, message: str = "", path: str | None = None) -> None:
        super().__init__(message)
        self.path = path


class Full(Error, queue.Full):
    """No room for the items; nothing was added.

    Take items out, wait with `timeout=`, open the queue with more `max_elements` or `max_bytes`, or
    let the oldest items make room with `OnFull.DropOldest`. What is more than `max_elements` or
    `max_bytes` can never fit. The note of the exception says which it is.
    """

    def __init__(
        self,
        message: str = "",
        path: str | None = None,
        advice: str = "Take items out, wait for room with timeout=, open the queue with more "
        "max_elements or max_bytes, or let the oldest items make room with "
        "on_full=OnFull.DropOldest.",
    ) -> None:
        super().__init__(message, path)
        self.add_note(advice)


class Closed(Error):
    """The queue was closed, maybe while the call waited. Open it again."""


class Conflict(Error):
    """Another consumer moved the cursor since the batch was read. Read again."""


class Forked(Error):
    """The queue was open when this process was forked off, or another one was.

    The parent goes on unharmed. Close all queues before the fork and open them in the child, or
    start children with the method "spawn" or "forkserver".
    """


class InvalidArgument(Error, ValueError):
    """An argument cannot be used. Fix the call."""


class OutOfRange(InvalidArgument, OverflowError):
    """A number is negative, or has more than 64 bits. The text names the argument and its range."""


class Busy(Error):
    """The path is open in another process, or in this one with other options.

    Close that one, or wait for it with `open_timeout=`. `rocksq.open_queues` lists what is open in
    this process, and `rocksq.close_all` closes it.
    """


class WrongKind(Error):
    """The path holds the other kind of queue, or a database of others. Nothing was changed."""


class UnsupportedFormat(Error):
    """The path holds a queue in a format that this version cannot read. Nothing was changed."""


class PathError(Error):
    """The path cannot be used: not a directory, no permission, or a parent that cannot be made."""


class DiskFull(Error):
    """The device has no space left; nothing was changed. Make room and call again."""


class IOFailure(Error):
    """The operating system refused to read or write."""


class Corrupt(Error):
    """The stored data are damaged.

    `rocksq.verify` says how far, and `rocksq.repair` saves what is intact.
    """


class OutOfMemory(Error, MemoryError):
    """There is not enough memory. Nothing has changed: free some, or ask for less at once."""


class OutcomeUnknown(Error):
    """A write failed and may still be there after the next open: all of it, or nothing."""
