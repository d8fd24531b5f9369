"""The guide's recipes for servers run in those servers: see `make test-recipes`."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from documents import ROOT, blocks, write_files
from rocksq.blocking import PersistentQueueWithCapacity
from support import PATIENCE

SETTINGS = """
broker_url = "filesystem://"
broker_transport_options = {"data_folder_in": "broker", "data_folder_out": "broker"}
"""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_files(ROOT / "docs/guide/recipes.md", tmp_path)
    (tmp_path / "celeryconfig.py").write_text(SETTINGS)
    (tmp_path / "broker").mkdir()
    return tmp_path


@contextmanager
def served(*arguments: str) -> Iterator[None]:
    """Run a server, and end it in the way that its manager would."""
    process = subprocess.Popen([sys.executable, "-m", *arguments])
    try:
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    finally:
        process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def post(port: int, item: bytes) -> bytes:
    """Send a request, once the server listens."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            address = f"http://127.0.0.1:{port}/{item.decode()}"
            answer: bytes = urllib.request.urlopen(address, item, timeout=PATIENCE).read()
        except (ConnectionError, urllib.error.URLError):
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0.05)
        else:
            return answer


def stored(directory: Path) -> list[bytes]:
    """All items in the queues of the workers."""
    items: list[bytes] = []
    for path in sorted((directory / "spool").iterdir()):
        with PersistentQueueWithCapacity(path, open_timeout=PATIENCE) as queue:
            items += queue.pop(100)
    return sorted(items)


def wait_for_tasks(directory: Path) -> None:
    end = time.monotonic() + PATIENCE
    while any((directory / "broker").iterdir()):
        assert time.monotonic() < end, "the tasks are not taken"
        time.sleep(0.05)


def send(module: str) -> None:
    program = f"from {module} import store\nfor text in 'abcdef': store.delay(text)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)


def test_each_worker_of_gunicorn_has_its_queue(directory: Path) -> None:
    pytest.importorskip("gunicorn")
    port = free_port()
    arguments = ("-w", "2", "--preload", "-b", f"127.0.0.1:{port}", "web:app")
    with served("gunicorn", *arguments):
        assert [post(port, b"%d" % number) for number in range(10)] == [b"stored"] * 10
    assert stored(directory) == [b"/%d" % number for number in range(10)]


def test_each_worker_of_uvicorn_has_its_queue(directory: Path) -> None:
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    port = free_port()
    with served("uvicorn", "--workers", "2", "--port", str(port), "service:app"):
        assert [post(port, b"") for _ in range(10)] == [b"stored"] * 10
    assert stored(directory) == [b""] * 10


def test_each_worker_of_celery_has_its_queue(directory: Path) -> None:
    pytest.importorskip("celery")
    with served("celery", "-A", "tasks", "worker", "-P", "prefork", "-c", "2"):
        send("tasks")
        wait_for_tasks(directory)
    assert stored(directory) == [b"a", b"b", b"c", b"d", b"e", b"f"]


def test_the_threads_of_celery_share_a_queue(directory: Path) -> None:
    pytest.importorskip("celery")
    with served("celery", "-A", "threaded", "worker", "-P", "threads", "-c", "4"):
        send("threaded")
        wait_for_tasks(directory)
    with PersistentQueueWithCapacity(directory / "frames", open_timeout=PATIENCE) as queue:
        assert sorted(queue.pop(10)) == [b"a", b"b", b"c", b"d", b"e", b"f"]


def test_the_processes_of_pytest_xdist_have_queues_of_their_own(directory: Path) -> None:
    pytest.importorskip("xdist")
    command = [sys.executable, "-m", "pytest", "--quiet", "-n", "2", "test_queue.py"]
    subprocess.run(command, cwd=directory, check=True, timeout=PATIENCE)


def test_a_notebook_runs_twice_in_one_kernel() -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    codes = [code for _, code in blocks(ROOT / "docs/guide/recipes.md", "python")]
    codes.append(
        "from rocksq import nonblocking\n"
        "later = nonblocking.PersistentQueueWithCapacity('later')\n"
        "await later.push([b'item'])\n"
        "assert await later.pop() == [b'item']"
    )
    cells = [nbformat.v4.new_code_cell(code) for code in codes]
    client = nbclient.NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=PATIENCE)
    with client.setup_kernel():
        for _ in range(2):
            for number, cell in enumerate(cells):
                client.execute_cell(cell, number)
