"""Pops every file out of the queue and verifies digests and order."""

import sys

import library
from rocksq.blocking import PersistentQueueWithCapacity


def main(path: str) -> None:
    size = 0
    with PersistentQueueWithCapacity(path) as queue:
        for expected in library.files():
            items = queue.pop()
            if not items:
                raise library.Difference(f"the queue is empty: expected {expected}")
            size += library.check(items[0], expected)
        if queue.pop():
            raise library.Difference("the queue holds more than was pushed")
    print("verified", size, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
