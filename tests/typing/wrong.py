"""Wrong programs: each line with an error says what mypy and pyright call it.

The codes that begin with `report` are those of pyright.
"""

from rocksq import StartPosition, nonblocking
from rocksq.blocking import Batch, LiveItems, MpmcQueue, PersistentQueueWithCapacity


class Mine(PersistentQueueWithCapacity):  # error: misc reportGeneralTypeIssues
    pass


def opening() -> None:
    PersistentQueueWithCapacity()  # error: call-arg reportCallIssue
    PersistentQueueWithCapacity(b"path")  # error: arg-type reportArgumentType
    PersistentQueueWithCapacity("path", "10")  # error: arg-type reportArgumentType
    PersistentQueueWithCapacity("path", size=10)  # error: call-arg reportCallIssue
    MpmcQueue("path")  # error: call-arg reportCallIssue
    MpmcQueue("path", ttl=0.5)  # error: arg-type reportArgumentType
    Batch([b"item"])  # error: call-arg reportCallIssue


def pushing(queue: PersistentQueueWithCapacity) -> None:
    queue.push(b"item")  # error: arg-type reportArgumentType
    queue.push("item")  # error: arg-type reportArgumentType
    queue.push(["item"])  # error: list-item reportArgumentType
    queue.push([1, 2])  # error: list-item reportArgumentType
    queue.push([b"item"], timeout="1")  # error: arg-type reportArgumentType
    queue.push([b"item"], durability="Synced")  # error: arg-type reportArgumentType
    queue.push([b"item"], True, 1)  # error: call-arg reportCallIssue
    queue.put([b"item"])  # error: attr-defined reportAttributeAccessIssue


def popping(queue: PersistentQueueWithCapacity) -> str:
    queue.pop(None)  # error: arg-type reportArgumentType
    queue.len()  # error: operator reportCallIssue
    queue.max_elements = 5  # error: misc reportAttributeAccessIssue
    queue[0]  # error: index reportIndexIssue
    items: list[str] = queue.pop()  # error: assignment reportAssignmentType
    return items[0]


def reading(queue: MpmcQueue, other: LiveItems) -> bytes:
    queue.next("label")  # error: call-arg reportCallIssue
    queue.next("label", 0)  # error: arg-type reportArgumentType
    queue.next(b"label", StartPosition.Oldest)  # error: arg-type reportArgumentType
    queue.commit([b"item"])  # error: arg-type reportArgumentType
    items = queue.next("label", StartPosition.Newest)
    len(other)  # error: arg-type reportArgumentType
    return items[0]  # error: return-value reportReturnType


def answers(queue: nonblocking.PersistentQueueWithCapacity) -> bytes:
    queue.pop(timeout="1")  # error: arg-type reportArgumentType
    print(queue.pop().data)  # error: attr-defined reportAttributeAccessIssue
    return queue.pop().get().data[0]  # error: index reportOptionalSubscript
