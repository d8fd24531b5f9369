"""Pushes every file of the standard library into a persistent queue.

Killed at any moment, it resumes where it stopped: what it has pushed is in the queue.
"""

import sys

import library
from rocksq.blocking import PersistentQueueWithCapacity


def main(path: str) -> None:
    files = library.files()
    with PersistentQueueWithCapacity(path) as queue:
        for number in range(len(queue), len(files)):
            queue.push([library.pack(files[number])])
            print("pushed", number + 1, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
