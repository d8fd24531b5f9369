"""Both queues at work on real files, through a crash. Fails loudly on any difference.

Each step is a process of its own, as the parts of a real system would be.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import library
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity

HERE = Path(__file__).parent


def command(script: str, *arguments: object) -> list[str]:
    return [sys.executable, str(HERE / script), *map(str, arguments)]


def run(script: str, *arguments: object) -> None:
    subprocess.run(command(script, *arguments), check=True, stdout=subprocess.DEVNULL)


def run_and_kill(script: str, path: Path, after: int) -> int:
    """Runs a producer and kills it after so many pushes. Returns how many it reported."""
    pushed = 0
    with subprocess.Popen(command(script, path), stdout=subprocess.PIPE, text=True) as producer:
        assert producer.stdout is not None
        for line in producer.stdout:
            if not line.endswith("\n"):
                break  # killed while it wrote the line
            pushed = int(line.split()[1])
            if pushed == after:
                producer.kill()
    return pushed


@contextmanager
def timed(what: str, files: int, size: int) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    rate = f"{files / seconds:8,.0f} files/s {size / seconds / 1e6:7.1f} MB/s"
    print(f"  {what:<58} {rate}", flush=True)


def persistent_queue(path: Path, files: list[Path], size: int) -> None:
    print(f"Persistent queue: {len(files)} files, {size / 1e6:.1f} MB", flush=True)
    reported = run_and_kill("produce.py", path, after=len(files) * 2 // 5)
    with PersistentQueueWithCapacity(str(path)) as queue:
        held = len(queue)
    if held < reported:
        raise library.Difference(f"{reported} pushes were reported, the queue holds {held}")
    print(f"  the producer was killed (SIGKILL) after {reported} pushes; the queue holds {held}")
    with timed("a second producer resumed and pushed the rest", len(files) - held, size * 3 // 5):
        run("produce.py", path)
    with timed("a consumer popped all and verified digests and order", len(files), size):
        run("consume.py", path)


def mpmc_queue(path: Path, files: list[Path], size: int) -> None:
    print(f"MPMC queue: the same {len(files)} files, two labels", flush=True)
    half = len(files) // 2
    with timed("a producer added all files", len(files), size):
        run("publish.py", path)
    with timed("label 'index' read and verified all", len(files), size):
        run("subscribe.py", path, "index", 0, len(files))
    run("subscribe.py", path, "backup", 0, half)
    print(f"  label 'backup' stopped after {half} files")
    with timed("label 'backup' went on after a restart, to the end", len(files) - half, size // 2):
        run("subscribe.py", path, "backup", half, len(files))
    with MpmcQueue(str(path), ttl=3600) as queue:
        if queue.labels != ["backup", "index"]:
            raise library.Difference(f"unexpected labels: {queue.labels}")


def main() -> None:
    files = library.files()
    size = sum(path.stat().st_size for path in files)
    with tempfile.TemporaryDirectory() as directory:
        persistent_queue(Path(directory, "fifo"), files, size)
        mpmc_queue(Path(directory, "mpmc"), files, size)
    print("Nothing was lost, doubled or out of order.")


if __name__ == "__main__":
    main()
