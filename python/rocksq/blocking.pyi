"""Queues whose methods return when the work is done.

All methods may be called from any number of threads, and other Python threads run while a call
waits for the disk, for items or for room. An item is any bytes-like object and comes back as
`bytes`. Sizes are in bytes and times in seconds.

Unless a method says otherwise, it raises `Closed` after `close`, `Forked` in a child process that
was forked off after the queue was opened, and `DiskFull`, `IOFailure` or `Corrupt` when the files
cannot be read or written. A call that raises has changed nothing, except with `OutcomeUnknown`.

What survives a crash once a method has returned is a matter of `Durability`, which is chosen for
the queue and can be chosen for a call: by default the death of the process, `kill -9` included, and
a power cut after the next `flush` or `close`. A call at `Durability.Synced` raises `OutcomeUnknown`
when what it did is in the queue but could not be synced.
"""

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from types import TracebackType
from typing import Never, Self, final, overload

from typing_extensions import Buffer, disjoint_base

from rocksq import Durability, OnFull, StartPosition, nonblocking
from rocksq.maintenance import Recovery

__all__ = [
    "Batch",
    "BatchBase",
    "Batches",
    "Consumer",
    "LabelStats",
    "LiveItems",
    "MpmcQueue",
    "PersistentQueueWithCapacity",
    "Stats",
    "Watch",
]

