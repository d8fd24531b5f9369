"""One contender does one row's work in this process, and prints what it took as JSON.

Usage: python work.py CONTENDER ROW DIRECTORY SECONDS
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable

from contenders import CONTENDERS
from contenders.base import Contender
from rows import ROWS, Row

DIFFERENT = 997
"""So many different items go round: enough to tell a lost or misplaced one, few enough to keep."""


class Supply:
    """The items of a row in calls, and the check of what came out."""

    def __init__(self, row: Row) -> None:
        different = max(1, min(DIFFERENT, (256 << 20) // row.size))
        self.items = [os.urandom(row.size) for _ in range(different)]
        self.per_call = row.per_call
        round_trip = self.items * row.per_call
        self.calls = [
            round_trip[at : at + row.per_call] for at in range(0, len(round_trip), row.per_call)
        ]

    def call(self, number: int) -> list[bytes]:
        """The items of a call."""
        return self.calls[number % len(self.calls)]

    def check(self, taken: list[bytes], expected: int) -> None:
        """Fail unless `taken` is so many items, as they were supplied and in order."""
        if len(taken) != expected:
            raise SystemExit(f"{len(taken)} items came out of {expected}")
        count = len(self.items)
        for number, item in enumerate(taken):
            if item != self.items[number % count]:
                raise SystemExit(f"item {number} is not the one that was pushed")


def push_all(queue: Contender, supply: Supply, calls: int, seconds: float) -> tuple[int, float]:
    """Push so many calls, or for so long; the calls made, and the time they took."""
    begin = time.perf_counter()
    end = begin + seconds
    push, call = queue.push, supply.call
    for number in range(calls):
        push(call(number))
        if number % 16 == 0 and time.perf_counter() > end:
            return number + 1, time.perf_counter() - begin
    return calls, time.perf_counter() - begin


def pop_all(
    queue: Contender, per_call: int, calls: int, seconds: float
) -> tuple[list[bytes], int, float]:
    """Pop so many calls, or for so long; the items, the calls made, and the time they took."""
    begin = time.perf_counter()
    end = begin + seconds
    taken: list[bytes] = []
    pop = queue.pop
    for number in range(calls):
        taken += pop(per_call)
        if number % 16 == 0 and time.perf_counter() > end:
            return taken, number + 1, time.perf_counter() - begin
    return taken, calls, time.perf_counter() - begin


def in_then_out(queue: Contender, row: Row, seconds: float) -> dict[str, float]:
    """Push everything, then pop it: two rates.

    Large items are all pushed, however long it takes: what is popped would be in the memory of
    those that had pushed little.
    """
    supply = Supply(row)
    limit = math.inf if row.is_large else seconds
    pushed, push_time = push_all(queue, supply, row.items // row.per_call, limit)
    taken, popped, pop_time = pop_all(queue, row.per_call, pushed, seconds)
    supply.check(taken, popped * row.per_call)
    return {"push": pushed * row.per_call / push_time, "pop": len(taken) / pop_time}


def by_turns(queue: Contender, row: Row, seconds: float) -> dict[str, float]:
    """Push a call, pop a call: the rate of items that went through."""
    supply = Supply(row)
    taken: list[bytes] = []
    begin = time.perf_counter()
    end = begin + seconds
    turns = 0
    for number in range(row.items // row.per_call):
        queue.push(supply.call(number))
        taken += queue.pop(row.per_call)
        turns += 1
        if number % 16 == 0 and time.perf_counter() > end:
            break
    took = time.perf_counter() - begin
    supply.check(taken, turns * row.per_call)
    return {"both": len(taken) / took}


def two_threads(queue: Contender, row: Row, seconds: float) -> dict[str, float]:
    """One thread pushes, another pops: the rate of items that went through."""
    supply = Supply(row)
    pushed = 0
    finished = False

    def produce() -> None:
        nonlocal pushed, finished
        pushed, _ = push_all(queue, supply, row.items // row.per_call, seconds)
        finished = True

    producer = threading.Thread(target=produce)
    taken: list[bytes] = []
    begin = time.perf_counter()
    producer.start()
    while True:
        was_finished = finished
        items = queue.pop(row.per_call)
        taken += items
        if was_finished and not items:
            break
    took = time.perf_counter() - begin
    producer.join()
    supply.check(taken, pushed * row.per_call)
    return {"both": len(taken) / took}


PATTERNS: dict[str, Callable[[Contender, Row, float], dict[str, float]]] = {
    "in_then_out": in_then_out,
    "by_turns": by_turns,
    "two_threads": two_threads,
}


def main(name: str, row_name: str, directory: str, seconds: str) -> None:
    """Do the work and print the rates."""
    (row,) = (row for row in ROWS if row.name == row_name)
    queue = CONTENDERS[name].load()(directory)
    rates = PATTERNS[row.pattern](queue, row, float(seconds))
    print(json.dumps(rates))
    sys.stdout.flush()
    queue.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
