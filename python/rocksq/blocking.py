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

from rocksq import _names
from rocksq._native import blocking as _classes

Batch = _classes.Batch
BatchBase = _classes.BatchBase
Batches = _classes.Batches
Consumer = _classes.Consumer
LiveItems = _classes.LiveItems
MpmcQueue = _classes.MpmcQueue
PersistentQueueWithCapacity = _classes.PersistentQueueWithCapacity
LabelStats = _classes.LabelStats
Stats = _classes.Stats
Watch = _classes.Watch

_names.explain(PersistentQueueWithCapacity, _names.PERSISTENT)
_names.explain(MpmcQueue, _names.MPMC)

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
