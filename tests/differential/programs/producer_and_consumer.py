"""A producer and a consumer thread with a small queue between them; both poll."""

import threading
import time

from rocksq.blocking import PersistentQueueWithCapacity

queue = PersistentQueueWithCapacity("queue", 10)
received = []


def produce() -> None:
    for number in range(500):
        while True:
            try:
                queue.push([str(number).encode()])
                break
            except RuntimeError as error:
                if "Queue is full" not in error.args[0]:
                    raise
                time.sleep(0.001)


def consume() -> None:
    while len(received) < 500:
        items = queue.pop(3)
        if not items:
            time.sleep(0.001)
        received.extend(items)


threads = [threading.Thread(target=produce), threading.Thread(target=consume)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(received == [str(number).encode() for number in range(500)], queue.is_empty)
