"""A spool that a program fills in one run and empties in the next ones."""

import subprocess
import sys

from rocksq.blocking import PersistentQueueWithCapacity

SPOOL = "spool/of/this/program"


def run(day: int) -> None:
    queue = PersistentQueueWithCapacity(SPOOL, max_elements=50)
    print("day", day, "starts with", queue.len, "letters of", queue.payload_size, "bytes")
    for number in range(20):
        try:
            queue.push([f"letter {day}-{number}".encode()])
        except RuntimeError as error:
            print("not taken:", error)
            break
    print("sent", queue.pop(max_elements=5))


if len(sys.argv) > 1:
    run(int(sys.argv[1]))
else:
    for day in range(6):
        subprocess.run([sys.executable, __file__, str(day)], check=True)
