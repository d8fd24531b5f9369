"""Stores every line of the standard input and uploads it, whatever dies in between.

Lines wait in the queue while the server is away, and leave it when the server has answered that it
has them. Killed at any moment, the program goes on where it was when it is started again; it may
upload its last batch twice, so every line carries an id by which the server knows it again.

usage: store_and_forward.py DIRECTORY URL < LINES
"""

import json
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterable
from http.client import HTTPException

from rocksq.blocking import PersistentQueueWithCapacity

AT_ONCE = 100
TIMEOUT = 10.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 30.0


def store(queue: PersistentQueueWithCapacity, lines: Iterable[str]) -> None:
    for line in lines:
        item = {"id": str(uuid.uuid4()), "line": line.rstrip("\n")}
        queue.push([json.dumps(item).encode()], timeout=None)
    queue.flush()  # from here on it survives a power cut as well


def upload(url: str, items: list[bytes]) -> bool:
    """Upload a batch, and tell whether the server has it."""
    request = urllib.request.Request(url, data=b"\n".join(items), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT):
            return True
    except (OSError, HTTPException) as error:
        print("not uploaded:", error, file=sys.stderr)
        return False


def forward(queue: PersistentQueueWithCapacity, url: str, stored: threading.Event) -> None:
    """Upload until everything that was stored is on the server."""
    pause = SHORTEST_PAUSE
    while not (stored.is_set() and queue.is_empty):
        batch = queue.read(AT_ONCE, timeout=0.1)
        if not batch.items:
            continue
        if upload(url, batch.items):
            queue.commit(batch)
            pause = SHORTEST_PAUSE
        else:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def main(directory: str, url: str) -> None:
    with PersistentQueueWithCapacity(directory, max_elements=1_000_000) as queue:
        stored = threading.Event()

        def store_input() -> None:
            try:
                store(queue, sys.stdin)
            finally:
                stored.set()

        threading.Thread(target=store_input, daemon=True).start()
        forward(queue, url, stored)


if __name__ == "__main__":
    main(*sys.argv[1:])
