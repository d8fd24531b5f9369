"""Log records fan out to several readers; one that comes late replays from the oldest.

usage: log_fanout.py [DIRECTORY]
"""

import logging
import sys
import tempfile
from collections.abc import Iterator

from rocksq import StartPosition
from rocksq.blocking import MpmcQueue

DAY = 24 * 3600


class QueueHandler(logging.Handler):
    """Adds every record to an MPMC queue."""

    def __init__(self, queue: MpmcQueue) -> None:
        super().__init__()
        self.queue = queue

    def emit(self, record: logging.LogRecord) -> None:
        self.queue.add([self.format(record).encode()])


def lines(queue: MpmcQueue, label: str) -> Iterator[str]:
    """Yield what a label has not read; its place moves when a batch has been dealt with."""
    while (batch := queue.read(label, StartPosition.Oldest, 100)).items:
        if batch.expired:
            yield "(some lines were too old and are gone)"
        yield from (item.decode() for item in batch.items)
        queue.commit(batch)


def main(path: str) -> None:
    with MpmcQueue(path, ttl=DAY) as queue:
        log = logging.getLogger("shop")
        log.setLevel(logging.INFO)
        log.addHandler(QueueHandler(queue))

        log.info("open")
        log.error("no change left")
        for line in lines(queue, "archive"):
            print("archive:", line)

        log.error("queue at the door")
        for line in lines(queue, "archive"):  # only what is new
            print("archive:", line)
        for line in lines(queue, "search"):  # a label that comes late begins at the oldest
            print("search:", line)

        queue.remove_label("archive")  # begin again
        print("archive replays:", ", ".join(lines(queue, "archive")))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
