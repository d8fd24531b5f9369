"""The compiled part of rocksq. Import `rocksq`, not this."""

from collections.abc import Callable
from os import PathLike
from types import ModuleType
from typing import Literal, final

from rocksq import blocking as blocking
from rocksq import maintenance as maintenance
from rocksq import nonblocking as nonblocking

__all__ = [
    "Migrated",
    "OpenQueue",
    "blocking",
    "close_all",
    "close_at_exit",
    "kept_modules",
    "maintenance",
    "memory_budget",
    "migrate",
    "nonblocking",
    "open_queues",
    "remove_mpmc_queue",
    "remove_queue",
    "set_memory_budget",
    "version",
]

kept_modules: dict[str, ModuleType]

def version() -> str:
    """Return the version of rocksq.

    >>> import rocksq
    >>> rocksq.version().count(".")
    2
    """

def remove_queue(path: str | PathLike[str]) -> None:
    """Delete the persistent queue at `path` for good. No queue there is no error.

    The directory goes too, unless it holds other files. Raises `Busy` when somebody has it open
    and `WrongKind` when another kind of queue is there, or one so damaged that its kind cannot be
    told, and then deletes nothing. After a crash in the middle it can be called again.

    >>> import tempfile
    >>> import rocksq
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     rocksq.remove_queue(f"{directory}/none")
    """

def remove_mpmc_queue(path: str | PathLike[str]) -> None:
    """Delete the MPMC queue at `path` for good; otherwise like `remove_queue`."""

@final
class Migrated:
    """What `migrate` has done."""

    @property
    def items(self) -> int:
        """Items that are in the queue now; its TTL may hide some of them at once."""

    @property
    def labels(self) -> int:
        """Labels that are in the queue now."""

    @property
    def left_out(self) -> int:
        """Items that had expired and were not taken over."""

    @property
    def moved_labels(self) -> int:
        """Labels whose place was of a numbering that rocksq 0.3.0 had lost.

        They begin at the oldest item.
        """

    def __eq__(self, value: object, /) -> bool: ...

def migrate(
    path: str | PathLike[str], progress: Callable[[int, int], object] | None = None
) -> Migrated | None:
    """Convert a queue of rocksq 0.3.0 at `path`. None when it is one of this format already.

    Opening such a queue does the same; this function is for doing it beforehand and seeing it
    advance. `progress(done, total)` is called now and then with the items that were written and
    those that there are; while the old files are checked `done` is 0 and `total` grows. What it
    raises stops the conversion, as Ctrl-C does, and the old queue stays as it is.

    Items, their order and age, labels and their places are kept. It takes as much room as the items
    once more. A crash at any moment leaves the old queue, or the new one, or an exchange of their
    files that the next open finishes.

    Raises `Corrupt` when the old queue is damaged, `DiskFull` when there is no room and `Busy` when
    somebody has it open, and then nothing has changed; `WrongKind`, `UnsupportedFormat` or
    `PathError` when no queue is there.

    >>> import tempfile
    >>> import rocksq
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     rocksq.blocking.PersistentQueueWithCapacity(f"{directory}/queue").close()
    ...     print(rocksq.migrate(f"{directory}/queue"))
    None
    """

def memory_budget() -> int:
    """Return how many bytes of memory the queues of this process may use together.

    >>> import rocksq
    >>> rocksq.memory_budget()
    134217728
    """

def set_memory_budget(size: int) -> None:
    """Set how many bytes of memory the queues of this process may use together.

    All open queues share this one budget, and those to come. It is for what they keep from one
    call to the next, over what the process takes without them: what is not in files yet, the
    newest items, what was read ahead, caches. What a call carries comes on top while it
    lasts. The default is 128 MiB; each open queue takes 0.4 to 0.6 MiB of it by being open.

    It can be set at any time. A smaller one is kept to within a second or two of the next
    operations, and nothing is lost by it: a backlog goes to more and smaller files, and a push
    waits sooner for a slow disk. What was cached of files is forgotten each time.

    Raises `InvalidArgument` for less than 16 MiB, and then changes nothing.

    >>> import rocksq
    >>> rocksq.set_memory_budget(32 << 20)
    >>> rocksq.memory_budget() >> 20
    32
    >>> rocksq.set_memory_budget(128 << 20)
    """

def open_queues() -> list[OpenQueue]:
    """Return the queues that are open in this process, in the order of their directories.

    For a program that has lost hold of one: a cell of a notebook that ran twice, an exception
    that keeps a queue, a test that failed. `close_all` closes them.

    >>> import tempfile
    >>> import rocksq
    >>> queue = rocksq.blocking.PersistentQueueWithCapacity(tempfile.mkdtemp())
    >>> [each.kind for each in rocksq.open_queues() if each.path == queue.path]
    ['persistent']
    >>> rocksq.close_all()
    >>> queue.closed
    True
    """

def close_all() -> None:
    """Close every queue that is open in this process, whoever has it.

    As `close` of each would: operations under way finish, calls that wait raise `Closed`, and
    everything is synced. Raises what the first failed with that could not be closed in order,
    when all are closed.
    """

def close_at_exit() -> None:
    """Close every queue that is open in this process, for good; runs at the interpreter's exit."""

@final
class OpenQueue:
    """A queue that is open in this process; one for each time that it was opened."""

    @property
    def path(self) -> str:
        """The directory of the queue, as it was given."""

    @property
    def kind(self) -> Literal["persistent", "mpmc"]:
        """Either "persistent" or "mpmc"."""

    @property
    def opened_at(self) -> str:
        """The file and line that opened it, or the cell of a notebook and the line in it."""
