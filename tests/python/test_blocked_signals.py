"""A signal that the program blocks stays pending: no thread of the library takes it."""

from pathlib import Path

import pytest

from support import needs_posix, run, succeeded

pytestmark = needs_posix

QUEUES = [
    'rocksq.blocking.PersistentQueueWithCapacity(sys.argv[1]).push([b"item"])',
    'rocksq.nonblocking.PersistentQueueWithCapacity(sys.argv[1]).push([b"item"]).result()',
]


@pytest.mark.parametrize("use", QUEUES)
def test_a_blocked_signal_stays_pending(tmp_path: Path, use: str) -> None:
    program = f"""
import os, signal, sys
import rocksq
{use}
signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}})
os.kill(os.getpid(), signal.SIGTERM)
print(signal.SIGTERM in signal.sigpending())
sys.stdout.flush()
os._exit(0)
"""
    assert succeeded(run(program, tmp_path / "queue")) == "True\n"
