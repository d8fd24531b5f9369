"""What becomes of a push that does not fit."""

from rocksq._choice import Choice


class OnFull(Choice):
    """What becomes of a push that does not fit into a bounded queue.

    >>> import tempfile
    >>> from rocksq import OnFull
    >>> from rocksq.blocking import PersistentQueueWithCapacity
    >>> directory = tempfile.mkdtemp()
    >>> queue = PersistentQueueWithCapacity(directory, max_bytes=8, on_full=OnFull.DropOldest)
    >>> for item in [b"one", b"two", b"three"]:
    ...     queue.push([item])
    >>> queue.pop(9)
    [b'two', b'three']
    """

    __module__ = "rocksq"

    Error = 0
    """It waits for room if it may, and raises `Full` otherwise."""

    DropOldest = 1
    """The oldest pushes make room for it: as many as it takes, in the same step. It never waits.

    What was pushed in one call is dropped as a whole, or what is left of it.
    """

    def __bool__(self) -> bool:
        """Every choice is true, 0 too: `on_full or default` gives what was chosen."""
        return True
