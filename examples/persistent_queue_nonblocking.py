"""The persistent queue with calls that return at once, and answers that come later.

usage: persistent_queue_nonblocking.py [DIRECTORY]
"""

import sys
import tempfile
from pathlib import Path

from rocksq import Full
from rocksq.nonblocking import PersistentQueueWithCapacity


def main(directory: str) -> None:
    path = Path(directory, "frames")
    with PersistentQueueWithCapacity(path, max_elements=100, max_inflight_ops=10) as queue:
        # Nothing here waits for the disk. A worker does the calls in the order in which they came.
        pushes = [queue.push([f"frame {number}".encode()]) for number in range(100)]
        one_too_many = queue.push([b"frame 100"])
        taken = queue.pop(3)

        # `get` waits for the answer, and raises what the operation raised.
        for push in pushes:
            push.get()
        try:
            one_too_many.get()
        except Full as error:
            print("refused:", error)
        print("took", taken.get().data)
        print("left", queue.len.get().len)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
