"""A work queue with a pool of threads that finishes every job, whatever dies in between.

The jobs of a batch are done side by side and leave the queue when all of them are done. A program
that is killed does the jobs of its last batch again when it comes back, so a job must bear to be
done twice.

usage: work_queue.py add DIRECTORY FILE ...     put jobs into the queue
       work_queue.py work DIRECTORY             do what is there
       work_queue.py                            both with the files beside this one
"""

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rocksq.blocking import PersistentQueueWithCapacity

THREADS = 4


def add(directory: str, files: list[str]) -> None:
    with PersistentQueueWithCapacity(directory) as queue:
        queue.push([file.encode() for file in files])


def do(job: bytes) -> str:
    """Do one job: anything that may run in a thread."""
    try:
        digest = hashlib.sha256(Path(job.decode()).read_bytes()).hexdigest()
    except OSError as error:
        # A job that always fails must not stop those behind it: report it and let it go.
        return f"failed {job.decode()}: {error.strerror}"
    return f"{digest} {job.decode()}"


def work(directory: str) -> None:
    with PersistentQueueWithCapacity(directory) as queue, ThreadPoolExecutor(THREADS) as pool:
        for batch in queue.batches(THREADS, timeout=0):
            with batch:
                for result in pool.map(do, batch):
                    print(result, flush=True)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["add", directory, *files]:
            add(directory, files)
        case ["work", directory]:
            work(directory)
        case _:
            with tempfile.TemporaryDirectory() as directory:
                add(directory, [str(file) for file in sorted(Path(__file__).parent.glob("*.py"))])
                work(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
