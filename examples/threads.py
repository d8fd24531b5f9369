"""Many threads share one queue; closing it ends them all.

What a thread has taken and not finished is lost when the process dies. Where that matters, see
work_queue.py.

usage: threads.py [DIRECTORY]
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from rocksq.blocking import PersistentQueueWithCapacity

PRODUCERS = 3
CONSUMERS = 4
ITEMS = 1000


def produce(queue: PersistentQueueWithCapacity, name: int) -> None:
    for number in range(ITEMS):
        queue.push([f"{name}:{number}".encode()])


def consume(queue: PersistentQueueWithCapacity) -> list[bytes]:
    return list(queue.consume())  # waits for each item, ends when the queue is closed


def main(path: str) -> None:
    with ThreadPoolExecutor(PRODUCERS + CONSUMERS) as pool:
        with PersistentQueueWithCapacity(path, max_elements=50_000) as queue:
            consumers = [pool.submit(consume, queue) for _ in range(CONSUMERS)]
            producers = [pool.submit(produce, queue, name) for name in range(PRODUCERS)]
            for producer in producers:
                producer.result()
            left = len(queue)
        # Here the queue is closed. What the consumers have not taken waits for the next start.
        taken = [item for consumer in consumers for item in consumer.result()]
    with PersistentQueueWithCapacity(path) as queue:
        taken += queue.pop(left)
    print("pushed", PRODUCERS * ITEMS, "took", len(taken), "different", len(set(taken)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
