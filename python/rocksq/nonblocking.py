"""Queues whose methods return at once with a response; one worker does the work, in order.

A response can be waited for by a thread (`result`, `get`) and by a coroutine (`await`), in any
number of event loops. What its operation fails with is raised there. What changes the queue at
the end, `push` and `add`, is done whether its response is kept or not; when it fails and nobody
asks, the logger `rocksq` gets a WARNING.

An operation that waits, with `timeout`, for items or room lets others pass and costs neither a
thread nor processor time. When `max_inflight_ops` operations are under way, without those that
wait, the next call waits for room; on a thread that runs an event loop it returns, and its
operation begins later.

Items that were taken belong to whoever claims them: with `result`, `get` or `try_get`, or in the
step in which a coroutine resumes from `await`. A response that is dropped or cancelled before
gives them back, in front of all others, and so does `close`. If the process dies in between they
are gone; use `read` and `commit` for what must not be lost.

Once a response is there, what was done is as durable as `durability` of the call, or of the
queue, says. Every call raises `Closed` after `close`, and `Forked` in a child process that was
forked off after the queue was opened.
"""

from rocksq import _names
from rocksq._native import nonblocking as _classes

AsyncBatches = _classes.AsyncBatches
AsyncConsumer = _classes.AsyncConsumer
Batch = _classes.Batch
MpmcQueue = _classes.MpmcQueue
MpmcResponse = _classes.MpmcResponse
MpmcResponseVariant = _classes.MpmcResponseVariant
PersistentQueueWithCapacity = _classes.PersistentQueueWithCapacity
Response = _classes.Response
ResponseBase = _classes.ResponseBase
ResponseVariant = _classes.ResponseVariant

_names.explain(PersistentQueueWithCapacity, _names.PERSISTENT)
_names.explain(MpmcQueue, _names.MPMC)

__all__ = [
    "AsyncBatches",
    "AsyncConsumer",
    "Batch",
    "MpmcQueue",
    "MpmcResponse",
    "MpmcResponseVariant",
    "PersistentQueueWithCapacity",
    "Response",
    "ResponseBase",
    "ResponseVariant",
]
