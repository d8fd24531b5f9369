"""On a disk whose syncs take long, no call that an event loop makes ever sleeps.

That is counted, not timed: the kernel tells how often a thread gave up its processor to wait.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import succeeded

SLOW = """
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>

/* For as long as a file is there. */
static void nap(void) {
    while (access(getenv("SLOW_WHILE"), F_OK) == 0) usleep(1000);
}

int fdatasync(int file) { nap(); return syscall(SYS_fdatasync, file); }
int fsync(int file) { nap(); return syscall(SYS_fsync, file); }
"""

PROGRAM = """
import asyncio, os, resource, sys, time
from pathlib import Path
from rocksq import StartPosition
from rocksq.nonblocking import MpmcQueue, PersistentQueueWithCapacity

def sleeps(call):
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    call()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before

async def main():
    fifo = PersistentQueueWithCapacity(f"{sys.argv[1]}/fifo", max_inflight_ops=5)
    mpmc = MpmcQueue(f"{sys.argv[1]}/mpmc", 60)
    await fifo.push([b"x"] * 100)
    taken = [fifo.pop() for _ in range(20)]
    await fifo.len
    kept, dropped = taken[:10], taken[10:]
    del taken
    calls = {
        "push": lambda: fifo.push([b"x"]),
        "large push": lambda: fifo.push([bytes(1 << 20)]),
        "pop": fifo.pop,
        "waiting pop": lambda: fifo.pop(timeout=9),
        "read": fifo.read,
        "wait_below": lambda: fifo.wait_below(elements=1),
        "len": lambda: fifo.len,
        "flush": fifo.flush,
        "stats": fifo.stats,
        "repr": lambda: repr(fifo),
        "add": lambda: mpmc.add([b"x"]),
        "next": lambda: mpmc.next("x", StartPosition.Oldest),
        "label_stats": mpmc.label_stats,
        "cancel": lambda: kept.pop().cancel(),
        "drop": dropped.pop,
    }
    slow = Path(os.environ["SLOW_WHILE"])
    slow.touch()
    flushes = fifo.flush(), mpmc.flush()
    await asyncio.sleep(0.05)
    # Now and then another thread has the GIL: what did not sleep once need not.
    fewest = {name: min(sleeps(call) for _ in range(5)) for name, call in calls.items()}
    leaving = []
    fewest["leaving"] = sleeps(lambda: leaving.append(fifo.__aexit__(None, None, None)))
    assert not any(flush.done() for flush in flushes)
    assert sleeps(lambda: time.sleep(0.001)) > 0
    print({name: count for name, count in fewest.items() if count})
    slow.unlink()
    await leaving[0]
    mpmc.close()

asyncio.run(main())
"""


def test_no_call_sleeps_on_a_slow_disk(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs Linux and a C compiler")
    source, library = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text(SLOW)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "LD_PRELOAD": str(library), "SLOW_WHILE": str(tmp_path / "slow")},
    )
    assert succeeded(ended) == "{}\n"