@final
class PersistentQueueWithCapacity:
    """A durable first-in-first-out queue in a directory, bounded by items and bytes.

    Every item goes to one consumer, in the order of the pushes.

    The constructor opens the queue in the directory `path`, or makes it and its parents. The queue
    holds at most `max_elements` items of at most `max_bytes` bytes together (None: any number);
    reopening with less drops nothing. What becomes of a push that does not fit is `on_full`, or
    `OnFull.Error`. Calls are as durable as `durability` says, or `Durability.Written`.

    A queue that is open in this process already is shared, if its options are the same: each of
    the objects is closed by itself, and the last one closes the queue. When the path is open in
    another process, or with other options than `durability`, the constructor waits for it up to
    `open_timeout` seconds (None: for ever), then raises `Busy`. `WrongKind`, `UnsupportedFormat`
    and `PathError` tell that the path cannot be a queue of this kind, and then nothing on disk has
    changed.

    Iterating yields the items from the oldest on, which stay in the queue. Items that are pushed
    meanwhile are seen; items that are taken meanwhile may be. In a `with` statement the queue is
    closed at the end.

    Opening a directory of rocksq 0.3.0 converts it, as `rocksq.migrate` does.

    >>> import tempfile
    >>> from rocksq.blocking import PersistentQueueWithCapacity
    >>> directory = tempfile.mkdtemp()
    >>> with PersistentQueueWithCapacity(f"{directory}/queue", max_elements=1_000) as queue:
    ...     queue.push([b"first", b"other"])
    >>> queue = PersistentQueueWithCapacity(f"{directory}/queue", max_elements=1_000)
    >>> list(queue)
    [b'first', b'other']
    >>> queue.pop(10)
    [b'first', b'other']
    >>> queue.close()
    """

    def __new__(
        cls,
        path: str | PathLike[str],
        max_elements: int = 1_000_000_000,
        *,
        max_bytes: int | None = None,
        on_full: OnFull | None = None,
        durability: Durability | None = None,
        open_timeout: float | None = 0,
    ) -> Self: ...
    def push(
        self,
        items: Iterable[Buffer],
        no_gil: bool = True,
        *,
        timeout: float | None = 0,
        durability: Durability | None = None,
    ) -> None:
        """Add `items` at the end: all of them, or none.

        When they do not fit, wait for room up to `timeout` seconds (None: for ever), then raise
        `Full`. Producers that wait are served in the order in which they came. What is more than
        the queue can ever hold raises `Full` at once. With `OnFull.DropOldest` nothing waits: the
        oldest pushes make room. What is not bytes-like raises `TypeError`.

        Once this returns the items are as durable as `durability` says (None: as the queue's).
        `no_gil` is there for programs written for rocksq 0.3.0.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
        >>> queue.push([b"bytes", bytearray(b"bytearray"), memoryview(b"view")])
        >>> queue.len
        3
        """

    def pop(
        self,
        max_elements: int = 1,
        no_gil: bool = True,
        *,
        n: int | None = None,
        timeout: float | None = 0,
        durability: Durability | None = None,
    ) -> list[bytes]:
        """Take up to `max_elements` items, oldest first.

        When the queue is empty, wait for an item up to `timeout` seconds (None: for ever); the
        list is empty when none came. The call returns as soon as there is one. What is returned is
        taken, as durably as `durability` says (None: as the queue's); use `read` and `commit` for
        what must not be lost with the program.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
        >>> queue.pop(timeout=0.01)
        []
        """

    def read(
        self, n: int = 1, timeout: float | None = 0, *, max_elements: int | None = None
    ) -> Batch:
        """Read up to `n` items without taking them.

        Waits like `pop`. `commit` takes the items; a program that dies before it reads them again.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
        >>> queue.push([b"a", b"b", b"c"])
        >>> batch = queue.read(2)
        >>> batch.items
        [b'a', b'b']
        >>> queue.commit(batch)
        >>> queue.len
        1
        """

    def commit(self, batch: BatchBase, *, durability: Durability | None = None) -> None:
        """Take the items of `batch`, which `read` of this queue gave.

        They stay taken, as durably as `durability` says (None: as the queue's).
        Raises `Conflict` when another consumer has taken items since, and `InvalidArgument` for a
        batch of another queue.
        """

    def peek(self, n: int = 1, *, max_elements: int | None = None) -> list[bytes]:
        """Return the next items, up to `n`, which stay in the queue."""

    def batches(
        self, n: int = 1, *, max_elements: int | None = None, timeout: float | None = None
    ) -> Batches:
        """Return an iterator that reads batch after batch of up to `n` items.

        `with batch:` commits one when its block ends well. When the block raises, the items stay,
        and the next batch is the same again; leaving the loop leaves them for the next consumer.
        It waits for each batch up to `timeout` seconds (None: for ever), and ends when nothing came
        or the queue is closed. A loop that has done nothing about a batch raises `RuntimeError` at
        the next one. Loops of several consumers read the same items, and all but one of them get
        `Conflict` at the commit.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
        >>> queue.push([b"a", b"b", b"c"])
        >>> for batch in queue.batches(2, timeout=0):
        ...     with batch:
        ...         print(list(batch))
        [b'a', b'b']
        [b'c']
        """

    def consume(self) -> Consumer:
        """Return an iterator that takes item after item until the queue is closed.

        It waits for each item. Any number of them can run, in any number of threads.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
        >>> queue.push([b"work", b"stop"])
        >>> for item in queue.consume():
        ...     if item == b"stop":
        ...         break
        ...     print(item)
        b'work'
        """

    @property
    def is_empty(self) -> bool:
        """Whether there is no item in the queue."""

    def wait_below(
        self,
        *,
        elements: int | None = None,
        bytes: int | None = None,
        timeout: float | None = None,
    ) -> bool:
        """Wait until the queue holds fewer than `elements` items and fewer than `bytes` bytes.

        Either may be left out. Waits up to `timeout` seconds (None: for ever); returns whether it
        came to that. So a producer that is ahead can slow down before the queue is full.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
        >>> queue.push([b"one", b"two"])
        >>> queue.wait_below(elements=2, timeout=0.01)
        False
        >>> queue.wait_below(elements=3, bytes=1_000_000)
        True
        """
    def watch(
        self,
        callback: Callable[[bool], object],
        *,
        high_elements: int | None = None,
        low_elements: int | None = None,
        high_bytes: int | None = None,
        low_bytes: int | None = None,
    ) -> Watch:
        """Tell `callback` True when the queue fills up, and False when there is room again.

        It has filled up when it holds `high_elements` items or `high_bytes` bytes, and there is
        room again when it holds fewer than `low_elements` and fewer than `low_bytes` after that; a
        low number that is not given is the high one. A queue that has filled up already is told of
        at once. The callback is called by a thread of its own, so it may take its time and use the
        queue; what comes and goes meanwhile is not told. It is told until `stop` of the returned
        object is called or the queue is closed. Raises `InvalidArgument` for a low number above the
        high one.
        """
    def stats(self) -> Stats:
        """Return what is in the queue, and what has happened to it since it was opened.

        Cheap, however much is in it; may be called from anywhere.
        """
    @property
    def disk_size(self) -> int:
        """Bytes that the queue takes on the file system."""

    @property
    def payload_size(self) -> int:
        """Bytes of all items in the queue."""

    @property
    def len(self) -> int:
        """Number of items in the queue."""

    @property
    def max_elements(self) -> int:
        """The number of items that the queue can hold at once."""

    @property
    def max_bytes(self) -> int | None:
        """The bytes of items that the queue can hold at once, or None for any number."""
    @property
    def on_full(self) -> OnFull:
        """What becomes of a push that does not fit."""
    @property
    def durability(self) -> Durability:
        """How durable what a call does is when it returns, unless the call says otherwise."""

    @property
    def path(self) -> str:
        """The full path of the directory of the queue."""

    @property
    def closed(self) -> bool:
        """Whether the queue was closed."""

    def flush(self) -> None:
        """Make everything done before the call survive a power cut."""

    def backup(self, to: str | PathLike[str]) -> None:
        """Copy the queue into the new directory `to`, while others use it.

        The copy is the queue as it is at some moment during the call. It survives a power cut once
        this returns, and shares files with the queue where the file system has hard links.
        Open it like any queue. Raises `PathError` when something is at `to`, or at its name with
        `.tmp` behind it, or when it is within the queue.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> directory = tempfile.mkdtemp()
        >>> queue = PersistentQueueWithCapacity(f"{directory}/queue")
        >>> queue.push([b"kept"])
        >>> queue.backup(f"{directory}/copy")
        >>> PersistentQueueWithCapacity(f"{directory}/copy").pop()
        [b'kept']
        """

    @property
    def recovery(self) -> Recovery | None:
        """What was lost to a damaged log; None when nothing was.

        It was found when the queue was opened, or when it last had to open itself anew after an
        error.
        """

    def close(self) -> None:
        """Let running operations finish, sync and close.

        Every call that waits raises `Closed`. The path can be opened again at once. Closing twice
        does nothing. Others who have opened the same queue keep it open. A queue is also closed
        when the last object of it goes, and at the interpreter's exit.
        """

    def nonblocking(self, max_inflight_ops: int = 1_000) -> nonblocking.PersistentQueueWithCapacity:
        """Return the nonblocking face of the same open queue.

        Closing either closes the queue.

        >>> import tempfile
        >>> from rocksq.blocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
        >>> _ = queue.nonblocking().push([b"item"]).get()
        >>> queue.pop()
        [b'item']
        """

    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __iter__(self) -> LiveItems: ...
    def __reduce__(self) -> Never: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class MpmcQueue:
    """A durable log of items for many producers and many consumers, in a directory.

    Every consumer reads under a label, which keeps its own place; each label sees every item once.

    The constructor opens the queue in the directory `path`, or makes it and its parents. Items live
    for `ttl` seconds, 0 for ever. At most `max_elements` of at most `max_bytes` bytes together are
    in the queue at once (None: any number); reopening with less drops nothing. What becomes of
    items that do not fit is `on_full`, or `OnFull.Error`. Calls are as durable as `durability`
    says, or `Durability.Written`.

    A queue that is open in this process already is shared, if its options are the same: each of
    the objects is closed by itself, and the last one closes the queue. When the path is open in
    another process, or with other options than `durability`, the constructor waits for it up to
    `open_timeout` seconds (None: for ever), then raises `Busy`. `WrongKind`, `UnsupportedFormat`
    and `PathError` tell that the path cannot be a queue of this kind, and then nothing on disk has
    changed.

    Iterating yields the live items from the oldest on, wherever the labels are. In a `with`
    statement the queue is closed at the end.

    Opening a directory of rocksq 0.3.0 converts it, as `rocksq.migrate` does.

    >>> import tempfile
    >>> from rocksq import StartPosition
    >>> from rocksq.blocking import MpmcQueue
    >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=3600)
    >>> queue.add([b"first", b"other"])
    >>> queue.next("audit", StartPosition.Oldest, 10)
    ([b'first', b'other'], False)
    >>> queue.next("late", StartPosition.Newest, 10)
    ([b'other'], False)
    >>> queue.labels
    ['audit', 'late']
    >>> queue.close()
    """

    def __new__(
        cls,
        path: str | PathLike[str],
        ttl: int,
        *,
        max_elements: int | None = None,
        max_bytes: int | None = None,
        on_full: OnFull | None = None,
        durability: Durability | None = None,
        open_timeout: float | None = 0,
    ) -> Self: ...
    def add(
        self,
        items: Iterable[Buffer],
        no_gil: bool = True,
        *,
        timeout: float | None = 0,
        durability: Durability | None = None,
    ) -> None:
        """Add `items` at the end: all of them, or none.

        When the queue is bounded and they do not fit, wait for room up to `timeout` seconds (None:
        for ever), then raise `Full`. Items that expire make room and nothing else does, so with a
        `ttl` of 0 what does not fit raises at once, as does what is more than the queue can ever
        hold. With `OnFull.DropOldest` nothing waits: the oldest pushes make room.

        Once this returns they are as durable as `durability` says (None: as the queue's). What is
        not bytes-like raises `TypeError`. `no_gil` is there for programs written for rocksq 0.3.0.
        """

    def next(
        self,
        label: str,
        start_position: StartPosition,
        max_elements: int = 1,
        no_gil: bool = True,
        *,
        n: int | None = None,
        timeout: float | None = 0,
        durability: Durability | None = None,
    ) -> tuple[list[bytes], bool]:
        """Read up to `max_elements` items under `label` and move the label behind them.

        A label that is new begins at `start_position`. When there is nothing to read, wait for an
        item up to `timeout` seconds (None: for ever); the list is empty when none came. The second
        value tells, once, that items which the label had not read were lost since its last read, to
        the TTL or to make room. The label stays there, as durably as `durability` says (None: as
        the queue's).
        """

    def read(
        self,
        label: str,
        start_position: StartPosition,
        n: int = 1,
        timeout: float | None = 0,
        *,
        max_elements: int | None = None,
    ) -> Batch:
        """Read up to `n` items under `label` without moving it.

        Waits like `next`. `commit` moves the label; a program that dies before it reads the same
        items again.

        >>> import tempfile
        >>> from rocksq import StartPosition
        >>> from rocksq.blocking import MpmcQueue
        >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=0)
        >>> queue.add([b"a", b"b"])
        >>> batch = queue.read("label", StartPosition.Oldest)
        >>> batch.items, batch.first, batch.next
        ([b'a'], 0, 1)
        >>> queue.commit(batch)
        >>> queue.peek("label", StartPosition.Oldest)
        [b'b']
        """

    def commit(self, batch: BatchBase, *, durability: Durability | None = None) -> None:
        """Move the label of `batch` behind its items.

        It stays there, as durably as `durability` says (None: as the queue's).
        Raises `Conflict` when another consumer has moved the label since, and `InvalidArgument`
        for a batch of another queue.
        """

    def peek(
        self,
        label: str,
        start_position: StartPosition,
        n: int = 1,
        *,
        max_elements: int | None = None,
    ) -> list[bytes]:
        """Return the next items of `label`, up to `n`, without moving or making the label."""

    def batches(
        self,
        label: str,
        start_position: StartPosition,
        n: int = 1,
        *,
        max_elements: int | None = None,
        timeout: float | None = None,
    ) -> Batches:
        """Return an iterator that reads batch after batch of up to `n` items under `label`.

        `with batch:` moves the label behind one when its block ends well. When the block raises,
        the next batch is the same again. It waits for each batch up to `timeout` seconds (None: for
        ever), and ends when nothing came or the queue is closed. A loop that has done nothing about
        a batch raises `RuntimeError` at the next one. Loops of several consumers read the same
        items, and all but one of them get `Conflict` at the commit.

        >>> import tempfile
        >>> from rocksq import StartPosition
        >>> from rocksq.blocking import MpmcQueue
        >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=0)
        >>> queue.add([b"a", b"b", b"c"])
        >>> for batch in queue.batches("label", StartPosition.Oldest, 2, timeout=0):
        ...     with batch:
        ...         print(list(batch))
        [b'a', b'b']
        [b'c']
        """

    def consume(self, label: str, start_position: StartPosition) -> Consumer:
        """Return an iterator that reads item after item under `label` until the queue is closed.

        It waits for each item.
        """

    @property
    def is_empty(self) -> bool:
        """Whether there is no live item."""

    def label_stats(self) -> list[LabelStats]:
        """Return how much each label has still to read, in alphabetical order of the labels."""
    def wait_below(
        self,
        *,
        elements: int | None = None,
        bytes: int | None = None,
        timeout: float | None = None,
    ) -> bool:
        """Wait until the queue holds fewer than `elements` items and fewer than `bytes` bytes.

        Either may be left out. Waits up to `timeout` seconds (None: for ever); returns whether it
        came to that. So a producer that is ahead can slow down before the queue is full.

        >>> import tempfile
        >>> from rocksq.blocking import MpmcQueue
        >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=60)
        >>> queue.add([b"one", b"two"])
        >>> queue.wait_below(elements=2, timeout=0.01)
        False
        >>> queue.wait_below(elements=3, bytes=1_000_000)
        True
        """
    def watch(
        self,
        callback: Callable[[bool], object],
        *,
        high_elements: int | None = None,
        low_elements: int | None = None,
        high_bytes: int | None = None,
        low_bytes: int | None = None,
    ) -> Watch:
        """Tell `callback` True when the queue fills up, and False when there is room again.

        It has filled up when it holds `high_elements` items or `high_bytes` bytes, and there is
        room again when it holds fewer than `low_elements` and fewer than `low_bytes` after that; a
        low number that is not given is the high one. A queue that has filled up already is told of
        at once. The callback is called by a thread of its own, so it may take its time and use the
        queue; what comes and goes meanwhile is not told. It is told until `stop` of the returned
        object is called or the queue is closed. Raises `InvalidArgument` for a low number above the
        high one.
        """
    def stats(self) -> Stats:
        """Return what is in the queue, and what has happened to it since it was opened.

        Cheap, however much is in it; may be called from anywhere.
        """
    @property
    def disk_size(self) -> int:
        """Bytes that the queue takes on the file system."""

    @property
    def payload_size(self) -> int:
        """Bytes of all live items."""

    @property
    def len(self) -> int:
        """Number of live items."""

    @property
    def labels(self) -> list[str]:
        """The labels, in alphabetical order."""

    def remove_label(
        self,
        label: str,
        no_gil: bool = True,
    ) -> bool:
        """Forget a label and its place; False when there is no such label."""

    @property
    def ttl(self) -> int:
        """How many seconds an item lives; 0 for ever."""

    @property
    def max_elements(self) -> int | None:
        """The live items that the queue can hold at once, or None for any number."""
    @property
    def max_bytes(self) -> int | None:
        """The bytes of items that the queue can hold at once, or None for any number."""
    @property
    def on_full(self) -> OnFull:
        """What becomes of a push that does not fit."""
    @property
    def durability(self) -> Durability:
        """How durable what a call does is when it returns, unless the call says otherwise."""

    @property
    def path(self) -> str:
        """The full path of the directory of the queue."""

    @property
    def closed(self) -> bool:
        """Whether the queue was closed."""

    def flush(self) -> None:
        """Make everything done before the call survive a power cut."""

    def backup(self, to: str | PathLike[str]) -> None:
        """Copy the queue into the new directory `to`, while others use it.

        The copy is the queue as it is at some moment during the call. It survives a power cut once
        this returns, and shares files with the queue where the file system has hard links.
        Open it like any queue. Raises `PathError` when something is at `to`, or at its name with
        `.tmp` behind it, or when it is within the queue.
        """

    @property
    def recovery(self) -> Recovery | None:
        """What was lost to a damaged log; None when nothing was.

        It was found when the queue was opened, or when it last had to open itself anew after an
        error.
        """

    def close(self) -> None:
        """Let running operations finish, sync and close.

        Every call that waits raises `Closed`. The path can be opened again at once. Closing twice
        does nothing. Others who have opened the same queue keep it open. A queue is also closed
        when the last object of it goes, and at the interpreter's exit.
        """

    def nonblocking(self, max_inflight_ops: int = 1_000) -> nonblocking.MpmcQueue:
        """Return the nonblocking face of the same open queue. Closing either closes the queue."""

    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __iter__(self) -> LiveItems: ...
    def __reduce__(self) -> Never: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@disjoint_base
