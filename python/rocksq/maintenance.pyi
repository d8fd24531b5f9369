"""What to do when files are damaged: look at a queue, repair it, see what was lost.

>>> import tempfile
>>> import rocksq
>>> from rocksq.blocking import PersistentQueueWithCapacity
>>> path = f"{tempfile.mkdtemp()}/queue"
>>> with PersistentQueueWithCapacity(path) as queue:
...     queue.push([b"one", b"two"])
>>> report = rocksq.verify(path)
>>> report.is_intact, report.items
(True, 2)
"""

from os import PathLike
from typing import final

__all__ = ["Missing", "Recovery", "Report", "repair", "verify"]

@final
class Missing:
    """A run of positions whose items are gone."""

    @property
    def first(self) -> int:
        """Position of the first of them."""

    @property
    def next(self) -> int:
        """Position after the last of them."""

    @property
    def why(self) -> str:
        """Why, in words."""

@final
class Report:
    """What `verify` or `repair` found in a queue's files."""

    @property
    def items(self) -> int:
        """Items that are in the queue and can be read.

        After `verify` 0 when the queue does not open; `problems` says why.
        """

    @property
    def bytes(self) -> int:
        """Bytes of these items."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have a place in the queue; none for a persistent queue."""

    @property
    def set_aside(self) -> int:
        """Items in logs that an earlier opening had to set aside.

        `repair` has brought them back, and counts them in `items` as well; after `verify` it still
        can.
        """

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Items that should be there and cannot be read, by their positions before a repair.

        What is gone of a log that an earlier opening had to set aside has the positions it had
        there, which items that were pushed later may have too.
        """

    @property
    def problems(self) -> tuple[str, ...]:
        """Whatever else is not as it should be, in words."""

    @property
    def kept(self) -> str | None:
        """The directory to which a repair moved the damaged files; it can be deleted."""

    @property
    def is_intact(self) -> bool:
        """Whether nothing is missing and nothing else is wrong."""

@final
class Recovery:
    """What was lost to a damaged log when a queue was opened, or opened itself anew after an error.

    A log that ends in the middle of a write, as a crash or a power cut leaves it, is no damage.
    `str()` of it is a sentence for people.
    """

    @property
    def first(self) -> int:
        """Items from this position on are lost; there the next item went after the opening."""

    @property
    def next(self) -> int | None:
        """Position after the last item that is known to be lost.

        None when the log does not tell: its damaged end may have been a push, a take, or a note of
        the queue's own.
        """

    @property
    def writes(self) -> int:
        """Whole writes (pushes, takes and others) behind the damage, which were left out."""

    @property
    def bytes(self) -> int:
        """Bytes of the log from the damage on."""

    @property
    def kept(self) -> str:
        """The directory, within the queue's, to which the damaged log was moved.

        `repair` brings back what it still holds.
        """

def verify(path: str | PathLike[str]) -> Report:
    """Read everything that the queue at `path` holds, and say what is damaged.

    The queue, of either kind, must be closed. Nothing in its directory changes. Damage is no error:
    it is in the report. Raises `Busy` when somebody has the queue open, `WrongKind` or `PathError`
    when there is none, and `UnsupportedFormat` when it is of a newer version, or of rocksq 0.3.0,
    which opening it converts.

    >>> import tempfile
    >>> import rocksq
    >>> from rocksq.blocking import MpmcQueue
    >>> path = f"{tempfile.mkdtemp()}/queue"
    >>> with MpmcQueue(path, ttl=60) as queue:
    ...     queue.add([b"item"])
    ...     _ = queue.next("label", rocksq.StartPosition.Oldest)
    >>> rocksq.verify(path).labels
    ('label',)
    """

def repair(path: str | PathLike[str]) -> Report:
    """Write a new queue with every intact item in the place of the one at `path`.

    The queue, of either kind, must be closed. Items keep their order and their times; they are
    numbered anew, without gaps, and labels stand before the item that they would have read
    next. What an earlier opening had to leave out of a damaged log comes back, and is read next by
    every label that was past it. An item that was taken shortly before the damage may come again,
    if the note of its taking is what was damaged.

    The damaged files go to the directory `kept` of the report, within the queue's own. It takes as
    much disk space as the intact items once more. A crash at any moment leaves the old queue or
    the new one. Raises what `verify` raises, `Corrupt` when not even the kind of queue can be told,
    and `DiskFull`; then the old queue is as it was.

    >>> import tempfile
    >>> import rocksq
    >>> from rocksq.blocking import PersistentQueueWithCapacity
    >>> path = f"{tempfile.mkdtemp()}/queue"
    >>> with PersistentQueueWithCapacity(path) as queue:
    ...     queue.push([b"one", b"two"])
    >>> rocksq.repair(path).items
    2
    >>> PersistentQueueWithCapacity(path).pop(9)
    [b'one', b'two']
    """
