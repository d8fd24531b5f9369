"""Queues whose methods return at once with a response; one worker does the work, in order.

An operation is done whether its response is read or not. What it fails with is raised by `get` and
`try_get`. When `max_inflight_ops` operations are under way, the next call waits for room.

Once a response is there, what was done is as durable as `durability` of the call, or of the queue,
says. Every call raises `Closed` after `close`, and
`Forked` in a child process that was forked off after the queue was opened.
"""

from collections.abc import Iterable
from os import PathLike
from types import TracebackType
from typing import Self, final

from typing_extensions import Buffer

from rocksq import Durability, StartPosition, blocking

__all__ = [
    "MpmcQueue",
    "MpmcResponse",
    "MpmcResponseVariant",
    "PersistentQueueWithCapacity",
    "Response",
    "ResponseVariant",
]

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

@final
class Response:
    """The answer to an operation that may be under way. Dropping it unread is harmless."""

    @property
    def is_ready(self) -> bool:
        """Whether the answer is there."""

    def try_get(self) -> ResponseVariant | None:
        """Return the answer, or None if it is not there yet; raise what the operation raised."""

    def get(self) -> ResponseVariant:
        """Wait for the answer and return it, the same each time; raise what the operation did.

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
        durability: Durability | None = None,
        open_timeout: float | None = 0,
    ) -> Self: ...
    def push(
        self,
        items: Iterable[Buffer],
        no_gil: bool = True,
        *,
        durability: Durability | None = None,
    ) -> Response:
        """Add `items` at the end: all of them, or none. The response tells whether they fitted.

        The items are copied before the call returns.
        """

    def pop(
        self,
        max_elements: int = 1,
        no_gil: bool = True,
        *,
        durability: Durability | None = None,
    ) -> Response:
        """Take up to `max_elements` items, oldest first: `data` of the answer."""

    def flush(self) -> Response:
        """Make everything asked for before the call survive a power cut.

        >>> import tempfile
        >>> from rocksq import Durability
        >>> from rocksq.nonblocking import PersistentQueueWithCapacity
        >>> queue = PersistentQueueWithCapacity(tempfile.mkdtemp(), durability=Durability.Buffered)
        >>> pushed = queue.push([b"item"])
        >>> flushed = queue.flush().get()
        >>> queue.close()
        """

    @property
    def len(self) -> Response:
        """Number of items in the queue: `len` of the answer."""

    @property
    def disk_size(self) -> Response:
        """Bytes that the queue takes on the file system: `size` of the answer."""

    @property
    def payload_size(self) -> Response:
        """Bytes of all items in the queue: `size` of the answer."""

    @property
    def inflight_ops(self) -> int:
        """Operations that were asked for and are not done."""

    @property
    def max_elements(self) -> int:
        """The number of items that the queue can hold at once."""

    @property
    def durability(self) -> Durability:
        """How durable what a call does is when it is answered, unless the call says otherwise."""

    @property
    def path(self) -> str:
        """The directory of the queue, as it was given."""

    @property
    def closed(self) -> bool:
        """Whether the queue was closed."""

    def close(self) -> None:
        """Let the operations under way finish, sync and close. Closing twice does nothing."""

    def blocking(self) -> blocking.PersistentQueueWithCapacity:
        """Return the blocking face of the same open queue. Closing either closes the queue."""

    def __enter__(self) -> Self: ...
    def __exit__(
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
class MpmcResponse:
    """The answer to an operation that may be under way. Dropping it unread is harmless."""

    @property
    def is_ready(self) -> bool:
        """Whether the answer is there."""

    def try_get(self) -> MpmcResponseVariant | None:
        """Return the answer, or None if it is not there yet; raise what the operation raised."""

    def get(self) -> MpmcResponseVariant:
        """Wait for the answer and return it, the same each time; raise what the operation did."""

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
        durability: Durability | None = None,
        open_timeout: float | None = 0,
    ) -> Self: ...
    def add(
        self,
        items: Iterable[Buffer],
        no_gil: bool = True,
        *,
        durability: Durability | None = None,
    ) -> MpmcResponse:
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
        durability: Durability | None = None,
    ) -> MpmcResponse:
        """Read up to `max_elements` items under `label` and move the label behind them."""

    def flush(self) -> MpmcResponse:
        """Make everything asked for before the call survive a power cut."""

    def remove_label(
        self,
        label: str,
        no_gil: bool = True,
    ) -> MpmcResponse:
        """Forget a label and its place: `removed_label` of the answer."""

    @property
    def labels(self) -> MpmcResponse:
        """The labels, in alphabetical order: `labels` of the answer."""

    @property
    def len(self) -> MpmcResponse:
        """Number of live items: `len` of the answer."""

    @property
    def disk_size(self) -> MpmcResponse:
        """Bytes that the queue takes on the file system: `size` of the answer."""

    @property
    def payload_size(self) -> MpmcResponse:
        """Bytes of all live items: `size` of the answer."""

    @property
    def inflight_ops(self) -> int:
        """Operations that were asked for and are not done."""

    @property
    def ttl(self) -> int:
        """How many seconds an item lives; 0 for ever."""

    @property
    def durability(self) -> Durability:
        """How durable what a call does is when it is answered, unless the call says otherwise."""

    @property
    def path(self) -> str:
        """The directory of the queue, as it was given."""

    @property
    def closed(self) -> bool:
        """Whether the queue was closed."""

    def close(self) -> None:
        """Let the operations under way finish, sync and close. Closing twice does nothing."""

    def blocking(self) -> blocking.MpmcQueue:
        """Return the blocking face of the same open queue. Closing either closes the queue."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
