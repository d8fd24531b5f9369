"""What a call from Python costs more than the same call from Rust.

Usage: python.py PROGRAM, where PROGRAM is the bench `beside`, built. Both are measured by turns, in
processes of their own, so that both meet the same noise.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from rocksq.blocking import PersistentQueueWithCapacity

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = 7
ROUNDS = 400
BLOCK = 500
SIZES = (100, 1024)
PLACE = os.environ.get("ROCKSQ_BESIDE", "/dev/shm")


def timed(call: Callable[[], object]) -> float:
    """Nanoseconds of one of a block of calls."""
    begin = time.perf_counter_ns()
    for _ in range(BLOCK):
        call()
    return (time.perf_counter_ns() - begin) / BLOCK


def queue_alone(size: int) -> None:
    """Measure the queue in this process, as the Rust program does."""
    with tempfile.TemporaryDirectory(dir=PLACE, prefix="beside-") as home:
        queue = PersistentQueueWithCapacity(f"{home}/queue", 1 << 60)
        item = [bytes(size)]
        push, pop = queue.push, queue.pop
        times = [(timed(lambda: push(item)), timed(lambda: pop(1))) for _ in range(ROUNDS)]
        queue.close()
    print(size, *map(statistics.median, zip(*times, strict=True)))


def measure(command: list[str]) -> dict[str, list[float]]:
    """Run a program that prints the medians of a push and a pop of each size."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {size: [float(text) for text in times] for size, *times in lines}


def main() -> None:
    """Measure both by turns, or only what Python takes."""
    if sys.argv[1:] == ["queue"]:
        for size in SIZES:
            queue_alone(size)
        return
    (program,) = sys.argv[1:]
    pairs = [
        (measure([program, "queue"]), measure([sys.executable, __file__, "queue"]))
        for _ in range(PAIRS)
    ]
    print(f"nanoseconds a call, the median of {PAIRS} processes each by turns, in {PLACE}")
    for size in map(str, SIZES):
        for number, call in enumerate(("push", "pop")):
            rust, python = (
                statistics.median(pair[which][size][number] for pair in pairs) for which in (0, 1)
            )
            print(
                f"{size} bytes: {call} in Rust {rust:.0f}, from Python {python:.0f}, "
                f"{python - rust:.0f} more"
            )


if __name__ == "__main__":
    main()
