"""Fill a queue item by item, then drain it, as the first script that one writes."""

import os

from rocksq import remove_queue
from rocksq.blocking import PersistentQueueWithCapacity

PATH = "queue"
OPS = 1000

if os.path.exists(PATH):
    remove_queue(PATH)

queue = PersistentQueueWithCapacity(PATH)
for number in range(OPS):
    queue.push([f"frame {number}".encode()], no_gil=True)
print(queue.len, queue.payload_size, queue.is_empty, queue.disk_size > 0)

drained = []
while not queue.is_empty:
    drained += queue.pop(max_elements=7, no_gil=False)
print(len(drained), drained[:3], drained[-1])
print(queue.len, queue.payload_size, queue.is_empty, queue.pop())

del queue
remove_queue(PATH)
print(os.path.exists(PATH))
