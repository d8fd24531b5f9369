"""First one program writes, later another one reads: the queue is the file between them.

usage: write_then_read.py write DIRECTORY NUMBER
       write_then_read.py read DIRECTORY
       write_then_read.py                        both, in a temporary directory
"""

import sys
import tempfile
from collections.abc import Iterator

from rocksq.blocking import PersistentQueueWithCapacity

AT_ONCE = 1000
"""Many items in a call cost far less than as many calls."""


def measurements(number: int) -> Iterator[bytes]:
    return (f"measurement {at}".encode() for at in range(number))


def write(path: str, number: int) -> None:
    with PersistentQueueWithCapacity(path) as queue:
        chunk: list[bytes] = []
        for measurement in measurements(number):
            chunk.append(measurement)
            if len(chunk) == AT_ONCE:
                queue.push(chunk)
                chunk = []
        queue.push(chunk)
        print("wrote", number, "items,", queue.payload_size, "bytes")


def read(path: str) -> None:
    total, last = 0, b""
    with PersistentQueueWithCapacity(path) as queue:
        while items := queue.pop(AT_ONCE):
            total, last = total + len(items), items[-1]
    print("read", total, "items, the last one", last)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["write", path, number]:
            write(path, int(number))
        case ["read", path]:
            read(path)
        case _:
            with tempfile.TemporaryDirectory() as path:
                write(path, 2500)
                read(path)


if __name__ == "__main__":
    main(sys.argv[1:])
