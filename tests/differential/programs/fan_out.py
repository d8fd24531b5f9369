"""Three readers of one stream of events, one of them late, one forgotten."""

from rocksq import StartPosition, remove_mpmc_queue
from rocksq.blocking import MpmcQueue

remove_mpmc_queue("events")
queue = MpmcQueue("events", ttl=3600)
for number in range(300):
    queue.add([f"event {number}".encode()])
    if number % 3 == 0:
        items, expired = queue.next("search", StartPosition.Oldest, max_elements=2)
        assert not expired
        print(number, items)

items, expired = queue.next("audit", StartPosition.Oldest, max_elements=1000)
print(len(items), items[255:258], expired)
print(queue.next("late", StartPosition.Newest, 10))
print(sorted(queue.labels), queue.len, queue.is_empty)

del queue
queue = MpmcQueue("events", 3600)
queue.add([b"after the restart"])
for label in ("audit", "late", "search"):
    items, expired = queue.next(label, StartPosition.Oldest, max_elements=1000, no_gil=False)
    print(label, len(items), items[-1], expired)
print(queue.remove_label("audit"), queue.remove_label("nobody"), sorted(queue.labels))
items, expired = queue.next("audit", StartPosition.Oldest)
print(items, expired)
