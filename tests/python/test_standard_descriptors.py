"""A program may close its standard descriptors: no file of a queue takes their place.

A file that is opened gets the lowest descriptor that is free. A program without standard output
that still prints would write into the queue's log, and one that puts /dev/null in the place of its
standard descriptors would give the queue's locks away.
"""

from pathlib import Path

from support import needs_posix, run, succeeded

pytestmark = needs_posix

PROGRAM = """
import contextlib, os, sys
import rocksq
from rocksq.blocking import MpmcQueue, PersistentQueueWithCapacity as Queue
path = sys.argv[1]
"""


def test_what_is_printed_without_standard_output_does_not_land_in_the_queue(
    tmp_path: Path,
) -> None:
    program = """
queue = Queue(path + "/queue")
os.close(1)
os.close(2)
for _ in range(40):
    queue.push([os.urandom(1 << 20)])
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"warning" + b"\\n")
open(path + "/pushed", "w").close()
os._exit(0)
"""
    run(PROGRAM + program, tmp_path)
    assert (tmp_path / "pushed").exists()
    count = 'with Queue(path + "/queue") as queue: print(len(queue.pop(99)))'
    assert succeeded(run(PROGRAM + count, tmp_path)) == "40\n"


def test_the_locks_of_a_queue_stay_when_the_standard_descriptors_are_set_up_late(
    tmp_path: Path,
) -> None:
    program = """
import subprocess
for descriptor in range(3):
    os.close(descriptor)
queue = Queue(path + "/queue")
null = os.open(os.devnull, os.O_RDWR)
for descriptor in range(3):
    os.dup2(null, descriptor)
second = '''
import sys, rocksq
from rocksq.blocking import PersistentQueueWithCapacity
try:
    PersistentQueueWithCapacity(sys.argv[1])
except rocksq.Busy:
    sys.exit(7)
'''
ended = subprocess.run([sys.executable, "-c", second, path + "/queue"]).returncode
with open(path + "/ended", "w") as file:
    file.write(str(ended))
"""
    run(PROGRAM + program, tmp_path)
    assert (tmp_path / "ended").read_text() == "7"


def test_no_file_of_an_open_queue_has_a_standard_descriptor(tmp_path: Path) -> None:
    program = """
for descriptor in range(3):
    os.close(descriptor)
queues = [Queue(path + "/fifo"), MpmcQueue(path + "/mpmc", ttl=60)]
queues[0].push([bytes(2 << 20)])
queues[1].add([bytes(2 << 20)])
for queue in queues:
    queue.flush()
    queue.backup(queue.path + ".copy")
with open(path + "/low", "w") as file:
    for descriptor in range(3):
        file.write(os.readlink(f"/proc/self/fd/{descriptor}") + "\\n")
os._exit(0)
"""
    if not Path("/proc/self/fd").is_dir():
        return
    run(PROGRAM + program, tmp_path)
    assert (tmp_path / "low").read_text() == "/dev/null\n" * 3
