"""Receives web hooks and answers once they are safe, whatever becomes of those who work on them.

    python examples/webhook_receiver.py PORT QUEUE_DIRECTORY

POST anything to /hooks/<name>. The answer is 202 when the request is in the queue, and 503 when the
queue has no room; then the sender tries again later, as senders of web hooks do.
"""

import asyncio
import json
import signal
import sys

from aiohttp import web

from rocksq import Full
from rocksq.nonblocking import PersistentQueueWithCapacity

QUEUE = web.AppKey("queue", PersistentQueueWithCapacity)


async def receive(request: web.Request) -> web.Response:
    """Put one request into the queue."""
    hook = {
        "name": request.match_info["name"],
        "type": request.content_type,
        "body": await request.text(),
    }
    try:
        await request.app[QUEUE].push([json.dumps(hook).encode()])
    except Full:
        return web.Response(status=503, headers={"Retry-After": "10"})
    return web.Response(status=202)


async def serve(port: int, directory: str) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with PersistentQueueWithCapacity(directory, max_elements=100_000) as queue:
        app = web.Application()
        app[QUEUE] = queue
        app.router.add_post("/hooks/{name}", receive)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("ready", flush=True)
        await stop.wait()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
