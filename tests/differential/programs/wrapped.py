"""A class of one's own around a queue, which picks the start by configuration."""

import json
from typing import Any

import rocksq
from rocksq import StartPosition, blocking


class Journal:
    def __init__(self, path: str, start: Any = None, ttl: int = 0) -> None:
        self.start = start or StartPosition.Newest
        self.queue = blocking.MpmcQueue(path, ttl)

    def write(self, **record: Any) -> None:
        self.queue.add([json.dumps(record).encode()])

    def read(self, reader: str) -> list[Any]:
        items, expired = self.queue.next(reader, self.start, 100)
        if expired:
            print("something was lost")
        return [json.loads(item) for item in items]


for start in (None, StartPosition.Oldest, StartPosition.Newest):
    journal = Journal("journal", start)
    print(repr(journal.start), journal.start == StartPosition.Newest, int(journal.start))
    for number in range(3):
        journal.write(number=number, text="ü" * number)
    print(journal.read("first"), journal.read(f"reader {start}"))
    del journal

try:
    holder = blocking.MpmcQueue("journal", 0)
    rocksq.remove_mpmc_queue("journal")
except RuntimeError as error:
    print("in use:", isinstance(error, Exception))
del holder
rocksq.remove_mpmc_queue("journal")