class BatchBase:
    """Items that were read but not taken.

    It can be iterated over and indexed like their list. Dropping a batch changes nothing. Positions
    count the items of a queue from 0 since it was made.
    """

    @property
    def items(self) -> list[bytes]:
        """The items, oldest first; fewer than asked for when fewer were there."""

    @property
    def first(self) -> int:
        """Position of the first item."""

    @property
    def next(self) -> int:
        """Position at which the next read begins once this batch is committed."""

    @property
    def expired(self) -> bool:
        """Whether items that the label had not read were lost to the TTL."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...
    @overload
    def __getitem__(self, index: int, /) -> bytes: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[bytes]: ...

@final
class Batch(BatchBase):
    """Items that were read but not taken. `commit` takes them.

    In a `with` statement they are taken when the block ends well, and stay when it raises.

    >>> import tempfile
    >>> from rocksq.blocking import PersistentQueueWithCapacity
    >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
    >>> queue.push([b"a", b"b"])
    >>> with queue.read(2) as batch:
    ...     print(batch[0], list(batch))
    b'a' [b'a', b'b']
    >>> queue.len
    0
    """

    def commit(self, *, durability: Durability | None = None) -> None:
        """Take the items, as `commit` of the queue does."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class LiveItems(Iterator[bytes]):
    """The items of a queue from the oldest on, which stay in it."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

@final
class Consumer(Iterator[bytes]):
    """Takes item after item, waiting for each, until the queue is closed."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

