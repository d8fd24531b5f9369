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
from rows import HELD, ROWS, Row

DIFFERENT = 997
"""So many different items go round: enough to tell a lost or misplaced one, few enough to keep."""


class Supply:
    """The items of a row in calls, and the check of what comes out."""

    def __init__(self, row: Row) -> None:
        different = max(1, min(DIFFERENT, (256 << 20) // row.size))
        self.items = [os.urandom(row.size) for _ in range(different)]
        self.per_call = row.per_call
        round_trip = self.items * row.per_call
        self.calls = [
            round_trip[at : at + row.per_call] for at in range(0, len(round_trip), row.per_call)
        ]
        self.checked = 0

    def call(self, number: int) -> list[bytes]:
        """The items of a call."""
        return self.calls[number % len(self.calls)]

    def check(self, taken: list[bytes], expected: int) -> None:
        """Fail unless `taken` is the next so many items, as they were supplied and in order."""
        if len(taken) != expected:
            raise SystemExit(f"{len(taken)} items came out of {expected}")
        count = len(self.items)
        for number, item in enumerate(taken, self.checked):
            if item != self.items[number % count]:
                raise SystemExit(f"item {number} is not the one that was pushed")
        self.checked += expected


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


def take_all(
    take: Callable[[int], list[bytes]], supply: Supply, row: Row, calls: int, seconds: float
) -> tuple[int, float]:
    """Call `take` so many times, or for so long; the calls made, and the time they took.

    What comes out is checked and let go of after a few calls, while the clock stands still: a
    consumer who is done with its items has their memory again for the next.
    """
    stretch = max(1, HELD // (row.size * row.per_call))
    made, took = 0, 0.0
    while made < calls and took < seconds:
        numbers = range(made, min(made + stretch, calls))
        taken: list[bytes] = []
        begin = time.perf_counter()
        for number in numbers:
            taken += take(number)
        took += time.perf_counter() - begin
        supply.check(taken, len(numbers) * row.per_call)
        made = numbers.stop
    return made, took


def in_then_out(queue: Contender, row: Row, seconds: float) -> dict[str, float]:
    """Push everything, then pop it: two rates.

    Large items are all pushed, however long it takes: what is popped would be in the memory of
    those that had pushed little.
    """
    supply = Supply(row)
    limit = math.inf if row.is_large else seconds
    pushed, push_time = push_all(queue, supply, row.items // row.per_call, limit)
    popped, pop_time = take_all(lambda _: queue.pop(row.per_call), supply, row, pushed, seconds)
    return {"push": pushed * row.per_call / push_time, "pop": popped * row.per_call / pop_time}


def by_turns(queue: Contender, row: Row, seconds: float) -> dict[str, float]:
    """Push a call, pop a call: the rate of items that went through."""
    supply = Supply(row)

    def pass_through(number: int) -> list[bytes]:
        queue.push(supply.call(number))
        return queue.pop(row.per_call)

    turns, took = take_all(pass_through, supply, row, row.items // row.per_call, seconds)
    return {"both": turns * row.per_call / took}


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
