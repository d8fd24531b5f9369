"""One thread writes while another reads; the bound of the queue slows down who is too fast.

usage: read_while_writing.py [DIRECTORY]
"""

import sys
import tempfile
import threading

from rocksq.blocking import PersistentQueueWithCapacity

ITEMS = 10_000
END = b""


def write(queue: PersistentQueueWithCapacity) -> None:
    for number in range(ITEMS):
        queue.push([str(number).encode()], timeout=None)  # waits for room
    queue.push([END], timeout=None)


def read(queue: PersistentQueueWithCapacity) -> int:
    expected = 0
    while True:
        for item in queue.pop(50, timeout=None):  # waits for the first, takes up to 50
            if item == END:
                return expected
            if int(item) != expected:
                raise ValueError(f"expected {expected}, got {item!r}")
            expected += 1


def main(path: str) -> None:
    with PersistentQueueWithCapacity(path, max_elements=100) as queue:
        writer = threading.Thread(target=write, args=[queue])
        writer.start()
        print("read", read(queue), "items in order through a queue of 100")
        writer.join()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
