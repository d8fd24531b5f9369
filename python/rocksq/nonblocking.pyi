"""Queues whose methods return at once with a response; one worker does the work, in order.

A response can be waited for by a thread (`result`, `get`) and by a coroutine (`await`), in any
number of event loops. What its operation fails with is raised there. What changes the queue at
the end, `push` and `add`, is done whether its response is kept or not; when it fails and nobody
asks, the logger `rocksq` gets a WARNING.

An operation that waits, with `timeout`, for items or room lets others pass and costs neither a
thread nor processor time. When `max_inflight_ops` operations are under way, without those that
wait, the next call waits for room; on a thread that runs an event loop it returns, and its
operation begins later.

Items that were taken belong to whoever claims them: with `result`, `get` or `try_get`, or in the
step in which a coroutine resumes from `await`. A response that is dropped or cancelled before
gives them back, in front of all others, and so does `close`. If the process dies in between they
are gone; use `read` and `commit` for what must not be lost.

Once a response is there, what was done is as durable as `durability` of the call, or of the
queue, says. Every call raises `Closed` after `close`, and `Forked` in a child process that was
forked off after the queue was opened.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from os import PathLike
from types import GenericAlias, TracebackType
from typing import Any, Generic, Never, Self, final, overload

from typing_extensions import Buffer, TypeVar, disjoint_base

from rocksq import Durability, OnFull, StartPosition, blocking

__all__ = [
    "AsyncBatches",
    "AsyncConsumer",
    "Batch",
    "MpmcQueue",
    "MpmcResponse",
    "MpmcResponseVariant",
    "PersistentQueueWithCapacity",
    "Response",
    "ResponseBase",
    "ResponseVariant",
]

_T_co = TypeVar("_T_co", covariant=True, default=Any)

@final
class ResponseVariant:
    """What an operation gave: the field that it is about, and None in the others."""

    @property
    def data(self) -> list[bytes] | None:
        """The items that `pop` took."""

    @property
    def len(self) -> int | None:
        """The number of items, from `len`."""

    @property
    def size(self) -> int | None:
        """Bytes, from `disk_size` and `payload_size`."""

@disjoint_base
class ResponseBase(Coroutine[Any, Any, _T_co], Generic[_T_co]):
    """The answer to an operation that may be under way.

    It can be awaited, made a task of like any coroutine, and asked like a
    `concurrent.futures.Future`.

    >>> import asyncio, tempfile
    >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    >>> async def main() -> None:
    ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
    ...         popped = asyncio.ensure_future(queue.pop(timeout=None))
    ...         await queue.push([b"item"])
    ...         print(await popped)
    >>> asyncio.run(main())
    [b'item']
    """

    @property
    def is_ready(self) -> bool:
        """Whether the answer is there. Asking claims nothing."""

    def result(self, timeout: float | None = None) -> _T_co:
        """Wait for the answer up to `timeout` seconds (None: for ever) and claim it.

        Returns the plain value, the same each time. Raises what the operation failed with,
        `TimeoutError` when the answer did not come in time, which cancels nothing, and
        `concurrent.futures.CancelledError` when it was cancelled.
        """

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait like `result` and return what the operation failed with, or None.

        Claims nothing.
        """

    def done(self) -> bool:
        """Whether the operation is done or was cancelled."""

    def cancel(self) -> bool:
        """Give the operation up, if it is not too late; return whether it is given up.

        It is not too late before the operation has begun, while it waits, and for one that takes
        or reads until its answer was claimed: items that it took are given back then.
        """

    def cancelled(self) -> bool:
        """Whether the operation was given up."""

    def running(self) -> bool:
        """Whether it is being done now, and neither waits for its turn nor for items or room."""

    def add_done_callback(self, function: Callable[[Self], object]) -> None:
        """Have `function` called with this response when it is done; at once if it is.

        It is called in a thread of rocksq's, one after another. What it raises is reported to
        `sys.unraisablehook`.
        """

    def __await__(self) -> Generator[Any, None, _T_co]: ...
    def send(self, value: object, /) -> object:
        """Take the next step of a coroutine. An event loop calls this."""

    @overload
    def throw(
        self,
        typ: type[BaseException],
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Never:
        """Give the operation up, like `close`, and raise an exception. An event loop calls this."""
    @overload
    def throw(
        self, typ: BaseException, val: None = None, tb: TracebackType | None = None, /
    ) -> Never:
        """Give the operation up, like `close`, and raise an exception. An event loop calls this."""
    def close(self) -> None:
        """Give the operation up, like `cancel`, unless somebody else waits for it."""

    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    def __bool__(self) -> Never: ...
    @classmethod
    def __class_getitem__(cls, item: object) -> GenericAlias: ...

@final
class Response(ResponseBase[_T_co]):
    """The answer to an operation of the persistent queue."""

    def try_get(self) -> ResponseVariant | None:
        """Claim and return the answer, or None if it is not there yet."""

    def get(self) -> ResponseVariant:
        """Wait for the answer and claim it, as with rocksq 0.3.0; raise what the operation did.

        >>> import tempfile
        >>> from rocksq.nonblocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp(), max_elements=1)
        >>> queue.push([b"one", b"two"]).get()
        Traceback (most recent call last):
        rocksq.exceptions.Full: Failed to push item: Queue is full
        """

@final
class PersistentQueueWithCapacity:
    """The persistent queue with methods that return at once.

    The constructor opens the queue like that of the blocking class. In a `with` statement the
    queue is closed at the end.

    >>> import tempfile
    >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp())
    >>> pushed = queue.push([b"item"])
    >>> queue.pop().get().data
    [b'item']
    >>> queue.close()
    """

    def __new__(
        cls,
        path: str | PathLike[str],
        max_elements: int = 1_000_000_000,
        max_inflight_ops: int = 1_000,
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
    ) -> Response[None]:
        """Add `items` at the end: all of them, or none. The response tells whether they fitted.

        When they do not fit, wait for room up to `timeout` seconds (None: for ever). The items are
        copied before the call returns.
        """

    def pop(
        self,
        max_elements: int = 1,
        no_gil: bool = True,
        *,
        n: int | None = None,
        timeout: float | None = 0,
        durability: Durability | None = None,
    ) -> Response[list[bytes]]:
        """Take up to `max_elements` items, oldest first: `data` of the answer.

        When the queue is empty, wait for an item up to `timeout` seconds (None: for ever); the
        list is empty when none came.
        """

    def read(
        self, n: int = 1, timeout: float | None = 0, *, max_elements: int | None = None
    ) -> Response[Batch]:
        """Read up to `n` items without taking them; waits like `pop`. `commit` takes them."""

    def commit(
        self, batch: blocking.BatchBase, *, durability: Durability | None = None
    ) -> Response[None]:
        """Take the items of `batch`; fails with `Conflict` if others have taken items since."""

    def peek(self, n: int = 1, *, max_elements: int | None = None) -> Response[list[bytes]]:
        """Return the next items, up to `n`, which stay in the queue."""

    def batches(
        self, n: int = 1, *, max_elements: int | None = None, timeout: float | None = None
    ) -> AsyncBatches:
        """Return an asynchronous iterator that reads batch after batch of up to `n` items.

        `async with batch:` commits one when its block ends well. When the block raises, the items
        stay, and the next batch is the same again; leaving the loop leaves them for the next
        consumer. It waits for each batch up to `timeout` seconds (None: for ever), and ends when
        nothing came or the queue is closed. A loop that has done nothing about a batch raises
        `RuntimeError` at the next one. Loops of several consumers read the same items, and all but
        one of them get `Conflict` at the commit.

        >>> import asyncio, tempfile
        >>> from rocksq.nonblocking import PersistentQueueWithCapacity
        >>> async def main() -> None:
        ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
        ...         await queue.push([b"a", b"b", b"c"])
        ...         async for batch in queue.batches(2, timeout=0):
        ...             async with batch:
        ...                 print(list(batch))
        >>> asyncio.run(main())
        [b'a', b'b']
        [b'c']
        """

    def consume(self) -> AsyncConsumer:
        """Return an asynchronous iterator that takes item after item until the queue is closed.

        >>> import asyncio, tempfile
        >>> from rocksq.nonblocking import PersistentQueueWithCapacity
        >>> async def main() -> None:
        ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
        ...         await queue.push([b"work", b"stop"])
        ...         async for item in queue.consume():
        ...             if item == b"stop":
        ...                 break
        ...             print(item)
        >>> asyncio.run(main())
        b'work'
        """

    def flush(self) -> Response[None]:
        """Make everything asked for before the call survive a power cut."""

    @property
    def is_empty(self) -> Response[bool]:
        """Whether there is no item in the queue."""

    @property
    def len(self) -> Response[int]:
        """Number of items in the queue: `len` of the answer."""

    def wait_below(
        self,
        *,
        elements: int | None = None,
        bytes: int | None = None,
        timeout: float | None = None,
    ) -> Response[bool]:
        """Wait until the queue holds fewer than `elements` items and fewer than `bytes` bytes.

        Either may be left out. Waits up to `timeout` seconds (None: for ever); the answer is
        whether it came to that. So a producer that is ahead can slow down before the queue is full.
        """
    def stats(self) -> blocking.Stats:
        """Return what is in the queue, and what has happened to it since it was opened.

        At once, whatever is under way; cheap, and may be called from anywhere.
        """
    @property
    def disk_size(self) -> Response[int]:
        """Bytes that the queue takes on the file system: `size` of the answer."""

    @property
    def payload_size(self) -> Response[int]:
        """Bytes of all items in the queue: `size` of the answer."""

    @property
    def inflight_ops(self) -> int:
        """Operations that were asked for and are not done, without those that wait."""

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
        """How durable what a call does is when it is answered, unless the call says otherwise."""

    @property
    def path(self) -> str:
        """The full path of the directory of the queue."""

    @property
    def closed(self) -> bool:
        """Whether the queue was closed."""

    def close(self) -> None:
        """Let the operations under way finish, end those that wait with `Closed`, sync and close.

        What was taken and not claimed is given back. Closing twice does nothing. It holds up an
        event loop; `async with` does not.
        """

    def blocking(self) -> blocking.PersistentQueueWithCapacity:
        """Return the blocking face of the same open queue. Closing either closes the queue."""

    def __reduce__(self) -> Never: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class MpmcResponseVariant:
    """What an operation gave: the field that it is about, and None in the others."""

    @property
    def data(self) -> tuple[list[bytes], bool] | None:
        """The items that `next` read, and whether others had expired."""

    @property
    def labels(self) -> list[str] | None:
        """The labels, from `labels`."""

    @property
    def removed_label(self) -> bool | None:
        """Whether `remove_label` found the label."""

    @property
    def len(self) -> int | None:
        """The number of items, from `len`."""

    @property
    def size(self) -> int | None:
        """Bytes, from `disk_size` and `payload_size`."""

@final
class MpmcResponse(ResponseBase[_T_co]):
    """The answer to an operation of the MPMC queue."""

    def try_get(self) -> MpmcResponseVariant | None:
        """Claim and return the answer, or None if it is not there yet."""

    def get(self) -> MpmcResponseVariant:
        """Wait for the answer and claim it, as with rocksq 0.3.0; raise what the operation did."""

@final
class Batch(blocking.BatchBase):
    """Items that were read but not taken. `commit` takes them.

    In an `async with` statement they are taken when the block ends well, and stay when it raises. A
    `with` statement does the same and waits for it, which holds up an event loop.

    >>> import asyncio, tempfile
    >>> from rocksq.nonblocking import PersistentQueueWithCapacity
    >>> async def main() -> None:
    ...     async with PersistentQueueWithCapacity(tempfile.mkdtemp()) as queue:
    ...         await queue.push([b"a", b"b"])
    ...         async with await queue.read(2) as batch:
    ...             print(batch[0], list(batch))
    ...         print(await queue.len)
    >>> asyncio.run(main())
    b'a' [b'a', b'b']
    0
    """

    def commit(self, *, durability: Durability | None = None) -> ResponseBase[None]:
        """Take the items, as `commit` of the queue does."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class AsyncBatches:
    """Reads batch after batch until the queue is closed, or nothing came in time.

    A batch whose block raised is read again.
    """

    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Awaitable[Batch]: ...

@final
class AsyncConsumer:
    """Takes item after item, waiting for each, until the queue is closed.

    An iteration that is cancelled while it waits has taken nothing.
    """

    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Awaitable[bytes]: ...

@final
class MpmcQueue:
    """The MPMC queue with methods that return at once.

    The constructor opens the queue like that of the blocking class. In a `with` statement the
    queue is closed at the end.

    >>> import tempfile
    >>> from rocksq import StartPosition
    >>> from rocksq.nonblocking import MpmcQueue
    >>> queue = MpmcQueue(tempfile.mkdtemp(), ttl=3600)
    >>> added = queue.add([b"item"])
    >>> queue.next("label", StartPosition.Oldest).get().data
    ([b'item'], False)
    >>> queue.close()
    """

    def __new__(
        cls,
        path: str | PathLike[str],
        ttl: int,
        max_inflight_ops: int = 1_000,
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
    ) -> MpmcResponse[None]:
        """Add `items` at the end: all of them, or none.

        The items are copied before the call returns.
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
    ) -> MpmcResponse[tuple[list[bytes], bool]]:
        """Read up to `max_elements` items under `label` and move the label behind them.

        When there are none, wait for one up to `timeout` seconds (None: for ever).
        """

    def read(
        self,
        label: str,
        start_position: StartPosition,
        n: int = 1,
        timeout: float | None = 0,
        *,
        max_elements: int | None = None,
    ) -> MpmcResponse[Batch]:
        """Read up to `n` items under `label` without moving it; waits like `next`.

        `commit` moves it.
        """

    def commit(
        self, batch: blocking.BatchBase, *, durability: Durability | None = None
    ) -> MpmcResponse[None]:
        """Move the label of `batch` behind its items; fails with `Conflict` if others have."""

    def peek(
        self,
        label: str,
        start_position: StartPosition,
        n: int = 1,
        *,
        max_elements: int | None = None,
    ) -> MpmcResponse[list[bytes]]:
        """Return the next items of `label`, up to `n`, without moving or making it."""

    def batches(
        self,
        label: str,
        start_position: StartPosition,
        n: int = 1,
        *,
        max_elements: int | None = None,
        timeout: float | None = None,
    ) -> AsyncBatches:
        """Return an asynchronous iterator that reads batch after batch of up to `n` items.

        `async with batch:` moves the label behind one when its block ends well. When the block
        raises, the next batch is the same again. It waits for each batch up to `timeout` seconds
        (None: for ever), and ends when nothing came or the queue is closed. A loop that has done
        nothing about a batch raises `RuntimeError` at the next one. Loops of several consumers read
        the same items, and all but one of them get `Conflict` at the commit.
        """

    def consume(self, label: str, start_position: StartPosition) -> AsyncConsumer:
        """Return an asynchronous iterator that reads item after item under `label`.

        It waits for each item and ends when the queue is closed.
        """

    def flush(self) -> MpmcResponse[None]:
        """Make everything asked for before the call survive a power cut."""

    @property
    def is_empty(self) -> MpmcResponse[bool]:
        """Whether there is no live item."""

    def remove_label(
        self,
        label: str,
        no_gil: bool = True,
    ) -> MpmcResponse[bool]:
        """Forget a label and its place: `removed_label` of the answer."""

    @property
    def labels(self) -> MpmcResponse[list[str]]:
        """The labels, in alphabetical order: `labels` of the answer."""

    @property
    def len(self) -> MpmcResponse[int]:
        """Number of live items: `len` of the answer."""

    def label_stats(self) -> list[blocking.LabelStats]:
        """Return how much each label has still to read, in alphabetical order, at once."""
    def wait_below(
        self,
        *,
        elements: int | None = None,
        bytes: int | None = None,
        timeout: float | None = None,
    ) -> MpmcResponse[bool]:
        """Wait until the queue holds fewer than `elements` items and fewer than `bytes` bytes.

        Either may be left out. Waits up to `timeout` seconds (None: for ever); the answer is
        whether it came to that. So a producer that is ahead can slow down before the queue is full.
        """
    def stats(self) -> blocking.Stats:
        """Return what is in the queue, and what has happened to it since it was opened.

        At once, whatever is under way; cheap, and may be called from anywhere.
        """
    @property
    def disk_size(self) -> MpmcResponse[int]:
        """Bytes that the queue takes on the file system: `size` of the answer."""

    @property
    def payload_size(self) -> MpmcResponse[int]:
        """Bytes of all live items: `size` of the answer."""

    @property
    def inflight_ops(self) -> int:
        """Operations that were asked for and are not done, without those that wait."""

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
        """How durable what a call does is when it is answered, unless the call says otherwise."""

    @property
    def path(self) -> str:
        """The full path of the directory of the queue."""

    @property
    def closed(self) -> bool:
        """Whether the queue was closed."""

    def close(self) -> None:
        """Let the operations under way finish, end those that wait with `Closed`, sync and close.

        What was taken and not claimed is given back. Closing twice does nothing. It holds up an
        event loop; `async with` does not.
        """

    def blocking(self) -> blocking.MpmcQueue:
        """Return the blocking face of the same open queue. Closing either closes the queue."""

    def __reduce__(self) -> Never: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