@final
class Batches(Iterator[Batch]):
    """Reads batch after batch until the queue is closed, or nothing came in time.

    A batch whose block raised is read again.
    """

    def __iter__(self) -> Self: ...
    def __next__(self) -> Batch: ...

@final
class Stats:
    """What is in a queue and what has happened to it since it was opened.

    What is in it and how many items came and went belong to one moment; the object does not change.

    >>> import tempfile
    >>> from rocksq.blocking import PersistentQueueWithCapacity
    >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
    >>> queue.push([b"first", b"other"])
    >>> queue.pop()
    [b'first']
    >>> stats = queue.stats()
    >>> stats.items, stats.payload_bytes, stats.pushed_items, stats.popped_items
    (1, 5, 2, 1)
    """

    @property
    def items(self) -> int:
        """Items in the queue."""
    @property
    def payload_bytes(self) -> int:
        """Their bytes."""
    @property
    def disk_bytes(self) -> int:
        """Bytes that the queue takes on the file system, at most a second ago."""
    @property
    def oldest_age(self) -> float | None:
        """Seconds since the oldest item was pushed.

        None when the queue is empty, or when that cannot be read now.
        """
    @property
    def pushed_items(self) -> int:
        """Items pushed since the queue was opened."""
    @property
    def popped_items(self) -> int:
        """Items taken since then; of an MPMC queue, read under labels, once for each."""
    @property
    def returned_items(self) -> int:
        """Those of them that were given back since nobody came for them.

        They count again when they are taken again.
        """

    @property
    def dropped_items(self) -> int:
        """Items dropped since then to make room for others."""
    @property
    def expired_items(self) -> int:
        """Items lost to the TTL since then, as far as was noticed."""
    @property
    def rejected_items(self) -> int:
        """Items since then that were to be pushed and are not in the queue.

        They did not fit, or could not be written.
        """

    @property
    def log_bytes(self) -> int:
        """Bytes written to RocksDB's log since then."""
    @property
    def table_bytes(self) -> int:
        """Bytes written to its tables since then."""
    @property
    def errors(self) -> int:
        """Writes, syncs and background work that have failed since then."""

@final
class LabelStats:
    """How much a label of an MPMC queue has still to read."""

    @property
    def label(self) -> str:
        """The label."""
    @property
    def items(self) -> int:
        """Live items that it has not read."""
    @property
    def payload_bytes(self) -> int:
        """Their bytes."""

@final
class Watch:
    """A callback that is told how full a queue is.

    It is told until `stop` is called or the queue is closed, whether this object is kept or not.
    """

    def stop(self) -> None:
        """Tell the callback nothing more, once a call of it that is under way has returned."""
