"""Forwards what `webhook_receiver.py` has put into its queue to another server.

    python examples/webhook_forwarder.py QUEUE_DIRECTORY URL

A request is taken out of the queue when the other server has answered, so none is lost when this
program or that server dies; one may be sent twice. The queue is open in one process at a time: this
one waits until the receiver has closed it. Both can run in one process, too, on one queue.
"""

import asyncio
import json
import sys
from http import HTTPStatus

import aiohttp

from rocksq import Closed
from rocksq.nonblocking import PersistentQueueWithCapacity

AT_ONCE = 20
LONGEST_PAUSE = 30.0


async def send(session: aiohttp.ClientSession, url: str, item: bytes) -> None:
    """Send one request until the server takes it."""
    hook = json.loads(item)
    pause = 0.1
    while True:
        try:
            async with session.post(
                f"{url}/{hook['name']}",
                data=hook["body"].encode(),
                headers={"Content-Type": hook["type"]},
            ) as response:
                if response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def forward(queue: PersistentQueueWithCapacity, url: str) -> None:
    """Forward until the queue is closed."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                batch = await queue.read(AT_ONCE, timeout=None)
            except Closed:
                return
            async with asyncio.TaskGroup() as group:
                for item in batch.items:
                    group.create_task(send(session, url, item))
            await queue.commit(batch)


async def main(directory: str, url: str) -> None:
    """Forward until Ctrl-C."""
    async with PersistentQueueWithCapacity(directory, open_timeout=None) as queue:
        print("ready", flush=True)
        await forward(queue, url)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
