"""Queues whose methods return at once with a response; one worker does the work, in order."""

from rocksq._native import nonblocking as _classes

MpmcQueue = _classes.MpmcQueue
MpmcResponse = _classes.MpmcResponse
MpmcResponseVariant = _classes.MpmcResponseVariant
PersistentQueueWithCapacity = _classes.PersistentQueueWithCapacity
Response = _classes.Response
ResponseVariant = _classes.ResponseVariant

__all__ = [
    "MpmcQueue",
    "MpmcResponse",
    "MpmcResponseVariant",
    "PersistentQueueWithCapacity",
    "Response",
    "ResponseVariant",
]
