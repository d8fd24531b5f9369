"""Start many operations, do something else, and look at the responses later."""

import time

from rocksq.nonblocking import PersistentQueueWithCapacity, Response

queue = PersistentQueueWithCapacity("queue", max_elements=10_000, max_inflight_ops=100)
pending = [queue.push([bytes([number % 256]) * 1000]) for number in range(300)]
print(all(isinstance(response, Response) for response in pending))
print({response.get().data for response in pending})

pending = [queue.pop(max_elements=2) for _ in range(100)]
items = []
while pending:
    response = pending[0]
    if not response.is_ready:
        time.sleep(0.001)
        continue
    variant = response.try_get()
    items += variant.data
    pending.pop(0)
print(len(items), [item[:2] for item in items[:4]], queue.inflight_ops)
print(queue.len.get().len, queue.payload_size.get().size, queue.disk_size.get().size > 0)
