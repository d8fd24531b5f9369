"""The uploader of the examples against a real server, both killed in the middle."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from documents import ROOT
from rocksq.blocking import PersistentQueueWithCapacity
from support import PATIENCE

PROGRAM = ROOT / "examples/store_and_forward.py"
AT_ONCE = 100
"""Lines that the program uploads at once."""


class Server:
    """Takes uploads, and can go away and come back at the same address."""

    def __init__(self) -> None:
        self.lines: list[dict[str, str]] = []
        """What it has been told so far, however often."""
        self._uploads: queue.SimpleQueue[list[dict[str, str]]] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.status = 200
        """What it answers; with another than 200 it has not taken the upload."""
        self._port = 0

    @contextmanager
    def running(self) -> Iterator[str]:
        """Run, and give the address."""
        server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self.url
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.status
                if status == 200:
                    outer._uploads.put([json.loads(line) for line in body.splitlines()])
                self.send_response(status)
                self.end_headers()
                outer.asked.put(status)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        return Handler

    def numbers(self) -> list[int]:
        """What it has, once each, in the order in which it came first."""
        return list(dict.fromkeys(int(line["line"]) for line in self.lines))

    def wait_for_an_upload(self) -> None:
        self.lines += self._uploads.get(timeout=PATIENCE)

    def wait_for(self, number: int) -> None:
        """Wait until it has so many different lines."""
        while len(self.numbers()) < number:
            self.wait_for_an_upload()

    def catch_up(self) -> None:
        while not self._uploads.empty():
            self.wait_for_an_upload()


@contextmanager
def uploader(directory: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(directory), url],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def write(process: subprocess.Popen[str], numbers: range) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(f"{number}\n" for number in numbers))
    process.stdin.flush()


def end(process: subprocess.Popen[str]) -> None:
    """Close the input, and see that the program ends by itself."""
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(PATIENCE) == 0


def waiting(path: Path) -> set[str]:
    """The ids of the lines that wait in the queue of a program that was killed."""
    with PersistentQueueWithCapacity(path) as queue:
        return {json.loads(item)["id"] for item in queue}


@pytest.fixture
def server() -> Server:
    return Server()


def test_it_uploads_everything_in_order_and_once_when_nothing_fails(
    server: Server, path: Path
) -> None:
    with server.running() as url, uploader(path, url) as process:
        write(process, range(1000))
        end(process)
    server.catch_up()
    assert [int(line["line"]) for line in server.lines] == list(range(1000))


def test_it_waits_for_a_server_that_refuses_goes_away_and_comes_back(
    server: Server, path: Path
) -> None:
    with server.running() as url:
        server.status = 503
        with uploader(path, url) as process:
            write(process, range(300))
            assert server.asked.get(timeout=PATIENCE) == 503
            server.status = 200
            server.wait_for(300)
    with uploader(path, server.url) as process:  # nobody there
        write(process, range(300, 500))
        with server.running():
            end(process)
    server.catch_up()
    assert server.numbers() == list(range(500))


def test_killed_in_the_middle_it_loses_nothing_and_repeats_one_batch_at_most(
    server: Server, path: Path
) -> None:
    kills = 4
    stored: set[str] = set()
    with server.running() as url:
        for kill in range(kills):
            with uploader(path, url) as process:
                write(process, range(kill * 500, (kill + 1) * 500))
                server.wait_for_an_upload()
                process.kill()
            stored |= waiting(path)
        with uploader(path, url) as process:
            end(process)
    server.catch_up()
    ids = [line["id"] for line in server.lines]
    assert stored <= set(ids)
    assert len(ids) - len(set(ids)) <= kills * AT_ONCE
    assert server.numbers() == sorted(server.numbers())
    assert waiting(path) == set()
