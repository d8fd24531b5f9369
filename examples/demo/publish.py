"""Adds every file of the standard library to an MPMC queue."""

import sys

import library
from rocksq.blocking import MpmcQueue

HOUR = 3600
FILES_AT_ONCE = 50


def main(path: str) -> None:
    files = library.files()
    with MpmcQueue(path, ttl=HOUR) as queue:
        for start in range(0, len(files), FILES_AT_ONCE):
            queue.add([library.pack(file) for file in files[start : start + FILES_AT_ONCE]])


if __name__ == "__main__":
    main(sys.argv[1])
