"""The MPMC queue: every label reads every item, at its own pace, and keeps its place.

usage: mpmc_queue.py [DIRECTORY]
"""

import sys
import tempfile
from pathlib import Path

from rocksq import StartPosition
from rocksq.blocking import MpmcQueue

HOUR = 3600


def main(directory: str) -> None:
    path = Path(directory, "events")

    with MpmcQueue(path, ttl=HOUR) as queue:
        queue.add([b"created", b"changed", b"deleted"])
        items, _ = queue.next("audit", StartPosition.Oldest, 2)
        print("audit read", items)
        items, _ = queue.next("screen", StartPosition.Newest, 10)  # only the last one matters
        print("screen read", items)

    with MpmcQueue(path, ttl=HOUR) as queue:  # after a restart
        print("labels", queue.labels)
        items, expired = queue.next("audit", StartPosition.Oldest, 10)
        print("audit goes on with", items, "and has missed some" if expired else "and missed none")
        print("all items of the last hour:", list(queue))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
