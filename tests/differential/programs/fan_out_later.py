"""The nonblocking MPMC queue with two readers."""

from rocksq import StartPosition
from rocksq.nonblocking import MpmcQueue

queue = MpmcQueue("events", 60)
for number in range(200):
    item = [str(number).encode()]
    queue.add(item, no_gil=True).get()
    response = queue.next(
        label="one", start_position=StartPosition.Oldest, max_elements=1, no_gil=True
    )
    data = response.get().data
    assert data[0] == item
    assert not data[1]

print(queue.next("one", StartPosition.Oldest, 5).get().data)
print(queue.next("two", StartPosition.Newest, 5).get().data)
print(sorted(queue.labels.get().labels), queue.len.get().len)
print(queue.remove_label("three").get().removed_label)
print(queue.remove_label("one").get().removed_label)
print(queue.labels.get().labels)
print(queue.next("one", StartPosition.Oldest, 3).get().data)
