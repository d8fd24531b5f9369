"""The compiled part of rocksq. Import `rocksq`, not this."""

from os import PathLike

from rocksq import blocking as blocking
from rocksq import nonblocking as nonblocking

__all__ = [
    "blocking",
    "close_all",
    "nonblocking",
    "remove_mpmc_queue",
    "remove_queue",
    "version",
]

def version() -> str:
    """Return the version of rocksq.

    >>> import rocksq
    >>> rocksq.version().count(".")
    2
    """

def remove_queue(path: str | PathLike[str]) -> None:
    """Delete the persistent queue at `path` for good. No queue there is no error.

    The directory goes too, unless it holds other files. Raises `Busy` when somebody has it open
    and `WrongKind` when another kind of queue is there, and then deletes nothing. After a crash in
    the middle it can be called again.

    >>> import tempfile
    >>> import rocksq
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     rocksq.remove_queue(f"{directory}/none")
    """

def remove_mpmc_queue(path: str | PathLike[str]) -> None:
    """Delete the MPMC queue at `path` for good; otherwise like `remove_queue`."""

def close_all() -> None:
    """Close every queue that is open in this process; runs at the interpreter's exit."""
