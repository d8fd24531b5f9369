"""Queues whose methods return at once with a response; one worker does the work, in order.

An operation is done whether its response is read or not. What it fails with is raised by `get` and
`try_get`. When `max_inflight_ops` operations are under way, the next call waits for room.

Once a response is there, what was done is as durable as `durability` of the call, or of the queue,
says. Every call raises `Closed` after `close`, and
`Forked` in a child process that was forked off after the queue was opened.
"""

from rocksq._native import nonblocking as _classes

AsyncConsumer = _classes.AsyncConsumer
MpmcQueue = _classes.MpmcQueue
MpmcResponse = _classes.MpmcResponse
MpmcResponseVariant = _classes.MpmcResponseVariant
PersistentQueueWithCapacity = _classes.PersistentQueueWithCapacity
Response = _classes.Response
ResponseBase = _classes.ResponseBase
ResponseVariant = _classes.ResponseVariant

__all__ = [
    "AsyncConsumer",
    "MpmcQueue",
    "MpmcResponse",
    "MpmcResponseVariant",
    "PersistentQueueWithCapacity",
    "Response",
    "ResponseBase",
    "ResponseVariant",
]
