"""Queues whose methods return when the work is done."""

from rocksq._native import blocking as _classes

Batch = _classes.Batch
Consumer = _classes.Consumer
LiveItems = _classes.LiveItems
MpmcQueue = _classes.MpmcQueue
PersistentQueueWithCapacity = _classes.PersistentQueueWithCapacity

__all__ = ["Batch", "Consumer", "LiveItems", "MpmcQueue", "PersistentQueueWithCapacity"]
