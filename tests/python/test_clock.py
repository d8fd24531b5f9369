"""Steps of the machine's clock, for real: a Python whose clock is moved under it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support import PATIENCE, succeeded

LIBRARIES = [
    library
    for directory in ("/usr/lib", "/usr/local/lib")
    for library in Path(directory).glob("**/faketime/libfaketime.so.1")
]

PROGRAM = """
import os, sys
from pathlib import Path
from rocksq import StartPosition
from rocksq.blocking import MpmcQueue

clock = Path(os.environ["FAKETIME_TIMESTAMP_FILE"])
with MpmcQueue(sys.argv[1], 3600) as queue:
"""

Run = Callable[[str, str], list[str]]


@pytest.fixture
def run(path: Path, tmp_path: Path) -> Run:
    """Return a function that uses the queue in a Python whose clock is off by so much."""
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed")
    clock = tmp_path / "clock"
    environment = os.environ | {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }

    def run(off: str, lines: str) -> list[str]:
        clock.write_text(off)
        body = "".join(f"    {line}\n" for line in lines.strip().splitlines())
        process = subprocess.run(
            [sys.executable, "-c", PROGRAM + body, str(path)],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=environment,
        )
        return succeeded(process).splitlines()

    return run


STEPS = """
queue.next("x", StartPosition.Oldest)
queue.add([b"a"])
clock.write_text("+1d")
queue.add([b"b"])
print(len(queue))
clock.write_text("-1d")
queue.add([b"c"])
print(len(queue))
"""
LOOK = 'print(len(queue), *queue.peek("x", StartPosition.Oldest, 9))'
TAKE = 'print(*queue.next("x", StartPosition.Oldest, 9))'


def test_steps_by_a_day_change_nothing_while_open_and_none_back_loses_anything(run: Run) -> None:
    assert run("+0", STEPS) == ["2", "3"]
    assert run("-1d", LOOK) == ["3 b'a' b'b' b'c'"]
    assert run("+0", TAKE) == ["[b'a', b'b', b'c'] False"]


def test_a_step_forth_between_two_openings_counts_as_downtime(run: Run) -> None:
    assert run("+0", STEPS) == ["2", "3"]
    assert run("+1d", TAKE) == ["[] True"]
    # Set right again, nothing comes back, and what is added lives.
    assert run("+0", 'queue.add([b"d"])') == []
    assert run("+0", TAKE) == ["[b'd'] False"]
