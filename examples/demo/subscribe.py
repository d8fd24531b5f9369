"""Reads the MPMC queue under a label and verifies digests and order.

Its place is kept in the queue. How many files it has verified so far, which is where it must go on,
is given by the caller, so that a difference shows.
"""

import sys

import library
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue

FILES_AT_ONCE = 20


def main(path: str, label: str, start: int, stop: int) -> None:
    expected = library.files()[start:stop]
    with MpmcQueue(path, ttl=3600) as queue:
        while expected:
            count = min(FILES_AT_ONCE, len(expected))
            items, expired = queue.next(label, StartPosition.Oldest, count)
            if expired or len(items) != count:
                raise library.Difference(f"{label} lost items before {expected[0]}")
            for item, file in zip(items, expected[:count], strict=True):
                library.check(item, file)
            expected = expected[count:]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
