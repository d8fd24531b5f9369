"""The examples that receive web hooks and forward them."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from rocksq import blocking
from support import PATIENCE

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def started(example: str, *arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run an example in a process of its own until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / example),
        *map(str, arguments),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert line == b"ready\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)


class Target:
    """A server that refuses the first requests and remembers those that it takes."""

    def __init__(self, refused: int) -> None:
        self.taken: dict[str, str] = {}
        self.enough = asyncio.Event()
        self._refused = refused

    async def take(self, request: web.Request) -> web.Response:
        if self._refused > 0:
            self._refused -= 1
            return web.Response(status=500)
        self.taken[request.match_info["name"]] = await request.text()
        if len(self.taken) == REQUESTS:
            self.enough.set()
        return web.Response()

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/target/{name}", self.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield
        finally:
            await runner.cleanup()


REQUESTS = 50


def test_web_hooks_are_received_kept_and_forwarded(path: Path, port: int) -> None:
    bodies = {f"hook-{number}": f"body {number} \N{SNOWMAN}" for number in range(REQUESTS)}

    async def main() -> None:
        async with started("webhook_receiver.py", port, path), aiohttp.ClientSession() as session:
            for name, body in bodies.items():
                url = f"http://127.0.0.1:{port}/hooks/{name}"
                async with session.post(url, data=body.encode()) as response:
                    assert response.status == 202
        target = Target(refused=3)
        url = f"http://127.0.0.1:{port}/target"
        async with target.serving(port), started("webhook_forwarder.py", path, url):
            await asyncio.wait_for(target.enough.wait(), PATIENCE)
        assert target.taken == bodies

    asyncio.run(main())


def test_a_receiver_that_is_killed_keeps_what_it_has_accepted(path: Path, port: int) -> None:
    async def main() -> None:
        async with (
            started("webhook_receiver.py", port, path) as receiver,
            aiohttp.ClientSession() as session,
        ):
            url = f"http://127.0.0.1:{port}/hooks/x"
            async with session.post(url, data=b"body") as response:
                assert response.status == 202
            receiver.kill()

    asyncio.run(main())
    with blocking.PersistentQueueWithCapacity(path) as queue:
        assert queue.len == 1


@pytest.mark.parametrize("example", ["webhook_receiver.py", "webhook_forwarder.py"])
def test_the_examples_are_short(example: str) -> None:
    assert len((EXAMPLES / example).read_text().splitlines()) < 80
