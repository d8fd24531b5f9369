"""Durable in-process queues on RocksDB.

`rocksq.blocking` has queues whose methods return when the work is done, `rocksq.nonblocking` the
same queues with methods that return at once, with a response.

>>> import tempfile
>>> from rocksq.blocking import PersistentQueueWithCapacity
>>> with tempfile.TemporaryDirectory() as directory:
...     with PersistentQueueWithCapacity(f"{directory}/queue") as queue:
...         queue.push([b"first", b"other"])
...         print(queue.pop())
[b'first']
"""

import sys

from rocksq import _processor

_processor.check()  # before anything compiled is loaded

from rocksq import _native, _place

# The compiled part stays when rocksq is imported again, and with it the classes that it raises.
sys.modules.update(_native.kept_modules)
# The compiled part calls it when a queue is opened, when nothing might be imported any more.
sys.modules.setdefault(_place.__name__, _place)

from rocksq import blocking, exceptions, maintenance, nonblocking
from rocksq._durability import Durability
from rocksq._native import (
    Migrated,
    OpenQueue,
    close_all,
    memory_budget,
    migrate,
    open_queues,
    remove_mpmc_queue,
    remove_queue,
    set_memory_budget,
    version,
)
from rocksq._on_full import OnFull
from rocksq._start_position import StartPosition
from rocksq.exceptions import (
    Busy,
    Closed,
    Conflict,
    Corrupt,
    DiskFull,
    Error,
    Forked,
    Full,
    InvalidArgument,
    IOFailure,
    OutcomeUnknown,
    OutOfMemory,
    OutOfRange,
    PathError,
    UnsupportedFormat,
    WrongKind,
)
from rocksq.maintenance import repair, verify

__version__ = version()

__all__ = [
    "Busy",
    "Closed",
    "Conflict",
    "Corrupt",
    "DiskFull",
    "Durability",
    "Error",
    "Forked",
    "Full",
    "IOFailure",
    "InvalidArgument",
    "Migrated",
    "OnFull",
    "OpenQueue",
    "OutOfMemory",
    "OutOfRange",
    "OutcomeUnknown",
    "PathError",
    "StartPosition",
    "UnsupportedFormat",
    "WrongKind",
    "__version__",
    "blocking",
    "close_all",
    "exceptions",
    "maintenance",
    "memory_budget",
    "migrate",
    "nonblocking",
    "open_queues",
    "remove_mpmc_queue",
    "remove_queue",
    "repair",
    "set_memory_budget",
    "verify",
    "version",
]
