"""The MPMC queue with calls that return at once, and answers that come later.

usage: mpmc_queue_nonblocking.py [DIRECTORY]
"""

import sys
import tempfile
from pathlib import Path

from rocksq import StartPosition
from rocksq.nonblocking import MpmcQueue

HOUR = 3600


def main(directory: str) -> None:
    with MpmcQueue(Path(directory, "events"), ttl=HOUR) as queue:
        added = queue.add([b"created", b"changed"])
        reads = {
            label: queue.next(label, StartPosition.Oldest, 10) for label in ("audit", "search")
        }
        added.get()  # raises what `add` raised
        for label, read in reads.items():
            answer = read.get().data
            assert answer is not None
            items, expired = answer
            print(label, "read", items, "and has missed some" if expired else "and missed none")
        print("forgot audit:", queue.remove_label("audit").get().removed_label)
        print("labels", queue.labels.get().labels)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
