"""The persistent queue: push, pop, wait, bound, and find everything again after a restart.

usage: persistent_queue.py [DIRECTORY]
"""

import sys
import tempfile
from pathlib import Path

from rocksq import Full
from rocksq.blocking import PersistentQueueWithCapacity


def main(directory: str) -> None:
    path = Path(directory, "frames")

    with PersistentQueueWithCapacity(path, max_elements=3) as queue:
        queue.push([b"one", b"two", b"three"])  # all of them, or none
        try:
            queue.push([b"four"])
        except Full:
            print("full at", len(queue), "items")
        print("took", queue.pop())

    with PersistentQueueWithCapacity(path, max_elements=3) as queue:  # after a restart
        print("looked at", queue.peek(10), "of", queue.payload_size, "bytes")
        print("took", queue.pop(10))  # at most 10: what is there
        print("waited in vain for", queue.pop(timeout=0.1))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
