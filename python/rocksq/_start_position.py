"""Where a new label begins."""

from rocksq._choice import Choice


class StartPosition(Choice):
    """Where a label that is new begins to read an MPMC queue.

    >>> StartPosition.Newest
    StartPosition.Newest
    """

    __module__ = "rocksq"

    Oldest = 0
    """At the oldest live item."""

    Newest = 1
    """At the last item that is already in the queue, not after it."""

    def __bool__(self) -> bool:
        """Every position is true, 0 too: `position or default` gives the position."""
        return True
